"""The comment as Markdown. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from ... import dates
from .. import output
from .preview import Action
from .warnings import notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import TypeAlias

    from .preview import Change, Preview
    from .warnings import Warnings

    _Warned: TypeAlias = "tuple[Change, Sequence[str]]"

#: GitHub takes 65,536 characters in a comment.
LONGEST = 65_000
#: An error of the program can have any length; its beginning tells what it is.
_LONGEST_WARNING = 1_000
#: Of what Pulumi prints when it fails before the preview starts, the end.
_LONGEST_REASON = 4_000
#: Rows in sight for each action.
_MOST_IN_SIGHT = 20
_HEAD = ("Image", "Region", "Date", "Notice", "Change")


def marker(key: str) -> str:
    """The hidden first line, by which a job finds the comment to edit."""
    safe = re.sub("-+", "-", " ".join(key.replace(">", "").split()))
    return f"<!-- ami-deprecation comment{': ' if safe else ''}{safe} -->"


def comment(preview: Preview, warnings: Warnings, now: datetime, *, key: str, longest: int = LONGEST) -> str:
    """The whole comment: warnings and the images they concern, then the rest, folded.

    Args:
        preview: the preview.
        warnings: its warnings.
        now: the moment from which notice counts (aware).
        key: distinguishes this comment from others of the pull request.
        longest: the limit in characters; rows beyond it are counted, not shown.
    """
    head = [marker(key)]
    if not preview.changes and not warnings.general:
        head += [f"No AMI deprecation date changes{_in(preview.stack)}.{_unchanged(preview)}", ""]
        return "\n".join(head)
    head += [_title(preview.stack), "", summary(preview), ""]
    general = [f"- {_warning(each)}" for each in warnings.general]
    shown, rest = _split(list(zip(preview.changes, warnings.of_change, strict=True)))
    visible = [_row(change, now, own) for change, own in shown]
    is_warned = any(own for _, own in rest)
    folded = [_row(change, now, own if is_warned else None) for change, own in rest]

    def write(count: int) -> str:
        return "\n".join([*head, *_body(general, visible, folded, count, is_warned=is_warned)])

    whole = len(general) + len(visible) + len(folded)
    if len(text := write(whole)) <= longest:
        return text
    # The most lines that fit: each one more makes it longer.
    most = bisect_right(range(whole), longest, lo=1, key=lambda count: len(write(count))) - 1
    return write(most)


def failure(key: str, stack: str, reason: str, longest: int = LONGEST) -> str:
    """The comment of a preview that printed no JSON: it replaces that of an earlier push.

    Args:
        key: as in ``comment``.
        stack: ``project/stack``; empty when it is unknown.
        reason: what Pulumi printed instead; of a long one the end, where the error is.
        longest: the limit in characters.
    """
    head = [marker(key), _title(stack), "", "The preview failed, so the changes are unknown.", ""]
    room = min(_LONGEST_REASON, longest - len("\n".join(head)) - 50)
    reason = reason if len(reason) <= room else f"…{reason[-room:]}"
    ticks = max((len(run) for run in re.findall(r"`+", reason)), default=0)
    fence = "`" * max(3, ticks + 1)
    return "\n".join([*head, "⚠️ preview failed:", "", f"{fence}text", reason, fence, ""])


def _split(pairs: Sequence[_Warned]) -> tuple[list[_Warned], list[_Warned]]:
    """The rows in sight, at most 20 for each action and only with a warning; and the rest. Both in order."""
    in_sight: Counter[Action] = Counter()
    shown: list[_Warned] = []
    rest: list[_Warned] = []
    for pair in pairs:
        change, own = pair
        in_sight[change.action] += bool(own)
        (shown if own and in_sight[change.action] <= _MOST_IN_SIGHT else rest).append(pair)
    return shown, rest


def _title(stack: str) -> str:
    return f"### AMI deprecation dates{_in(stack)}"


def _in(stack: str) -> str:
    return f" in {output.code(stack)}" if stack else ""


def summary(preview: Preview) -> str:
    """Images by action: ``**3 images**: 2 set, 1 canceled; 12 unchanged.``."""
    if preview.errors and not preview.changes:
        return "The preview failed, so the changes are unknown."
    if not preview.changes:
        return f"No date changes.{_unchanged(preview)}"
    counts = Counter(change.action for change in preview.changes)
    parts = [f"{counts[action]} {action.value}" for action in Action if counts[action]]
    number = len(preview.changes)
    rest = f"; {preview.unchanged} unchanged" if preview.unchanged else ""
    not_all = " The preview failed, so changes may be missing." if preview.errors else ""
    return f"**{number} image{'s' if number != 1 else ''}**: {', '.join(parts)}{rest}.{not_all}"


def _unchanged(preview: Preview) -> str:
    number = preview.unchanged
    return f" {number} resource{'s are' if number != 1 else ' is'} unchanged." if number else ""


def _body(
    general: Sequence[str], visible: Sequence[str], folded: Sequence[str], count: int, *, is_warned: bool
) -> list[str]:
    """The first so many warnings and rows, these in one or two tables."""
    lines = [*general[:count]]
    if count < len(general):
        lines.append(f"- {len(general) - count} more warnings do not fit into a comment: see the preview.")
    if general:
        lines.append("")
    count = max(0, count - len(general))
    shown = visible[:count]
    if shown:
        lines += ["**Review these first**", "", *_table(shown, "Attention"), ""]
    listed = folded[: max(0, count - len(visible))]
    if listed:
        more = "more " if visible else ""
        part = f"{len(listed)} of " if len(listed) < len(folded) else ""
        title = f"{part}{len(folded)} {more}image{'s' if len(folded) != 1 else ''}"
        lines += ["<details>", f"<summary>{title}</summary>", ""]
        lines += [*_table(listed, *(["Attention"] if is_warned else [])), "", "</details>", ""]
    left_out = len(visible) + len(folded) - len(shown) - len(listed)
    if left_out:
        lines += [f"{left_out} more do not fit into a comment: see the preview.", ""]
    return lines


def _table(rows: Sequence[str], *more: str) -> list[str]:
    head = (*_HEAD, *more)
    return [_line(head), _line(["---"] * len(head)), *rows]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(change: Change, now: datetime, warnings: Sequence[str] | None = None) -> str:
    cells = [
        _image(change),
        change.region or "known after the update",
        _dates(change),
        notice(change, now),
        _what(change),
    ]
    if warnings is not None:
        cells.append("<br>".join(_warning(each) for each in warnings))
    return _line(cells)


def _warning(text: str) -> str:
    short = text if len(text) <= _LONGEST_WARNING else f"{text[:_LONGEST_WARNING]}…"
    return f"⚠️ {output.markdown(short)}"


def _image(change: Change) -> str:
    if change.is_secret:
        return f"{output.markdown(change.image_name or change.resource)}<br>its id is a secret"
    if change.image_id is None:
        return f"{output.code(change.resource)}<br>created in this update"
    name = output.markdown(change.image_name or change.resource)
    return f"{name}<br>{output.code(change.image_id)}"


def _dates(change: Change) -> str:
    before, after = _date(change.before), _after(change)
    if change.is_outside:
        before += " (changed outside Pulumi)"
    return after if before == after else f"{before} → {after}"


def _after(change: Change) -> str:
    after = change.after
    if after.in_days == 0:
        return "now"
    if after.in_days is not None:
        return f"in {after.in_days} days (about {after.when:%Y-%m-%d} if applied today)"
    if after.after_days is not None:
        return f"{after.after_days} days after it is created"
    if after.when is None and change.action not in (Action.CANCELED, Action.KEPT):
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
    what = f"{what}: {output.markdown(change.remark)}" if change.remark else what
    return f"{what}<br>rule {output.markdown(change.rule)}" if change.rule else what
