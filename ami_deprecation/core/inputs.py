"""Props as the engine sends them <-> a frozen, typed value. Pure.

After ``parse`` nobody checks a type again.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from .. import dates
from ..errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Unknown(enum.Enum):
    """A value that a preview cannot know yet."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

T = TypeVar("T")

#: The three ways to give a date: exactly one is given.
SCHEDULE_KEYS = ("deprecate_at", "deprecate_after_days", "deprecate_in_days")

OnDestroy = Literal["cancel", "restore"]

#: Not shown in a preview (the engine hides keys that begin so): the resource's name, for sentences,
#: and what is taken from ``opts.provider``.
RESOURCE_KEY = "__resource"
PROVIDER_AWS_KEY = "__aws"
#: Marks "in N days" as one of a policy: see ``InDaysOnce``.
ONCE_KEY = "__once"
#: A sentence on options that cannot be honoured; check turns it into a failure.
PROVIDER_PROBLEM_KEY = "__provider_problem"

#: The id of an image, and the ARN of a role.
IMAGE_ID = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+")
_A_ROLE_ARN = "the ARN of a role, like arn:aws:iam::123456789012:role/name"


@dataclass(frozen=True)
class At:
    """On a date."""

    when: datetime


@dataclass(frozen=True)
class AfterDays:
    """That many days after the image was made."""

    days: int


@dataclass(frozen=True)
class InDays:
    """That many days after this was first applied."""

    days: int


@dataclass(frozen=True)
class InDaysOnce(InDays):
    """A policy's notice: only for an image without an earlier date, and settled for good then.

    Another number of days is no change, because it would move the dates of images that are long deprecated.
    """

    days: int = field(compare=False)


Schedule = At | AfterDays | InDays


@dataclass(frozen=True)
class Inputs:
    """What a program says of one image. A field is UNKNOWN only in a preview."""

    image_id: str | Unknown
    schedule: Schedule | Unknown
    region: str | Unknown | None = None
    profile: str | Unknown | None = None
    role_arn: str | Unknown | None = None
    on_destroy: OnDestroy | Unknown = "cancel"
    #: The resource's name in the program, and its parent's type when it has one.
    resource: str | None = None
    #: What an explicit aws provider says (camelCase keys, as its own configuration has them).
    aws: Mapping[str, object] | Unknown | None = None
    #: Which of the three dates was given, for one that is not known yet.
    unknown_date: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one property, as a sentence. An empty property hides its value."""

    property: str
    sentence: str


@dataclass
class _Reader:
    """Reads values out of props and gathers every problem, so that a user sees them all at once."""

    props: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)

    def fail(self, key: str, sentence: str) -> None:
        self.problems.append(Problem(key, sentence))

    def image_id(self) -> str | Unknown:
        value = self.props.get("image_id")
        if isinstance(value, Unknown):
            return value
        if value is None:
            self.fail("image_id", "image_id is missing: give the id of an AMI, like ami-0123456789abcdef0")
        elif not isinstance(value, str) or not IMAGE_ID.fullmatch(value):
            self.fail(
                "image_id",
                f"{value!r} is not the id of an AMI: it is ami- and 8 or 17 lower-case hexadecimal digits, "
                "like ami-0123456789abcdef0",
            )
        return str(value)

    def text(self, key: str, pattern: re.Pattern[str] | None, form: str) -> str | Unknown | None:
        value = self.props.get(key)
        if value is None or isinstance(value, Unknown):
            return value
        if not isinstance(value, str) or not value.strip() or (pattern and not pattern.fullmatch(value)):
            self.fail(key, f"{value!r} is not {form}")
        return str(value)

    def on_destroy(self) -> OnDestroy | Unknown:
        value = self.props.get("on_destroy")
        if isinstance(value, Unknown):
            return value
        if value not in (None, "cancel", "restore"):
            self.fail("on_destroy", f'{value!r} is neither "cancel" nor "restore"')
        return "restore" if value == "restore" else "cancel"

    def schedule(self) -> Schedule | Unknown:
        given = [key for key in SCHEDULE_KEYS if self.props.get(key) is not None]
        if len(given) != 1:
            listed = (
                " and ".join([", ".join(given[:-1]), given[-1]]) + " are set" if given else "no date is set"
            )
            # No property is named: none is wrong by itself, and no value is worth showing.
            self.fail("", f"{listed}: set exactly one of {', '.join(SCHEDULE_KEYS)}")
            return UNKNOWN
        (key,) = given
        value = self.props[key]
        if isinstance(value, Unknown):
            return value
        if key == "deprecate_at":
            try:
                return At(dates.parse(value))
            except InvalidInput as wrong:
                self.fail(key, str(wrong))
                return UNKNOWN
        days = self._days(key, value)
        if key == "deprecate_after_days":
            return AfterDays(days)
        return InDaysOnce(days) if self.props.get(ONCE_KEY) is True else InDays(days)

    def _days(self, key: str, value: object) -> int:
        whole = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and 0 <= value <= dates.MAX_DAYS
            and value == int(value)
        )
        if not whole:
            shown = f"{value:.15g}" if isinstance(value, float) else repr(value)
            self.fail(key, f"{shown} is not a whole number of days from 0 to {dates.MAX_DAYS}")
            return 0
        return int(value)  # type: ignore[call-overload, no-any-return]  # a number, by the test above


def parse(props: Mapping[str, object]) -> tuple[Inputs, list[Problem]]:
    """Read checked or unchecked inputs. The value is good only when there is no problem."""
    reader = _Reader(props)
    refused = props.get(PROVIDER_PROBLEM_KEY)
    if isinstance(refused, str):
        reader.fail("", refused)
    aws = props.get(PROVIDER_AWS_KEY)
    resource = props.get(RESOURCE_KEY)
    value = Inputs(
        image_id=reader.image_id(),
        schedule=reader.schedule(),
        region=reader.text("region", None, "the name of a Region, like eu-west-1"),
        profile=reader.text("profile", None, "the name of a profile in your AWS configuration"),
        role_arn=reader.text("role_arn", ROLE_ARN, _A_ROLE_ARN),
        on_destroy=reader.on_destroy(),
        resource=resource if isinstance(resource, str) else None,
        aws=aws if isinstance(aws, (dict, Unknown)) else None,
        unknown_date=next((key for key in SCHEDULE_KEYS if isinstance(props.get(key), Unknown)), None),
    )
    return value, reader.problems


def check_role_arn(text: str) -> None:
    """Check a role that is given outside a resource.

    Raises:
        InvalidInput: it is no role's ARN.
    """
    if not ROLE_ARN.fullmatch(text):
        raise InvalidInput(f"role_arn: {text!r} is not {_A_ROLE_ARN}")


def to_props(value: Inputs) -> dict[str, object]:
    """Write inputs in their normal form: how they are stored, compared and shown."""
    props = {
        "image_id": value.image_id,
        **_schedule_props(value),
        "region": value.region,
        "profile": value.profile,
        "role_arn": value.role_arn,
        "on_destroy": value.on_destroy,
        RESOURCE_KEY: value.resource,
        PROVIDER_AWS_KEY: value.aws,
    }
    return {key: given for key, given in props.items() if given is not None}


def _schedule_props(value: Inputs) -> dict[str, object]:
    wanted = value.schedule
    if isinstance(wanted, Unknown):
        return {value.unknown_date: wanted} if value.unknown_date else {}
    if isinstance(wanted, At):
        return {"deprecate_at": dates.to_text(wanted.when)}
    if isinstance(wanted, AfterDays):
        return {"deprecate_after_days": wanted.days}
    once = {ONCE_KEY: True} if isinstance(wanted, InDaysOnce) else {}
    return {"deprecate_in_days": wanted.days, **once}
