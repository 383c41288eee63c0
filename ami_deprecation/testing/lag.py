"""Eventual consistency: for a while after a write, DescribeImages shows something else.

EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API"; seen for these very calls in
hashicorp/terraform-provider-aws#34691.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

LagMode = Literal["old", "none", "absent", "empty", "flap"]


@dataclass(frozen=True)
class View:
    """What one read shows of an image.

    Attributes:
        deprecation_time: the date to show, or None.
        shown: False when the image is not in the answer.
        unknown: True when a read by its id says InvalidAMIID.NotFound.
    """

    deprecation_time: datetime | None
    shown: bool = True
    unknown: bool = False


@dataclass(frozen=True)
class _Rule:
    mode: LagMode
    seconds: float | None
    reads: int | None
    image_id: str | None


@dataclass
class _Stale:
    rule: _Rule
    before: datetime | None
    until: float | None
    reads: int = 0


class Lag:
    """Which images lag behind, and how. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start consistent."""
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._stale: dict[tuple[str, str], _Stale] = {}

    def set(self, mode: LagMode, seconds: float | None, reads: int | None, image_id: str | None) -> None:
        """Let every later write lag; the newest rule that fits an image counts."""
        with self._lock:
            self._rules.insert(0, _Rule(mode, seconds, reads, image_id))

    def clear(self) -> None:
        """Be consistent again, at once."""
        with self._lock:
            self._rules.clear()
            self._stale.clear()

    def wrote(self, region: str, image_id: str, before: datetime | None) -> None:
        """Note that a client wrote the date of an image, which was `before`."""
        with self._lock:
            for rule in self._rules:
                if rule.image_id in (None, image_id):
                    until = None if rule.seconds is None else time.monotonic() + rule.seconds
                    self._stale[region, image_id] = _Stale(rule, before, until)
                    return

    def view(self, region: str, image_id: str, truth: datetime | None) -> View:
        """Return what this read shows; it counts as one of the rule's `reads`."""
        with self._lock:
            stale = self._stale.get((region, image_id))
            if stale is None:
                return View(truth)
            stale.reads += 1
            late = stale.until is not None and time.monotonic() >= stale.until
            if late or (stale.rule.reads is not None and stale.reads > stale.rule.reads):
                del self._stale[region, image_id]
                return View(truth)
            return _view(stale, truth)


def _view(stale: _Stale, truth: datetime | None) -> View:
    mode = stale.rule.mode
    if mode == "absent":
        return View(None, shown=False, unknown=True)
    if mode == "empty":
        return View(None, shown=False)
    if mode == "none":
        return View(None)
    if mode == "flap" and stale.reads % 2 == 0:
        return View(truth)
    return View(stale.before)
