"""``ami-deprecation report``: an account's images and their deprecation dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from ... import ec2
from .. import options, output, reading
from ..exits import EXIT_CODES, Exit
from . import formats, html, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from ...image import Image
    from ..reading import Reading
    from .rows import Row

EPILOG = f"""\b
Examples:
  ami-deprecation report
  ami-deprecation report --all-regions --references --format html -o report.html
  ami-deprecation report -r eu-west-1,us-east-1 --name 'web-*' --tag Team=shop
  ami-deprecation report --format json | jq '.images[] | select(.state == "none") | .image_id'
  ami-deprecation report --fail-within 14d

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
                  public, used_by (a list of resource_type and arn)
Unknown values are null; times are UTC like 2027-06-01T00:00:00Z.
CSV has the same keys as its header; used_by holds ARNs separated by spaces.

The gate --fail-within DURATION exits with 3 when an image in use has a date that has passed or is nearer than
that. An image is in use when a resource of this account references it (instances, launch templates, SSM
parameters, Image Builder recipes), or when EC2 reports a launch within --launched-within. Disabled images do
not count. If a Region failed, the report is incomplete and the exit code is 1, whatever the gate finds.

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
@options.duration(
    "--fail-within",
    text="Exit with 3 if an image in use is deprecated, or will be within this: 14d, 2w, 36h.",
)
@options.duration(
    "--launched-within", default="90d", text="For --fail-within: a launch this recent counts as use."
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
    fail_within: timedelta | None,
    launched_within: timedelta,
) -> Exit:
    """List your images in one or more Regions with their deprecation dates, soonest first.

    A Region that fails is named and the others are still shown; the exit code is then 1.
    """
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)

    def asked(image: Image) -> bool:
        if references:
            return True
        now = ec2.now()
        return fail_within is not None and rows.is_due(rows.row(image, now), now, fail_within)

    query = reading.Query(name=name, tags=options.by_key(tags), references=asked)
    readings = reading.read(targets, query)
    now = ec2.now()
    made = formats.Report(
        at=now,
        rows=rows.ordered(
            rows.row(image, now, each.references.get(image.id)) for each in readings for image in each.images
        ),
        regions=[each.region for each in readings],
        failed={each.region: str(each.trouble) for each in readings if each.trouble is not None},
    )
    output.write(_formatted(made, form, to_terminal=path is None), path)
    code = _say_what_failed(readings)
    if fail_within is not None:
        code = _gate(made.rows, now, fail_within, launched_within, code)
    return code


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


def _say_what_failed(readings: Sequence[Reading]) -> Exit:
    failed = [each for each in readings if each.trouble is not None]
    for each in failed:
        what = "the use of its images is not completely known" if each.images else "not in the report"
        click.echo(f"ami-deprecation: {each.region}: {what}: {each.trouble}", err=True)
    return Exit.FAILED if failed else Exit.OK


def _gate(
    made: Sequence[Row], now: datetime, within: timedelta, launched_within: timedelta, code: Exit
) -> Exit:
    due = [row for row in made if rows.is_due(row, now, within) and rows.is_in_use(row, now, launched_within)]
    if not due:
        return code
    for row in due:
        image = row.image
        used = formats.used_by(row) or f"launched on {formats.day(image.last_launched_time)}"
        verb = "has been deprecated since" if row.state is rows.State.DEPRECATED else "will be deprecated on"
        click.echo(
            f"ami-deprecation: {image.id} ({image.name}) in {image.region} is in use ({used}) and {verb} "
            f"{formats.day(image.deprecation_time)}",
            err=True,
        )
    return code or Exit.GATE
