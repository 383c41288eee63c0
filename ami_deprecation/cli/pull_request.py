"""The Markdown of a pull request's comment. Pure."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from .. import dates
from . import writing
from .preview import Action
from .remarks import notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .preview import Change, Preview
    from .remarks import Remarks

#: GitHub takes 65,536 characters in a comment.
LONGEST = 65_000
#: A program's own error can be of any length; its beginning says what it is.
_LONGEST_WARNING = 1_000
_HEAD = ("Image", "Region", "Date", "Notice", "What happens")


def marker(key: str) -> str:
    """The first line, by which a job finds the comment that it has to edit; not shown."""
    safe = re.sub("-+", "-", " ".join(key.replace(">", "").split()))
    return f"<!-- ami-deprecation comment{': ' if safe else ''}{safe} -->"


def comment(preview: Preview, said: Remarks, now: datetime, *, key: str, longest: int = LONGEST) -> str:
    """The whole comment: warnings and what they are about, then everything else, folded.

    Args:
        preview: what the preview says.
        said: its warnings.
        now: the moment from which notice counts.
        key: what tells this comment from others of the same pull request.
        longest: in characters; what is over it is left out, and said.
    """
    head = [marker(key)]
    where = f" in {writing.code(preview.stack)}" if preview.stack else ""
    if not preview.changes and not said.general:
        head += [f"No AMI deprecation date changes{where}.{_unchanged(preview)}", ""]
        return "\n".join(head)
    head += [f"### AMI deprecation dates{where}", "", summary(preview), ""]
    general = [f"- {_warning(each)}" for each in said.general]
    pairs = list(zip(preview.changes, said.of_change, strict=True))
    warned = [_row(change, now, warnings) for change, warnings in pairs if warnings]
    others = [_row(change, now) for change, warnings in pairs if not warnings]
    whole = len(general) + len(pairs)
    for count in (*range(whole, 0, -max(1, whole // 50)), 0):
        text = "\n".join([*head, *_body(general, warned, others, count)])
        if len(text) <= longest:
            break
    return text


def summary(preview: Preview) -> str:
    """What happens to how many: ``**3 images**: 2 set, 1 cancelled; 12 unchanged.``."""
    if preview.errors and not preview.changes:
        return "The preview failed, so what would change is not known."
    if not preview.changes:
        return f"No date changes.{_unchanged(preview)}"
    counts = Counter(change.action for change in preview.changes)
    parts = [f"{counts[action]} {action.value}" for action in Action if counts[action]]
    number = len(preview.changes)
    rest = f"; {preview.unchanged} unchanged" if preview.unchanged else ""
    not_all = " The preview failed, so this may not be all." if preview.errors else ""
    return f"**{number} image{'s' if number != 1 else ''}**: {', '.join(parts)}{rest}.{not_all}"


def _unchanged(preview: Preview) -> str:
    number = preview.unchanged
    return (
        f" {number} resource{'s stay' if number != 1 else ' stays'} as {'they are' if number != 1 else 'it is'}."
        if number
        else ""
    )


def _body(general: Sequence[str], warned: Sequence[str], others: Sequence[str], count: int) -> list[str]:
    """The first so many warnings and rows, these in one or two tables."""
    lines = [*general[:count]]
    if count < len(general):
        lines.append(
            f"- {len(general) - count} more warnings do not fit into a comment: see the preview itself."
        )
    if general:
        lines.append("")
    count = max(0, count - len(general))
    shown = warned[:count]
    if shown:
        lines += ["**Look at these first**", "", *_table(shown, "Attention"), ""]
    folded = others[: max(0, count - len(warned))]
    if folded:
        more = "more " if warned else ""
        part = f"{len(folded)} of " if len(folded) < len(others) else ""
        title = f"{part}{len(others)} {more}image{'s' if len(others) != 1 else ''}"
        lines += ["<details>", f"<summary>{title}</summary>", "", *_table(folded), "", "</details>", ""]
    left_out = len(warned) + len(others) - len(shown) - len(folded)
    if left_out:
        lines += [f"{left_out} more do not fit into a comment: see the preview itself.", ""]
    return lines


def _table(rows: Sequence[str], *more: str) -> list[str]:
    head = (*_HEAD, *more)
    return [_line(head), _line(["---"] * len(head)), *rows]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(change: Change, now: datetime, warnings: Sequence[str] | None = None) -> str:
    cells = [_image(change), change.region, _dates(change), notice(change, now), _what(change)]
    if warnings:
        cells.append("<br>".join(_warning(each) for each in warnings))
    return _line(cells)


def _warning(text: str) -> str:
    short = text if len(text) <= _LONGEST_WARNING else f"{text[:_LONGEST_WARNING]}…"
    return f"⚠️ {writing.markdown(short)}"


def _image(change: Change) -> str:
    if change.is_secret:
        return f"{writing.markdown(change.image_name or change.resource)}<br>its id is a secret"
    if change.image_id is None:
        return f"{writing.code(change.resource)}<br>made in this update"
    name = writing.markdown(change.image_name or change.resource)
    return f"{name}<br>{writing.code(change.image_id)}"


def _dates(change: Change) -> str:
    before, after = _date(change.before), _after(change)
    return after if before == after else f"{before} → {after}"


def _after(change: Change) -> str:
    after = change.after
    if after.in_days == 0:
        return "now"
    if after.in_days is not None:
        return f"in {after.in_days} days (about {after.when:%Y-%m-%d} if applied today)"
    if after.after_days is not None:
        return f"{after.after_days} days after it is made"
    if after.when is None and change.action not in (Action.CANCELLED, Action.KEPT):
        return "known after the update"
    return _date(after.when)


def _date(when: datetime | None) -> str:
    if when is None:
        return "none"
    day = f"{when:%Y-%m-%d}"
    return day if dates.to_text(when).endswith("T00:00:00Z") else f"{day} {when:%H:%M} UTC"


def _what(change: Change) -> str:
    what = change.action.value
    if change.action in (Action.LATER, Action.EARLIER) and change.before and change.after.when:
        days = round(abs(change.after.when - change.before) / timedelta(days=1))
        what += f" ({days} day{'s' if days != 1 else ''})" if days else ""
    if change.action is Action.ADOPTED:
        what += ": nothing changes in EC2"
    return f"{what}: {writing.markdown(change.remark)}" if change.remark else what
