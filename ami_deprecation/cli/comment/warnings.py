"""Warnings: what a reviewer must not miss in a preview. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .. import output
from .preview import CHANGING, Action

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .preview import Change, Preview

#: How a note of the provider starts when it is about one image.
_ABOUT = re.compile(r"(?P<image>ami-[0-9a-f]{8,17})(?: \(.*?\))? in [a-z0-9-]+:? ")
_NEW_DATES = frozenset({Action.SET, Action.LATER, Action.EARLIER, Action.RESTORED})


@dataclass(frozen=True)
class Limits:
    """Thresholds for warnings."""

    #: Warn of a date nearer than this.
    notice: timedelta = timedelta(days=7)
    #: Warn of more changed images than this.
    many: int = 20


@dataclass(frozen=True)
class Warnings:
    """Warnings about the whole preview, and about each change, in the order of the changes."""

    general: tuple[str, ...]
    of_change: tuple[tuple[str, ...], ...]


def warnings_of(preview: Preview, now: datetime, limits: Limits) -> Warnings:
    """All warnings of a preview, as of a moment (aware)."""
    general = [f"preview failed: {error}" for error in preview.errors]
    changing = sum(change.action in CHANGING for change in preview.changes)
    if changing > limits.many:
        general.append(f"{changing} images change at once, more than {limits.many}")
    shown = {change.image_id for change in preview.changes}
    about: dict[str | None, list[str]] = {}
    for note in preview.notes:
        match = _ABOUT.match(note)
        if match and match["image"] in shown:
            about.setdefault(match["image"], []).append(note[match.end() :])
        else:
            general.append(note)
    return Warnings(
        tuple(general),
        tuple(
            (*_of_date(change, now, limits), *about.get(change.image_id, ())) for change in preview.changes
        ),
    )


def _of_date(change: Change, now: datetime, limits: Limits) -> Sequence[str]:
    if change.action is Action.CANCELED and change.before is not None and change.before <= now:
        return ["its date has passed: once canceled, it cannot be set again"]
    if change.action not in _NEW_DATES or change.after.when is None:
        return []
    if change.after.in_days == 0:
        return ["deprecated as soon as this is applied"]
    if change.after.when <= now:
        return ["the date has passed"]
    if change.after.when - now < limits.notice:
        return [f"short notice: {notice(change, now)}"]
    return []


def notice(change: Change, now: datetime) -> str:
    """The time until the date: whole days, hours on the last day; empty without a date."""
    when = change.after.when
    if when is None:
        return ""
    if change.after.in_days is not None:
        return output.length(timedelta(change.after.in_days)) if change.after.in_days else "none"
    return output.length(when - now) if when >= now else "past"
