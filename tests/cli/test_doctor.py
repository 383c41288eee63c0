"""`ami-deprecation doctor` over EC2's wire: who the caller is and what the credentials may do, without a change."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation.cli import reading
from ami_deprecation.cli.app import run
from tests.support.cli_command import use

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2

ACTIONS = ["DescribeImages", "EnableImageDeprecation", "DisableImageDeprecation"]


@pytest.fixture(autouse=True)
def _in_this_process(ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch) -> None:
    use(ec2, monkeypatch)


def diagnosis(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["doctor", "--json", *arguments]) == code
    document = json.loads(capsys.readouterr().out)
    [region] = document["regions"]
    return {
        **region,
        "results": {each["action"]: each["result"] for each in region["checks"]},
        "details": {each["action"]: each["detail"] for each in region["checks"]},
    }


def test_doctor_proves_permissions_without_change(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    ec2.add_image("web")
    shown = diagnosis(capsys)
    assert shown["results"] == dict.fromkeys(ACTIONS, "allowed")
    assert (shown["account"], shown["region"]) == (ec2.account, "eu-west-1")
    assert shown["region_from"] in ("AWS_REGION", "AWS_DEFAULT_REGION")
    assert shown["endpoint"] == ec2.endpoint_url
    dry = [call for call in ec2.calls if call.action in ACTIONS[1:]]
    assert [call.error_code for call in dry] == ["DryRunOperation"] * 2
    assert ec2.mutations() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_doctor_names_refused_action(ec2: LocalEC2, capsys: pytest.CaptureFixture[str], action: str) -> None:
    image_id = ec2.add_image("web")
    ec2.faults.add(action, "denied", times=None)
    shown = diagnosis(capsys, "--image", image_id, code=1)
    assert shown["results"] == dict.fromkeys(ACTIONS, "allowed") | {action: "refused"}


def test_account_without_image_is_not_proven(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    del ec2
    shown = diagnosis(capsys)
    assert shown["results"] == {
        "DescribeImages": "allowed",
        "EnableImageDeprecation": "not proven",
        "DisableImageDeprecation": "not proven",
    }


def test_doctor_goes_on_when_images_cannot_be_listed(
    ec2: LocalEC2, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMI_DEPRECATION_RETRY_SECONDS", "1")
    reading.gateway.cache_clear()
    ec2.faults.add("DescribeImages", "unavailable", dry_run=False, times=None)
    shown = diagnosis(capsys, code=1)
    assert shown["results"] == dict.fromkeys(ACTIONS, "not proven") | {"DescribeImages": "failed"}


def test_public_image_proves_no_cancellation(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    public = ec2.add_image("everybodys", public=True)
    shown = diagnosis(capsys)
    assert shown["results"] == dict.fromkeys(ACTIONS, "allowed") | {ACTIONS[2]: "not proven"}
    assert "a public AMI cannot be canceled" in shown["details"][ACTIONS[2]]
    assert diagnosis(capsys, "--image", public)["results"] == shown["results"]


def test_doctor_prefers_private_image(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    private = ec2.add_image("ours", created=datetime.now(timezone.utc) - timedelta(days=9))
    ec2.add_image("everybodys", public=True, created=datetime.now(timezone.utc) - timedelta(days=8))
    ec2.add_image("coming", state="pending")
    shown = diagnosis(capsys)
    assert shown["results"] == dict.fromkeys(ACTIONS, "allowed")
    assert shown["details"][ACTIONS[1]] == f"tried on {private}"


def test_only_failed_image_is_not_proven(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    ec2.add_image("broken", state="failed")
    shown = diagnosis(capsys)
    assert set(shown["results"].values()) == {"allowed", "not proven"}
    assert "is in state failed" in shown["details"][ACTIONS[1]]


def test_image_of_another_account_is_named_so(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    other = ec2.add_image("theirs", account="210987654321", public=True)
    shown = diagnosis(capsys, "--image", other, code=1)
    assert shown["results"] == dict.fromkeys(ACTIONS, "failed") | {ACTIONS[0]: "allowed"}
    for action in ACTIONS[1:]:
        assert "is owned by account 210987654321" in shown["details"][action]
    ec2.faults.add("DescribeImages", "denied", times=None)
    shown = diagnosis(capsys, "--image", other, code=1)
    assert shown["results"] == dict.fromkeys(ACTIONS, "failed") | {ACTIONS[0]: "refused"}
    for action in ACTIONS[1:]:
        assert "is another account's" in shown["details"][action]


@pytest.mark.parametrize("is_readable", [True, False])
def test_unknown_image_names_what_to_check(
    ec2: LocalEC2, capsys: pytest.CaptureFixture[str], *, is_readable: bool
) -> None:
    if not is_readable:
        ec2.faults.add("DescribeImages", "denied", times=None)
    shown = diagnosis(capsys, "--image", "ami-00000000000000000", code=1)
    for action in ACTIONS[1:]:
        assert shown["results"][action] == "failed"
        assert "check the image id, the Region, and that the credentials" in shown["details"][action]
        assert "pulumi refresh" not in shown["details"][action]


def test_doctor_asks_ec2_when_sts_refuses(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    image_id = ec2.add_image("web")
    ec2.faults.add("GetCallerIdentity", "denied", times=None)
    for arguments in ([], ["--image", image_id]):
        shown = diagnosis(capsys, *arguments, code=1)
        assert shown["results"] == {"GetCallerIdentity": "failed"} | dict.fromkeys(ACTIONS, "allowed")
        assert (shown["account"], shown["arn"]) == (None, None)


@pytest.mark.parametrize("arguments", [[], ["--image", "ami-00000000000000000"]])
def test_doctor_without_credentials_lists_every_action(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    shown = diagnosis(capsys, *arguments, code=1)
    assert shown["results"] == {"GetCallerIdentity": "failed"} | dict.fromkeys(ACTIONS, "not proven")
    assert {shown["details"][action] for action in ACTIONS} == {"not tried, because GetCallerIdentity failed"}


def test_doctor_table_names_versions_and_no_secret(
    ec2: LocalEC2, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-very-secret-key")
    ec2.add_image("web")
    assert run(["doctor", "--region", "eu-west-1"]) == 0
    shown = capsys.readouterr().out
    assert "Region    eu-west-1 (from --region)" in shown
    assert "allowed     EnableImageDeprecation" in shown
    assert "boto3 (Python) " in shown
    assert "a-very-secret-key" not in shown


def test_doctor_refuses_malformed_image_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--image", "ami-1"]) == 2
    assert "--image: 'ami-1' is not the id of an AMI" in capsys.readouterr().err
