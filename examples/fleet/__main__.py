"""Every base image in two Regions: the newest of each family stay, the others are given their dates by rules."""

import pulumi

from ami_deprecation import AmiDeprecationPolicy

config = pulumi.Config()

policy = AmiDeprecationPolicy(
    "fleet",
    name="base-*",
    exclude=["tag:Keep"],
    group_by="tag:Family",
    keep_newest=config.get_int("keepNewest", 2),
    grace_days=config.get_int("graceDays", 30),
    deprecate_after_days=365,
    notice_days=14,
    in_use="warn",
    regions=config.get_object("regions", ["eu-west-1", "us-east-1"]),
    max_changes=config.get_int("maxChanges", 50),
)

pulumi.export("deprecations", policy.deprecations)
