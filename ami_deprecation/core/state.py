"""Outputs as they stand in the state <-> a frozen, typed value. Pure.

The keys are promises: every user's state has them. Keys that begin with ``__`` are not shown by the
engine; they are what the next run needs to know and a reader does not:

``__scheduled``
    the date that this resource stands for, which is not always what EC2 shows (drift).
``__applied_at``, ``__applied_over``
    when it was last sent to EC2 and the date that EC2 had before: EC2 may go on showing that for minutes. After
    several writes in these minutes they are several dates, with blanks between.
``__given_up``
    a date that EC2 no longer takes, after a change from outside; it is not tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import dates
from . import inputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..image import Image

SCHEDULED_KEY = "__scheduled"
APPLIED_AT_KEY = "__applied_at"
APPLIED_OVER_KEY = "__applied_over"
GIVEN_UP_KEY = "__given_up"

#: Output keys, beside the inputs.
LIVE_KEY = "deprecation_time"
NAME_KEY = "image_name"
OWNER_KEY = "owner_id"
CREATED_KEY = "creation_date"
PREVIOUS_KEY = "previous_deprecation_time"
OUTPUT_KEYS = (LIVE_KEY, NAME_KEY, OWNER_KEY, CREATED_KEY, PREVIOUS_KEY)
LEDGER_KEYS = (SCHEDULED_KEY, APPLIED_AT_KEY, APPLIED_OVER_KEY, GIVEN_UP_KEY)
#: What a refresh does not write into the inputs.
OUTPUT_ONLY_KEYS = (APPLIED_AT_KEY, APPLIED_OVER_KEY)


@dataclass(frozen=True)
class Applied:
    """A write: when we made it, and the dates that EC2 had before, a moment ago."""

    at: datetime
    over: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class State:
    """What is known of a resource from its last run."""

    inputs: inputs.Inputs
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
    def facts(self) -> dict[str, object]:
        """What is known of the image, as it stands in inputs and outputs."""
        created = None if self.creation_date is None else dates.to_exact_text(self.creation_date)
        return present(
            {
                NAME_KEY: self.image_name,
                OWNER_KEY: self.owner_id,
                CREATED_KEY: created,
                PREVIOUS_KEY: text_or_none(self.previous),
            }
        )


def parse(outs: Mapping[str, object], resource_id: str | None = None) -> State:
    """Read a state: old outputs, or old inputs (which have fewer keys)."""
    scheduled = _date(outs, SCHEDULED_KEY) or _date(outs, LIVE_KEY)
    # A refresh writes the live date where the program had written its own: the inputs are the program's.
    said = {"deprecate_at": text_or_none(scheduled)} if "deprecate_at" in outs and scheduled else {}
    given, _ = inputs.parse({**outs, **said})
    region = given.region
    if not isinstance(region, str):
        region = (resource_id or "").partition("/")[0]
    applied_at = _date(outs, APPLIED_AT_KEY, exact=True)
    return State(
        inputs=given,
        region=region,
        live=_date(outs, LIVE_KEY),
        scheduled=scheduled,
        previous=_date(outs, PREVIOUS_KEY),
        image_name=_text(outs, NAME_KEY),
        owner_id=_text(outs, OWNER_KEY),
        creation_date=_date(outs, CREATED_KEY, exact=True),
        applied=None if applied_at is None else Applied(applied_at, _dates(outs, APPLIED_OVER_KEY)),
        given_up=_date(outs, GIVEN_UP_KEY),
    )


def _text(outs: Mapping[str, object], key: str) -> str | None:
    value = outs.get(key)
    return value if isinstance(value, str) else None


def _date(outs: Mapping[str, object], key: str, *, exact: bool = False) -> datetime | None:
    text = _text(outs, key)
    if text is None or text == "none":
        return None
    return dates.parse_ec2(text) if exact else dates.parse(text)


def _dates(outs: Mapping[str, object], key: str) -> tuple[datetime, ...]:
    return tuple(dates.parse(text) for text in (_text(outs, key) or "").split())


def facts(image: Image, previous: datetime | None) -> dict[str, object]:
    """What an image adds to inputs and outputs; absent values are left out, as on the wire."""
    return present(
        {
            NAME_KEY: image.name,
            OWNER_KEY: image.owner_id,
            CREATED_KEY: dates.to_exact_text(image.creation_date),
            PREVIOUS_KEY: text_or_none(previous),
        }
    )


def text_or_none(when: datetime | None) -> str | None:
    return None if when is None else dates.to_text(when)


def present(values: Mapping[str, object]) -> dict[str, object]:
    """Without the absent values, which the engine drops anyway."""
    return {key: value for key, value in values.items() if value is not None}


def ledger(
    *, live: datetime | None, scheduled: datetime, applied: Applied | None, given_up: datetime | None = None
) -> dict[str, object]:
    """The keys that say where the date stands."""
    return present(
        {
            LIVE_KEY: text_or_none(live),
            SCHEDULED_KEY: dates.to_text(scheduled),
            APPLIED_AT_KEY: None if applied is None else dates.to_exact_text(applied.at),
            APPLIED_OVER_KEY: " ".join(map(dates.to_text, applied.over)) or None if applied else None,
            GIVEN_UP_KEY: text_or_none(given_up),
        }
    )
