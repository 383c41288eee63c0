"""Credentials and Region of a resource: its own inputs, its aws provider, the stack's configuration, boto3's chain.

None of it goes into the state.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import ec2
from ..ec2 import Target
from ..errors import InvalidInput
from . import identity
from .identity import Identity, StackConfig
from .inputs import UNKNOWN, Inputs, Unknown

if TYPE_CHECKING:
    from .run import Run


def identity_of(run: Run, given: Inputs) -> Identity | Unknown:
    """Whose credentials a resource uses; UNKNOWN while a preview does not know them."""
    if (
        isinstance(given.profile, Unknown)
        or isinstance(given.role_arn, Unknown)
        or isinstance(given.aws, Unknown)
    ):
        return UNKNOWN
    # An explicit aws provider stands in for all of the stack's configuration, whatever is wrong with that.
    base = run.stack if given.aws is None else StackConfig()
    return identity.resolve(base, profile=given.profile, role_arn=given.role_arn, provider=given.aws)


def region_of(run: Run, given: Inputs, *, until_now: str | None) -> str | Unknown:
    """The Region of a resource.

    What the resource says, else its aws provider, else the stack's ``aws:region``, else the one it has
    been in until now (another machine's environment must not move it), else boto3's chain.

    Raises:
        InvalidInput: no Region is set, or there is none of that name.
    """
    if isinstance(given.region, Unknown) or isinstance(given.aws, Unknown):
        return UNKNOWN
    region = given.region
    if region is None:
        of_provider = run.stack.region if given.aws is None else given.aws.get("region")
        region = of_provider if isinstance(of_provider, str) else until_now
    if region is None:
        # A role has no Region of its own, so one that is not known yet leaves nothing open.
        who = identity_of(run, replace(given, role_arn=None))
        if isinstance(who, Unknown):
            return UNKNOWN
        region = ec2.default_region(who.profile)
    if region is None:
        raise InvalidInput(
            "no Region is set: give region, or run `pulumi config set aws:region eu-west-1`, or set AWS_REGION"
        )
    if region != until_now:  # a known one needs no look at botocore's list, half a second's work
        ec2.check_region(region)
    return region


def target_of(run: Run, given: Inputs, region: str) -> Target:
    """Where a create, update, read or delete goes; everything is known then."""
    who = identity_of(run, given)
    if isinstance(who, Unknown):
        raise InvalidInput(f"{given.image_id}: profile and role_arn have to be known")
    return Target(who, region)
