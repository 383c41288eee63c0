"""When a call may be sent: EC2's rate limits kept on our side of the wire, and Regions that cannot be reached."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Cause = TypeVar("_Cause")

_SLOWER = 0.7
_FASTER = 1.05
_SLOWEST = 0.1


@dataclass
class Bucket:
    """A token bucket, so that EC2 has nothing to refuse. Thread-safe.

    EC2 meters each call per account and Region, and other programs draw on the same bucket. A throttled call means that
    ours was too optimistic: it is emptied, and refilled more slowly for a while.

    Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
    """

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
        """Take a token, and return how many seconds to wait until it is there."""
        with self._lock:
            self._refill()
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate)

    def refused(self) -> None:
        """EC2 throttled a call: no token is left, and they come more slowly than assumed."""
        with self._lock:
            self._refill()
            self._tokens = min(self._tokens, 0.0)
            self._rate = max(self._rate * _SLOWER, self.per_second * _SLOWEST)

    def accepted(self) -> None:
        """EC2 took a call: return to the published rate step by step."""
        with self._lock:
            self._refill()
            self._rate = min(self._rate * _FASTER, self.per_second)

    def _refill(self) -> None:
        now = self.clock()
        self._tokens = min(self.burst, self._tokens + (now - self._as_of) * self._rate)
        self._as_of = now


#: How long calls to an endpoint fail at once after one of them could not reach it, in seconds.
COOL_DOWN = 30.0


@dataclass
class Breaker(Generic[_Cause]):
    """Whether an endpoint can be reached, so that many calls to one that is down cost one wait. Thread-safe.

    It opens when a call has failed to connect until its retries ran out, and no other call has succeeded meanwhile.
    After the cool-down one call is let through to try again; its outcome closes the breaker or opens it anew.
    """

    clock: Callable[[], float] = time.monotonic
    _cause: _Cause | None = field(default=None, init=False)
    _open_until: float = field(default=0.0, init=False)
    _succeeded_at: float = field(default=float("-inf"), init=False)
    _lock: Lock = field(init=False, default_factory=Lock)

    def cause(self) -> _Cause | None:
        """Why a call must not be sent now, or None when it may be."""
        with self._lock:
            now = self.clock()
            if self._cause is None or now < self._open_until:
                return self._cause
            self._open_until = now + COOL_DOWN  # the others wait for what this call comes to
            return None

    def failed(self, cause: _Cause, began: float) -> None:
        """A call that began at this time could not reach the endpoint."""
        with self._lock:
            if self._succeeded_at < began:
                self._cause = cause
                self._open_until = self.clock() + COOL_DOWN

    def succeeded(self) -> None:
        """The endpoint responded."""
        with self._lock:
            self._succeeded_at = self.clock()
            self._cause = None
