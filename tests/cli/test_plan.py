"""`ami-deprecation plan`: the decisions of a policy's arguments, before anything is declared."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.image import Scan
from tests.support.cli_command import command, succeed

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2

NOW = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
US = "us-east-1"


@pytest.fixture
def fleet(ec2: LocalEC2) -> list[str]:
    """web-0 to web-3, the newest last; web-2 has a critical finding with a fix."""
    ec2.set_time(NOW)
    scan = Scan("critical", NOW, {"critical": NOW - 3 * DAY})
    ages = (100, 50, 20, 5)
    return [
        ec2.add_image(
            f"web-{number}",
            created=NOW - age * DAY,
            deprecation_time=NOW + 10 * DAY if number == 0 else None,
            scan=scan if number == 2 else Scan("low", NOW),
        )
        for number, age in enumerate(ages)
    ]


def test_plan_shows_date_rule_and_reason(ec2: LocalEC2, fleet: list[str]) -> None:
    options = ("--name", "web-*", "--keep-newest", "2", "--grace-days", "60", "--fix-days", "critical=30")
    document = json.loads(succeed(ec2, "plan", *options, "--format", "json"))
    assert document["regions"] == ["eu-west-1"]
    assert (document["failed"], document["generated_at"]) == ({}, "2027-03-01T12:00:00Z")
    shown = [
        (
            row["image_id"],
            row["deprecation_time"],
            row["date"],
            row["notice_days"],
            row["rule"],
            row["reason"],
        )
        for row in document["images"]
    ]
    assert shown == [
        (fleet[3], None, None, None, "keep_newest", "it is one of the newest 2"),
        (
            fleet[2],
            None,
            None,
            None,
            "keep_newest",
            (
                "it is one of the newest 2, although a fix for a critical finding has been available since 2027-02-26, "
                "plus 30 days"
            ),
        ),
        (
            fleet[1],
            None,
            "2027-04-25T12:00:00Z",
            None,
            "keep_newest",
            "web-3 pushed it out on 2027-02-24, plus 60 days",
        ),
        (
            fleet[0],
            "2027-03-11T12:00:00Z",
            "2027-04-10T12:00:00Z",
            None,
            "keep_newest",
            "web-2 pushed it out on 2027-02-09, plus 60 days",
        ),
    ]
    assert ec2.mutations() == []


def test_plan_is_a_table_for_people(ec2: LocalEC2, fleet: list[str]) -> None:
    result = command(
        ec2,
        "plan",
        "--name",
        "web-*",
        "--fix-days",
        "critical=7",
        "--keep-at-least",
        "1",
        "--after-days",
        "60",
    )
    assert result.returncode == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == "Name Image Region Now Planned Rule Why"
    assert f"web-3 {fleet[3]} eu-west-1 - - keep_at_least it is the newest" in lines
    fix = "a fix for a critical finding has been available since 2027-02-26, plus 7 days"
    assert f"web-2 {fleet[2]} eu-west-1 - 2027-03-15 fix_days {fix}" in lines
    assert lines[-1] == "4 images: 3 with a date, 1 without."


def test_plan_covers_all_regions_but_excluded_ones(ec2: LocalEC2, fleet: list[str]) -> None:
    ec2.set_enabled_regions(["eu-west-1", US, "us-west-2"])
    other = ec2.add_image("web-1", created=NOW - 90 * DAY, region=US)
    options = ("--name", "web-*", "--after-days", "60", "--all-regions", "--exclude-region", "us-west-2")
    document = json.loads(succeed(ec2, "plan", *options, "--format", "json"))
    assert document["regions"] == ["eu-west-1", US]
    assert {row["image_id"] for row in document["images"]} == {*fleet, other}


def test_image_of_public_parameter_is_warned_of(ec2: LocalEC2) -> None:
    ec2.set_time(NOW)
    image_id = ec2.add_image("web", created=NOW - DAY, public_ssm_parameter_name="/web/latest")
    result = command(ec2, "plan", "--name", "web", "--after-days", "60")
    assert (
        f"{image_id} (web) in eu-west-1 is what the public SSM parameter /web/latest resolves to"
        in result.stderr
    )


def test_failing_region_is_named_and_others_shown(ec2: LocalEC2, fleet: list[str]) -> None:
    ec2.faults.add("DescribeImages", "denied", region=US, times=None)
    result = command(
        ec2, "plan", "-r", f"eu-west-1,{US}", "--name", "*", "--after-days", "60", "--format", "json"
    )
    assert result.returncode == 1
    assert f"ami-deprecation: {US} is not in the plan: " in result.stderr
    document = json.loads(result.stdout)
    assert list(document["failed"]) == [US]
    assert len(document["images"]) == len(fleet)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "no images selected: set --name, --tag or --filter (--name '*' selects every image)"),
        (("--name", "*"), "no rule given: set at least one of --keep-newest, --after-days and --fix-days"),
        (("--name", "*", "--after-days", "1", "--grace-days", "2"), "--grace-days: it counts from the image"),
        (("--name", "*", "--fix-days", "severe=7"), "'severe=7' is not a severity and days"),
        (("--name", "*", "--after-days", "1", "--group-by", "x"), "--group-by: 'x' makes no groups"),
        (
            ("--name", "*", "--after-days", "1", "--all-regions", "--exclude-region", "eu-wset-1"),
            "'eu-wset-1' is not a Region",
        ),
        (
            ("--name", "*", "--after-days", "1", "--exclude-region", "eu-west-1"),
            "--exclude-region: it excludes Regions from all Regions of the account: set --all-regions too",
        ),
    ],
)
def test_wrong_options_are_one_sentence(ec2: LocalEC2, options: tuple[str, ...], sentence: str) -> None:
    result = command(ec2, "plan", *options)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
