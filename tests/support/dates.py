"""Dates of tests, always ahead of today: whole minutes, in the package's normal form."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

NOW = datetime.now(timezone.utc).replace(second=0, microsecond=0)


def ahead(days: float = 0, minutes: float = 0) -> datetime:
    """A whole minute that far from now."""
    return (NOW + timedelta(days=days, minutes=minutes)).replace(second=0, microsecond=0)


def text(when: datetime | None) -> str | None:
    """`YYYY-MM-DDTHH:MM:00Z`, or None."""
    return None if when is None else f"{when:%Y-%m-%dT%H:%M:00Z}"


EARLY, MIDDLE, LATE = ahead(100), ahead(200), ahead(300)

#: The same date in three ways, for an image of thirty days ago.
WAYS = {"deprecate_at": EARLY, "deprecate_after_days": 130, "deprecate_in_days": 100}
