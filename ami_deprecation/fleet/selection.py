"""Which images of a fleet are due, and when. Pure.

``select`` does not know the time of day: every date comes from the images' own creation dates, so two
runs on two days give the same dates. ``schedule_of`` then looks at the clock once, to decide how a
date is given: as it is, or as a notice when it is past or too near to be fair.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .. import dates
from ..core.inputs import At, InDaysOnce

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..image import Image

#: The state in which an image counts among the newest and can be given its first date.
_USABLE = "available"
#: A disabled image keeps the date that it has: to leave it out would cancel the date.
_DISABLED = "disabled"
#: Between this program's look at the clock and EC2's own lie a preview's end and an update's start.
_ROOM = timedelta(minutes=10)


@dataclass(frozen=True)
class GroupBy:
    """What makes images a family: the value of a tag, or the part of the name that a pattern finds."""

    tag: str | None = None
    pattern: re.Pattern[str] | None = None

    def key(self, image: Image) -> str | None:
        """The image's family; images without the tag, or whose name does not match, are one family, None."""
        if self.tag is not None:
            return image.tags.get(self.tag)
        found = self.pattern.search(image.name) if self.pattern else None
        if found is None:
            return None
        return found[1] if found.re.groups else found[0]


@dataclass(frozen=True)
class Exclusion:
    """Leaves images out: by id, by a name with ``*`` and ``?``, or by a tag, with or without a value."""

    image_id: str | None = None
    name: str | None = None
    tag: str | None = None
    tag_value: str | None = None

    def covers(self, image: Image) -> bool:
        """Whether this image is left out."""
        if self.image_id is not None:
            return image.id == self.image_id
        if self.name is not None:
            return _matches(self.name, image.name)
        if self.tag is None or self.tag not in image.tags:
            return False
        return self.tag_value is None or _matches(self.tag_value, image.tags[self.tag])


def _matches(wildcards: str, text: str) -> bool:
    """As EC2's filters match: only ``*`` and ``?`` are special, and brackets may be part of an image's name."""
    pattern = re.escape(wildcards).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@dataclass(frozen=True)
class Rules:
    """When an image is due. At least one of ``keep_newest`` and ``deprecate_after_days`` is given."""

    keep_newest: int | None = None
    grace_days: int = 0
    deprecate_after_days: int | None = None
    group_by: GroupBy = GroupBy()
    exclude: tuple[Exclusion, ...] = ()


@dataclass(frozen=True)
class Due:
    """An image and the date that the rules give it, on a whole minute, past or not."""

    image: Image
    date: datetime


def select(images: Iterable[Image], rules: Rules) -> list[Due]:
    """The images that are due under the rules, newest first.

    The newest ``keep_newest`` of each group have no date, whatever their age. Every other image is due
    ``grace_days`` after the image was made that pushed it out of the newest, or at its age, whichever
    comes first. Images of one creation date are ordered by id.

    Only available images count and are given a first date; a disabled one keeps its place in the
    queue when it has a date. Pending, failed and deregistered images are left out.

    Args:
        images: the images of one Region, in any order, each once.
        rules: the settings.
    """
    groups: defaultdict[str | None, list[Image]] = defaultdict(list)
    for image in _newest_first(images):
        if not any(exclusion.covers(image) for exclusion in rules.exclude):
            groups[rules.group_by.key(image)].append(image)
    due = [each for group in groups.values() for each in _select_in_group(group, rules)]
    by_image = {each.image.id: each for each in due}
    return [by_image[image.id] for image in _newest_first(each.image for each in due)]


def _newest_first(images: Iterable[Image]) -> list[Image]:
    return sorted(sorted(images, key=lambda i: i.id), key=lambda i: i.creation_date, reverse=True)


def _select_in_group(group: Sequence[Image], rules: Rules) -> list[Due]:
    due: list[Due] = []
    newer: list[Image] = []
    for image in group:
        usable = image.state == _USABLE
        if usable or (image.state == _DISABLED and image.date is not None):
            date = _date(image, newer, rules)
            if date is not None:
                due.append(Due(image, date))
        if usable:
            newer.append(image)
    return due


def _date(image: Image, newer: Sequence[Image], rules: Rules) -> datetime | None:
    """The date of one image; ``newer`` are those of its group that were made after it, newest first."""
    candidates: list[datetime] = []
    if rules.keep_newest is not None:
        rank = len(newer)
        if rank < rules.keep_newest:
            return None
        # Counted from this image on, the N-th newer one pushed it out; with N = 0 it was never in.
        pushed_out_by = newer[rank - rules.keep_newest] if rules.keep_newest else image
        candidates.append(dates.after_days(pushed_out_by.creation_date, rules.grace_days))
    if rules.deprecate_after_days is not None:
        candidates.append(dates.after_days(image.creation_date, rules.deprecate_after_days))
    return min(candidates, default=None)


def schedule_of(due: Due, now: datetime, notice_days: int) -> At | InDaysOnce | None:
    """How an image that is due is given its date now; None when EC2 would take none at all.

    Nothing is remembered from run to run, so the answer has to be the same before, on and after the day:

    - An image that has its date has it for ever, also when the date comes and is past.
    - A date that is far enough ahead is given as it is. So is one that only moves the image's date later
      and is still ahead: a notice is for those who have not heard.
    - Any other date is a notice of so many days, settled when it is first applied; an earlier date that the
      image has stays. From then on the image's date is not the computed one, which has passed or will before
      the notice ends, so the answer stays a notice.
    - EC2 moves a public image's date only earlier, and not beyond two years from its creation.

    Args:
        due: the image, as it is now, and its computed date.
        now: the time of day by EC2's clock.
        notice_days: no date nearer than this is given to an image that has a later one, or none.
    """
    image, date, live = due.image, due.date, due.image.date
    if image.public:
        last = live or dates.latest(now, created=image.creation_date, public=True)
        date = min(date, last)
    if date == live:
        return At(date)
    notice = dates.in_days(now, notice_days)
    soon = dates.to_minute(now + _ROOM)
    if date >= max(notice, soon):
        return At(date)
    if live is not None and live < date and date >= soon:
        return At(date)
    if image.public and live is None and notice > last:
        return None
    return InDaysOnce(notice_days)


def changes(image: Image, wanted: At | InDaysOnce, now: datetime) -> bool:
    """Whether applying it now would give the image a date, or another one than it has."""
    if isinstance(wanted, At):
        return image.date != wanted.when
    return image.date is None or image.date > dates.in_days(now, wanted.days)
