"""EC2's request throttling: token buckets per account, region and call.

EC2 Developer Guide, "Request throttling for the Amazon EC2 API".
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("Describe", "Get", "List")
# Calls with buckets of their own: tokens, refill a second.
_OWN = {
    "CopyImage": (100.0, 1.0),
    "CreateTags": (100.0, 10.0),
    "DeregisterImage": (100.0, 5.0),
    "ModifyImageAttribute": (100.0, 5.0),
}
# Reads that EC2 meters harder, as it does any that is not paginated.
_HEAVY = frozenset(
    {
        "DescribeInstances",
        "DescribeInstanceStatus",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSpotInstanceRequests",
        "DescribeVolumes",
    }
)


@dataclass(frozen=True)
class Limits:
    """The size of the buckets; the defaults are those that AWS publishes.

    Attributes:
        mutating_tokens: calls that change something, at once.
        mutating_per_second: and then each second.
        reading_tokens: Describe, Get and List calls, at once. DescribeImages is one of them.
        reading_per_second: and then each second.
        taken: the share, 0 to below 1, that somebody else uses of every bucket.
    """

    mutating_tokens: float = 50
    mutating_per_second: float = 5
    reading_tokens: float = 100
    reading_per_second: float = 20
    taken: float = 0.0

    def bucket(self, action: str) -> tuple[float, float]:
        """Return (tokens, refill a second) of a call's bucket."""
        if action in _OWN:
            tokens, refill = _OWN[action]
        elif action in _HEAVY:
            tokens, refill = self.reading_tokens / 2, self.reading_per_second / 2
        elif action.startswith(_READING):
            tokens, refill = self.reading_tokens, self.reading_per_second
        else:
            tokens, refill = self.mutating_tokens, self.mutating_per_second
        return tokens * (1 - self.taken), refill * (1 - self.taken)


class Buckets:
    """What is in the buckets. Safe to use from several threads."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with full buckets; `clock` returns seconds."""
        self._limits, self._clock = limits, clock
        self._lock = threading.Lock()
        self._filled: dict[tuple[str, str, str], tuple[float, float]] = {}

    def take(self, account: str, region: str, action: str) -> bool:
        """Take one token and return True, or False when the bucket is empty. A refused call costs none."""
        most, refill = self._limits.bucket(action)
        key, now = (account, region, action), self._clock()
        with self._lock:
            tokens, then = self._filled.get(key, (most, now))
            tokens = min(most, tokens + (now - then) * refill)
            allowed = tokens >= 1
            self._filled[key] = (tokens - 1 if allowed else tokens, now)
            return allowed
