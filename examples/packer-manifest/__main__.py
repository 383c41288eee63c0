"""The deprecation date of every image of the last Packer run, in every Region: half a year after it was made."""

from pathlib import Path

import manifest
import pulumi

from ami_deprecation import AmiDeprecation

config = pulumi.Config()
file = Path(config.get("manifest") or "packer-manifest.json")
days = config.get_int("days") or 180

try:
    images = manifest.last_run(file)
except ValueError as wrong:
    raise pulumi.RunError(str(wrong)) from None  # the sentence alone, before anything is declared

for image in images:
    AmiDeprecation(
        f"{image.build}-{image.region}",
        image_id=image.image_id,
        region=image.region,
        deprecate_after_days=days,
        # The next build takes this one's place in the stack. The older image keeps its date: that is the point.
        opts=pulumi.ResourceOptions(retain_on_delete=True),
    )
