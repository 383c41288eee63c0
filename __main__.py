"""The ready-to-use project: configuration in, resources out. No code to write.

config:
  aws:region: eu-west-1
  ami-deprecation:images:
    web:
      imageId: ami-0123456789abcdef0
      deprecateAt: "2027-06-01"
  ami-deprecation:policies:
    base:
      name: base-*
      keepNewest: 3
      graceDays: 30
"""

import pulumi
from pulumi.runtime.config import CONFIG  # pulumi.Config cannot say which keys there are

from ami_deprecation import AmiDeprecation, AmiDeprecationPolicy, InvalidInput
from ami_deprecation.doors import project

config = pulumi.Config(project.NAMESPACE)

try:
    project.check_keys(CONFIG.get())
    images = project.images(config.get_object("images"))
    policies = project.policies(config.get_object("policies"))
except (InvalidInput, pulumi.ConfigTypeError) as wrong:
    # A RunError ends the program with its sentence and without a traceback, before anything is declared.
    raise pulumi.RunError(str(wrong)) from None

if not images and not policies:
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

fleets, failures = {}, []
for name, arguments in policies.items():
    try:
        fleets[name] = AmiDeprecationPolicy(name, **arguments).deprecations
    except pulumi.RunError as failed:  # noqa: PERF203  # each of them
        failures.append(str(failed))  # what can be shown and done is, before the program fails
if fleets:
    pulumi.export("policies", fleets)
if failures:
    raise pulumi.RunError("\n".join(failures))
