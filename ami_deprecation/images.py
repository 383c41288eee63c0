"""Reading images in a program: ``get_images`` and ``get_images_output``.

They call EC2 from the program itself, as the resource does from its plugin, with the same aws
configuration of the stack.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, TypedDict, cast

import pulumi
import pulumi.runtime

from .core import inputs, targets
from .doors import aws_provider
from .doors.program import gateway, raise_as_run_error
from .ec2.listing import Values  # noqa: TC001  # part of the public signatures
from .errors import AmiDeprecationError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .ec2 import Target
    from .image import Image

__all__ = ["get_images", "get_images_output"]


class _Query(TypedDict):
    """The arguments of DescribeImages, all known."""

    owners: Values
    executable_users: Values
    name: Values | None
    filters: Mapping[str, Values] | None
    tags: Mapping[str, Values] | None
    image_ids: Sequence[str] | None
    include_deprecated: bool
    include_disabled: bool


class _Where(TypedDict):
    """Credentials and Region, all known. ``provider`` has the settings of an explicit aws provider."""

    region: str | None
    profile: str | None
    role_arn: str | None
    provider: Mapping[str, object] | None


def get_images(  # noqa: PLR0913  # one argument for each of DescribeImages'
    *,
    owners: Values = ("self",),
    executable_users: Values = (),
    name: Values | None = None,
    filters: Mapping[str, Values] | None = None,
    tags: Mapping[str, Values] | None = None,
    image_ids: Sequence[str] | None = None,
    include_deprecated: bool = False,
    include_disabled: bool = False,
    region: str | None = None,
    profile: str | None = None,
    role_arn: str | None = None,
) -> list[Image]:
    """Read images with DescribeImages, in a preview as well as in an update.

    The stack's ``aws:region``, ``aws:profile``, ``aws:assumeRoles`` and so on are honored. The settings of an
    explicit ``aws.Provider`` are known only later than this call returns: ``get_images_output`` takes one.

    Args:
        owners: ``self``, account ids, ``amazon``, ``aws-marketplace``; empty: every owner whose images are visible.
        executable_users: only images that these may launch: account ids that they are shared with, ``self``, or
            ``all`` for public ones. The default owner still applies, so ``all`` alone means one's own public
            images; for those that others share with you, set ``owners=()`` as well.
        name: the image's name, or several, with EC2's wildcards ``*`` and ``?``.
        filters: any other filter of DescribeImages, by its name: ``{"architecture": "arm64"}``.
        tags: tag key to value or values; ``*`` for any.
        image_ids: only these, of these owners; ids that are not there are left out.
        include_deprecated: other accounts' deprecated images too; one's own are always among them.
        include_disabled: one's own disabled images too.
        region: else ``aws:region``, ``AWS_REGION``, or boto3's chain.
        profile: else ``aws:profile``.
        role_arn: a role to assume; else ``aws:assumeRoles``.

    Returns:
        The images, newest first (of one age, by id); an empty list when none match.

    Raises:
        AmiDeprecationError: one of its subclasses when the images cannot be read; it is a ``pulumi.RunError``
            too, so that an uncaught one ends the program with its sentence and without a traceback.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
    """
    query: _Query = {
        "owners": owners,
        "executable_users": executable_users,
        "name": name,
        "filters": filters,
        "tags": tags,
        "image_ids": image_ids,
        "include_deprecated": include_deprecated,
        "include_disabled": include_disabled,
    }
    where: _Where = {"region": region, "profile": profile, "role_arn": role_arn, "provider": None}
    return _read(where, query, way_out="use get_images_output with an aws.Provider in its opts")


def get_images_output(  # noqa: PLR0913  # as get_images
    *,
    owners: pulumi.Input[str | Sequence[pulumi.Input[str]]] = ("self",),
    executable_users: pulumi.Input[str | Sequence[pulumi.Input[str]]] = (),
    name: pulumi.Input[str | Sequence[pulumi.Input[str]]] | None = None,
    filters: pulumi.Input[Mapping[str, pulumi.Input[str | Sequence[pulumi.Input[str]]]]] | None = None,
    tags: pulumi.Input[Mapping[str, pulumi.Input[str | Sequence[pulumi.Input[str]]]]] | None = None,
    image_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    include_deprecated: pulumi.Input[bool] = False,
    include_disabled: pulumi.Input[bool] = False,
    region: pulumi.Input[str] | None = None,
    profile: pulumi.Input[str] | None = None,
    role_arn: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[list[Image]]:
    """Read images once all arguments are known.

    Args: those of ``get_images``, each of which may be an Output, and

        opts: ``provider`` may be a ``pulumi_aws.Provider``, and ``parent`` a resource that has one;
            ``depends_on`` (of ``pulumi.InvokeOutputOptions``) is waited for.

    Returns:
        The images as an Output; unknown in a preview that does not know all arguments.
    """
    opts = opts or pulumi.InvokeOptions()
    aws, _ = aws_provider.split_options(pulumi.ResourceOptions(parent=opts.parent, provider=opts.provider))
    query = pulumi.Output.all(
        owners=owners,
        executable_users=executable_users,
        name=name,
        filters=filters,
        tags=tags,
        image_ids=image_ids,
        include_deprecated=include_deprecated,
        include_disabled=include_disabled,
    )
    where = pulumi.Output.all(
        region=region,
        profile=profile if profile is not None else aws.profile,
        role_arn=role_arn,
        provider=aws.config,
    )
    return pulumi.Output.all(where, query, aws.problem, _dependencies_ready(opts)).apply(_read_known)


def _dependencies_ready(opts: pulumi.InvokeOptions) -> pulumi.Output[object]:
    """Known once the resources that the call depends on are there; a preview does not know ids to come."""
    given = opts.depends_on if isinstance(opts, pulumi.InvokeOutputOptions) else None

    def made(resources: object) -> pulumi.Output[object]:
        several = resources if isinstance(resources, (list, tuple)) else [resources]
        known = [
            each.id if isinstance(each, pulumi.CustomResource) else each.urn
            for each in several
            if isinstance(each, pulumi.Resource)
        ]
        return cast("pulumi.Output[object]", pulumi.Output.all(*known))

    return pulumi.Output.from_input(cast("object", given)).apply(made)


async def _read_known(values: Sequence[object]) -> list[Image]:
    where, query, problem, _ = values
    if isinstance(problem, str):
        raise_as_run_error(InvalidInput(problem))
    gateway()  # made here, in the event loop's thread: two threads could make two
    # In a thread, so that the program's other resources go on meanwhile.
    return await asyncio.to_thread(_read, cast("_Where", where), cast("_Query", query))


def _read(where: _Where, query: _Query, *, way_out: str = targets.GIVE_PROVIDER) -> list[Image]:
    try:
        return _list(target_of(**where, way_out=way_out), query)
    except AmiDeprecationError as error:
        raise_as_run_error(error)


def _list(target: Target, query: _Query) -> list[Image]:
    for image_id in query["image_ids"] or ():
        inputs.check_image_id("image_ids", image_id)
    owners, users = query["owners"], query["executable_users"]
    return gateway().list_images(
        target,
        owners=(owners,) if isinstance(owners, str) else owners,
        executable_users=(users,) if isinstance(users, str) else users,
        name=query["name"],
        tags=query["tags"],
        filters=query["filters"],
        image_ids=query["image_ids"],
        include_deprecated=query["include_deprecated"],
        include_disabled=query["include_disabled"],
    )


def target_of(
    *,
    region: str | None,
    profile: str | None,
    role_arn: str | None,
    provider: Mapping[str, object] | None = None,
    way_out: str = targets.GIVE_PROVIDER,
) -> Target:
    """The credentials and Region of a read in a program: its arguments, else the stack's aws configuration, else boto3's chain.

    Args:
        region: a Region's name.
        profile: a profile of the AWS configuration.
        role_arn: a role to assume.
        provider: what an explicit aws provider says, in place of the stack's configuration.
        way_out: what the program can do when the stack has no default aws provider.

    Raises:
        AmiDeprecationError: one of its subclasses: no Region is set, it does not exist, the profile does not.
    """
    if role_arn is not None:
        inputs.check_role_arn(role_arn)
    if provider is not None:  # it stands in for all of the stack's configuration
        config = targets.read_provider_config(provider)
    else:
        config = targets.read_stack_config(pulumi.runtime.get_config, os.environ)
        targets.refuse_disabled(config, way_out)
    return targets.resolve(
        gateway(),
        config,
        region=region,
        profile=profile,
        role_arn=role_arn,
        from_provider=provider is not None,
    )
