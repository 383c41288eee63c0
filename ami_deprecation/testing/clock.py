"""The time by which the embedded EC2 judges dates."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone


class Clock:
    """The real time, until `set` fixes it or `advance` moves it. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start with the real time."""
        self._lock = threading.Lock()
        self._fixed: datetime | None = None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the embedded EC2's present, aware and in UTC."""
        with self._lock:
            return (self._fixed or datetime.now(timezone.utc)) + self._ahead

    def set(self, when: datetime | None) -> None:
        """Stop the clock at `when`; None: back to the real time.

        Raises:
            ValueError: `when` carries no offset.
        """
        if when is not None and when.tzinfo is None:
            raise ValueError(f"LocalEC2's clock needs a time with an offset, not {when.isoformat()}")
        with self._lock:
            self._fixed = None if when is None else when.astimezone(timezone.utc)
            self._ahead = timedelta()

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`, whether it stands or runs."""
        with self._lock:
            self._ahead += by
