"""An image as a report shows it, and what the gates ask of it. Pure."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypedDict

from ... import dates
from ...image import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...ec2.listing import Reference
    from ...image import Image, Severity

_NEVER = datetime.max.replace(tzinfo=timezone.utc)


class State(str, enum.Enum):
    """Where an image stands."""

    #: The image has no deprecation date.
    NONE = "none"
    #: Its date is in the future.
    SCHEDULED = "scheduled"
    #: Its date has passed.
    DEPRECATED = "deprecated"
    #: It cannot be launched (DisableImage), whatever its date.
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
    highest_severity: str | None
    oldest_fix_severity: str | None
    oldest_fix_since: str | None
    instances: int | None


@dataclass(frozen=True)
class Row:
    """An image and its state at one moment."""

    image: Image
    state: State
    #: Whole days until its date, negative ones since it; None without a date.
    days_left: int | None
    #: The resources that use it; None when that was not read.
    references: tuple[Reference, ...] | None = None
    #: How many instances run on it; None when that was not read.
    instances: int | None = None

    @property
    def oldest_fix(self) -> tuple[Severity, datetime] | None:
        """The severity and the start of the fix that waits longest; None when no fix is known to wait."""
        fixes = self.image.scan.fix_available_since if self.image.scan is not None else {}
        return min(fixes.items(), key=lambda fix: (fix[1], SEVERITIES.index(fix[0])), default=None)

    def record(self) -> Record:
        """The row in JSON."""
        image, fix = self.image, self.oldest_fix
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
            "highest_severity": image.scan.highest_severity if image.scan is not None else None,
            "oldest_fix_severity": fix[0] if fix is not None else None,
            "oldest_fix_since": _text(fix[1]) if fix is not None else None,
            "instances": self.instances,
        }


def _text(when: datetime | None) -> str | None:
    return None if when is None else dates.to_exact_text(when)


def row(
    image: Image,
    now: datetime,
    references: Iterable[Reference] | None = None,
    instances: int | None = None,
) -> Row:
    """An image's row at a moment (aware)."""
    when = image.deprecation_time
    if image.state == "disabled":
        state = State.DISABLED
    elif when is None:
        state = State.NONE
    else:
        state = State.DEPRECATED if when <= now else State.SCHEDULED
    days = None if when is None else int((when - now) / timedelta(days=1))
    return Row(image, state, days, None if references is None else tuple(references), instances)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """By date, soonest first and none last; then by name, Region and id."""
    return sorted(
        rows,
        key=lambda r: (r.image.deprecation_time or _NEVER, r.image.name, r.image.region, r.image.id),
    )


def is_due(row: Row, now: datetime, within: timedelta) -> bool:
    """Whether its date has passed or is nearer than that; disabled images do not count."""
    when = row.image.deprecation_time
    return when is not None and row.state is not State.DISABLED and when <= now + within


def is_in_use(row: Row, now: datetime, launched_within: timedelta) -> bool:
    """Whether a resource references it, instances run on it, or it was launched within that time."""
    launched = row.image.last_launched_time
    return bool(row.references or row.instances) or (
        launched is not None and launched >= now - launched_within
    )


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
