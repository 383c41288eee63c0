"""The log of the calls that LocalEC2 answered: its CloudTrail."""

from __future__ import annotations

import threading
from dataclasses import dataclass

_READING = ("Describe", "Get", "List", "Assume", "Decode")


@dataclass(frozen=True)
class Call:
    """One request, as the server answered it. It never holds a key, a token or a signature."""

    #: EC2's or STS's name of the call, such as ``EnableImageDeprecation``.
    action: str
    #: The Region that the request was signed for.
    region: str
    #: The account whose credentials signed it, twelve digits.
    account: str
    #: The images that ``ImageId`` or ``ImageIds`` named, in the request's order.
    image_ids: tuple[str, ...]
    #: EC2's error code, such as ``RequestLimitExceeded`` or ``DryRunOperation``; None for success.
    error_code: str | None
    #: The client's ``User-Agent`` header.
    user_agent: str
    #: When the request arrived, in seconds of ``time.time()``.
    at: float
    #: The kind of the fault that was injected into this call, if any.
    fault: str | None = None
    #: Whether the request carried ``DryRun``.
    dry_run: bool = False

    @property
    def mutates(self) -> bool:
        """Whether the call changes something when it succeeds; one with DryRun never does."""
        return not self.dry_run and not self.action.startswith(_READING)

    @property
    def ok(self) -> bool:
        """Whether the client got EC2's own answer, and that was a success."""
        return self.error_code is None and self.fault is None


class CallLog:
    """The calls in the order in which they were answered. Thread-safe."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._cleared = 0

    def append(self, call: Call) -> None:
        """Record one call."""
        with self._lock:
            self._calls.append(call)

    def mark(self) -> int:
        """A mark for ``since``: the number of calls so far. It stays valid after ``clear``."""
        with self._lock:
            return self._cleared + len(self._calls)

    def since(self, mark: int = 0) -> list[Call]:
        """The calls after ``mark``, oldest first."""
        with self._lock:
            return self._calls[max(0, mark - self._cleared) :]

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._cleared += len(self._calls)
            self._calls.clear()
