"""EC2's request throttling: token buckets per account, Region and call.

Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("Describe", "Get", "List")
# Calls with buckets of their own: tokens, refill per second.
_OWN = {
    "CopyImage": (100.0, 1.0),
    "CreateTags": (100.0, 10.0),
    "DeregisterImage": (100.0, 5.0),
    "ModifyImageAttribute": (100.0, 5.0),
}
# Reads with smaller buckets, like every read that is not paginated.
_EXPENSIVE = frozenset(
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
    """The size of the token buckets; the defaults are those that AWS publishes."""

    #: Mutating calls in a burst.
    mutating_tokens: float = 50
    #: Mutating calls per second after that.
    mutating_per_second: float = 5
    #: Describe, Get and List calls in a burst, DescribeImages among them.
    reading_tokens: float = 100
    #: Describe, Get and List calls per second after that.
    reading_per_second: float = 20
    #: The share of every bucket that other clients use, from 0 to below 1.
    taken: float = 0.0

    def bucket(self, action: str) -> tuple[float, float]:
        """(tokens, refill per second) of a call's bucket."""
        if action in _OWN:
            tokens, refill = _OWN[action]
        elif action in _EXPENSIVE:
            tokens, refill = self.reading_tokens / 2, self.reading_per_second / 2
        elif action.startswith(_READING):
            tokens, refill = self.reading_tokens, self.reading_per_second
        else:
            tokens, refill = self.mutating_tokens, self.mutating_per_second
        return tokens * (1 - self.taken), refill * (1 - self.taken)


class Buckets:
    """The buckets and their tokens. Thread-safe."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with full buckets; ``clock`` returns seconds."""
        self._limits, self._clock = limits, clock
        self._lock = threading.Lock()
        self._filled: dict[tuple[str, str, str], tuple[float, float]] = {}

    def take(self, account: str, region: str, action: str) -> bool:
        """Take one token; False when the bucket is empty. A refused call costs no token."""
        capacity, refill = self._limits.bucket(action)
        key, now = (account, region, action), self._clock()
        with self._lock:
            tokens, then = self._filled.get(key, (capacity, now))
            tokens = min(capacity, tokens + (now - then) * refill)
            allowed = tokens >= 1
            self._filled[key] = (tokens - 1 if allowed else tokens, now)
            return allowed
