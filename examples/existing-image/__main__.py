"""The deprecation date of an image that already exists: its id and its date come from the configuration."""

import pulumi

from ami_deprecation import AmiDeprecation

config = pulumi.Config()
web = AmiDeprecation("web", image_id=config.require("imageId"), deprecate_at=config.require("deprecateAt"))
pulumi.export("deprecationTime", web.deprecation_time)
