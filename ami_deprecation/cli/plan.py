"""``ami-deprecation plan``: which images a policy would date, and why, before anything is declared."""

from __future__ import annotations

import io
import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, TypedDict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import dates
from ..core.inputs import Notice
from ..errors import InvalidInput
from ..fleet import arguments as policy_arguments
from ..fleet import plan as planning
from ..fleet import reading as fleet_reading
from ..fleet.arguments import Given
from . import options, output, reading
from .exits import EXIT_CODES, Exit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ..fleet.arguments import PolicyArguments
    from ..fleet.plan import Child, Plan
    from ..fleet.selection import Decision
    from ..image import Severity

EPILOG = f"""\b
Examples:
  ami-deprecation plan --name 'base-*' --keep-newest 3 --grace-days 30
  ami-deprecation plan --name '*' --fix-days critical=7,high=30 --keep-at-least 1 --all-regions
  ami-deprecation plan --tag Team=web --after-days 365 --format json | jq '.images[] | select(.date)'

\b
Rules: the argument of AmiDeprecationPolicy that decides about the image, or
  state  the image is not available and keeps its date
  scan   Amazon Inspector has not scanned it yet, so it keeps its date

\b
JSON: an object with
  generated_at  when the plan was made
  regions       the Regions
  failed        Region: why it could not be read
  warnings      a list of sentences
  images        a list of objects with the keys
                  name, image_id, region, created, deprecation_time (its date now),
                  date (its date if the policy were applied now), notice_days (the date
                  counts from when the policy is applied), rule, reason
What is not known is null; times are UTC like 2027-06-01T00:00:00Z.

A plan does not know the stack: of a date that an image has, it cannot tell whether the policy gave it.

{EXIT_CODES}"""

#: Options whose name is not that of the argument.
_OPTIONS = {
    "deprecate_after_days": "--after-days",
    "tags": "--tag",
    "filters": "--filter",
    "regions": "--region",
    "exclude_regions": "--exclude-region",
    "executable_users": "--executable-user",
    "owners": "--owner",
}
#: What a sentence on arguments says with a value, or with a name that is also a word.
_PHRASES = {'regions="all"': "--all-regions", 'name="*"': "--name '*'", "set name,": "set --name,"}
_UNLIMITED = 240


class Row(TypedDict):
    """One image of the plan, as JSON."""

    name: str
    image_id: str
    region: str
    created: str
    deprecation_time: str | None
    date: str | None
    notice_days: int | None
    rule: str
    reason: str


_count = click.IntRange(min=0)


@click.command("plan", epilog=EPILOG, short_help="What a policy would do, and why.")
@options.place
@click.option(
    "--exclude-region",
    "exclude_regions",
    multiple=True,
    metavar="NAME",
    help="With --all-regions: not this one.",
)
@options.selection
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="Name=Value",
    callback=options.pairs,
    help="Only images that match this filter of DescribeImages; repeatable.",
)
@click.option(
    "--owner", "owners", multiple=True, metavar="ACCOUNT", help="Only images of this account. Default: self."
)
@click.option(
    "--executable-user",
    "executable_users",
    multiple=True,
    metavar="ACCOUNT",
    help="Only images that this account, self or all may launch.",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="IMAGE",
    help="Leave out an id, a name or a tag:Key=Value; repeatable.",
)
@click.option(
    "--group-by",
    multiple=True,
    metavar="FAMILY",
    help="Count within tag:Key, name:REGEX, architecture or watermark; repeatable.",
)
@click.option(
    "--keep-newest", type=_count, metavar="N", help="The newest N of a family have no date; others are due."
)
@click.option(
    "--grace-days", type=_count, metavar="DAYS", help="Days after the image that pushed another out."
)
@click.option(
    "--keep-at-least", type=_count, metavar="N", help="The newest N of a family have no date by any rule."
)
@click.option(
    "--after-days",
    "deprecate_after_days",
    type=_count,
    metavar="DAYS",
    help="Days after an image's creation.",
)
@options.severities("--fix-days", text="Days after a fix became available for a finding: critical=7,high=30.")
@click.option("--whole-releases", is_flag=True, help="Count only images that are available in every Region.")
@click.option(
    "--notice-days", type=_count, metavar="DAYS", help="No new date is nearer than this. Default: 14."
)
@click.option(
    "--in-use",
    type=click.Choice(["ignore", "warn", "skip"]),
    default="ignore",
    show_default=True,
    help="How to treat images that the account's resources use.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="The output format.",
)
@options.output
def plan(  # noqa: PLR0913  # one argument an option
    *,
    regions: Sequence[str],
    all_regions: bool,
    exclude_regions: Sequence[str],
    profile: str | None,
    role_arn: str | None,
    name: str | None,
    tags: Sequence[tuple[str, str]],
    filters: Sequence[tuple[str, str]],
    owners: Sequence[str],
    executable_users: Sequence[str],
    exclude: Sequence[str],
    group_by: Sequence[str],
    keep_newest: int | None,
    grace_days: int | None,
    keep_at_least: int | None,
    deprecate_after_days: int | None,
    fix_days: Mapping[Severity, int] | None,
    whole_releases: bool,
    notice_days: int | None,
    in_use: str,
    form: str,
    path: str | None,
) -> Exit:
    """Show which images an AmiDeprecationPolicy with these arguments would date, and which rule decides.

    It changes nothing. A Region that fails is named, and the others are shown; the exit code is then 1.
    """
    arguments = _parse(
        Given(
            name=name,
            tags=options.by_key(tags) or None,
            filters=options.by_key(filters) or None,
            owners=owners or None,
            executable_users=executable_users or None,
            exclude=exclude or None,
            group_by=group_by or None,
            keep_newest=keep_newest,
            grace_days=grace_days,
            keep_at_least=keep_at_least,
            deprecate_after_days=deprecate_after_days,
            fix_days=fix_days,
            whole_releases=whole_releases,
            notice_days=notice_days,
            in_use=in_use,
            regions=policy_arguments.ALL_REGIONS if all_regions else options.split(regions) or None,
            exclude_regions=options.split(exclude_regions) or None,
            profile=profile,
            role_arn=role_arn,
        )
    )
    for region in arguments.exclude_regions:
        reading.gateway().check_region(region)
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)
    targets = [target for target in targets if target.region not in arguments.exclude_regions]
    gateway = reading.gateway()
    made = fleet_reading.read(gateway, targets, [], arguments, {})
    now = gateway.now()
    output.write(
        _as_json(made, now) if form == "json" else _as_table(made, now, to_file=path is not None), path
    )
    for warning in (*made.warnings, *planning.public_parameter_notes(made, now)):
        click.echo(f"ami-deprecation: {warning}", err=True)
    for region, trouble in made.troubles:
        click.echo(f"ami-deprecation: {region} is not in the plan: {trouble}", err=True)
    return Exit.FAILED if made.troubles else Exit.OK


def _parse(given: Given) -> PolicyArguments:
    arguments, problems = policy_arguments.parse(given)
    if problems:
        raise InvalidInput(
            "; ".join(
                f"{_option(each.property)}: {_in_options(each.sentence)}"
                if each.property
                else _in_options(each.sentence)
                for each in problems
            )
        )
    return arguments


def _option(name: str) -> str:
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")


def _in_options(sentence: str) -> str:
    """A sentence on arguments, with the options' names."""
    names = {each.name: _option(each.name) for each in fields(Given)}
    spelled = {name: text for name, text in names.items() if "_" in name or name in _OPTIONS}
    for written, option in _PHRASES.items():
        sentence = sentence.replace(written, option)
    return re.sub(r"(?<![-\w])(" + "|".join(spelled) + r")\b", lambda match: spelled[match[1]], sentence)


def _rows(made: Plan, now: datetime) -> list[Row]:
    children = {child.key: child for child in made.children}
    return [_row(each, children.get((each.image.region, each.image.id)), now) for each in made.decisions]


def _row(decision: Decision, child: Child | None, now: datetime) -> Row:
    image = decision.image
    date = planning.date_of(child, now) if child else decision.date if decision.leaves else None
    return {
        "name": image.name,
        "image_id": image.id,
        "region": image.region,
        "created": dates.to_exact_text(image.creation_date),
        "deprecation_time": None if image.date is None else dates.to_text(image.date),
        "date": None if date is None else dates.to_text(date),
        "notice_days": child.schedule.days if child and isinstance(child.schedule, Notice) else None,
        "rule": decision.rule,
        "reason": decision.because,
    }


def _as_json(made: Plan, now: datetime) -> str:
    document = {
        "generated_at": dates.to_exact_text(now),
        "regions": list(made.regions),
        "failed": {region: str(trouble) for region, trouble in made.troubles},
        "warnings": list(made.warnings),
        "images": _rows(made, now),
    }
    return json.dumps(document, indent=2) + "\n"


def _as_table(made: Plan, now: datetime, *, to_file: bool) -> str:
    """For people: a line for each image."""
    terminal = Console()
    console = Console(
        file=io.StringIO(),
        width=terminal.width if terminal.is_terminal and not to_file else _UNLIMITED,
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Name", "Image", "Region", "Now", "Planned", "Rule", "Why"):
        table.add_column(heading, overflow="fold", no_wrap=heading not in {"Name", "Why"})
    rows = _rows(made, now)
    for row in rows:
        table.add_row(
            Text(row["name"]),
            row["image_id"],
            row["region"],
            _day(row["deprecation_time"]),
            _day(row["date"]),
            row["rule"],
            Text(row["reason"]),
        )
    if rows:
        console.print(table)
        console.print()
    dated = sum(row["date"] is not None for row in rows)
    plural = "s" if len(rows) != 1 else ""
    console.print(
        f"{len(rows)} image{plural}: {dated} with a date, {len(rows) - dated} without.", soft_wrap=True
    )
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _day(text: str | None) -> str:
    return text[:10] if text else "-"
