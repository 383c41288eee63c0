"""``ami-deprecation iam-policy``: the least-privilege policy for what is used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from .. import ec2
from ..ec2.regions import known_regions
from . import options, writing
from .exits import TABLE, Exit, Stopped
from .policy import Needs, policy

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = f"""\b
Examples:
  ami-deprecation iam-policy                                        for `pulumi up`
  ami-deprecation iam-policy --read-only                            for previews of pull requests
  ami-deprecation iam-policy --regions eu-west-1,us-east-1 --tag Team=web
  ami-deprecation iam-policy --read-only --references --all-regions
  aws iam create-policy --policy-name ami-deprecation --policy-document "$(ami-deprecation iam-policy)"

A tag condition is on the image's own tags: an image without the tag is refused with UnauthorizedOperation.
sts:GetCallerIdentity, which tells the account, needs no permission.

{TABLE}"""


@click.command("iam-policy", epilog=EPILOG, short_help="The least-privilege policy.")
@click.option(
    "--read-only", is_flag=True, help="Without the calls that change a date: for previews and reports."
)
@options.regions("every Region")
@options.tags("Dates may change only on images with this tag")
@click.option(
    "--references",
    is_flag=True,
    help="Also what `report --references`, `--fail-within` and a policy's `in_use` need.",
)
@click.option("--all-regions", is_flag=True, help="Also what `--all-regions` needs.")
@click.option(
    "--partition", metavar="NAME", help="aws, aws-cn, aws-us-gov, …. Default: that of the Regions, else aws."
)
@options.output
def iam_policy(
    *,
    read_only: bool,
    regions: Sequence[str],
    tags: Sequence[tuple[str, str]],
    references: bool,
    all_regions: bool,
    partition: str | None,
    output: str | None,
) -> Exit:
    """Write the IAM policy, as JSON, that allows what is used and no more."""
    names = options.split(regions)
    if read_only and tags:
        raise Stopped("--tag limits the calls that change a date, and --read-only has none: leave one out")
    needs = Needs(
        changes=not read_only,
        regions=tuple(names),
        tags=options.by_key(tags),
        references=references,
        all_regions=all_regions,
        partition=_partition(names, partition),
    )
    writing.write(json.dumps(policy(needs), indent=2) + "\n", output)
    return Exit.OK


def _partition(regions: Sequence[str], given: str | None) -> str:
    for region in regions:
        ec2.check_region(region)
    found = {known_regions()[region] for region in regions} | ({given} if given else set())
    if len(found) > 1:
        raise Stopped(
            f"one policy is for one partition, and these are of {', '.join(sorted(found))}: run it once for each"
        )
    known = set(known_regions().values())
    if given and given not in known:
        raise Stopped(f"{given!r} is no partition that this boto3 knows: they are {', '.join(sorted(known))}")
    return found.pop() if found else "aws"
