"""Positions on a timeline, in percent of its width. Pure.

Percent, not pixels, because an SVG with them is as wide as its page and its letters stay as they are: a
phone shows the same drawing, readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .rows import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import Row

#: What is further away is cut off, and marked so: one date in ten years would press all others together.
_BACK = timedelta(days=3 * 365)
_AHEAD = timedelta(days=2 * 365)
_MARGIN = timedelta(days=30)
_MOST_TICKS = 6
#: Months between ticks.
_STEPS = (1, 2, 3, 6, 12, 24)
#: A life of a few days would hide behind today's line.
_SHORTEST = 1.2
#: A tick nearer to the edge than this would have its label cut, and one near to today hides "today", on a phone.
_EDGE, _NEAR_TODAY = 4.0, 9.5


@dataclass(frozen=True)
class Span:
    """The time that all timelines of a page show."""

    start: datetime
    end: datetime

    def at(self, when: datetime) -> float:
        """The place of a moment, 0 to 100."""
        share = (when - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, share)) * 100, 2)


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Bar:
    """An image's life: from its making to its date, and from its date to today when that has come.

    A short one begins a little earlier than it did, so that it is seen.
    """

    start: float
    #: The date, or today for an image without one.
    end: float
    #: Today, for an image that is deprecated.
    until: float | None
    #: Whether the date lies beyond what is shown, or the making before.
    is_cut_left: bool
    is_cut_right: bool

    @property
    def width(self) -> float:
        return round(max(0.4, self.end - self.start), 2)

    @property
    def after(self) -> float:
        return 0.0 if self.until is None else round(max(0.0, self.until - self.end), 2)


def span(rows: Sequence[Row], now: datetime) -> Span:
    """The time from the first image to the last date, within three years back and two ahead."""
    first = min((row.image.creation_date for row in rows), default=now)
    last = max((row.image.deprecation_time or now for row in rows), default=now)
    return Span(max(first, now - _BACK) - _MARGIN, min(max(last, now), now + _AHEAD) + _MARGIN)


def ticks(over: Span, now: datetime) -> list[Tick]:
    """At most six, on firsts of months; without a label where today's or the edge is."""
    for step in _STEPS:
        marks = _months(over, step)
        if len(marks) <= _MOST_TICKS:
            break
    named = [month for month in marks if _has_room(over, month, now)]
    return [
        Tick(over.at(month), _label(month, first=month == named[0]) if month in named else "")
        for month in marks
    ]


def _months(over: Span, step: int) -> list[datetime]:
    months = []
    number = over.start.year * 12
    while (month := datetime(number // 12, number % 12 + 1, 1, tzinfo=timezone.utc)) <= over.end:
        if month >= over.start:
            months.append(month)
        number += step
    return months


def _has_room(over: Span, month: datetime, now: datetime) -> bool:
    x = over.at(month)
    return _EDGE <= x <= 100 - _EDGE and abs(x - over.at(now)) >= _NEAR_TODAY


def _label(month: datetime, *, first: bool) -> str:
    if month.month == 1:
        return f"{month:%Y}"
    return f"{month:%b %Y}" if first else f"{month:%b}"


def bar(row: Row, over: Span, now: datetime) -> Bar:
    """One image's life on the line."""
    image = row.image
    until = image.deprecation_time if image.deprecation_time is not None else now
    end = over.at(until)
    return Bar(
        start=round(max(0.0, min(over.at(image.creation_date), end - _SHORTEST)), 2),
        end=end,
        until=over.at(now) if row.state is State.DEPRECATED else None,
        is_cut_left=image.creation_date < over.start,
        is_cut_right=until > over.end,
    )
