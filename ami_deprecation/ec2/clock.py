"""EC2's clock, from the Date of its responses: it is the one that decides whether a date is past."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

#: A smaller difference is only the network's delay and the header's whole seconds.
_TOLERANCE = timedelta(minutes=1)


@dataclass
class Clock:
    """How far EC2's clock is ahead of this machine's."""

    _ahead: timedelta = field(default=timedelta(), init=False)

    @property
    def ahead(self) -> timedelta:
        """How far EC2's clock is ahead; zero when the difference is small or not known."""
        return self._ahead

    def now(self) -> datetime:
        """The time by EC2's clock once a response has told it, else by this machine's."""
        return datetime.now(timezone.utc) + self._ahead

    def learn(self, response: object) -> None:
        """Take the Date header of a botocore response; one that has none changes nothing."""
        text = _at(_at(_at(response, "ResponseMetadata"), "HTTPHeaders"), "date")
        if not isinstance(text, str):
            return
        try:
            ahead = parsedate_to_datetime(text).astimezone(timezone.utc) - datetime.now(timezone.utc)
        except ValueError:
            return
        self._ahead = ahead if abs(ahead) > _TOLERANCE else timedelta()


def _at(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None
