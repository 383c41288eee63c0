"""What one process remembers about the runs that it serves: one object, passed to everything that needs it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import AmiDeprecationError, InvalidInput
from .claims import Claims
from .targets import AwsConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..ec2 import Gateway, Target
    from ..image import Image
    from .state import State

logger = logging.getLogger("ami_deprecation")

_COUNTS = (10, 100, 1000, 10000)


@dataclass
class Run:
    """The gateway, the stack's configuration, and what earlier calls of this process learned. Thread-safe."""

    ec2: Gateway
    claims: Claims = field(default_factory=Claims)
    _stack: AwsConfig = field(default_factory=AwsConfig)
    #: Why the stack's configuration cannot be used: the sentence, so that each use raises an error of its own.
    _stack_problem: str | None = None
    #: Until when, by the monotonic clock.
    _skipped: dict[Target, float] = field(default_factory=dict)
    _unchecked: Counter[Target] = field(default_factory=Counter)
    _replaced: dict[tuple[str, str], State] = field(default_factory=dict)
    _seen: dict[tuple[str, str], Image] = field(default_factory=dict)
    _known: dict[tuple[str, str], State] = field(default_factory=dict)
    _deleted: dict[tuple[str, str, datetime], datetime | None] = field(default_factory=dict)
    _dropped: set[tuple[str, str]] = field(default_factory=set)
    _left_alone: set[tuple[str, str, str | None]] = field(default_factory=set)
    #: By Region and image: the names of the resource that leaves it, before and now.
    _moved_on: dict[tuple[str, str], tuple[str | None, str | None]] = field(default_factory=dict)
    _awaited: set[str | None] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def configure(self, read: Callable[[], AwsConfig]) -> None:
        """Take the configuration of the stack or of a native provider; the first use reports a value that cannot be read."""
        with self._lock:
            try:
                self._stack, self._stack_problem = read(), None
            except InvalidInput as wrong:
                self._stack_problem = str(wrong)

    @property
    def stack(self) -> AwsConfig:
        """The stack's aws configuration.

        Raises:
            InvalidInput: one of its keys cannot be read.
        """
        with self._lock:
            if self._stack_problem is not None:
                raise InvalidInput(self._stack_problem)
            return self._stack

    def note(self, sentence: str) -> None:
        """Show one informational line to the user: what happened, as the program requested."""
        logger.info(sentence)

    def note_once(self, sentence: str) -> None:
        """Show that line, unless this process has shown it before."""
        if self._is_new(sentence):
            self.note(sentence)

    def warn(self, sentence: str) -> None:
        """Show one warning that the user should act on, or know before continuing."""
        logger.warning(sentence)

    def warn_once(self, sentence: str) -> None:
        """Show that line, unless this process has shown it before."""
        if self._is_new(sentence):
            self.warn(sentence)

    def _is_new(self, sentence: str) -> bool:
        with self._lock:
            is_new = sentence not in self._shown
            self._shown.add(sentence)
        return is_new

    def warn_of_skipped_check(
        self, target: Target, image_id: str, trouble: AmiDeprecationError | None
    ) -> None:
        """Say that a live check was not made: the first time why, and then how many there were, at 10, 100 and so on.

        Args:
            target: credentials and Region.
            image_id: the image that was not read.
            trouble: why; None when the checks there are skipped because an earlier one failed.
        """
        with self._lock:
            self._unchecked[target] += 1
            count = self._unchecked[target]
        if trouble is not None:
            account = f" of account {trouble.account}" if trouble.account else ""
            after = " and the images after it" if self.skips_checks(target) else ""
            self.warn_once(
                f"live checks in {target.region}{account} were skipped, for {image_id}{after}: {trouble}"
            )
        if count in _COUNTS:
            self.warn(f"live checks in {target.region} were skipped for {count} images so far")

    def skip_checks(self, target: Target, seconds: float) -> None:
        """Make no live checks there for so long: they have failed."""
        with self._lock:
            self._skipped[target] = monotonic() + seconds

    def skips_checks(self, target: Target) -> bool:
        """Whether live checks there have failed a moment ago."""
        with self._lock:
            return monotonic() < self._skipped.get(target, 0.0)

    def remember(self, image_id: str, region: str, state: State) -> None:
        """Keep a state for the second check of a replacement, which gets no old inputs."""
        with self._lock:
            self._replaced[region, image_id] = state

    def remembered(self, image_id: str, region: str) -> State | None:
        """The state that the first check of a replacement had."""
        with self._lock:
            return self._replaced.get((region, image_id))

    def see(self, image: Image) -> None:
        """Keep an image that a check has read: the diff that follows compares it with the whole state."""
        with self._lock:
            self._seen[image.region, image.id] = image

    def seen(self, image_id: str, region: str) -> Image | None:
        """The image as a check has read it."""
        with self._lock:
            return self._seen.get((region, image_id))

    def know(self, state: State) -> None:
        """Keep a state that the engine has shown: it says who has set the date that a create finds on the image."""
        with self._lock:
            self._known[state.region, state.image_id] = state

    def known(self, image_id: str, region: str) -> State | None:
        """A state of the image that the engine has shown."""
        with self._lock:
            return self._known.get((region, image_id))

    def note_deleted(self, image_id: str, region: str, date: datetime, original: datetime | None) -> None:
        """Note that a resource is being deleted.

        Args:
            image_id: its image.
            region: where that is.
            date: the date that it stands for.
            original: the date that it would put back, None when it would cancel.
        """
        with self._lock:
            self._deleted[region, image_id, date] = original

    def original_below(self, image_id: str, region: str, date: datetime) -> datetime | None:
        """What stays of an original date when the resource that had set it is deleted in the same run, as after a cut-off rename."""
        wanted: datetime | None = date
        seen = set()
        with self._lock:
            while wanted is not None and wanted not in seen and (region, image_id, wanted) in self._deleted:
                seen.add(wanted)
                wanted = self._deleted[region, image_id, wanted]
        return wanted

    def drop(self, image_id: str, region: str) -> None:
        """Note that an image is gone and its resource has left the state: the next check may find that the program still names it."""
        with self._lock:
            self._dropped.add((region, image_id))

    def has_dropped(self, image_id: str, region: str) -> bool:
        """Whether this run has found that the image of a resource in the state is gone."""
        with self._lock:
            return (region, image_id) in self._dropped

    def leave_alone(self, image_id: str, region: str, resource: str | None) -> None:
        """Note that a resource's program leaves the date to others."""
        with self._lock:
            self._left_alone.add((region, image_id, resource))

    def ask_again(self, image_id: str, region: str, resource: str | None) -> None:
        """Forget that: the diff of a refresh is told what the last run ignored, and the program may have changed."""
        with self._lock:
            self._left_alone.discard((region, image_id, resource))

    def leaves_alone(self, image_id: str, region: str, resource: str | None) -> bool:
        """Whether a resource's program leaves the date to others."""
        with self._lock:
            return (region, image_id, resource) in self._left_alone

    def moves_on(self, image_id: str, region: str, resource: str | None, *, before: str | None) -> None:
        """Note that a resource leaves this image for another one: its delete is one half of a replacement.

        Args:
            image_id: the image that it leaves.
            region: where that is.
            resource: its name.
            before: its name in the state, which its delete has: an alias may have renamed it.
        """
        with self._lock:
            self._moved_on[region, image_id] = (before, resource)

    def awaits(self, resource: str | None) -> None:
        """Note that a resource is to be created: after a taint, its delete can come before that."""
        with self._lock:
            self._awaited.add(resource)

    def has_arrived(self, resource: str | None) -> None:
        """Note that a resource has its new image: from here on the delete of the old half comes last."""
        with self._lock:
            self._moved_on = {key: each for key, each in self._moved_on.items() if each[1] != resource}
            self._awaited.discard(resource)

    def is_moving(self, image_id: str, region: str, resource: str | None) -> bool:
        """Whether a resource leaves this image and does not have its new one yet (``delete_before_replace``)."""
        with self._lock:
            return resource in self._awaited or resource in self._moved_on.get((region, image_id), ())
