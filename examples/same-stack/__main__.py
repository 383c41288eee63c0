"""An image and its deprecation date in one stack: a copy of a base image that is to be used for a year."""

import pulumi
import pulumi_aws as aws

from ami_deprecation import AmiDeprecation

config = pulumi.Config()

image = aws.ec2.AmiCopy(
    "base",
    source_ami_id=config.require("sourceImageId"),
    source_ami_region=config.require("sourceRegion"),
    # The date has one owner, the resource below. Without this, an update after a refresh would find a date on the
    # image that this resource does not ask for, and cancel it.
    opts=pulumi.ResourceOptions(ignore_changes=["deprecation_time"]),
)

date = AmiDeprecation(
    "base",
    image_id=image.id,
    deprecate_after_days=365,
    # The date goes with the image: no call is made for the date of an image that is being deregistered.
    opts=pulumi.ResourceOptions(deleted_with=image),
)

pulumi.export("imageId", image.id)
pulumi.export("deprecationTime", date.deprecation_time)
