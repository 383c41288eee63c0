"""Reading images one by one: few calls for many of them.

The engine asks for one image at a time, at most four at once. The first images of a process are read by their ids;
when more follow, a listing of the account's own images answers for the rest. An account with many more images is listed
little by little: meanwhile images are read by their ids, those of waiting threads in one call, and one more page is read
for every ten of these calls. This keeps small stacks cheap in big accounts, and large stacks off one call per image.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING

from ..errors import RequestRefused
from .listing import MOST_IDS, RepeatedToken, without_absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..image import Image

#: This many calls by id within a listing's age, then a listing.
_LIST_AFTER = 2
#: So many of its pages at once; most accounts end before that.
_PAGES_AT_ONCE = 3
#: A page of a thousand images takes EC2 and us about the time of so many calls by id.
_CALLS_PER_PAGE = 10


@dataclass
class _Entry:
    image: Image | None
    at: float


@dataclass
class _Listing:
    """How far the account's own images are listed. Only the thread that reads touches it."""

    pages: Iterator[list[Image]]
    began: float
    count: int = 0
    ended: bool = False


@dataclass
class Reader:
    """The images of one target, as this process has read them. Thread-safe."""

    #: Reads images by their ids; ``ImageNotFound`` when one of them is absent.
    read_by_ids: Callable[[Sequence[str]], list[Image]]
    #: Reads the account's own images, page by page.
    list_own: Callable[[], Iterator[list[Image]]]
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _busy: bool = False
    _by_id_calls: list[float] = field(default_factory=list)
    _listing: _Listing | None = None
    _written: dict[str, float] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)

    def get(self, image_id: str, max_age: float) -> Image | None:
        """One image, read at most ``max_age`` seconds ago; None when it is not there."""
        asked = time.monotonic()
        while True:
            with self._changed:
                entry = self._fresh(image_id, asked, max_age)
                if entry is not None:
                    self._wanted.discard(image_id)
                    return entry.image
                self._wanted.add(image_id)
                if self._busy:
                    self._changed.wait()
                    continue
                self._busy = True
            try:
                while (listing := self._due_listing(image_id, asked, max_age)) is not None:
                    self._read_page(listing)
                self._read(self._take(image_id, asked, max_age))
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _fresh(self, image_id: str, asked: float, max_age: float) -> _Entry | None:
        entry = self._entries.get(image_id)
        return entry if entry is not None and entry.at >= asked - max_age else None

    def _take(self, image_id: str, asked: float, max_age: float) -> list[str]:
        """The ids that still have to be asked for, ours first."""
        with self._changed:
            waiting = [image_id, *sorted(self._wanted - {image_id})][:MOST_IDS]
            self._wanted.difference_update(waiting)
            return [each for each in waiting if self._fresh(each, asked, max_age) is None]

    def forget(self, image_id: str) -> None:
        """Drop what was read before a write, also when its response is still on its way."""
        with self._changed:
            self._entries.pop(image_id, None)
            self._written[image_id] = time.monotonic()

    def _store(self, images: Mapping[str, Image | None], at: float) -> None:
        with self._changed:
            self._entries.update(
                {
                    image_id: _Entry(image, at)
                    for image_id, image in images.items()
                    if at > self._written.get(image_id, 0.0)
                }
            )

    def _due_listing(self, image_id: str, asked: float, max_age: float) -> _Listing | None:
        """The listing of which a page is to be read before this image is read by its id."""
        with self._changed:
            if self._fresh(image_id, asked, max_age) is not None:
                return None  # it was on the page before
        since = asked - max_age
        by_id = sum(at >= since for at in self._by_id_calls)
        if by_id < _LIST_AFTER:
            return None
        if self._listing is None or self._listing.began < since:
            self._listing = _Listing(self.list_own(), time.monotonic())
        beyond = max(0, self._listing.count + 1 - _PAGES_AT_ONCE)
        is_due = not self._listing.ended and by_id >= _LIST_AFTER + beyond * _CALLS_PER_PAGE
        return self._listing if is_due else None

    def _read_page(self, listing: _Listing) -> None:
        at = time.monotonic()
        try:
            images = next(listing.pages, None)
        except (RequestRefused, RepeatedToken):
            # Its token is too old or came twice: what the listing has not shown is read by ids.
            if listing.count == 0:
                self._listing = None
                raise
            images = None
        if images is None:
            listing.ended = True
            return
        listing.count += 1
        self._store({image.id: image for image in images}, at)

    def _read(self, ids: list[str]) -> None:
        if not ids:
            return
        at = time.monotonic()
        self._by_id_calls.append(at)
        by_id = {image.id: image for image in without_absent(ids, self.read_by_ids)}
        self._store({image_id: by_id.get(image_id) for image_id in ids}, at)
