"""The log of what was asked of the embedded EC2: what CloudTrail is to a real account."""

from __future__ import annotations

import threading
from dataclasses import dataclass

_READING = ("Describe", "Get", "List", "Assume", "Decode")


@dataclass(frozen=True)
class Call:
    """One request, as the server answered it. Never holds a key, a token or a signature.

    Attributes:
        action: EC2's or STS's name of the call, such as `EnableImageDeprecation`.
        region: the region that the request was signed for.
        account: the twelve digits of the account whose credentials signed it.
        image_ids: the images that `ImageId` or `ImageIds` named, in the request's order.
        error_code: EC2's error code, such as `RequestLimitExceeded` or `DryRunOperation`; None for success.
        user_agent: the client's header, as sent.
        at: when the request arrived, in seconds of `time.time()`.
        fault: the kind of the fault that was played on this call, if any.
    """

    action: str
    region: str
    account: str
    image_ids: tuple[str, ...]
    error_code: str | None
    user_agent: str
    at: float
    fault: str | None = None

    @property
    def mutates(self) -> bool:
        """True for an action that changes something when it succeeds."""
        return not self.action.startswith(_READING)

    @property
    def ok(self) -> bool:
        """True when the client got EC2's own answer, and that was a success."""
        return self.error_code is None and self.fault is None


class CallLog:
    """The calls in the order in which they were answered. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._cleared = 0

    def append(self, call: Call) -> None:
        """Write one call down."""
        with self._lock:
            self._calls.append(call)

    def mark(self) -> int:
        """Return a mark for `since`: the number of calls so far. A mark outlives `clear`."""
        with self._lock:
            return self._cleared + len(self._calls)

    def since(self, mark: int = 0) -> list[Call]:
        """Return the calls after `mark`, oldest first."""
        with self._lock:
            return self._calls[max(0, mark - self._cleared) :]

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._cleared += len(self._calls)
            self._calls.clear()
