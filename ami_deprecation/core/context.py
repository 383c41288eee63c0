"""As whom and where: the stack's aws configuration, the resource's own inputs, boto3's chain, in that order.

The stack's configuration reaches the plugin once per process. It is kept here, not on the provider
object, and none of it goes into the state.
"""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from .. import ec2
from ..ec2 import Target
from ..errors import AmiDeprecationError, InvalidInput
from . import identity
from .identity import Identity, StackConfig
from .inputs import UNKNOWN, Inputs, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

_lock = Lock()
_stack = StackConfig()
_problem: AmiDeprecationError | None = None


def configure(get: Callable[[str], object]) -> None:
    """Take the stack's aws configuration; a value that cannot be read is reported by the first use."""
    global _stack, _problem  # noqa: PLW0603  # one stack per process, and the provider has no attributes
    with _lock:
        try:
            _stack, _problem = identity.from_stack_config(get, os.environ), None
        except InvalidInput as wrong:
            _problem = wrong


def stack() -> StackConfig:
    """The stack's aws configuration.

    Raises:
        InvalidInput: a key of it cannot be read.
    """
    with _lock:
        if _problem is not None:
            raise _problem
        return _stack


def identity_of(given: Inputs) -> Identity | Unknown:
    """Whose credentials a resource uses; UNKNOWN while a preview does not know them."""
    if (
        isinstance(given.profile, Unknown)
        or isinstance(given.role_arn, Unknown)
        or isinstance(given.aws, Unknown)
    ):
        return UNKNOWN
    # An explicit aws provider stands in for all of the stack's configuration, whatever is wrong with that.
    base = stack() if given.aws is None else StackConfig()
    return identity.resolve(base, profile=given.profile, role_arn=given.role_arn, provider=given.aws)


def region_of(given: Inputs, *, until_now: str | None) -> str | Unknown:
    """The Region of a resource.

    What the resource says, else its aws provider, else the stack's ``aws:region``, else the one it has
    been in until now (another machine's environment must not move it), else boto3's chain.

    Raises:
        InvalidInput: no Region is set, or there is none of that name.
    """
    if isinstance(given.region, Unknown) or isinstance(given.aws, Unknown):
        return UNKNOWN
    said = given.region
    if said is None:
        of_provider = stack().region if given.aws is None else given.aws.get("region")
        said = of_provider if isinstance(of_provider, str) else until_now
    if said is None:
        # A role has no Region of its own, so one that is not known yet leaves nothing open.
        who = identity_of(replace(given, role_arn=None))
        if isinstance(who, Unknown):
            return UNKNOWN
        said = ec2.default_region(who.profile)
    if said is None:
        raise InvalidInput(
            "no Region is set: give region, or run `pulumi config set aws:region eu-west-1`, or set AWS_REGION"
        )
    if said != until_now:  # a known one needs no look at botocore's list, half a second's work
        ec2.check_region(said)
    return said


def target_of(given: Inputs, region: str) -> Target:
    """Where a create, update, read or delete goes; everything is known then."""
    who = identity_of(given)
    if isinstance(who, Unknown):
        raise InvalidInput(f"{given.image_id}: profile and role_arn have to be known")
    return Target(who, region)
