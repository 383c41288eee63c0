"""The gates of a report: what each of the ``--fail-…`` options matches. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ...image import SEVERITIES
from .. import output
from .formats import day, used_by
from .rows import State, is_due, is_in_use

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ...image import Image, Severity
    from .rows import Row

#: How many matches are named; the rest are counted.
_MOST_NAMED = 20


@dataclass(frozen=True)
class Gate:
    """What one gate found in a report."""

    #: What it says when nothing matches.
    passed: str
    #: One sentence for each match.
    matches: Sequence[str]
    #: What it could not judge; empty when it judged every image.
    unknown: str = ""

    @property
    def sentences(self) -> list[str]:
        """Its matches, of which many are counted, or that it passed; and what it could not judge."""
        lines = list(self.matches[:_MOST_NAMED]) or [self.passed]
        more = len(self.matches) - _MOST_NAMED
        return [
            *lines,
            *([f"and {more} more"] if more > 0 else []),
            *([self.unknown] if self.unknown else []),
        ]


def within(rows: Sequence[Row], now: datetime, limit: timedelta, launched_within: timedelta) -> Gate:
    """``--fail-within``: images in use that are deprecated, or will be within that time."""
    matches = []
    for row in rows:
        if not is_due(row, now, limit) or not is_in_use(row, now, launched_within):
            continue
        use = used_by(row) or _instances(row) or f"launched on {day(row.image.last_launched_time)}"
        verb = "has been deprecated since" if row.state is State.DEPRECATED else "will be deprecated on"
        matches.append(f"{_name(row.image)} is in use ({use}) and {verb} {day(row.image.deprecation_time)}")
    span = output.length(limit)
    return Gate(f"--fail-within passed: no image in use is deprecated or will be within {span}", matches)


def without_date(rows: Sequence[Row]) -> Gate:
    """``--fail-without-date``: images that can be launched and have no date."""
    matches = [f"{_name(row.image)} has no deprecation date" for row in rows if row.state is State.NONE]
    return Gate("--fail-without-date passed: every image has a deprecation date", matches)


def unpatched(rows: Sequence[Row], now: datetime, limits: Mapping[Severity, int]) -> Gate:
    """``--fail-unpatched``: images before their date with a fix that waits longer than the days of its severity."""
    current = [row for row in rows if row.state in (State.NONE, State.SCHEDULED)]
    matches = [sentence for row in current for sentence in _unpatched(row, now, limits)]
    unscanned = sum(row.image.scan is None for row in current)
    allowed = ", ".join(f"{severity} {limits[severity]}" for severity in SEVERITIES if severity in limits)
    return Gate(
        f"--fail-unpatched passed: no fix has been available for longer than allowed (days: {allowed})",
        matches,
        f"no scan data for {unscanned} of {len(current)} images: they may be vulnerable" if unscanned else "",
    )


def _unpatched(row: Row, now: datetime, limits: Mapping[Severity, int]) -> list[str]:
    fixes = row.image.scan.fix_available_since if row.image.scan is not None else {}
    late = [
        f"a {severity} fix for {_days((now - fixes[severity]).days)} (allowed: {limits[severity]})"
        for severity in SEVERITIES
        if severity in limits and severity in fixes and now - fixes[severity] > timedelta(limits[severity])
    ]
    return [f"{_name(row.image)} has been waiting for {' and '.join(late)}"] if late else []


def _instances(row: Row) -> str:
    return f"{row.instances} instance{'s' if row.instances != 1 else ''}" if row.instances else ""


def _days(number: int) -> str:
    return f"{number} day{'s' if number != 1 else ''}"


def _name(image: Image) -> str:
    return f"{image.id} ({image.name}) in {image.region}"
