"""The resource: what a program writes. Turns inputs into props. Knows no AWS."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, final

import pulumi
from pulumi.dynamic import Resource

from .core import inputs, state
from .doors import aws_provider
from .provider import AmiDeprecationProvider

__all__ = ["AmiDeprecation"]

#: How a date may be given: RFC 3339 text with an offset, a bare date (midnight UTC), or an aware datetime.
Date = str | date | datetime


@final
class AmiDeprecation(Resource, module="ec2", name="AmiDeprecation"):
    """The deprecation date of an image that somebody made, here or elsewhere.

    Creating it sets the date (EnableImageDeprecation), a changed date moves it in place (the same
    call), deleting it cancels it (DisableImageDeprecation). The image, its launch permissions and its tags
    are left alone. An image that already has the date is adopted without a changing call.

    Exactly one of ``deprecate_at``, ``deprecate_after_days`` and ``deprecate_in_days`` is given.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html
    """

    #: ``ami-…``; another image is another resource.
    image_id: pulumi.Output[str]
    #: The date given, ``YYYY-MM-DDTHH:MM:00Z``, when it was given so.
    deprecate_at: pulumi.Output[str | None]
    #: Days from the image's creation, when given so.
    deprecate_after_days: pulumi.Output[int | None]
    #: Days from when it was first applied, when given so.
    deprecate_in_days: pulumi.Output[int | None]
    #: The Region in force.
    region: pulumi.Output[str]
    #: The profile given.
    profile: pulumi.Output[str | None]
    #: The role given.
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
    #: When the image was made, ``YYYY-MM-DDTHH:MM:SSZ``.
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
            on_destroy: ``cancel`` the date, or ``restore`` the one found on the image at creation.
            opts: resource options; ``provider`` may be a ``pulumi_aws.Provider``.
        """
        aws, opts = aws_provider.take(opts)
        of_provider = {inputs.PROVIDER_AWS_KEY: aws.config, inputs.PROVIDER_PROBLEM_KEY: aws.problem}
        props: dict[str, pulumi.Input[object]] = {
            "image_id": image_id,
            "deprecate_at": _carried(deprecate_at),
            "deprecate_after_days": _carried(deprecate_after_days),
            "deprecate_in_days": _carried(deprecate_in_days),
            "region": region,
            "profile": profile if profile is not None else aws.profile,
            "role_arn": role_arn,
            "on_destroy": on_destroy,
            inputs.RESOURCE_KEY: _told_apart(resource_name, opts.parent),
            # Left out when there is nothing: each property, also an empty one, costs the program time.
            **{key: value for key, value in of_provider.items() if value is not None},
            **dict.fromkeys(state.OUTPUT_KEYS),
        }
        super().__init__(AmiDeprecationProvider(), resource_name, props, opts)


def _told_apart(name: str, parent: pulumi.Resource | None) -> str:
    """The name, with the parent's type where there is one: Pulumi lets two resources share a name then."""
    if parent is None or parent.pulumi_resource_type == "pulumi:pulumi:Stack":
        return name
    return f"{name} (in {parent.pulumi_resource_type})"


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
