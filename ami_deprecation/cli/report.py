"""``ami-deprecation report``: all of an account's images, and where each stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from .. import ec2
from . import options, page, reading, rows, texts, writing
from .exits import TABLE, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from ..image import Image
    from .reading import Reading
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
  none        it has no date           deprecated  its date has come
  due         its date is ahead        disabled    nobody can launch it (DisableImage)

\b
JSON: an object with
  generated_at  when it was made
  regions       the Regions that were read
  failed        Region: why it could not be read, or not wholly
  images        a list of objects with the keys
                  name, image_id, region, owner_id, created, deprecation_time,
                  days_left (whole days; negative since the date), state, last_launched,
                  public, used_by (a list of resource_type and arn)
What is not known is null; times are UTC like 2027-06-01T00:00:00Z.
CSV has the same keys as its header, and used_by as ARNs with blanks between.

The gate --fail-within LENGTH exits with 3 when an image that is in use has a date that has come or comes within
that time. In use means: a resource of this account refers to it (instances, launch templates, SSM parameters,
Image Builder recipes), or EC2 says that it was launched within --launched-within. Disabled images do not
count. When the report is not complete, because a Region failed, the exit code is 1 whatever the gate says.

{TABLE}"""

FORMATS = ("table", "json", "csv", "markdown", "html")


@click.command("report", epilog=EPILOG, short_help="All your images, and where each stands.")
@options.place
@options.selection
@click.option("--references", is_flag=True, help="Also who uses each image (DescribeImageReferences).")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to write it.",
)
@options.output
@options.duration(
    "--fail-within",
    text="Exit with 3 when an image in use is deprecated, or will be within this time: 14d, 2w, 36h.",
)
@options.duration(
    "--launched-within", default="90d", text="For --fail-within: a launch within this time is a use."
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
    output: str | None,
    fail_within: timedelta | None,
    launched_within: timedelta,
) -> Exit:
    """Show all your images in one or more Regions: their dates, and where each stands.

    A Region that fails is named, and the others are shown all the same; the exit code is then 1.
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
    made = texts.Report(
        at=now,
        rows=rows.ordered(
            rows.row(image, now, each.references.get(image.id)) for each in readings for image in each.images
        ),
        regions=[each.region for each in readings],
        failed={each.region: str(each.trouble) for each in readings if each.trouble is not None},
    )
    writing.write(_formatted(made, form, to_terminal=output is None), output)
    code = _say_what_failed(readings)
    if fail_within is not None:
        code = _gate(made.rows, now, fail_within, launched_within, code)
    return code


def _formatted(made: texts.Report, form: str, *, to_terminal: bool) -> str:
    if form == "json":
        return texts.as_json(made)
    if form == "csv":
        return texts.as_csv(made)
    if form == "markdown":
        return texts.as_markdown(made)
    if form == "html":
        return page.as_html(made)
    console = Console()
    return texts.as_table(made, is_terminal=to_terminal and console.is_terminal, width=console.width)


def _say_what_failed(readings: Sequence[Reading]) -> Exit:
    failed = [each for each in readings if each.trouble is not None]
    for each in failed:
        what = "who uses its images is not all known" if each.images else "it is not in the report"
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
        used = texts.used_by(row) or f"launched on {texts.day(image.last_launched_time)}"
        verb = "is deprecated since" if row.state is rows.State.DEPRECATED else "will be deprecated on"
        click.echo(
            f"ami-deprecation: {image.id} ({image.name}) in {image.region} is in use ({used}) and {verb} "
            f"{texts.day(image.deprecation_time)}",
            err=True,
        )
    return code or Exit.GATE
