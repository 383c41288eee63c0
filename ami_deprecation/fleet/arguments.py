"""A policy's arguments as a program, the stack's YAML or the command line gives them -> a frozen, typed value. Pure.

After ``parse`` nobody checks a type again. Every mistake is one sentence on the argument's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeGuard

from ..core.inputs import IMAGE_ID, ROLE_ARN, OnDestroy, Problem
from ..image import SEVERITIES, Severity
from .selection import Exclusion, GroupBy, Rules

if TYPE_CHECKING:
    from ..ec2.listing import Values

InUse = Literal["ignore", "warn", "skip"]

#: EC2 takes no date further ahead than ten years; days that count from a creation date stay within.
_MAX_DAYS = 3650
DEFAULT_NOTICE_DAYS = 14
#: ``regions`` for every Region that is enabled for the account.
ALL_REGIONS: Final = "all"

_IN_USE: tuple[InUse, ...] = ("ignore", "warn", "skip")


@dataclass(frozen=True)
class Given:
    """A policy's arguments before anything is checked; None is an argument that is not given.

    The names are those of ``AmiDeprecationPolicy``, and in camelCase those of the stack's configuration.
    """

    name: object = None
    tags: object = None
    filters: object = None
    owners: object = None
    executable_users: object = None
    exclude: object = None
    group_by: object = None
    keep_newest: object = None
    grace_days: object = None
    keep_at_least: object = None
    deprecate_after_days: object = None
    fix_days: object = None
    whole_releases: object = None
    notice_days: object = None
    in_use: object = None
    regions: object = None
    exclude_regions: object = None
    max_changes: object = None
    allow_empty: object = None
    on_destroy: object = None
    explain: object = None
    profile: object = None
    role_arn: object = None


@dataclass(frozen=True)
class PolicyArguments:
    """What a policy does, checked."""

    rules: Rules
    name: Values | None
    tags: Mapping[str, Values]
    filters: Mapping[str, Values]
    owners: tuple[str, ...]
    executable_users: tuple[str, ...]
    notice_days: int
    in_use: InUse
    #: None: the Region in force, or with ``all_regions`` every enabled one.
    regions: tuple[str, ...] | None
    all_regions: bool
    exclude_regions: tuple[str, ...]
    #: None: no limit.
    max_changes: int | None
    allow_empty: bool
    on_destroy: OnDestroy
    explain: bool
    profile: str | None
    role_arn: str | None


@dataclass
class _Reader:
    """Reads values and gathers every problem, so that a user sees them all at once."""

    given: Given
    problems: list[Problem] = field(default_factory=list)

    def fail(self, key: str, sentence: str) -> None:
        self.problems.append(Problem(key, sentence))

    def days(self, key: str) -> int | None:
        value = getattr(self.given, key)
        if value is None or (_is_whole(value) and 0 <= value <= _MAX_DAYS):
            return value
        self.fail(key, f"{value!r} is not a whole number of days from 0 to {_MAX_DAYS}")
        return None

    def count(self, key: str) -> int | None:
        value = getattr(self.given, key)
        if value is None or (_is_whole(value) and value >= 0):
            return value
        self.fail(key, f"{value!r} is not a whole number from 0 on")
        return None

    def text(self, key: str, pattern: re.Pattern[str] | None, form: str) -> str | None:
        value = getattr(self.given, key)
        if value is None or (_is_text(value) and (pattern is None or pattern.fullmatch(value))):
            return value
        self.fail(key, f"{value!r} is not {form}")
        return None

    def texts(self, key: str, form: str) -> tuple[str, ...] | None:
        value = getattr(self.given, key)
        if value is None:
            return None
        if _are_texts(value) and value:
            return tuple(dict.fromkeys(value))
        numbers = isinstance(value, Sequence) and any(_is_whole(each) for each in value)
        quotes = "; YAML makes a number of digits without quotes" if numbers else ""
        self.fail(key, f"{value!r} is not a list of {form}{quotes}")
        return None

    def values(self, key: str) -> Values | None:
        value = getattr(self.given, key)
        if value is None or _is_text(value):
            return value
        if _are_texts(value) and value:
            return tuple(value)
        self.fail(key, f"{value!r} is not the name of images, like base-*, nor a list of names")
        return None

    def table(self, key: str) -> Mapping[str, Values]:
        value = getattr(self.given, key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fail(key, f"{value!r} is not an object of names and values")
            return {}
        values: dict[str, Values] = {}
        for name, item in value.items():
            if _is_text(name) and (isinstance(item, str) or (_are_texts(item) and item)):
                values[name] = item if isinstance(item, str) else tuple(item)
            else:
                self.fail(key, f"the value of {name!r} is {item!r}: give a text or a list of texts")
        return values

    def in_use(self) -> InUse:
        value = self.given.in_use
        for known in _IN_USE:
            if value == known:
                return known
        if value is not None:
            self.fail("in_use", f'{value!r} is not "ignore", "warn" or "skip"')
        return "ignore"

    def on_destroy(self) -> OnDestroy:
        value = self.given.on_destroy
        if value not in (None, "cancel", "restore"):
            self.fail("on_destroy", f'{value!r} is neither "cancel" nor "restore"')
        return "restore" if value == "restore" else "cancel"

    def flag(self, key: str) -> bool:
        value = getattr(self.given, key)
        if value is not None and not isinstance(value, bool):
            self.fail(key, f"{value!r} is neither true nor false")
        return value is True

    def regions(self) -> tuple[str, ...] | None:
        if self.given.regions == ALL_REGIONS:
            return None
        return self.texts("regions", 'Regions, like ["eu-west-1"], nor "all"')

    def fix_days(self) -> Mapping[Severity, int]:
        value = self.given.fix_days
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not value:
            self.fail(
                "fix_days", f'{value!r} is not an object of severities and days, like {{"critical": 7}}'
            )
            return {}
        for severity, days in value.items():
            if severity not in SEVERITIES:
                self.fail("fix_days", f"{severity!r} is not a severity: give {', '.join(SEVERITIES)}")
            elif not _is_whole(days) or not 0 <= days <= _MAX_DAYS:
                self.fail(
                    "fix_days",
                    f"{days!r} for {severity!r} is not a whole number of days from 0 to {_MAX_DAYS}",
                )
        return {severity: value[severity] for severity in SEVERITIES if severity in value}

    def group_by(self) -> tuple[GroupBy, ...]:
        value = self.given.group_by
        if value is None:
            return ()
        several = [value] if isinstance(value, str) else value
        if not isinstance(several, Sequence) or not several:
            several = [value]
        return tuple(filter(None, (self._one_group(each) for each in several)))

    def _one_group(self, value: object) -> GroupBy | None:
        if value == "architecture":
            return GroupBy("architecture")
        if value == "watermark":
            return GroupBy("watermark")
        kind, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
        if kind == "tag" and rest:
            return GroupBy("tag", tag=rest)
        if kind == "name" and rest:
            try:
                return GroupBy("name", pattern=re.compile(rest))
            except re.error as wrong:
                self.fail("group_by", f"{rest!r} is not a regular expression: {wrong}")
                return None
        self.fail(
            "group_by",
            f'{value!r} makes no groups: write "tag:" and the key of a tag, "name:" and a regular expression whose first '
            'group is the family, like name:^(.+)-[0-9]+$, "architecture" or "watermark"',
        )
        return None

    def exclude(self) -> tuple[Exclusion, ...]:
        if self.given.exclude == []:  # a program may compute it
            return ()
        texts = self.texts(
            "exclude", "image ids, names or tags, like ami-0123456789abcdef0, base-*, tag:Keep=true"
        )
        exclusions: list[Exclusion] = []
        for text in texts or ():
            if re.fullmatch("ami-[0-9A-Fa-f]+", text):
                exclusions.append(Exclusion(image_id=text))
                if not IMAGE_ID.fullmatch(text):
                    self.fail(
                        "exclude", f"{text!r} is not the id of an AMI: it has 8 or 17 lower-case digits"
                    )
            elif text.startswith("tag:"):
                key, equals, value = text.removeprefix("tag:").partition("=")
                exclusions.append(Exclusion(tag=key, tag_value=value if equals else None))
                if not key:
                    self.fail("exclude", f"{text!r} names no tag: write tag:Key or tag:Key=Value")
            else:
                exclusions.append(Exclusion(name=text))
        return tuple(exclusions)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> TypeGuard[Sequence[str]]:
    return (
        isinstance(value, Sequence) and not isinstance(value, str) and all(_is_text(each) for each in value)
    )


def parse(given: Given) -> tuple[PolicyArguments, list[Problem]]:
    """Read a policy's arguments. The value is good only when there is no problem."""
    reader = _Reader(given)
    rules = Rules(
        keep_newest=reader.count("keep_newest"),
        grace_days=reader.days("grace_days") or 0,
        deprecate_after_days=reader.days("deprecate_after_days"),
        keep_at_least=reader.count("keep_at_least") or 0,
        fix_days=reader.fix_days(),
        whole_releases=reader.flag("whole_releases"),
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
        executable_users=reader.texts("executable_users", "accounts, like self, all or 123456789012") or (),
        notice_days=DEFAULT_NOTICE_DAYS if notice_days is None else notice_days,
        in_use=reader.in_use(),
        regions=reader.regions(),
        all_regions=given.regions == ALL_REGIONS,
        exclude_regions=reader.texts("exclude_regions", "Regions, like eu-west-1") or (),
        max_changes=reader.count("max_changes"),
        allow_empty=reader.flag("allow_empty"),
        on_destroy=reader.on_destroy(),
        explain=reader.flag("explain"),
        profile=reader.text("profile", None, "the name of a profile in your AWS configuration"),
        role_arn=reader.text(
            "role_arn", ROLE_ARN, "the ARN of a role, like arn:aws:iam::123456789012:role/name"
        ),
    )
    _check_together(reader, arguments)
    return arguments, reader.problems


def _check_together(reader: _Reader, arguments: PolicyArguments) -> None:
    """Find arguments that are missing, or that mean nothing without another."""
    given = reader.given
    if given.name is None and given.tags is None and given.filters is None:
        reader.fail("", 'no images selected: set name, tags or filters (name="*" selects every image)')
    if given.keep_newest is None and given.deprecate_after_days is None and given.fix_days is None:
        reader.fail("", "no rule given: set at least one of keep_newest, deprecate_after_days and fix_days")
    elif given.keep_newest is None and arguments.rules.grace_days:
        reader.fail(
            "grace_days",
            "it counts from the image that pushes another out of the newest: set keep_newest too",
        )
    if arguments.exclude_regions and not arguments.all_regions:
        reader.fail(
            "exclude_regions", 'it excludes Regions from all Regions of the account: set regions="all" too'
        )
    if arguments.rules.whole_releases and not arguments.all_regions and len(arguments.regions or ()) <= 1:
        reader.fail("whole_releases", "it compares Regions: set two or more in regions")
