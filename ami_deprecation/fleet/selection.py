"""Which images of a fleet are due, when, and why. Pure.

``decide`` does not know the time of day: every date comes from what EC2 says about the images, so two runs on
two days give the same dates. ``schedule_of`` then looks at the clock once, to decide how a date is given: as it
is, or as a notice when it is past or too near to be fair.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from .. import dates
from ..core.inputs import At, Notice
from ..image import newest_first

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ..image import Image, Severity

#: The state in which an image counts among the newest and can be given its first date.
_USABLE = "available"
#: The state in which the rules still date an image, but do not cancel its date.
_DISABLED = "disabled"
#: A date is computed in a preview and applied in the update after it, by EC2's own clock.
_CLOCK_MARGIN = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: What decides about an image: an argument of the policy; ``state``: the image's own state; ``scan``: it has not been
#: scanned.
Rule = Literal[
    "keep_newest", "keep_at_least", "deprecate_after_days", "fix_days", "exclude", "in_use", "state", "scan"
]
Family: TypeAlias = "tuple[str | None, ...]"


@dataclass(frozen=True)
class GroupBy:
    """One thing that the images of a family have in common."""

    kind: Literal["tag", "name", "architecture", "watermark"]
    #: The key of the tag.
    tag: str = ""
    #: The name's first group is the family (without a group, the whole match); a second group is the version.
    pattern: re.Pattern[str] | None = None

    def key(self, image: Image) -> str | None:
        """The image's part of the family's key; images that have none are a family together, None."""
        if self.kind == "tag":
            return image.tags.get(self.tag)
        if self.kind == "architecture":
            return image.architecture
        if self.kind == "watermark":
            return min(image.watermarks, default=None)
        match = self.pattern.search(image.name) if self.pattern else None
        if match is None:
            return None
        return match[1] if match.re.groups else match[0]

    def version(self, image: Image) -> str | None:
        """The version in the image's name, when the pattern has a second group for it."""
        if self.pattern is None or self.pattern.groups < 2:  # noqa: PLR2004  # family and version
            return None
        match = self.pattern.search(image.name)
        return match[2] if match else None


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
            return matches(self.name, image.name)
        if self.tag is None or self.tag not in image.tags:
            return False
        return self.tag_value is None or matches(self.tag_value, image.tags[self.tag])

    def __str__(self) -> str:
        """As a program writes it."""
        if self.tag is not None:
            return f"tag:{self.tag}" if self.tag_value is None else f"tag:{self.tag}={self.tag_value}"
        return self.image_id or self.name or ""


def matches(wildcards: str, text: str) -> bool:
    """As EC2's filters match: only ``*`` and ``?`` are special, and brackets may be part of an image's name."""
    pattern = re.escape(wildcards).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@dataclass(frozen=True)
class Rules:
    """When an image is due. At least one of ``keep_newest``, ``deprecate_after_days`` and ``fix_days`` is set."""

    keep_newest: int | None = None
    grace_days: int = 0
    deprecate_after_days: int | None = None
    keep_at_least: int = 0
    #: Severity to days after a fix became available.
    fix_days: Mapping[Severity, int] = field(default_factory=lambda: MappingProxyType({}))
    whole_releases: bool = False
    group_by: tuple[GroupBy, ...] = ()
    exclude: tuple[Exclusion, ...] = ()

    def family(self, image: Image) -> Family:
        """The family within which images are counted."""
        return tuple(each.key(image) for each in self.group_by)

    def release(self, image: Image) -> tuple[Family, str]:
        """What the copies of one release have in common: the version in their names, else the name."""
        versions = (each.version(image) for each in self.group_by)
        return self.family(image), next((each for each in versions if each is not None), image.name)


@dataclass(frozen=True)
class Decision:
    """What the rules say about one image."""

    image: Image
    #: On a whole minute, past or not; None: the image is to have no date.
    date: datetime | None
    rule: Rule
    #: Why, as the rest of a sentence about the image.
    because: str
    #: The date is the one that the image has, and no rule asks for it: a policy keeps it, and does not adopt it.
    leaves: bool = False
    #: A fix is waiting, and the image gets no date all the same.
    unpatched: bool = False

    @property
    def where(self) -> str:
        """What a sentence calls the image."""
        return f"{self.image.id} ({self.image.name}) in {self.image.region}"

    def __str__(self) -> str:
        """One line for a reader."""
        when = "no date" if self.date is None else dates.to_text(self.date)
        return f"{self.where}: {when} ({self.rule}): {self.because}"


@dataclass(frozen=True)
class _Release:
    """What counts among the newest: an image, or with ``whole_releases`` all copies of it together."""

    place: datetime
    key: str
    name: str

    @property
    def order(self) -> tuple[timedelta, str]:
        """Sorts the newest first; those of one creation date by their key."""
        return _EPOCH - self.place, self.key


@dataclass(frozen=True)
class _Due:
    """The date that one rule gives."""

    date: datetime
    rule: Rule
    because: str


def decide(images: Iterable[Image], rules: Rules, regions: Collection[str] = ()) -> list[Decision]:
    """Decide for each image, newest first.

    Images are counted within their Region and family. The newest ``keep_newest`` or ``keep_at_least`` of them,
    whichever is more, have no date. Any other image is due ``grace_days`` after the image was created that pushed it
    out of the newest ``keep_newest``, at its age, or so many days after a fix became available, whichever
    comes first. Images of one creation date are ordered by id.

    Only available images count and get a first date. A disabled image keeps at least the date that it has, and an
    image in any other state keeps exactly that. So does an image without scan data under ``fix_days``, unless
    another rule puts its date earlier: what is unknown is not clean.

    Args:
        images: the images, in any order, each once.
        rules: the settings.
        regions: the Regions in which a whole release has to exist.
    """
    ordered = newest_first(images)
    excluded = {_key(image): _exclusion(image, rules) for image in ordered} if rules.exclude else {}
    counted = [image for image in ordered if excluded.get(_key(image)) is None]
    releases = _whole_releases(counted, rules) if rules.whole_releases else _single_images(counted)
    complete = _complete_releases(counted, rules, regions) if rules.whole_releases else None
    queues: defaultdict[tuple[str, Family], dict[str, _Release]] = defaultdict(dict)
    for image in counted:
        release = releases[_key(image)]
        if image.state == _USABLE and (complete is None or rules.release(image) in complete):
            queues[image.region, rules.family(image)][release.key] = release
    sorted_queues = {family: _Queue(queue.values()) for family, queue in queues.items()}
    empty = _Queue(())
    decisions = []
    for image in ordered:
        exclusion = excluded.get(_key(image))
        if exclusion is not None:
            decisions.append(Decision(image, None, "exclude", f"it is excluded by {exclusion}"))
            continue
        queue = sorted_queues.get((image.region, rules.family(image)), empty)
        decisions.append(_decide(image, releases[_key(image)], queue, rules))
    return decisions


def _key(image: Image) -> tuple[str, str]:
    return image.region, image.id


def _exclusion(image: Image, rules: Rules) -> Exclusion | None:
    return next((each for each in rules.exclude if each.covers(image)), None)


def _single_images(images: Iterable[Image]) -> dict[tuple[str, str], _Release]:
    return {_key(image): _Release(image.creation_date, image.id, image.name or image.id) for image in images}


def _whole_releases(images: Sequence[Image], rules: Rules) -> dict[tuple[str, str], _Release]:
    """A release has one place in every Region's order: the earliest creation date of its copies."""
    places: dict[tuple[Family, str], datetime] = {}
    for image in images:
        release = rules.release(image)
        places[release] = min(image.creation_date, places.get(release, image.creation_date))
    return {
        _key(image): _Release(places[rules.release(image)], rules.release(image)[1], image.name or image.id)
        for image in images
    }


def _complete_releases(
    images: Iterable[Image], rules: Rules, regions: Collection[str]
) -> set[tuple[Family, str]]:
    seen: defaultdict[tuple[Family, str], set[str]] = defaultdict(set)
    for image in images:
        if image.state == _USABLE:
            seen[rules.release(image)].add(image.region)
    return {release for release, there in seen.items() if there >= set(regions)}


class _Queue:
    """What counts in one family, newest first."""

    def __init__(self, releases: Iterable[_Release]) -> None:
        self.releases = sorted(releases, key=lambda each: each.order)
        self._orders = [each.order for each in self.releases]

    def rank(self, release: _Release) -> int:
        """How many are newer."""
        return bisect_left(self._orders, release.order)


def _decide(image: Image, release: _Release, queue: _Queue, rules: Rules) -> Decision:
    live = image.date
    if image.state not in (_USABLE, _DISABLED) or (image.state == _DISABLED and live is None):
        keeps = " and keeps its date" if live is not None else ""
        return Decision(image, live, "state", f"it is {image.state}{keeps}", leaves=live is not None)
    decision = _decide_by_rules(image, queue.rank(release), queue, rules)
    if image.state == _DISABLED and decision.date is None:
        return Decision(image, live, "state", "it is disabled and keeps its date", leaves=True)
    return decision


def _decide_by_rules(image: Image, rank: int, queue: _Queue, rules: Rules) -> Decision:
    fix = _fix(image, rules)
    newest = rules.keep_newest or 0
    if rank < max(newest, rules.keep_at_least):
        rule: Rule = "keep_newest" if rank < newest else "keep_at_least"
        count = newest if rank < newest else rules.keep_at_least
        because = "it is the newest" if count == 1 else f"it is one of the newest {count}"
        if fix is not None:
            because += f", although {fix.because}"
        return Decision(image, None, rule, because, unpatched=fix is not None)
    due = min(
        filter(None, (_pushed_out(image, rank, queue, rules), _age(image, rules), fix)),
        key=lambda each: each.date,
        default=None,
    )
    if rules.fix_days and image.scan is None:
        live = image.date
        if live is not None and (due is None or live < due.date):
            return Decision(image, live, "scan", "it has no scan data yet and keeps its date", leaves=True)
        if due is None:
            return Decision(image, None, "scan", "it has no scan data yet")
    if due is None:
        return Decision(image, None, "fix_days", "no fix is waiting")
    return Decision(image, due.date, due.rule, due.because)


def _pushed_out(image: Image, rank: int, queue: _Queue, rules: Rules) -> _Due | None:
    if rules.keep_newest is None:
        return None
    if rules.keep_newest == 0:  # it was never in
        since, because = image.creation_date, f"it was created on {image.creation_date:%Y-%m-%d}"
    else:  # counted from this image on, the N-th newer one pushed it out
        pusher = queue.releases[rank - rules.keep_newest]
        since, because = pusher.place, f"{pusher.name} pushed it out on {pusher.place:%Y-%m-%d}"
    return _Due(dates.after_days(since, rules.grace_days), "keep_newest", _plus(because, rules.grace_days))


def _age(image: Image, rules: Rules) -> _Due | None:
    if rules.deprecate_after_days is None:
        return None
    because = _plus(f"it was created on {image.creation_date:%Y-%m-%d}", rules.deprecate_after_days)
    return _Due(
        dates.after_days(image.creation_date, rules.deprecate_after_days), "deprecate_after_days", because
    )


def _fix(image: Image, rules: Rules) -> _Due | None:
    """The earliest date by a severity that has a fix; findings without a fix give none."""
    if image.scan is None:
        return None
    due = [
        _Due(
            dates.after_days(since, days),
            "fix_days",
            _plus(f"a fix for a {severity} finding has been available since {since:%Y-%m-%d}", days),
        )
        for severity, days in rules.fix_days.items()
        if (since := image.scan.fix_available_since.get(severity)) is not None
    ]
    return min(due, key=lambda each: each.date, default=None)


def _plus(because: str, days: int) -> str:
    return f"{because}, plus {days} day{'s' if days != 1 else ''}" if days else because


def schedule_of(image: Image, date: datetime, now: datetime, notice_days: int) -> At | Notice | None:
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
        image: the image as it is now.
        date: the date that the rules give it.
        now: the time of day by EC2's clock.
        notice_days: no date nearer than this is given to an image that has a later one, or none.
    """
    live = image.date
    if image.public:
        last = live or dates.latest(now, created=image.creation_date, public=True)
        date = min(date, last)
    if date == live:
        return At(date)
    notice = dates.in_days(now, notice_days)
    soon = dates.to_minute(now + _CLOCK_MARGIN)
    if date >= max(notice, soon):
        return At(date)
    if live is not None and live < date and date >= soon:
        return At(date)
    if image.public and live is None and notice > last:
        return None
    return Notice(notice_days)


def changes(image: Image, wanted: At | Notice, now: datetime) -> bool:
    """Whether applying it now would give the image a date, or another one than it has."""
    if isinstance(wanted, At):
        return image.date != wanted.when
    return image.date is None or image.date > dates.in_days(now, wanted.days)
