"""A policy's arguments as a program or the stack's YAML gives them -> a frozen, typed value. Pure.

After ``parse`` nobody checks a type again. Every mistake is one sentence on the argument's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeGuard

from ..core.inputs import IMAGE_ID, ROLE_ARN, Problem
from .selection import Exclusion, GroupBy, Rules

if TYPE_CHECKING:
    from ..ec2.listing import Values

InUse = Literal["ignore", "warn", "skip"]

#: EC2 takes no date further ahead than ten years; days that count from a creation date stay within.
MAX_DAYS = 3650
DEFAULT_NOTICE_DAYS = 14

_IN_USE: tuple[InUse, ...] = ("ignore", "warn", "skip")


@dataclass(frozen=True)
class PolicyArguments:
    """What a program says of a fleet."""

    rules: Rules
    name: Values | None
    tags: Mapping[str, Values]
    filters: Mapping[str, Values]
    owners: tuple[str, ...]
    notice_days: int
    in_use: InUse
    #: None: the Region in force.
    regions: tuple[str, ...] | None
    #: None: no limit.
    max_changes: int | None
    profile: str | None
    role_arn: str | None


@dataclass
class _Reader:
    """Reads values and gathers every problem, so that a user sees them all at once."""

    given: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)

    def fail(self, key: str, sentence: str) -> None:
        self.problems.append(Problem(key, sentence))

    def days(self, key: str) -> int | None:
        value = self.given.get(key)
        if value is None or (_is_whole(value) and 0 <= value <= MAX_DAYS):
            return value
        self.fail(key, f"{value!r} is not a whole number of days from 0 to {MAX_DAYS}")
        return None

    def count(self, key: str) -> int | None:
        value = self.given.get(key)
        if value is None or (_is_whole(value) and value >= 0):
            return value
        self.fail(key, f"{value!r} is not a whole number from 0 on")
        return None

    def text(self, key: str, pattern: re.Pattern[str] | None, form: str) -> str | None:
        value = self.given.get(key)
        if value is None or (_is_text(value) and (pattern is None or pattern.fullmatch(value))):
            return value
        self.fail(key, f"{value!r} is not {form}")
        return None

    def texts(self, key: str, form: str) -> tuple[str, ...] | None:
        value = self.given.get(key)
        if value is None:
            return None
        if _are_texts(value) and value:
            return tuple(dict.fromkeys(value))
        numbers = isinstance(value, Sequence) and any(_is_whole(each) for each in value)
        quotes = "; YAML makes a number of digits without quotes" if numbers else ""
        self.fail(key, f"{value!r} is not a list of {form}{quotes}")
        return None

    def values(self, key: str) -> Values | None:
        value = self.given.get(key)
        if value is None or _is_text(value):
            return value
        if _are_texts(value) and value:
            return tuple(value)
        self.fail(key, f"{value!r} is not the name of images, like base-*, nor a list of names")
        return None

    def table(self, key: str) -> Mapping[str, Values]:
        value = self.given.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fail(key, f"{value!r} is not an object of names and values")
            return {}
        found: dict[str, Values] = {}
        for name, item in value.items():
            if _is_text(name) and (isinstance(item, str) or (_are_texts(item) and item)):
                found[name] = item if isinstance(item, str) else tuple(item)
            else:
                self.fail(key, f"the value of {name!r} is {item!r}: give a text or a list of texts")
        return found

    def in_use(self) -> InUse:
        value = self.given.get("in_use")
        for known in _IN_USE:
            if value == known:
                return known
        if value is not None:
            self.fail("in_use", f'{value!r} is not "ignore", "warn" or "skip"')
        return "ignore"

    def group_by(self) -> GroupBy:
        value = self.given.get("group_by")
        if value is None:
            return GroupBy()
        kind, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
        if kind == "tag" and rest:
            return GroupBy(tag=rest)
        if kind == "name" and rest:
            try:
                return GroupBy(pattern=re.compile(rest))
            except re.error as wrong:
                self.fail("group_by", f"{rest!r} is not a regular expression: {wrong}")
                return GroupBy()
        self.fail(
            "group_by",
            f'{value!r} makes no groups: write "tag:" and the key of a tag, or "name:" and a regular expression whose '
            "first group is the family, like name:^(.+)-[0-9]+$",
        )
        return GroupBy()

    def exclude(self) -> tuple[Exclusion, ...]:
        texts = self.texts(
            "exclude", "image ids, names or tags, like ami-0123456789abcdef0, base-*, tag:Keep=true"
        )
        found: list[Exclusion] = []
        for text in texts or ():
            if re.fullmatch("ami-[0-9A-Fa-f]+", text):
                found.append(Exclusion(image_id=text))
                if not IMAGE_ID.fullmatch(text):
                    self.fail(
                        "exclude", f"{text!r} is not the id of an AMI: it has 8 or 17 lower-case digits"
                    )
            elif text.startswith("tag:"):
                key, equals, value = text.removeprefix("tag:").partition("=")
                found.append(Exclusion(tag=key, tag_value=value if equals else None))
                if not key:
                    self.fail("exclude", f"{text!r} names no tag: write tag:Key or tag:Key=Value")
            else:
                found.append(Exclusion(name=text))
        return tuple(found)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> TypeGuard[Sequence[str]]:
    return (
        isinstance(value, Sequence) and not isinstance(value, str) and all(_is_text(each) for each in value)
    )


def parse(given: Mapping[str, object]) -> tuple[PolicyArguments, list[Problem]]:
    """Read a policy's keyword arguments. The value is good only when there is no problem."""
    reader = _Reader(given)
    rules = Rules(
        keep_newest=reader.count("keep_newest"),
        grace_days=reader.days("grace_days") or 0,
        deprecate_after_days=reader.days("deprecate_after_days"),
        group_by=reader.group_by(),
        exclude=reader.exclude(),
    )
    notice_days = reader.days("notice_days")
    arguments = PolicyArguments(
        rules=rules,
        name=reader.values("name"),
        tags=reader.table("tags"),
        filters=reader.table("filters"),
        owners=reader.texts("owners", "accounts, like self or 123456789012") or ("self",),
        notice_days=DEFAULT_NOTICE_DAYS if notice_days is None else notice_days,
        in_use=reader.in_use(),
        regions=reader.texts("regions", "Regions, like eu-west-1"),
        max_changes=reader.count("max_changes"),
        profile=reader.text("profile", None, "the name of a profile in your AWS configuration"),
        role_arn=reader.text(
            "role_arn", ROLE_ARN, "the ARN of a role, like arn:aws:iam::123456789012:role/name"
        ),
    )
    if all(given.get(key) is None for key in ("name", "tags", "filters")):
        reader.fail("", 'it is not said which images: give name, tags or filters (name "*" is every image)')
    if all(given.get(key) is None for key in ("keep_newest", "deprecate_after_days")):
        reader.fail("", "it is not said when images are due: give keep_newest, deprecate_after_days or both")
    elif given.get("keep_newest") is None and rules.grace_days:
        reader.fail(
            "grace_days",
            "it counts from the image that pushes another out of the newest: give keep_newest as well",
        )
    return arguments, reader.problems
