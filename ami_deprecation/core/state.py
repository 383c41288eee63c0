"""What is known of a resource: a frozen, typed value, its one parser and its one writer. Pure.

The keys are promises: every user's state has them. The engine hides keys that begin with ``__``; they hold what
the next run needs and a reader does not:

``__scheduled``
    the date that the program asks for. EC2 may show another one (drift).
``__applied_at``, ``__applied_over``
    when the date was last sent to EC2, and the date that EC2 had before. EC2 may show the old date for minutes. After
    several writes within these minutes there are several dates, separated by spaces.
``__given_up``
    a date that EC2 no longer accepts after a change outside Pulumi. It is not sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from .. import dates
from ..errors import InvalidInput
from . import inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..image import Image
    from .inputs import Inputs, Unknown

SCHEDULED_KEY = "__scheduled"
_APPLIED_AT_KEY = "__applied_at"
_APPLIED_OVER_KEY = "__applied_over"
_GIVEN_UP_KEY = "__given_up"

LIVE_KEY = "deprecation_time"
NAME_KEY = "image_name"
OWNER_KEY = "owner_id"
CREATED_KEY = "creation_date"
PREVIOUS_KEY = "previous_deprecation_time"
#: The output keys that are not inputs as well.
OUTPUT_KEYS = (LIVE_KEY, NAME_KEY, OWNER_KEY, CREATED_KEY, PREVIOUS_KEY)

#: What a refresh writes into ``deprecate_at`` and the inputs for an image without a date.
_NO_DATE = "none"


@dataclass(frozen=True)
class Facts:
    """What EC2 says of an image and a reviewer wants to see."""

    image_name: str | None = None
    owner_id: str | None = None
    creation_date: datetime | None = None
    #: The date that the image had when this resource first saw it.
    previous: datetime | None = None


@dataclass(frozen=True)
class Applied:
    """A write: when we made it, and the dates that EC2 had before, a moment ago."""

    at: datetime
    over: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class State:
    """What is known of a resource from its last run."""

    inputs: Inputs
    #: The Region it is in, always known.
    region: str
    #: The date on the image as last seen, on the minute.
    live: datetime | None
    #: The date that the resource stands for.
    scheduled: datetime | None
    previous: datetime | None = None
    image_name: str | None = None
    owner_id: str | None = None
    creation_date: datetime | None = None
    applied: Applied | None = None
    given_up: datetime | None = None

    @property
    def image_id(self) -> str:
        return str(self.inputs.image_id)

    @property
    def drifted(self) -> bool:
        """Whether the image was last seen with another date than the one that the resource stands for."""
        return self.live != self.scheduled and self.given_up is None

    @property
    def facts(self) -> Facts:
        return Facts(self.image_name, self.owner_id, self.creation_date, self.previous)


@dataclass(frozen=True)
class Plan:
    """What a check knows of a resource: the program's inputs in their normal form, and what will become of the image."""

    inputs: Inputs
    #: UNKNOWN while the image is, None when it was not read.
    facts: Facts | Unknown | None
    #: The date that the image will have: UNKNOWN while a value that it depends on is, None when it is counted at ``up``.
    date: datetime | Unknown | None


def facts_of(image: Image, previous: datetime | None) -> Facts:
    """The facts of an image that was read, with the date that this resource first saw on it."""
    return Facts(image.name, image.owner_id, image.creation_date, previous)


def parse(outs: Mapping[str, object], resource_id: str | None = None) -> State:
    """Read a state: old outputs, or old inputs, which have fewer keys.

    Raises:
        InvalidInput: a date in it cannot be read.
    """
    scheduled = _date(outs, SCHEDULED_KEY) or _date(outs, LIVE_KEY)
    # A refresh writes the live date over the program's own: the inputs are the program's.
    own = {"deprecate_at": text_or_none(scheduled)} if "deprecate_at" in outs and scheduled else {}
    given, _ = inputs.parse({**outs, **own})
    region = given.region
    if not isinstance(region, str):
        region = (resource_id or "").partition("/")[0]
    applied_at = _date(outs, _APPLIED_AT_KEY, exact=True)
    return State(
        inputs=given,
        region=region,
        live=_date(outs, LIVE_KEY),
        scheduled=scheduled,
        previous=_date(outs, PREVIOUS_KEY),
        image_name=_text(outs, NAME_KEY),
        owner_id=_text(outs, OWNER_KEY),
        creation_date=_date(outs, CREATED_KEY, exact=True),
        applied=None if applied_at is None else Applied(applied_at, _dates(outs, _APPLIED_OVER_KEY)),
        given_up=_date(outs, _GIVEN_UP_KEY),
    )


def _text(outs: Mapping[str, object], key: str) -> str | None:
    value = outs.get(key)
    return value if isinstance(value, str) else None


def _date(outs: Mapping[str, object], key: str, *, exact: bool = False) -> datetime | None:
    text = _text(outs, key)
    if text is None or text == _NO_DATE:
        return None
    try:
        return dates.parse_ec2(text) if exact else dates.parse(text)
    except (InvalidInput, ValueError):
        raise InvalidInput(
            f"the state of {outs.get(inputs.RESOURCE_KEY) or outs.get('image_id')!r} has {key}={text!r}, which is not a "
            "date: restore the state from a backup, or run `pulumi state delete` and then `pulumi up`"
        ) from None


def _dates(outs: Mapping[str, object], key: str) -> tuple[datetime, ...]:
    return tuple(dates.parse(text) for text in (_text(outs, key) or "").split())


def text_or_none(when: datetime | None) -> str | None:
    """The text of a date, None without one."""
    return None if when is None else dates.to_text(when)


def outputs(state: State) -> dict[str, object]:
    """Write a state: the outputs that the engine keeps."""
    return _present({**_input_props(state), **_facts(state.facts), **_bookkeeping(state)})


def refreshed(state: State) -> tuple[dict[str, object], dict[str, object]]:
    """Write what a refresh read: inputs and outputs, with the live date where the program gave one.

    The engine shows the difference between these inputs and the program's as drift.
    """
    live = text_or_none(state.live) or _NO_DATE
    own = {"deprecate_at": live} if isinstance(state.inputs.schedule, inputs.At) else {}
    outs = outputs(state) | own
    hidden = (*OUTPUT_KEYS, _APPLIED_AT_KEY, _APPLIED_OVER_KEY)
    facts = _present(_facts(state.facts))
    return {key: value for key, value in outs.items() if key not in hidden} | facts | {LIVE_KEY: live}, outs


def planned(plan: Plan) -> dict[str, object]:
    """Write a check's plan: the inputs that the engine stores, compares and shows."""
    facts = plan.facts
    # Left out, unknown facts would look as if they were taken away.
    shown = (
        dict.fromkeys((NAME_KEY, OWNER_KEY, CREATED_KEY), inputs.UNKNOWN)
        if isinstance(facts, inputs.Unknown)
        else _facts(facts or Facts())
    )
    when = dates.to_text(plan.date) if isinstance(plan.date, datetime) else plan.date
    counted = isinstance(plan.inputs.schedule, inputs.InDays)
    settled = {SCHEDULED_KEY: when} if counted and isinstance(when, str) else {}
    return _present({**inputs.to_props(plan.inputs), **shown, LIVE_KEY: when, **settled})


def _input_props(state: State) -> dict[str, object]:
    return inputs.to_props(replace(state.inputs, region=state.region))


def _facts(facts: Facts) -> dict[str, object]:
    created = facts.creation_date
    return {
        NAME_KEY: facts.image_name,
        OWNER_KEY: facts.owner_id,
        CREATED_KEY: None if created is None else dates.to_exact_text(created),
        PREVIOUS_KEY: text_or_none(facts.previous),
    }


def _bookkeeping(state: State) -> dict[str, object]:
    """The keys that say where the date stands."""
    if state.scheduled is None:
        return {}
    applied = state.applied
    return {
        LIVE_KEY: text_or_none(state.live),
        SCHEDULED_KEY: dates.to_text(state.scheduled),
        _APPLIED_AT_KEY: None if applied is None else dates.to_exact_text(applied.at),
        _APPLIED_OVER_KEY: " ".join(map(dates.to_text, applied.over)) or None if applied else None,
        _GIVEN_UP_KEY: text_or_none(state.given_up),
    }


def _present(values: Mapping[str, object]) -> dict[str, object]:
    """Without absent values: the engine drops them anyway."""
    return {key: value for key, value in values.items() if value is not None}
