"""``ami-deprecation iam-policy``: the least-privilege policy for what is used.

Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2"
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html); EC2 User Guide,
"Identify your resources referencing specified AMIs"
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import click

from . import options, output, reading
from .exits import EXIT_CODES, CommandError, Exit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Statement: TypeAlias = "dict[str, object]"

#: DescribeImageReferences calls these on the caller's behalf; the condition rules out direct use.
_LOOKS_INTO = (
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "imagebuilder:GetContainerRecipe",
    "imagebuilder:ListContainerRecipes",
    "imagebuilder:ListImageRecipes",
    "ssm:DescribeParameters",
    "ssm:GetParameters",
)
_IN_ITS_NAME = "ec2-images.amazonaws.com"


@dataclass(frozen=True)
class Needs:
    """What the policy has to allow."""

    #: Whether dates are set and canceled, or only read.
    changes: bool = True
    #: Only these Regions; empty means all.
    regions: tuple[str, ...] = ()
    #: Tag key to values: a date may change only on an image that has one of them.
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Whether DescribeImageReferences is called.
    references: bool = False
    #: Whether DescribeInstanceImageMetadata is called.
    running: bool = False
    #: Whether DescribeRegions is called.
    all_regions: bool = False
    partition: str = "aws"


def policy(needs: Needs) -> dict[str, object]:
    """The policy document."""
    statements = [_read(needs)]
    if needs.references:
        statements += [_references(needs)]
    if needs.all_regions:
        # Called in the default Region, whichever that is: no condition on the Region.
        statements += [_statement("ListRegions", ["ec2:DescribeRegions"], "*", {})]
    if needs.changes:
        statements += [_change(needs)]
    return {"Version": "2012-10-17", "Statement": statements}


def _read(needs: Needs) -> Statement:
    actions = [
        *(["ec2:DescribeImageReferences"] if needs.references else []),
        "ec2:DescribeImages",
        *(["ec2:DescribeInstanceImageMetadata"] if needs.running else []),
    ]
    # These actions have no resource types: a policy can allow them only on "*".
    condition = {"StringEquals": {"ec2:Region": _one_or_many(needs.regions)}} if needs.regions else {}
    return _statement("ReadImages", actions, "*", condition)


def _references(needs: Needs) -> Statement:
    condition: dict[str, object] = {"ForAnyValue:StringEquals": {"aws:CalledVia": _IN_ITS_NAME}}
    if needs.regions:
        condition["StringEquals"] = {"aws:RequestedRegion": _one_or_many(needs.regions)}
    return _statement("LookForReferencesToImages", list(_LOOKS_INTO), "*", condition)


def _change(needs: Needs) -> Statement:
    arns = [f"arn:{needs.partition}:ec2:{region}::image/*" for region in needs.regions or ("*",)]
    tags = {f"aws:ResourceTag/{key}": _one_or_many(values) for key, values in needs.tags.items()}
    actions = ["ec2:DisableImageDeprecation", "ec2:EnableImageDeprecation"]
    return _statement(
        "SetAndCancelDeprecationDates", actions, _one_or_many(arns), {"StringEquals": tags} if tags else {}
    )


def _one_or_many(values: Sequence[str]) -> object:
    return values[0] if len(values) == 1 else list(values)


def _statement(sid: str, actions: list[str], resource: object, condition: Mapping[str, object]) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": _one_or_many(actions),
        "Resource": resource,
    }
    if condition:
        statement["Condition"] = dict(condition)
    return statement


EPILOG = f"""\b
Examples:
  ami-deprecation iam-policy                                        for `pulumi up`
  ami-deprecation iam-policy --read-only                            for previews of pull requests
  ami-deprecation iam-policy --regions eu-west-1,us-east-1 --tag Team=web
  ami-deprecation iam-policy --read-only --references --all-regions
  aws iam create-policy --policy-name ami-deprecation --policy-document "$(ami-deprecation iam-policy)"

A tag condition applies to the image's own tags: EC2 refuses an image without the tag with UnauthorizedOperation.
sts:GetCallerIdentity, which returns the account, needs no permission.

{EXIT_CODES}"""


@click.command("iam-policy", epilog=EPILOG, short_help="Write the least-privilege IAM policy.")
@click.option(
    "--read-only", is_flag=True, help="Leave out the calls that change a date: for previews and reports."
)
@options.regions("every Region")
@options.tags("Allow date changes only on images with this tag")
@click.option(
    "--references",
    is_flag=True,
    help="Add what `report --references`, `--fail-within`, `plan --in-use` and a policy's `in_use` need.",
)
@click.option("--running", is_flag=True, help="Add what `report --running` needs.")
@click.option(
    "--all-regions", is_flag=True, help='Add what `--all-regions` and a policy with `regions="all"` need.'
)
@click.option(
    "--partition", metavar="NAME", help="aws, aws-cn, aws-us-gov, …. Default: that of the Regions, else aws."
)
@options.output
def iam_policy(  # noqa: PLR0913  # one argument an option
    *,
    read_only: bool,
    regions: Sequence[str],
    tags: Sequence[tuple[str, str]],
    references: bool,
    running: bool,
    all_regions: bool,
    partition: str | None,
    path: str | None,
) -> Exit:
    """Write the least-privilege IAM policy, as JSON."""
    names = options.split(regions)
    if read_only and tags:
        raise CommandError(
            "--tag limits the calls that change a date, and --read-only allows none: remove one of them"
        )
    needs = Needs(
        changes=not read_only,
        regions=tuple(names),
        tags=options.by_key(tags),
        references=references,
        running=running,
        all_regions=all_regions,
        partition=_partition(names, partition),
    )
    output.write(json.dumps(policy(needs), indent=2) + "\n", path)
    return Exit.OK


def _partition(regions: Sequence[str], given: str | None) -> str:
    for region in regions:
        reading.gateway().check_region(region)
    partitions = {reading.gateway().partitions()[region] for region in regions} | (
        {given} if given else set()
    )
    if len(partitions) > 1:
        raise CommandError(
            f"a policy covers one partition, and these Regions are in {', '.join(sorted(partitions))}: "
            "run the command once for each"
        )
    known = set(reading.gateway().partitions().values())
    if given and given not in known:
        raise CommandError(
            f"{given!r} is not a partition that boto3 knows: use one of {', '.join(sorted(known))}"
        )
    return partitions.pop() if partitions else "aws"
