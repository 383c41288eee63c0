"""A token bucket on our side of the wire, so that EC2 has nothing to refuse.

EC2 meters each call per account and Region, and others draw on the same bucket: a refused call says
that ours was too optimistic, so it is emptied and refilled more slowly for a while.
Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SLOWER = 0.7
_FASTER = 1.05
_SLOWEST = 0.1


@dataclass
class Bucket:
    """Hands out the moments at which calls may be made. Thread-safe."""

    burst: float
    per_second: float
    clock: Callable[[], float] = time.monotonic
    _tokens: float = field(init=False)
    _rate: float = field(init=False)
    _as_of: float = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        self._tokens = self.burst
        self._rate = self.per_second
        self._as_of = self.clock()

    def reserve(self) -> float:
        """Take a token, and tell how many seconds to wait before it is there."""
        with self._lock:
            self._refill()
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate)

    def refused(self) -> None:
        """EC2 refused a call for its rate: nothing is left, and less comes in than we thought."""
        with self._lock:
            self._refill()
            self._tokens = min(self._tokens, 0.0)
            self._rate = max(self._rate * _SLOWER, self.per_second * _SLOWEST)

    def accepted(self) -> None:
        """EC2 took a call: come back to the published rate by and by."""
        with self._lock:
            self._refill()
            self._rate = min(self._rate * _FASTER, self.per_second)

    def _refill(self) -> None:
        now = self.clock()
        self._tokens = min(self.burst, self._tokens + (now - self._as_of) * self._rate)
        self._as_of = now
