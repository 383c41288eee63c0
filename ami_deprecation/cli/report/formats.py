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
    from collections.abc import Callable, Mapping, Sequence
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
    #: What was asked for, as options: ``--name 'web-*'``.
    asked: str = ""
    #: Whether these are the images of instances, whoever owns them.
    running: bool = False

    @property
    def summary(self) -> str:
        """``4 images: 1 deprecated, 2 scheduled, 1 without a date``."""
        if not self.rows:
            seen = [region for region in self.regions if region not in self.failed]
            if not seen:
                return "nothing could be read"
            where = ", ".join(seen)
            if self.running:
                return f"no images: no instance in {where}" + (f" matches {self.asked}" if self.asked else "")
            if self.asked:
                return f"no images: none of the account's images in {where} matches {self.asked}"
            return f"no images: the account owns none in {where}"
        return summary(self.rows)

    @property
    def more_columns(self) -> Mapping[str, Callable[[Row], str]]:
        """The columns that only some reports have, with their cells."""
        columns: dict[str, Callable[[Row], str]] = {}
        if self.running:
            columns |= {
                "Owner": lambda row: row.image.owner_id,
                "Instances": lambda row: f"{row.instances or 0}",
            }
        if any(row.image.scan is not None for row in self.rows):
            columns |= {"Severity": severity, "Oldest fix": oldest_fix}
        if any(row.references is not None for row in self.rows):
            columns |= {"Used by": used_by}
        return columns


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
        more = report.more_columns
        head += ["Public", *more]
        lines += [_line(head), _line(["---"] * len(head))]
        lines += [
            _line([*_markdown_cells(row), *(output.markdown(more[key](row)) for key in more)])
            for row in report.rows
        ]
        lines.append("")
    lines.append(f"As of {report.at:%Y-%m-%d %H:%M} UTC.")
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cells(row: Row) -> list[str]:
    image = row.image
    return [
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


def severity(row: Row) -> str:
    """The highest severity of any finding; ``not scanned`` without scan data, because unknown is not clean."""
    scan = row.image.scan
    return "not scanned" if scan is None else scan.highest_severity or "none"


def oldest_fix(row: Row) -> str:
    """The fix that waits longest: ``critical since 2027-01-31``."""
    fix = row.oldest_fix
    return "" if fix is None else f"{fix[0]} since {day(fix[1])}"


def as_table(report: Report, *, is_terminal: bool, width: int) -> str:
    """For people: one line an image where there is room, else more; color only on a terminal."""
    console = Console(
        file=io.StringIO(),
        force_terminal=is_terminal,
        width=width if is_terminal else _UNLIMITED,
        highlight=False,
    )
    if report.rows:
        console.print(_wide(report) if console.width >= _WIDE else _narrow(report))
        console.print()
    console.print(report.summary[0].upper() + report.summary[1:] + ".", soft_wrap=True, markup=False)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        right = heading in ("Days", "Instances")
        table.add_column(
            heading, justify="right" if right else "left", overflow="fold", no_wrap=heading != "Name"
        )
    return table


def _wide(report: Report) -> Table:
    many = len(report.regions) > 1
    more = report.more_columns
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
        *more,
    )
    if "Used by" in more:
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
            *(Text(cell(row)) for cell in more.values()),
        )
    return table


def _narrow(report: Report) -> Table:
    table = _table("Name", "Deprecation", "State")
    more = report.more_columns
    for row in report.rows:
        image = row.image
        name = Text(image.name)
        name.append(f"\n{image.id}", "dim")
        if len(report.regions) > 1:
            name.append(f" {image.region}", "dim")
        for heading, cell in more.items():
            if text := cell(row):
                name.append(f"\n{heading[0].lower()}{heading[1:]} {text}", "dim")
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
