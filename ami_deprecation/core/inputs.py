"""Props as the engine sends them <-> a frozen, typed value. Pure.

``DEFINITIONS`` says once what there is to give: the parser, the normal form, the ready-to-use project's keys and the
reference are made from it. After ``parse`` nobody checks a type again.
"""

from __future__ import annotations

import difflib
import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from .. import dates
from ..errors import InvalidInput
from . import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class Unknown(enum.Enum):
    """A value that a preview cannot know yet."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

OnDestroy = Literal["cancel", "restore"]

#: The id of an image, and the ARN of a role.
IMAGE_ID = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+")
_A_ROLE_ARN = "the ARN of a role, like arn:aws:iam::123456789012:role/name"


@dataclass(frozen=True)
class Definition:
    """One input: what each door calls it, and what it may be.

    A new one is added here and as a field of ``Inputs`` below; CONTRIBUTING has the recipe.
    """

    #: The name in Python, and the key in the dynamic resource's state.
    name: str
    #: What it means: the reference prints it.
    doc: str
    type: type[str] | type[int] = str
    #: A text has to match this in full.
    pattern: re.Pattern[str] | None = None
    #: The allowed values, if there is a fixed set.
    choices: tuple[str, ...] = ()
    #: What a message says after an invalid value.
    refusal: str = ""
    #: The message when the input is missing; empty when it is optional.
    missing: str = ""
    default: str | None = None

    @property
    def camel(self) -> str:
        """The name in a stack's configuration."""
        return camel(self.name)


def check_image_id(what: str, value: object) -> str:
    """Check the image id that a function or a command was given.

    Args:
        what: the argument's name, for the error.
        value: what was given.

    Raises:
        InvalidInput: it is not one.
    """
    if not isinstance(value, str) or not IMAGE_ID.fullmatch(value):
        raise InvalidInput(
            f"{what}: {value!r} is not the id of an AMI: it is ami- and 8 or 17 lower-case hexadecimal digits"
        )
    return value


def camel(name: str) -> str:
    """``deprecate_in_days`` as ``deprecateInDays``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


DEFINITIONS = (
    Definition(
        "image_id",
        "The image",
        pattern=IMAGE_ID,
        refusal="is not the id of an AMI: it is ami- and 8 or 17 lower-case hexadecimal digits, like ami-0123456789abcdef0",
        missing="image_id is missing: give the id of an AMI, like ami-0123456789abcdef0",
    ),
    Definition(
        "deprecate_at",
        "The date: a day (midnight UTC), or a time with an offset",
    ),
    Definition("deprecate_after_days", "Days from the image's creation date", type=int),
    Definition(
        "deprecate_in_days",
        "Days from the first apply, 0 = immediately; resolved once, then fixed",
        type=int,
    ),
    Definition(
        "region",
        "The image's Region",
        refusal="is not the name of a Region, like eu-west-1",
    ),
    Definition(
        "profile",
        "A profile of the AWS configuration",
        refusal="is not the name of a profile in your AWS configuration",
    ),
    Definition(
        "role_arn",
        "A role to assume through STS",
        pattern=ROLE_ARN,
        refusal=f"is not {_A_ROLE_ARN}",
    ),
    Definition(
        "on_destroy",
        "What happens to the date when the resource is removed",
        choices=("cancel", "restore"),
        refusal='is neither "cancel" nor "restore"',
        default="cancel",
    ),
)


@dataclass(frozen=True)
class At:
    """On a date."""

    when: datetime


@dataclass(frozen=True)
class AfterDays:
    """Days after the image's creation."""

    days: int


@dataclass(frozen=True)
class InDays:
    """Days after the first apply."""

    days: int


@dataclass(frozen=True)
class Notice(InDays):
    """A policy's notice: only for an image without an earlier date, and resolved once.

    Another number of days is no change, because it would move the dates of images that are long deprecated.
    """

    days: int = field(compare=False)


Schedule = At | AfterDays | InDays


@dataclass(frozen=True)
class Inputs:
    """What a program declares for one image. A field is UNKNOWN only in a preview."""

    image_id: str | Unknown
    schedule: Schedule | Unknown
    region: str | Unknown | None = None
    profile: str | Unknown | None = None
    role_arn: str | Unknown | None = None
    on_destroy: OnDestroy | Unknown = "cancel"
    #: The resource's name in the program, and its parent's type when it has one.
    resource: str | None = None
    #: The settings of an explicit aws provider (camelCase keys, as its own configuration has them).
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

    def text(self, of: Definition) -> str | Unknown | None:
        value = self.props.get(of.name)
        if isinstance(value, Unknown):
            return value
        if value is None:
            if of.missing:
                self.fail(of.name, of.missing)
            return of.default
        if (
            not isinstance(value, str)
            or not value.strip()
            or (of.pattern and not of.pattern.fullmatch(value))
            or (of.choices and value not in of.choices)
        ):
            self.fail(of.name, f"{value!r} {of.refusal}")
        return str(value)

    def schedule(self) -> Schedule | Unknown:
        given = [key for key in keys.SCHEDULE_KEYS if self.props.get(key) is not None]
        if len(given) != 1:
            listed = (
                " and ".join([", ".join(given[:-1]), given[-1]]) + " are set" if given else "no date is set"
            )
            # No property is named: none is wrong by itself, and no value is worth showing.
            self.fail("", f"{listed}: set exactly one of {', '.join(keys.SCHEDULE_KEYS)}")
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
        return Notice(days) if self.props.get(keys.ONCE_KEY) is True else InDays(days)

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
    refused = props.get(keys.PROVIDER_PROBLEM_KEY)
    if isinstance(refused, str):
        reader.fail("", refused)
    aws = props.get(keys.PROVIDER_AWS_KEY)
    resource = props.get(keys.RESOURCE_KEY)
    values: dict[str, object] = {}
    for each in DEFINITIONS:  # in their order, which is that of the problems
        if each.name not in keys.SCHEDULE_KEYS:
            values[each.name] = reader.text(each)
        elif "schedule" not in values:
            values["schedule"] = reader.schedule()
    value = Inputs(
        **values,  # type: ignore[arg-type]  # typed by the definitions
        resource=resource if isinstance(resource, str) else None,
        aws=aws if isinstance(aws, (dict, Unknown)) else None,
        unknown_date=next((key for key in keys.SCHEDULE_KEYS if isinstance(props.get(key), Unknown)), None),
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
        **{
            each.name: getattr(value, each.name)
            for each in DEFINITIONS
            if each.name not in keys.SCHEDULE_KEYS
        },
        **_schedule_props(value),
        keys.RESOURCE_KEY: value.resource,
        keys.PROVIDER_AWS_KEY: value.aws,
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
    once = {keys.ONCE_KEY: True} if isinstance(wanted, Notice) else {}
    return {"deprecate_in_days": wanted.days, **once}


def meant(key: str, keys: Iterable[str]) -> str:
    """The key that somebody may have had in mind, or all that there are."""
    keys = list(keys)
    near = difflib.get_close_matches(key, keys, n=1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(keys)}"
