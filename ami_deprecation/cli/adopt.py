"""``ami-deprecation adopt``: code for the dates that images already have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import ec2
from . import options, reading, writing
from .exits import TABLE, Exit, Stopped
from .takeover import Extras, adoptions, as_python, as_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = f"""\b
Examples:
  ami-deprecation adopt > dates.py
  ami-deprecation adopt --all-regions --name 'web-*' -o __main__.py
  ami-deprecation adopt --format yaml -o Pulumi.prod.yaml

Python is a program, or a module to import into one. YAML is the configuration of a stack of the ready-to-use
project. Look through it, take out what is not yours to keep, and run `pulumi up`: its preview shows every
image as a resource to create, and since each has its date already, EC2 is asked to change nothing.

A file that is there is not written over, because it may hold more than dates: a program, or a stack's other
settings. Put what is new into it, or give --force.

Resources are named after their images; where names are the same, the Region and the image's id follow.
Deleting a resource later cancels its date; --on-destroy restore leaves the date that was found.

{TABLE}"""


@click.command("adopt", epilog=EPILOG, short_help="Code that takes existing dates over.")
@options.place
@options.selection
@click.option(
    "--format",
    "form",
    type=click.Choice(("python", "yaml")),
    default="python",
    show_default=True,
    help="A program, or a stack's configuration.",
)
@click.option(
    "--on-destroy",
    type=click.Choice(("cancel", "restore")),
    help="What deleting a resource shall do; written only when it is given (the default is cancel).",
)
@click.option("--include-disabled", is_flag=True, help="Disabled images too (DisableImage).")
@options.output
@click.option("--force", is_flag=True, help="Write over the file of --output when it is there.")
def adopt(  # noqa: PLR0913  # one argument an option
    *,
    regions: Sequence[str],
    all_regions: bool,
    profile: str | None,
    role_arn: str | None,
    name: str | None,
    tags: Sequence[tuple[str, str]],
    form: str,
    on_destroy: str | None,
    include_disabled: bool,
    output: str | None,
    force: bool,
) -> Exit:
    """Write the code that takes over the deprecation dates your images already have.

    `pulumi import` cannot do this for a dynamic resource. A Region that fails ends it: half of a program
    would look like a whole one.
    """
    if output is not None and not force and Path(output).is_file():
        raise Stopped(f"{output} is there already: name another file, or give --force to write over it")
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)
    query = reading.Query(name=name, tags=options.by_key(tags), include_disabled=include_disabled)
    readings = reading.read(targets, query)
    failed = [each for each in readings if each.trouble is not None]
    if failed:
        raise Stopped("; ".join(f"{each.region}: {each.trouble}" for each in failed), Exit.FAILED)
    found = adoptions([image for each in readings for image in each.images])
    extras = Extras(profile=profile, role_arn=role_arn, on_destroy=on_destroy)
    writing.write(as_yaml(found, extras) if form == "yaml" else as_python(found, extras, ec2.now()), output)
    click.echo(
        f"ami-deprecation: {len(found)} image{'s' if len(found) != 1 else ''} with a date in "
        f"{', '.join(each.region for each in readings)}",
        err=True,
    )
    return Exit.OK
