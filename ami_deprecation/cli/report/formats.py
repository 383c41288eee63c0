"""A report as text: JSON and CSV for scripts, Markdown for a page, a table for a terminal."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ... import dates
from .. import output
from .rows import Record, Row, State, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

COLORS = {State.NONE: "dim", State.SCHEDULED: "", State.DEPRECATED: "red", State.DISABLED: "dim"}
_SOON_DAYS = 30
#: One line an image needs about this many columns; below, an image takes two or three lines.
_WIDE = 120
#: Where there is no terminal, nothing has to be cut.
_UNLIMITED = 240
_SHOWN_REFERENCES = 3


@dataclass(frozen=True)
class Report:
    """All that a report says."""

    at: datetime
    rows: Sequence[Row]
    #: The Regions that were read, in their order.
    regions: Sequence[str]
    #: Those that failed, and why.
    failed: Mapping[str, str]

    @property
    def summary(self) -> str:
        """``4 images: 1 deprecated, 2 scheduled, 1 without a date``."""
        if not self.rows:
            seen = [region for region in self.regions if region not in self.failed]
            return f"no images in {', '.join(seen)}" if seen else "nothing could be read"
        return summary(self.rows)


def as_json(report: Report) -> str:
    """``generated_at``, ``regions``, ``failed`` (Region to sentence) and ``images`` (see `Record`)."""
    document = {
        "generated_at": dates.to_exact_text(report.at),
        "regions": list(report.regions),
        "failed": dict(report.failed),
        "images": [row.record() for row in report.rows],
    }
    return json.dumps(document, indent=2) + "\n"


def as_csv(report: Report) -> str:
    """`Record`'s keys as the header; lists are separated by blanks, what is absent is empty."""
    file = io.StringIO()
    sheet = csv.DictWriter(file, list(Record.__annotations__), lineterminator="\n")
    sheet.writeheader()
    for row in report.rows:
        sheet.writerow({key: _cell(value) for key, value in row.record().items()})
    return file.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return output.cell(" ".join(each["arn"] for each in value))
    return output.cell(value) if isinstance(value, str) else value


def as_markdown(report: Report) -> str:
    """A heading, what failed, and a table."""
    referenced = any(row.references is not None for row in report.rows)
    lines = [f"### AMI deprecation: {report.summary}", ""]
    lines += [f"- **{region}**: {output.markdown(why)}" for region, why in report.failed.items()]
    if report.failed:
        lines.append("")
    if report.rows:
        head = [
            "Name",
            "Image",
            "Region",
            "Created",
            "Deprecation date",
            "Days left",
            "State",
            "Last launched",
        ]
        head += ["Public"] + (["Used by"] if referenced else [])
        lines += [_line(head), _line(["---"] * len(head))]
        lines += [_line(_markdown_cells(row, referenced=referenced)) for row in report.rows]
        lines.append("")
    lines.append(f"As of {report.at:%Y-%m-%d %H:%M} UTC.")
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cells(row: Row, *, referenced: bool) -> list[str]:
    image = row.image
    cells = [
        output.markdown(image.name),
        output.code(image.id),
        image.region,
        day(image.creation_date),
        day(image.deprecation_time),
        "" if row.days_left is None else str(row.days_left),
        row.state.value,
        day(image.last_launched_time),
        "yes" if image.public else "no",
    ]
    return [*cells, output.markdown(used_by(row))] if referenced else cells


def day(when: datetime | None) -> str:
    """The day, in UTC."""
    return "" if when is None else f"{when:%Y-%m-%d}"


def used_by(row: Row) -> str:
    """Its first references, shortened, and how many more there are."""
    if row.references is None:
        return ""
    names = [each.arn.rpartition(":")[2] for each in row.references]
    more = len(names) - _SHOWN_REFERENCES
    return ", ".join(names[:_SHOWN_REFERENCES]) + (f" and {more} more" if more > 0 else "")


def as_table(report: Report, *, is_terminal: bool, width: int) -> str:
    """For people: one line an image where there is room, else two or three; colour only on a terminal."""
    console = Console(
        file=io.StringIO(),
        force_terminal=is_terminal,
        width=width if is_terminal else _UNLIMITED,
        highlight=False,
    )
    if report.rows:
        console.print(_wide(report) if console.width >= _WIDE else _narrow(report))
        console.print()
    console.print(report.summary[0].upper() + report.summary[1:] + ".", soft_wrap=True)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        right = heading == "Days"
        table.add_column(
            heading, justify="right" if right else "left", overflow="fold", no_wrap=heading != "Name"
        )
    return table


def _wide(report: Report) -> Table:
    many = len(report.regions) > 1
    referenced = any(row.references is not None for row in report.rows)
    shared = any(row.image.public for row in report.rows)
    table = _table(
        "Name",
        "Image",
        *(["Region"] if many else []),
        "Created",
        "Deprecation",
        "Days",
        "State",
        "Launched",
        *(["Public"] if shared else []),
        *(["Used by"] if referenced else []),
    )
    if referenced:
        table.columns[-1].no_wrap = False
    for row in report.rows:
        image = row.image
        table.add_row(
            Text(image.name),
            image.id,
            *([image.region] if many else []),
            day(image.creation_date),
            day(image.deprecation_time),
            "" if row.days_left is None else str(row.days_left),
            _state(row),
            day(image.last_launched_time),
            *(["public" if image.public else ""] if shared else []),
            *([Text(used_by(row))] if referenced else []),
        )
    return table


def _narrow(report: Report) -> Table:
    table = _table("Name", "Deprecation", "State")
    for row in report.rows:
        image = row.image
        name = Text(image.name)
        name.append(f"\n{image.id}", "dim")
        if len(report.regions) > 1:
            name.append(f" {image.region}", "dim")
        if row.references:
            name.append(f"\nused by {used_by(row)}", "dim")
        when = Text(day(image.deprecation_time))
        if image.deprecation_time is not None:
            when.append(f"\n{output.distance(image.deprecation_time, report.at)}", "dim")
        state = _state(row)
        if image.public:
            state.append("\npublic", "dim")
        table.add_row(name, when, state)
    return table


def _state(row: Row) -> Text:
    soon = row.state is State.SCHEDULED and row.days_left is not None and row.days_left < _SOON_DAYS
    return Text(row.state.value, "yellow" if soon else COLORS[row.state])
