"""A report as one HTML page that needs nothing else: no network, no font, no file beside it.

Its own policy (Content-Security-Policy, by hashes) allows its one style and its one script and nothing more,
so that a name with markup in it could do nothing even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from ... import dates
from ..._version import __version__
from ...image import SEVERITIES
from ..output import distance
from .families import UNNAMED, by_family, family, version
from .formats import day, severity
from .rows import State, summary
from .timeline import bar, span, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .formats import Report
    from .rows import Row
    from .timeline import Bar, Span

#: A date within so many days is shown in another color.
SOON_DAYS = 30
#: How many of the next dates are shown at the top.
_NEXT = 5
#: The colors of severities.
_SEVERITY_KINDS = {"critical": "critical deprecated", "high": "high soon", "medium": "scheduled"}
#: In what order severities are sorted.
_SEVERITY_RANKS = {name: rank for rank, name in enumerate((*SEVERITIES, "none", "not scanned"))}
#: The widths of the table's columns in rem, where there is room for them.
_WIDTHS = {
    "Region": 7.2,
    "Created": 6,
    "Deprecation": 7.2,
    "Days left": 4.6,
    "State": 7.6,
    "Last launched": 6.2,
    "Public": 4.8,
    "Owner": 7.5,
    "Instances": 6,
    "Severity": 8.4,
    "Oldest fix": 6.4,
    "Used by": 7.2,
}
#: Families that are open, and images that a family's timeline shows.
_FAMILIES = 12
_LIVES = 10
_TOP, _EACH = 24, 38
#: How many letters fit on a phone next to a date.
_LONGEST_LABEL = 34


@dataclass(frozen=True)
class Tile:
    """A number at the top."""

    kind: str
    label: str
    count: int


@dataclass(frozen=True)
class Life:
    """One image of a timeline."""

    y: int
    kind: str
    state: str
    label: str
    #: Its date, a day; empty without one.
    when: str
    #: How far that is away.
    left: str
    title: str
    bar: Bar


@dataclass(frozen=True)
class Family:
    """A family and its timeline."""

    id: str
    name: str
    count: int
    lives: Sequence[Life]
    description: str

    @property
    def hidden(self) -> int:
        return self.count - len(self.lives)

    @property
    def height(self) -> int:
        return _TOP + _EACH * len(self.lives)


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    name: str
    id: str
    region: str
    family: str
    created: str
    date: str
    days: int | None
    state: str
    kind: str
    launched: str
    public: bool
    users: Sequence[str] | None
    owner: str
    instances: int | None
    severity: str
    severity_rank: int
    #: Which colors its severity has.
    severity_kind: str
    fix: str
    fix_since: str


@dataclass(frozen=True)
class Next:
    """One of the soonest dates."""

    name: str
    id: str
    region: str
    day: str
    left: str
    kind: str


def as_html(report: Report) -> str:
    """The whole page."""
    loader = PackageLoader("ami_deprecation.cli.report")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style, script = (loader.get_source(environment, f"report.{kind}")[0] for kind in ("css", "js"))
    over = span(report.rows, report.at)
    many = len(report.regions) > 1
    columns = [
        "Image",
        *(["Region"] if many else []),
        *("Created", "Deprecation", "Days left", "State", "Last launched", "Public"),
        *report.more_columns,
    ]
    # In the style sheet, because the policy allows no style at an element.
    style += f"table {{ --columns: {_widths(columns)}; }}\n"
    shown = families(report.rows, over, report.at, show_region=many)
    page = environment.get_template("report.html.j2").render(
        style=style,
        script=script,
        policy=_policy(style, script),
        summary=report.summary,
        version=__version__,
        at=dates.to_exact_text(report.at),
        at_text=f"{report.at:%Y-%m-%d %H:%M} UTC",
        accounts=sorted({row.image.owner_id for row in report.rows}),
        regions=report.regions,
        failed=report.failed,
        tiles=tiles(report.rows),
        soon=SOON_DAYS,
        families=shown,
        has_cut=any(life.bar.is_cut_right for each in shown for life in each.lives),
        shown=_FAMILIES,
        ticks=ticks(over, report.at),
        today=over.at(report.at),
        next_dates=next_dates(report.rows, report.at),
        columns=columns,
        more_columns=list(report.more_columns),
        rows=[_line(row) for row in report.rows],
    )
    return f"{page.strip()}\n"


def _widths(columns: Sequence[str]) -> str:
    """CSS: the width of each column; the image's name takes what is left."""
    return " ".join(
        f"minmax(0, {_WIDTHS[name]}rem)" if name in _WIDTHS else "minmax(10rem, 1fr)" for name in columns
    )


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def tiles(rows: Sequence[Row]) -> list[Tile]:
    """How many images there are of each kind; disabled ones only when there are any."""
    counts = Counter(kind(row) for row in rows)
    labels = {
        "deprecated": "deprecated",
        "soon": f"within {SOON_DAYS} days",
        "scheduled": "scheduled later",
        "none": "without a date",
        "disabled": "disabled",
    }
    counted = [Tile(name, label, counts[name]) for name, label in labels.items()]
    return [
        Tile("all", "image" if len(rows) == 1 else "images", len(rows)),
        *(tile for tile in counted if tile.count or tile.kind != "disabled"),
    ]


def next_dates(rows: Sequence[Row], now: datetime) -> list[Next]:
    """The soonest dates that lie ahead, for the top of the page."""
    scheduled = [row for row in rows if row.state is State.SCHEDULED]
    return [
        Next(
            name=row.image.name or UNNAMED,
            id=row.image.id,
            region=row.image.region,
            day=day(row.image.deprecation_time),
            left=distance(row.image.deprecation_time or now, now),
            kind=kind(row),
        )
        for row in sorted(scheduled, key=lambda row: row.image.deprecation_time or now)[:_NEXT]
    ]


def kind(row: Row) -> str:
    """Its state, with dates that are near set apart."""
    soon = row.state is State.SCHEDULED and row.days_left is not None and row.days_left < SOON_DAYS
    return "soon" if soon else row.state.value


def families(rows: Sequence[Row], over: Span, now: datetime, *, show_region: bool) -> list[Family]:
    """In the order of their next dates; each with its newest images."""
    return [
        Family(
            id=f"family-{number}",
            name=name,
            count=len(of),
            lives=[
                _life(row, _TOP + _EACH * index, over, now, show_region=show_region)
                for index, row in enumerate(of[:_LIVES])
            ],
            description=_description(of),
        )
        for number, (name, of) in enumerate(sorted(by_family(rows).items(), key=_urgency))
    ]


def _urgency(item: tuple[str, Sequence[Row]]) -> tuple[bool, str, str]:
    """What comes next first, families without anything ahead last."""
    upcoming = [day(row.image.deprecation_time) for row in item[1] if row.state is State.SCHEDULED]
    return not upcoming, min(upcoming, default=""), item[0]


def _description(rows: Sequence[Row]) -> str:
    upcoming = [day(row.image.deprecation_time) for row in rows if row.state is State.SCHEDULED]
    following = f" The next date is {min(upcoming)}." if upcoming else ""
    return f"{summary(rows)}.{following}"


def _life(row: Row, y: int, over: Span, now: datetime, *, show_region: bool) -> Life:
    image = row.image
    label, place = version(image.name) or UNNAMED, f" · {image.region}" if show_region else ""
    room = _LONGEST_LABEL - len(place)
    if len(label) > room:
        label = f"{label[: room - 1]}…"
    return Life(
        y=y,
        kind=kind(row),
        state="no date" if row.state is State.NONE else row.state.value,
        label=label + place,
        when=day(image.deprecation_time),
        left="" if image.deprecation_time is None else f" · {distance(image.deprecation_time, now)}",
        title=f"{image.name} ({image.id}) in {image.region}, created on {day(image.creation_date)}: {_standing(row)}",
        bar=bar(row, over, now),
    )


def _standing(row: Row) -> str:
    when = day(row.image.deprecation_time)
    return {
        State.NONE: "no date",
        State.SCHEDULED: f"scheduled for {when}",
        State.DEPRECATED: f"deprecated since {when}",
        State.DISABLED: "disabled",
    }[row.state]


def _line(row: Row) -> Line:
    image, record = row.image, row.record()
    return Line(
        name=image.name,
        id=image.id,
        region=image.region,
        family=family(image.name),
        created=record["created"],
        date=record["deprecation_time"] or "",
        days=row.days_left,
        state=row.state.value,
        kind=kind(row),
        launched=record["last_launched"] or "",
        public=image.public,
        users=None if row.references is None else [each.arn for each in row.references],
        owner=image.owner_id,
        instances=row.instances,
        severity=severity(row),
        severity_rank=_SEVERITY_RANKS[severity(row)],
        severity_kind=_SEVERITY_KINDS.get(severity(row), "none"),
        fix=row.oldest_fix[0] if row.oldest_fix is not None else "",
        fix_since=record["oldest_fix_since"] or "",
    )
