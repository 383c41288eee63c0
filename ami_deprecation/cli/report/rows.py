"""An image as a report shows it. Pure."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypedDict

from ... import dates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...ec2.listing import Reference
    from ...image import Image

_NEVER = datetime.max.replace(tzinfo=timezone.utc)


class State(str, enum.Enum):
    """Where an image stands."""

    #: It has no deprecation date.
    NONE = "none"
    #: Its date is ahead.
    SCHEDULED = "scheduled"
    #: Its date has come.
    DEPRECATED = "deprecated"
    #: Nobody can launch it (DisableImage), whatever its date.
    DISABLED = "disabled"


class UsedBy(TypedDict):
    """A resource that uses an image, in JSON."""

    resource_type: str
    arn: str


class Record(TypedDict):
    """A row in JSON, and CSV's header. The keys are promises: scripts have them."""

    name: str
    image_id: str
    region: str
    owner_id: str
    created: str
    deprecation_time: str | None
    days_left: int | None
    state: str
    last_launched: str | None
    public: bool
    used_by: list[UsedBy] | None


@dataclass(frozen=True)
class Row:
    """An image and where it stands at one moment."""

    image: Image
    state: State
    #: Whole days until its date, negative ones since it; None without a date.
    days_left: int | None
    #: Who uses it; None when that was not asked.
    references: tuple[Reference, ...] | None = None

    def record(self) -> Record:
        """The row in JSON."""
        image = self.image
        return {
            "name": image.name,
            "image_id": image.id,
            "region": image.region,
            "owner_id": image.owner_id,
            "created": dates.to_exact_text(image.creation_date),
            "deprecation_time": _text(image.deprecation_time),
            "days_left": self.days_left,
            "state": self.state.value,
            "last_launched": _text(image.last_launched_time),
            "public": image.public,
            "used_by": None
            if self.references is None
            else [{"resource_type": each.resource_type, "arn": each.arn} for each in self.references],
        }


def _text(when: datetime | None) -> str | None:
    return None if when is None else dates.to_exact_text(when)


def row(image: Image, now: datetime, references: Iterable[Reference] | None = None) -> Row:
    """How an image stands at a moment (aware)."""
    when = image.deprecation_time
    if image.state == "disabled":
        state = State.DISABLED
    elif when is None:
        state = State.NONE
    else:
        state = State.DEPRECATED if when <= now else State.SCHEDULED
    days = None if when is None else int((when - now) / timedelta(days=1))
    return Row(image, state, days, None if references is None else tuple(references))


def ordered(rows: Iterable[Row]) -> list[Row]:
    """By date, soonest first and none last; then by name, Region and id."""
    return sorted(
        rows,
        key=lambda r: (r.image.deprecation_time or _NEVER, r.image.name, r.image.region, r.image.id),
    )


def is_due(row: Row, now: datetime, within: timedelta) -> bool:
    """Whether its date has come or comes within that time; a disabled image cannot be launched anyway."""
    when = row.image.deprecation_time
    return when is not None and row.state is not State.DISABLED and when <= now + within


def is_in_use(row: Row, now: datetime, launched_within: timedelta) -> bool:
    """Whether something refers to it, or it was launched within that time."""
    launched = row.image.last_launched_time
    return bool(row.references) or (launched is not None and launched >= now - launched_within)


def summary(rows: Sequence[Row]) -> str:
    """``4 images: 1 deprecated, 2 scheduled, 1 without a date``."""
    counts = Counter(row.state for row in rows)
    words = {
        State.DEPRECATED: "deprecated",
        State.SCHEDULED: "scheduled",
        State.NONE: "without a date",
        State.DISABLED: "disabled",
    }
    parts = [f"{counts[state]} {text}" for state, text in words.items() if counts[state]]
    return f"{len(rows)} image{'s' if len(rows) != 1 else ''}: {', '.join(parts)}"
