"""Gives every image of images.json its date."""

import json
from pathlib import Path

from ami_deprecation import AmiDeprecation

for image in json.loads(Path(__file__).with_name("images.json").read_text()):
    AmiDeprecation(image["name"], image_id=image["id"], deprecate_at=image["date"])
