"""Declares a resource that does nothing for every image of images.json."""

import json
from pathlib import Path

from nothing import Nothing  # type: ignore[import-not-found]  # beside this file, wherever it is copied

for image in json.loads(Path(__file__).with_name("images.json").read_text()):
    Nothing(image["name"], image_id=image["id"], deprecate_at=image["date"])
