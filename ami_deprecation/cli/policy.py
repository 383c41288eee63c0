"""The IAM policy for what this package does. Pure.

Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2"
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html); EC2 User Guide,
"Identify your resources referencing specified AMIs"
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Statement: TypeAlias = "dict[str, object]"

#: DescribeImageReferences reads these in the caller's name; the condition keeps them from being used directly.
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
    """What the policy is for."""

    #: Whether dates are set and cancelled, or only read.
    changes: bool = True
    #: Only these; none means all.
    regions: tuple[str, ...] = ()
    #: Tag key to the values of which an image must have one, for its date to be changed.
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Whether who uses an image is asked for.
    references: bool = False
    #: Whether the account's Regions are asked for.
    all_regions: bool = False
    partition: str = "aws"


def policy(needs: Needs) -> dict[str, object]:
    """The policy document."""
    statements = [_read(needs)]
    if needs.references:
        statements += [_references(needs)]
    if needs.all_regions:
        # Asked in whichever Region is in force, so no condition on the Region.
        statements += [_statement("ListRegions", ["ec2:DescribeRegions"], "*", {})]
    if needs.changes:
        statements += [_change(needs)]
    return {"Version": "2012-10-17", "Statement": statements}


def _read(needs: Needs) -> Statement:
    actions = ["ec2:DescribeImages"]
    if needs.references:
        actions.insert(0, "ec2:DescribeImageReferences")
    # These two have no resource types: a policy can only allow them on everything.
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
