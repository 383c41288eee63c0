"""A policy's arguments: what is taken, and what is said of a mistake."""

from __future__ import annotations

import re

import pytest

from ami_deprecation.fleet.arguments import parse
from ami_deprecation.fleet.selection import Exclusion, GroupBy, Rules

GOOD: dict[str, object] = {"name": "base-*", "keep_newest": 3}


def test_minimal_arguments_have_safe_defaults() -> None:
    arguments, problems = parse(GOOD)
    assert problems == []
    assert arguments.rules == Rules(keep_newest=3)
    assert (arguments.owners, arguments.notice_days, arguments.in_use) == (("self",), 14, "ignore")
    assert (arguments.regions, arguments.max_changes) == (None, None)


def test_all_arguments_are_accepted() -> None:
    arguments, problems = parse(
        {
            "name": ["base-*", "web-?"],
            "tags": {"Team": ["a", "b"], "Env": "prod"},
            "filters": {"architecture": "arm64"},
            "owners": ["123456789012"],
            "exclude": ["ami-0123456789abcdef0", "*-golden", "tag:Keep", "tag:Keep=a=b"],
            "group_by": "tag:Family",
            "keep_newest": 0,
            "grace_days": 30,
            "deprecate_after_days": 3650,
            "notice_days": 0,
            "in_use": "skip",
            "regions": ["eu-west-1", "us-east-1", "eu-west-1"],
            "max_changes": 0,
            "profile": "fleet",
            "role_arn": "arn:aws:iam::123456789012:role/fleet",
        }
    )
    assert problems == []
    assert arguments.rules == Rules(
        keep_newest=0,
        grace_days=30,
        deprecate_after_days=3650,
        group_by=GroupBy(tag="Family"),
        exclude=(
            Exclusion(image_id="ami-0123456789abcdef0"),
            Exclusion(name="*-golden"),
            Exclusion(tag="Keep"),
            Exclusion(tag="Keep", tag_value="a=b"),
        ),
    )
    assert arguments.regions == ("eu-west-1", "us-east-1")
    assert (arguments.notice_days, arguments.max_changes) == (0, 0)


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
        ({"name": None}, "", "it is not said which images"),
        ({"keep_newest": None}, "", "it is not said when images are due"),
        (
            {"keep_newest": None, "deprecate_after_days": 1, "grace_days": 1},
            "grace_days",
            "give keep_newest as well",
        ),
    ],
)
def test_error_is_one_sentence_on_its_argument(mistake: dict[str, object], key: str, sentence: str) -> None:
    _, problems = parse({**GOOD, **mistake})
    assert [problem.property for problem in problems] == [key]
    assert re.search(sentence, problems[0].sentence)
    assert "\n" not in problems[0].sentence


def test_all_errors_are_reported_at_once() -> None:
    _, problems = parse({"keep_newest": "x", "in_use": 1})
    assert [problem.property for problem in problems] == ["keep_newest", "in_use", ""]
