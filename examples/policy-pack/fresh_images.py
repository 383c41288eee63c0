"""The policies: what is launched from an image, that image as EC2 describes it, and what to say of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING

from pulumi_policy import EnforcementLevel, PolicyConfigSchema, ResourceValidationPolicy

from ami_deprecation import AmiDeprecationError, Image, get_images

if TYPE_CHECKING:
    from pulumi_policy import ReportViolation, ResourceValidationArgs

#: What launches instances, and its input that names the image.
LAUNCHES = {
    "aws:ec2/instance:Instance": "ami",
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": "ami",
    "aws:ec2/launchTemplate:LaunchTemplate": "imageId",
    "aws:ec2/launchConfiguration:LaunchConfiguration": "imageId",
}
NOTICE_DAYS = 30


def refuse_deprecated(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report an image whose date has passed, or comes within `noticeDays`."""
    image = image_of(args)
    if isinstance(image, Image):
        problem = objection(
            image, int(args.get_config().get("noticeDays", NOTICE_DAYS)), datetime.now(timezone.utc)
        )
        if problem:
            report(problem, None)


def warn_unreadable(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report an image that could not be looked at: a warning, for that is no proof of anything."""
    problem = image_of(args)
    if isinstance(problem, str):
        report(problem, None)


no_deprecated_images = ResourceValidationPolicy(
    name="no-deprecated-images",
    description="Instances and launch templates use images that are not deprecated and will not be soon.",
    enforcement_level=EnforcementLevel.MANDATORY,
    config_schema=PolicyConfigSchema(
        properties={"noticeDays": {"type": "integer", "minimum": 0, "default": NOTICE_DAYS}}
    ),
    validate=refuse_deprecated,
)

readable_images = ResourceValidationPolicy(
    name="readable-images",
    description="The images of instances and launch templates can be looked at.",
    enforcement_level=EnforcementLevel.ADVISORY,
    validate=warn_unreadable,
)


def objection(image: Image, notice_days: int, now: datetime) -> str | None:
    """Why an image should not be launched; None when it may be."""
    date = image.deprecation_time
    if date is None or date > now + timedelta(days=notice_days):
        return None
    state = (
        "has been deprecated since"
        if image.is_deprecated(now)
        else f"will be deprecated within {notice_days} days, on"
    )
    return f"{image.id} ({image.name}) in {image.region} {state} {date:%Y-%m-%d}: use a newer image"


def image_of(args: ResourceValidationArgs) -> Image | str | None:
    """The image that a resource launches; text when it could not be read; None when it launches none."""
    key = LAUNCHES.get(args.resource_type)
    image_id = args.props.get(key) if key else None
    if not image_id:
        return None  # another resource, or an instance that takes its image from a launch template
    if not image_id.startswith("ami-"):
        return f"the image is chosen at launch, by {image_id}, so its date was not looked at"
    provider = args.provider.props if args.provider else {}
    roles = provider.get("assumeRoles") or []
    roles = json.loads(roles) if isinstance(roles, str) else roles
    return read(
        image_id,
        args.props.get("region") or provider.get("region"),
        provider.get("profile"),
        roles[0].get("roleArn") if len(roles) == 1 else None,
    )


@cache
def read(image_id: str, region: str | None, profile: str | None, role_arn: str | None) -> Image | str:
    """An image, whoever owns it, read once; text when it could not be read."""
    try:
        images = get_images(
            image_ids=[image_id],
            owners=(),
            include_deprecated=True,
            include_disabled=True,
            region=region,
            profile=profile,
            role_arn=role_arn,
        )
    except AmiDeprecationError as error:
        return f"{image_id} could not be read, so its date was not looked at: {error}"
    return (
        images[0]
        if images
        else f"{image_id} is not found in {region or 'its Region'}, so its date was not looked at"
    )
