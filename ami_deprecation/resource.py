"""The resource: what a program writes. Turns inputs into props. Knows no AWS."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, final

import pulumi
from pulumi.dynamic import Resource

from .core import keys
from .doors import aws_provider, declared
from .provider import AmiDeprecationProvider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

__all__ = ["AmiDeprecation"]

#: How a date may be given: RFC 3339 text with an offset, a bare date (midnight UTC), or an aware datetime.
Date = str | date | datetime


@final
class AmiDeprecation(Resource, module="ec2", name="AmiDeprecation"):
    """The deprecation date of an image, whatever created it.

    Creating it sets the date (EnableImageDeprecation), a changed date moves it in place (the same
    call), deleting it cancels it (DisableImageDeprecation). The image, its launch permissions and its tags
    are left alone. An image that already has the date is adopted without a changing call.

    Exactly one of ``deprecate_at``, ``deprecate_after_days`` and ``deprecate_in_days`` is given.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html
    """

    #: ``ami-…``; changing it replaces the resource.
    image_id: pulumi.Output[str]
    #: The declared date, ``YYYY-MM-DDTHH:MM:00Z``, if ``deprecate_at`` is set.
    deprecate_at: pulumi.Output[str | None]
    #: Days from the image's creation, if set.
    deprecate_after_days: pulumi.Output[int | None]
    #: Days from the first apply, if set.
    deprecate_in_days: pulumi.Output[int | None]
    #: The Region in use.
    region: pulumi.Output[str]
    #: The profile, if set.
    profile: pulumi.Output[str | None]
    #: The role, if set.
    role_arn: pulumi.Output[str | None]
    #: ``cancel`` or ``restore``.
    on_destroy: pulumi.Output[str]
    #: The date on the image, ``YYYY-MM-DDTHH:MM:00Z``; in a preview the date it will have. None after a
    #: refresh that found none.
    deprecation_time: pulumi.Output[str | None]
    #: The image's name.
    image_name: pulumi.Output[str]
    #: The account that owns the image.
    owner_id: pulumi.Output[str]
    #: When the image was created, ``YYYY-MM-DDTHH:MM:SSZ``.
    creation_date: pulumi.Output[str]
    #: The date found on the image when this resource was created; None when it had none.
    previous_deprecation_time: pulumi.Output[str | None]

    def __init__(  # noqa: PLR0913  # one argument an input
        self,
        resource_name: str,
        *,
        image_id: pulumi.Input[str],
        deprecate_at: pulumi.Input[Date] | None = None,
        deprecate_after_days: pulumi.Input[int] | None = None,
        deprecate_in_days: pulumi.Input[int] | None = None,
        region: pulumi.Input[str] | None = None,
        profile: pulumi.Input[str] | None = None,
        role_arn: pulumi.Input[str] | None = None,
        on_destroy: pulumi.Input[Literal["cancel", "restore"]] = "cancel",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the date of an image.

        Args:
            resource_name: the resource's name in the stack.
            image_id: the image, ``ami-`` and 8 or 17 hexadecimal digits. Its owner's credentials are needed.
            deprecate_at: the date: RFC 3339 text with an offset (``2027-06-01T00:00:00Z``), a bare date (midnight
                UTC), a ``datetime.date`` or an aware ``datetime``. Seconds are rounded to the nearest minute.
            deprecate_after_days: instead, days from the image's creation date.
            deprecate_in_days: instead, days from when this is first applied; 0 is now. It is resolved once and
                kept. An image that already has an earlier date keeps that.
            region: where the image is; else the aws provider's, ``aws:region``, ``AWS_REGION``, or boto3's chain.
            profile: a profile of the AWS configuration; else the aws provider's or ``aws:profile``.
            role_arn: a role to assume through STS; else the aws provider's or ``aws:assumeRoles``.
            on_destroy: ``cancel`` the date, or ``restore`` the one found on the image at creation. A date that was on the
                image before the program asked for it stays in both cases.
            opts: resource options; ``provider`` may be a ``pulumi_aws.Provider``.
        """
        aws, opts = aws_provider.split_options(opts)
        declared.tell(lambda: _qualified_name(resource_name, opts.parent), image_id, region, deprecate_at)
        of_provider = {keys.PROVIDER_AWS_KEY: aws.config, keys.PROVIDER_PROBLEM_KEY: aws.problem}
        props: dict[str, pulumi.Input[object]] = {
            "image_id": image_id,
            "deprecate_at": _carried(deprecate_at),
            "deprecate_after_days": _carried(deprecate_after_days),
            "deprecate_in_days": _carried(deprecate_in_days),
            "region": region,
            "profile": profile if profile is not None else aws.profile,
            "role_arn": role_arn,
            "on_destroy": on_destroy,
            keys.RESOURCE_KEY: _qualified_name(resource_name, opts.parent),
            # Left out when there is nothing: each property, also an empty one, costs the program time.
            **{key: value for key, value in of_provider.items() if value is not None},
            **dict.fromkeys(keys.OUTPUT_KEYS),
        }
        if _ignores_date(opts, props):
            props[keys.IGNORED_KEY] = True
        super().__init__(AmiDeprecationProvider(), resource_name, props, opts)


def _qualified_name(name: str, parent: pulumi.Resource | None) -> str | Awaitable[str]:
    """The name, with the types of the parents where there are any: Pulumi lets two resources share a name then."""
    if parent is None or parent.pulumi_resource_type == "pulumi:pulumi:Stack":
        return name
    return _name_in(name, parent)


async def _name_in(name: str, parent: pulumi.Resource) -> str:
    """The name with the types in the parent's URN, outermost first: ``web (in my:mod:Team$my:mod:Fleet)``.

    Awaited as a plain value: an output would make the resource depend on its parent, which depends on it.
    """
    urn = await parent.urn.future()
    types = (urn or "").split("::")[2:3] or [parent.pulumi_resource_type]
    return f"{name} (in {types[0].removeprefix('pulumi:pulumi:Stack$')})"


def _ignores_date(opts: pulumi.ResourceOptions, props: Mapping[str, object]) -> bool:
    """Whether the program leaves the date to others: the engine does not tell a check of ``ignore_changes``."""
    return any(
        key == "*" or (key in keys.SCHEDULE_KEYS and props[key] is not None)
        for key in opts.ignore_changes or ()
    )


def _carried(value: pulumi.Input[Date | int] | None) -> object:
    """A date or a number of days as the wire can carry it; what is wrong with it, check will say."""
    if value is None or isinstance(value, (str, int, date)):
        return _plain(value)
    eventual: pulumi.Output[object] = pulumi.Output.from_input(value)
    return eventual.apply(_plain)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    # Of another type the SDK would say no more than that it is unexpected: as text, check refuses it by name.
    return value if value is None or isinstance(value, (str, int, float)) else repr(value)
