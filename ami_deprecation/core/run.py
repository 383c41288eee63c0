"""What one process remembers about the runs that it serves: one object, passed to everything that needs it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from . import identity
from .claims import Claims
from .identity import StackConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ec2 import Target
    from .state import State

logger = logging.getLogger("ami_deprecation")


@dataclass
class Run:
    """The stack's configuration, and what earlier calls of this process learned. Thread-safe."""

    claims: Claims = field(default_factory=Claims)
    _stack: StackConfig = field(default_factory=StackConfig)
    #: Why the stack's configuration cannot be used: the sentence, so that each use raises an error of its own.
    _stack_problem: str | None = None
    _skipped: set[Target] = field(default_factory=set)
    _replaced: dict[tuple[str, str], State] = field(default_factory=dict)
    _moved_on: set[tuple[str, str, str | None]] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def configure(self, get: Callable[[str], object]) -> None:
        """Take the stack's aws configuration; the first use reports a value that cannot be read."""
        with self._lock:
            try:
                self._stack, self._stack_problem = identity.from_stack_config(get, os.environ), None
            except InvalidInput as wrong:
                self._stack_problem = str(wrong)

    @property
    def stack(self) -> StackConfig:
        """The stack's aws configuration.

        Raises:
            InvalidInput: one of its keys cannot be read.
        """
        with self._lock:
            if self._stack_problem is not None:
                raise InvalidInput(self._stack_problem)
            return self._stack

    def warn(self, sentence: str) -> None:
        """Show one line to the person who runs Pulumi."""
        logger.warning(sentence)

    def warn_once(self, sentence: str) -> None:
        """Show one line, unless this process has shown it before."""
        with self._lock:
            if sentence in self._shown:
                return
            self._shown.add(sentence)
        self.warn(sentence)

    def skip_checks(self, target: Target) -> None:
        """Make no more live checks there: they have failed."""
        with self._lock:
            self._skipped.add(target)

    def skips_checks(self, target: Target) -> bool:
        """Whether live checks there have failed before."""
        with self._lock:
            return target in self._skipped

    def remember(self, image_id: str, region: str, state: State) -> None:
        """Keep a state for the second check of a replacement, which gets no old inputs."""
        with self._lock:
            self._replaced[region, image_id] = state

    def remembered(self, image_id: str, region: str) -> State | None:
        """The state that the first check of a replacement had."""
        with self._lock:
            return self._replaced.get((region, image_id))

    def moves_on(self, image_id: str, region: str, resource: str | None) -> None:
        """Note that a resource leaves this image for another one: its delete is one half of a replacement."""
        with self._lock:
            self._moved_on.add((region, image_id, resource))

    def has_arrived(self, resource: str | None) -> None:
        """Note that a resource has its new image: from here on the delete of the old half comes last."""
        with self._lock:
            self._moved_on = {each for each in self._moved_on if each[2] != resource}

    def is_moving(self, image_id: str, region: str, resource: str | None) -> bool:
        """Whether a resource leaves this image and does not have its new one yet (``delete_before_replace``)."""
        with self._lock:
            return (region, image_id, resource) in self._moved_on
