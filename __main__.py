"""The ready-to-use project: configuration in, resources out. No code to write.

config:
  aws:region: eu-west-1
  ami-deprecation:images:
    web:
      imageId: ami-0123456789abcdef0
      deprecateAt: "2027-06-01"
"""

import pulumi

from ami_deprecation import AmiDeprecation, InvalidInput, project

config = pulumi.Config(project.NAMESPACE)

try:
    images = project.images(config.get_object("images"))
except (InvalidInput, pulumi.ConfigTypeError) as wrong:
    # A RunError ends the program with its sentence and without a traceback, before anything is declared.
    raise pulumi.RunError(str(wrong)) from None

if not images:
    pulumi.log.warn(f"nothing is configured: add images to {project.NAMESPACE}:images in this stack's file")

deprecations = {name: AmiDeprecation(name, **arguments) for name, arguments in images.items()}

pulumi.export(
    "deprecations",
    {
        name: {
            "imageId": each.image_id,
            "region": each.region,
            "deprecationTime": each.deprecation_time,
        }
        for name, each in deprecations.items()
    },
)
