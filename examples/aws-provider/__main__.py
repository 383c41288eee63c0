"""Deprecation dates in two Regions, each through the `aws.Provider` that the stack's other resources use."""

import pulumi
import pulumi_aws as aws

from ami_deprecation import AmiDeprecation

config = pulumi.Config()
role_arn = config.get("roleArn")

for region, image_id in config.require_object("images").items():
    provider = aws.Provider(
        region,
        region=region,
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role_arn)] if role_arn else None,
    )
    AmiDeprecation(
        f"web-{region}",
        image_id=image_id,
        deprecate_at=config.require("deprecateAt"),
        opts=pulumi.ResourceOptions(provider=provider),
    )
