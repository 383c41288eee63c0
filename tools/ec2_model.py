"""Cut EC2's model of the installed botocore down to the calls of this package.

    python tools/ec2_model.py

writes `ami_deprecation/ec2/models/`, which the wheel carries. botocore would otherwise read all of EC2's 800 actions
for the six that are called here: most of what a plugin's first call costs, in time and in memory. It also makes an
image's newer fields known to an older botocore. A test says when the file is older than the botocore of the lock.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import botocore.loaders

#: The calls of `ami_deprecation/ec2/gateway.py`.
ACTIONS: Final = (
    "DescribeImageReferences",
    "DescribeImages",
    "DescribeInstanceImageMetadata",
    "DescribeRegions",
    "DisableImageDeprecation",
    "EnableImageDeprecation",
)
#: What `ami_deprecation/ec2/parse.py` reads of an image. botocore looks for each member of a shape in each image, which
#: is most of the time that a page of a thousand images takes.
IMAGE: Final = frozenset(
    {
        "Architecture",
        "CreationDate",
        "DeprecationTime",
        "DeregistrationProtection",
        "Description",
        "ImageAllowed",
        "ImageId",
        "ImageOwnerAlias",
        "ImageWatermarks",
        "LastLaunchedTime",
        "Name",
        "OwnerId",
        "Platform",
        "Public",
        "PublicSsmParameterName",
        "ScanResults",
        "SourceImageId",
        "SourceImageRegion",
        "State",
        "Tags",
    }
)
API_VERSION: Final = "2016-11-15"
FILE: Final = Path(__file__).parent.parent / "ami_deprecation/ec2/models/ec2" / API_VERSION / "service-2.json"

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def whole_model() -> dict[str, Any]:
    """EC2's model of the installed botocore."""
    model: dict[str, Any] = botocore.loaders.Loader().load_service_model("ec2", "service-2", API_VERSION)
    return model


def members_of_image() -> set[str]:
    """All that EC2 says of an image."""
    return set(whole_model()["shapes"]["Image"]["members"])


def cut() -> str:
    """The model's text: the actions, the shapes that they need, and no documentation."""
    whole = whole_model()
    members = whole["shapes"]["Image"]["members"]
    whole["shapes"]["Image"] = {
        **whole["shapes"]["Image"],
        "members": {name: members[name] for name in members if name in IMAGE},
    }
    operations = {action: without_documentation(whole["operations"][action]) for action in ACTIONS}
    needed: set[str] = set()
    waiting = names_of_shapes(operations)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting |= names_of_shapes(whole["shapes"][name])
    shapes = {name: without_documentation(whole["shapes"][name]) for name in sorted(needed)}
    kept = {
        "version": whole["version"],
        "metadata": whole["metadata"],
        "operations": operations,
        "shapes": shapes,
    }
    return json.dumps(kept, indent=1) + "\n"


def names_of_shapes(part: Json) -> set[str]:
    """The shapes that a part of the model refers to."""
    if isinstance(part, list):
        return set().union(*map(names_of_shapes, part))
    if not isinstance(part, dict):
        return set()
    name = part.get("shape")
    return set().union(*map(names_of_shapes, part.values())) | ({name} if isinstance(name, str) else set())


def without_documentation(part: Json) -> Json:
    """A part of the model without its texts; a member that is called so stays."""
    if isinstance(part, list):
        return [without_documentation(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: without_documentation(value)
        for key, value in part.items()
        if not (key == "documentation" and isinstance(value, str))
    }


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(cut())
    print(f"{FILE.stat().st_size:,} bytes", file=sys.stderr)
