"""A policy pack: nothing new is launched from an image that is deprecated, or will be soon."""

import fresh_images
from pulumi_policy import PolicyPack

# PolicyPack serves the engine until it is told to end, so the policies stand in a module that tests can import.
PolicyPack(name="fresh-images", policies=[fresh_images.no_deprecated_images, fresh_images.readable_images])
