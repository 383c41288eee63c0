"""`ami-deprecation report` over EC2's wire: what is asked, what is shown, and when the gate says no."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation.cli.app import run
from ami_deprecation.cli.report import FORMATS
from ami_deprecation.image import Scan
from tests.support.cli_command import command, succeed, use
from tests.support.watch import wait_until

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2

NOW = datetime.now(timezone.utc)
ACTIONS = [
    "DescribeImageReferences",
    "DescribeImages",
    "DescribeInstanceImageMetadata",
    "DescribeRegions",
    "DisableImageDeprecation",
    "EnableImageDeprecation",
]
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/golden"


def ahead(days: float) -> datetime:
    return NOW + timedelta(days=days)


def listed(ec2: LocalEC2, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(succeed(ec2, "report", "--format", "json", *arguments))
    return document


def names(document: dict[str, Any]) -> list[str]:
    return [each["name"] for each in document["images"]]


def test_report_lists_own_images_of_region_by_date(ec2: LocalEC2) -> None:
    ec2.add_image("endless")
    ec2.add_image("later", deprecation_time=ahead(100.5), tags={"Team": "shop"})
    ec2.add_image("past", deprecation_time=ahead(-3.5))
    ec2.add_image("off", state="disabled")
    ec2.add_image("theirs", account="210987654321", public=True)
    ec2.add_image("elsewhere", region="us-east-1")
    document = listed(ec2)
    states = {each["name"]: (each["state"], each["days_left"]) for each in document["images"]}
    assert states == {
        "past": ("deprecated", -3),
        "later": ("scheduled", 100),
        "endless": ("none", None),
        "off": ("disabled", None),
    }
    assert names(document)[:2] == ["past", "later"]
    assert document["regions"] == ["eu-west-1"]
    assert [call.action for call in ec2.calls] == ["DescribeImages"]
    assert names(listed(ec2, "--tag", "Team=shop", "--name", "l*")) == ["later"]


def test_references_name_users_of_image(ec2: LocalEC2) -> None:
    used = ec2.add_image("used")
    ec2.add_image("unused")
    ec2.add_reference(used, "ssm:Parameter", PARAMETER)
    by_name = {each["name"]: each["used_by"] for each in listed(ec2, "--references")["images"]}
    assert by_name == {"used": [{"resource_type": "ssm:Parameter", "arn": PARAMETER}], "unused": []}


def test_every_region_of_account_can_be_read(ec2: LocalEC2) -> None:
    ec2.add_image("here")
    ec2.add_image("there", region="us-east-1")
    document = listed(ec2, "--all-regions")
    assert sorted(names(document)) == ["here", "there"]
    assert {"eu-west-1", "us-east-1"} <= set(document["regions"])
    assert sum(call.action == "DescribeImages" for call in ec2.calls) == len(document["regions"])


def test_failing_region_is_named_and_others_are_shown(ec2: LocalEC2) -> None:
    ec2.add_image("here")
    ec2.faults.add("DescribeImages", "denied", region="us-east-1", times=None)
    result = command(ec2, "report", "-r", "us-east-1,eu-west-1", "--format", "json")
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert names(document) == ["here"]
    assert list(document["failed"]) == ["us-east-1"]
    assert "ec2:DescribeImages" in document["failed"]["us-east-1"]
    assert result.stderr.startswith("ami-deprecation: us-east-1: not in the report: ")
    assert result.stderr.count("\n") == 1


def test_report_keeps_images_when_references_fail(ec2: LocalEC2) -> None:
    ec2.add_image("here")
    ec2.faults.add("DescribeImageReferences", "denied", times=None)
    result = command(ec2, "report", "--references", "--format", "json")
    assert result.returncode == 1
    [image] = json.loads(result.stdout)["images"]
    assert image["used_by"] is None
    assert "the use of its images is not completely known" in result.stderr
    assert "ec2:DescribeImageReferences" in result.stderr


def test_role_reads_another_account(ec2: LocalEC2) -> None:
    ec2.add_image("mine")
    ec2.add_image("theirs", account="210987654321")
    role = "arn:aws:iam::210987654321:role/reader"
    assert names(listed(ec2, "--role-arn", role)) == ["theirs"]


@pytest.mark.parametrize(
    ("days", "used", "launched", "code"),
    [
        (10, True, None, 3),
        (10, False, 5, 3),
        (-30, True, None, 3),
        (20, True, 5, 0),
        (10, False, None, 0),
        (10, False, 100, 0),
        (None, True, 5, 0),
    ],
)
def test_gate_fails_when_image_in_use_is_due(
    ec2: LocalEC2,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    days: int | None,
    used: bool,
    launched: int | None,
    code: int,
) -> None:
    use(ec2, monkeypatch)
    date = None if days is None else ahead(days)
    last = None if launched is None else ahead(-launched)
    image_id = ec2.add_image("web", deprecation_time=date, last_launched=last, created=ahead(-200))
    if used:
        ec2.add_reference(image_id, "ssm:Parameter", PARAMETER)
    assert run(["report", "--fail-within", "14d"]) == code
    told = capsys.readouterr().err
    assert (f"{image_id} (web) in eu-west-1 is in use" in told) is bool(code)
    asked = [call for call in ec2.calls if call.action == "DescribeImageReferences"]
    assert len(asked) == (days is not None and days < 14), "only images that are due are looked into"


def test_incomplete_report_fails_gate(ec2: LocalEC2) -> None:
    ec2.add_image("web", deprecation_time=ahead(3))
    ec2.faults.add("DescribeImageReferences", "denied", times=None)
    assert command(ec2, "report", "--fail-within", "14d").returncode == 1


def test_every_format_shows_every_image(
    ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(ec2, monkeypatch)
    ids = ec2.add_images(30, "web")
    for form in FORMATS:
        assert run(["report", "--format", form]) == 0
        text = capsys.readouterr().out
        assert all(image_id in text for image_id in ids), form


def test_throttling_notes_stay_out_of_stdout(ec2: LocalEC2) -> None:
    ids = ec2.add_images(80, "web")
    result = command(
        ec2,
        *("report", "--references", "--format", "json"),
        AMI_DEPRECATION_READS_BURST="1",
        AMI_DEPRECATION_READS_PER_SECOND="8",
    )
    assert len(json.loads(result.stdout)["images"]) == len(ids)
    assert "the next ones wait for EC2's limit" in result.stderr


def test_ctrl_c_stops_at_once_while_ec2_hangs(ec2: LocalEC2) -> None:
    hang = ec2.faults.add("DescribeImages", "hang", seconds=60, times=None)
    # A test run in the background ignores SIGINT, and a child would inherit that; on a terminal nothing is ignored.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "ami_deprecation", "report"],
            env=os.environ | ec2.environment(region="eu-west-1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, inherited)
    wait_until(lambda: hang.played, "EC2 hangs")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out, err.strip()) == (130, "", "ami-deprecation: interrupted")


def test_terminal_shows_color_and_transient_progress_bar(ec2: LocalEC2) -> None:
    ec2.add_image("past", deprecation_time=ahead(-3))
    seen = terminal(ec2, "report")
    assert "\x1b[31mdeprecated" in seen
    assert "━" in seen or "0/1" in seen, "the progress bar"
    assert "\x1b[31m" not in terminal(ec2, "report", NO_COLOR="1")


def terminal(ec2: LocalEC2, *arguments: str, **more: str) -> str:
    """All that a user at a terminal sees."""
    leader, follower = pty.openpty()
    environment = os.environ | ec2.environment(region="eu-west-1") | {"TERM": "xterm-256color"} | more
    process = subprocess.Popen(
        [sys.executable, "-m", "ami_deprecation", *arguments],
        env=environment,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = b""
    try:
        while chunk := os.read(leader, 4096):
            seen += chunk
    except OSError:  # Linux's way to say that the other end is closed
        pass
    finally:
        os.close(leader)
    assert process.wait(60) == 0
    return seen.decode()


def test_running_lists_images_of_instances(
    ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(ec2, monkeypatch)
    mine = ec2.add_image("web-[1]", deprecation_time=ahead(30.5))
    theirs = ec2.add_image("base", account="210987654321", public=True, deprecation_time=ahead(-2.5))
    ec2.add_image("idle")
    client = ec2.client()
    client.run_instances(ImageId=mine, MinCount=2, MaxCount=2)
    client.run_instances(ImageId=theirs, MinCount=1, MaxCount=1)
    gone = client.run_instances(ImageId=mine, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    client.terminate_instances(InstanceIds=[gone])
    assert run(["report", "--running", "--format", "json"]) == 0
    images = json.loads(capsys.readouterr().out)["images"]
    keys = ("name", "owner_id", "state", "instances")
    assert [tuple(each[key] for key in keys) for each in images] == [
        ("base", "210987654321", "deprecated", 1),
        ("web-[1]", ec2.account, "scheduled", 2),
    ]
    assert run(["report", "--running", "--name", "web-[1*", "--fail-within", "60d"]) == 3
    out, err = capsys.readouterr()
    assert "Instances" in out
    assert "is in use (2 instances)" in err
    assert "base" not in out
    assert run(["report", "--running", "--name", "none[/]*"]) == 0
    assert "No images: no instance in eu-west-1 matches --name 'none[/]*'." in capsys.readouterr().out


def test_unpatched_image_closes_the_gate(
    ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(ec2, monkeypatch)
    ec2.add_image("web", scan=Scan("critical", NOW, {"critical": ahead(-10)}))
    assert run(["report", "--fail-unpatched", "critical=30"]) == 0
    out, err = capsys.readouterr()
    assert f"critical since {ahead(-10):%Y-%m-%d}" in out
    assert "--fail-unpatched passed" in err
    assert run(["report", "--fail-unpatched", "critical=7,high=30"]) == 3
    assert "a critical fix for 10 days (allowed: 7)" in capsys.readouterr().err


def test_one_cause_in_many_regions_is_one_line(
    ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(ec2, monkeypatch)
    ec2.faults.add("DescribeImages", "denied", times=None)
    assert run(["report", "--all-regions", "--fail-without-date"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert " more Regions: not in the report: " in line


OPTIONS: list[tuple[list[str], list[str]]] = [
    (["report"], ["--read-only"]),
    (["report", "--references"], ["--read-only", "--references"]),
    (["report", "--fail-within", "14d"], ["--read-only", "--references"]),
    (["report", "--running"], ["--read-only", "--running"]),
    (["report", "--all-regions"], ["--read-only", "--all-regions"]),
    (["adopt", "--all-regions"], ["--read-only", "--all-regions"]),
    (["plan", "--name", "*", "--after-days", "365"], ["--read-only"]),
    (["plan", "--name", "*", "--after-days", "1", "--in-use", "skip"], ["--read-only", "--references"]),
    (["plan", "--name", "*", "--after-days", "365", "--all-regions"], ["--read-only", "--all-regions"]),
    (["doctor"], []),
]


@pytest.mark.parametrize(("arguments", "policy"), OPTIONS, ids=" ".join)
def test_iam_policy_is_enough_for_option(
    ec2: LocalEC2,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    policy: list[str],
) -> None:
    """Every action that the policy does not list is denied."""
    use(ec2, monkeypatch)
    ec2.add_image("web", deprecation_time=ahead(3))
    ec2.add_image("bare")
    assert run(["iam-policy", *policy]) == 0
    allowed = json.dumps(json.loads(capsys.readouterr().out))
    for action in ACTIONS:
        if f'"ec2:{action}"' not in allowed:
            ec2.faults.add(action, "denied", times=None)
    assert run(arguments) == 0, capsys.readouterr().err
    used = {call.action for call in ec2.calls} & set(ACTIONS)
    listed = {action for action in ACTIONS if f'"ec2:{action}"' in allowed}
    assert used <= listed
    assert listed - used <= {"DescribeImages"}, "which every policy allows"
