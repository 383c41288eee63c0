"""``ami-deprecation report``: an account's images and their deprecation dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from .. import options, output, reading
from ..exits import EXIT_CODES, CommandError, Exit
from . import formats, gates, html, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from ...image import Image, Severity

EPILOG = f"""\b
Examples:
  ami-deprecation report
  ami-deprecation report --all-regions --references --format html -o report.html
  ami-deprecation report -r eu-west-1,us-east-1 --name 'web-*' --tag Team=shop
  ami-deprecation report --format json | jq '.images[] | select(.state == "none") | .image_id'
  ami-deprecation report --fail-within 14d
  ami-deprecation report --fail-without-date --fail-unpatched critical=7,high=30
  ami-deprecation report --running --all-regions

\b
States:
  none        the image has no date    deprecated  the date has passed
  scheduled   the date is ahead        disabled    the image cannot be launched (DisableImage)

\b
JSON: an object with
  generated_at  the time of the report
  regions       the Regions that were read
  failed        Region: why it could not be read completely
  images        a list of objects with the keys
                  name, image_id, region, owner_id, created, deprecation_time,
                  days_left (whole days; negative after the date), state, last_launched,
                  public, used_by (a list of resource_type and arn), highest_severity,
                  oldest_fix_severity, oldest_fix_since, instances
Unknown values are null; times are UTC like 2027-06-01T00:00:00Z.
CSV has the same keys as its header; used_by holds ARNs separated by spaces.

Gates exit with 3 when they match, name the images on stderr, and say in a line when they pass. If a Region
failed, the report is incomplete and the exit code is 1, whatever the gates find.

\b
  --fail-within DURATION   an image in use has a date that has passed or is nearer than that. An
                           image is in use when a resource of this account references it
                           (instances, launch templates, SSM parameters, Image Builder recipes),
                           or when EC2 reports a launch within --launched-within.
  --fail-without-date      an image has no date.
  --fail-unpatched         an image whose date has not passed has a fix waiting for longer than
                           the days of its severity (Amazon Inspector). Unknown is not clean: the
                           images without scan data are counted.
Disabled images do not count.

{EXIT_CODES}"""

FORMATS = ("table", "json", "csv", "markdown", "html")


@click.command("report", epilog=EPILOG, short_help="List your images and their deprecation dates.")
@options.place
@options.selection
@click.option("--references", is_flag=True, help="Show what uses each image (DescribeImageReferences).")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="The output format.",
)
@options.output
@click.option(
    "--running",
    is_flag=True,
    help="List the images that your instances run on, whoever owns them (DescribeInstanceImageMetadata).",
)
@options.duration(
    "--fail-within",
    text="Exit with 3 if an image in use is deprecated, or will be within this: 14d, 2w, 36h.",
)
@options.duration(
    "--launched-within", default="90d", text="For --fail-within: a launch this recent counts as use."
)
@click.option("--fail-without-date", is_flag=True, help="Exit with 3 if an image has no deprecation date.")
@options.severities(
    "--fail-unpatched",
    text="Exit with 3 if an image before its date has a fix of that severity waiting for more days than that.",
)
def report(  # noqa: PLR0913  # one argument an option
    *,
    regions: Sequence[str],
    all_regions: bool,
    profile: str | None,
    role_arn: str | None,
    name: str | None,
    tags: Sequence[tuple[str, str]],
    references: bool,
    form: str,
    path: str | None,
    running: bool,
    fail_within: timedelta | None,
    launched_within: timedelta,
    fail_without_date: bool,
    fail_unpatched: Mapping[Severity, int] | None,
) -> Exit:
    """List your images in one or more Regions with their deprecation dates, soonest first.

    A Region that fails is named and the others are still shown; the exit code is then 1.
    """
    if running and tags:
        raise CommandError("--running reads instances, which have no image tags: use it without --tag")
    if running and fail_unpatched:
        raise CommandError("--running reads no scan data: use --fail-unpatched without it")
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)

    def asked(image: Image) -> bool:
        if references:
            return True
        now = reading.gateway().now()
        return not running and fail_within is not None and rows.is_due(rows.row(image, now), now, fail_within)

    query = reading.Query(name=name, tags=options.by_key(tags), references=asked, running=running)
    readings = reading.read(targets, query)
    now = reading.gateway().now()
    made = formats.Report(
        at=now,
        rows=rows.ordered(
            rows.row(image, now, each.references.get(image.id), each.instances.get(image.id))
            for each in readings
            for image in each.images
        ),
        regions=[each.region for each in readings],
        failed={each.region: str(each.trouble) for each in readings if each.trouble is not None},
        asked=_asked(name, tags),
        running=running,
    )
    output.write(_formatted(made, form, to_terminal=path is None), path)
    failures = reading.failures(readings)
    for sentence in failures:
        _tell(sentence)
    chosen = [
        *([gates.within(made.rows, now, fail_within, launched_within)] if fail_within is not None else []),
        *([gates.without_date(made.rows)] if fail_without_date else []),
        *([gates.unpatched(made.rows, now, fail_unpatched)] if fail_unpatched else []),
    ]
    for gate in chosen:
        # An incomplete report must not show that a gate passed.
        for sentence in gate.sentences if gate.matches or not failures else ():
            _tell(sentence)
    if failures:
        return Exit.FAILED
    return Exit.GATE if any(gate.matches for gate in chosen) else Exit.OK


def _asked(name: str | None, tags: Sequence[tuple[str, str]]) -> str:
    """The options that select images, as they were given."""
    given = [f"--name {name!r}"] if name is not None else []
    return " ".join([*given, *(f"--tag {key}={value}" for key, value in tags)])


def _formatted(made: formats.Report, form: str, *, to_terminal: bool) -> str:
    if form == "json":
        return formats.as_json(made)
    if form == "csv":
        return formats.as_csv(made)
    if form == "markdown":
        return formats.as_markdown(made)
    if form == "html":
        return html.as_html(made)
    console = Console()
    return formats.as_table(made, is_terminal=to_terminal and console.is_terminal, width=console.width)


def _tell(sentence: str) -> None:
    click.echo(f"ami-deprecation: {sentence}", err=True)
