"""A policy's arguments: what is taken, and what is said of a mistake."""

from __future__ import annotations

import re

import pytest

from ami_deprecation.fleet.arguments import Given, parse
from ami_deprecation.fleet.selection import Exclusion, GroupBy, Rules

GOOD: dict[str, object] = {"name": "base-*", "keep_newest": 3}


def test_minimal_arguments_have_safe_defaults() -> None:
    arguments, problems = parse(Given(**GOOD))
    assert problems == []
    assert arguments.rules == Rules(keep_newest=3)
    assert (arguments.owners, arguments.notice_days, arguments.in_use) == (("self",), 14, "ignore")
    assert (arguments.regions, arguments.max_changes) == (None, None)


def test_all_arguments_are_accepted() -> None:
    arguments, problems = parse(
        Given(
            name=["base-*", "web-?"],
            tags={"Team": ["a", "b"], "Env": "prod"},
            filters={"architecture": "arm64"},
            owners=["123456789012"],
            executable_users=["all"],
            exclude=["ami-0123456789abcdef0", "*-golden", "tag:Keep", "tag:Keep=a=b"],
            group_by=["tag:Family", "architecture"],
            keep_newest=0,
            grace_days=30,
            keep_at_least=2,
            deprecate_after_days=3650,
            fix_days={"high": 30, "critical": 0},
            whole_releases=True,
            notice_days=0,
            in_use="skip",
            regions=["eu-west-1", "us-east-1", "eu-west-1"],
            max_changes=0,
            allow_empty=True,
            on_destroy="restore",
            explain=True,
            profile="fleet",
            role_arn="arn:aws:iam::123456789012:role/fleet",
        )
    )
    assert problems == []
    assert arguments.rules == Rules(
        keep_newest=0,
        grace_days=30,
        deprecate_after_days=3650,
        keep_at_least=2,
        fix_days={"critical": 0, "high": 30},
        whole_releases=True,
        group_by=(GroupBy("tag", tag="Family"), GroupBy("architecture")),
        exclude=(
            Exclusion(image_id="ami-0123456789abcdef0"),
            Exclusion(name="*-golden"),
            Exclusion(tag="Keep"),
            Exclusion(tag="Keep", tag_value="a=b"),
        ),
    )
    assert arguments.regions == ("eu-west-1", "us-east-1")
    assert (arguments.notice_days, arguments.max_changes) == (0, 0)
    assert (arguments.executable_users, arguments.on_destroy) == (("all",), "restore")
    assert (arguments.allow_empty, arguments.explain, arguments.all_regions) == (True, True, False)


def test_exclude_may_be_an_empty_list() -> None:
    arguments, problems = parse(Given(name="*", keep_newest=1, exclude=[]))
    assert (arguments.rules.exclude, problems) == ((), [])


def test_all_regions_may_be_narrowed() -> None:
    arguments, problems = parse(Given(**GOOD, regions="all", exclude_regions=["eu-west-3"]))
    assert problems == []
    assert (arguments.regions, arguments.all_regions, arguments.exclude_regions) == (
        None,
        True,
        ("eu-west-3",),
    )


@pytest.mark.parametrize(
    ("mistake", "key", "sentence"),
    [
        ({"keep_newest": True}, "keep_newest", "True is not a whole number"),
        ({"keep_newest": "3"}, "keep_newest", "'3' is not a whole number"),
        ({"grace_days": 3651}, "grace_days", "3651 is not a whole number of days from 0 to 3650"),
        ({"grace_days": 1.5}, "grace_days", "1.5 is not a whole number of days"),
        ({"notice_days": -1}, "notice_days", "-1 is not a whole number of days"),
        ({"deprecate_after_days": "365"}, "deprecate_after_days", "'365' is not a whole number of days"),
        ({"max_changes": -1}, "max_changes", "-1 is not a whole number"),
        ({"in_use": "warning"}, "in_use", '"ignore", "warn" or "skip"'),
        ({"name": " "}, "name", "' ' is not the name of images"),
        ({"name": []}, "name", r"\[\] is not the name of images"),
        ({"tags": ["Team"]}, "tags", "is not an object of names and values"),
        ({"tags": {"Team": True}}, "tags", "the value of 'Team' is True"),
        ({"filters": {"state": []}}, "filters", r"the value of 'state' is \[\]"),
        ({"owners": "self"}, "owners", "'self' is not a list of accounts"),
        (
            {"owners": [123456789012]},
            "owners",
            r"\[123456789012\] is not a list of accounts, like self or 123456789012; YAML makes a number of digits",
        ),
        ({"regions": "eu-west-1"}, "regions", "'eu-west-1' is not a list of Regions"),
        ({"exclude": [3]}, "exclude", r"\[3\] is not a list of image ids, names or tags"),
        ({"exclude": ["ami-0123"]}, "exclude", "'ami-0123' is not the id of an AMI"),
        ({"exclude": ["tag:=x"]}, "exclude", "'tag:=x' names no tag"),
        ({"group_by": "Family"}, "group_by", "'Family' makes no groups"),
        ({"group_by": "tag:"}, "group_by", "'tag:' makes no groups"),
        ({"group_by": "name"}, "group_by", "'name' makes no groups"),
        ({"group_by": "name:("}, "group_by", r"'\(' is not a regular expression"),
        ({"role_arn": "fleet"}, "role_arn", "'fleet' is not the ARN of a role"),
        ({"profile": ""}, "profile", "'' is not the name of a profile"),
        ({"group_by": ["tag:Family", "Family"]}, "group_by", "'Family' makes no groups"),
        ({"group_by": 7}, "group_by", "7 makes no groups"),
        ({"keep_at_least": -1}, "keep_at_least", "-1 is not a whole number"),
        ({"fix_days": 7}, "fix_days", "7 is not an object of severities and days"),
        ({"fix_days": {"severe": 7}}, "fix_days", "'severe' is not a severity: give critical, high"),
        ({"fix_days": {"high": True}}, "fix_days", "True for 'high' is not a whole number of days"),
        ({"whole_releases": 1}, "whole_releases", "1 is neither true nor false"),
        ({"whole_releases": True}, "whole_releases", "it compares Regions: set two or more"),
        ({"exclude_regions": ["eu-west-1"]}, "exclude_regions", 'set regions="all" too'),
        ({"executable_users": "all"}, "executable_users", "'all' is not a list of accounts"),
        ({"on_destroy": "keep"}, "on_destroy", "'keep' is neither"),
        ({"name": None}, "", "no images selected"),
        ({"keep_newest": None}, "", "no rule given"),
        (
            {"keep_newest": None, "deprecate_after_days": 1, "grace_days": 1},
            "grace_days",
            "set keep_newest too",
        ),
    ],
)
def test_error_is_one_sentence_on_its_argument(mistake: dict[str, object], key: str, sentence: str) -> None:
    _, problems = parse(Given(**{**GOOD, **mistake}))
    assert [problem.property for problem in problems] == [key]
    assert re.search(sentence, problems[0].sentence)
    assert "\n" not in problems[0].sentence


def test_all_errors_are_reported_at_once() -> None:
    _, problems = parse(Given(keep_newest="x", in_use=1))
    assert [problem.property for problem in problems] == ["keep_newest", "in_use", ""]
