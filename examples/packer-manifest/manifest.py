"""Reads the file that Packer's manifest post-processor writes.

Format: https://developer.hashicorp.com/packer/docs/post-processors/manifest
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

#: The `artifact_id` of a build that made an AMI: `<region>:<image id>`, with a comma between Regions. It is the same for
#: every builder and post-processor (amazon-ebs, amazon-import, …); other artifacts look different.
_ARTIFACT = re.compile(r"([a-z0-9-]+):(ami-[0-9a-f]+)")
_AMI = re.compile(r"\bami-[0-9a-f]{8}")


class BuiltImage(NamedTuple):
    """One image of a Packer run."""

    #: The source's name; a number follows when it made a second image in the Region.
    build: str
    region: str
    image_id: str


def last_run(file: Path) -> list[BuiltImage]:
    """The images of the last Packer run, in every Region.

    Packer appends each run to the file; earlier runs are left out, and so are builds without an AMI.

    Raises:
        ValueError: the file is missing or not a manifest, or its last run made no AMI; one sentence.
    """
    try:
        manifest = json.loads(file.read_bytes())  # UTF-8, UTF-16 or UTF-32, with or without a byte order mark
        run = manifest["last_run_uuid"]
        artifacts = [
            (build["name"], build["artifact_id"])
            for build in manifest["builds"]
            if build["packer_run_uuid"] == run and _AMI.search(build["artifact_id"] or "")
        ]
    except FileNotFoundError:
        raise ValueError(f"{file.name}: the file does not exist: run packer build first") from None
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(
            f"{file.name}: not a file of Packer's manifest post-processor ({type(wrong).__name__}: {wrong})"
        ) from None
    images: dict[tuple[str, str], str] = {}
    for build, artifact_id in artifacts:
        for place in _images(file, build, artifact_id):
            images.setdefault(place, build)  # an artifact that is listed twice is one image
    if not images:
        raise ValueError(f"{file.name}: its last run, {run}, made no AMI: run packer build first")
    sources = {build for build, _ in artifacts}
    named: dict[tuple[str, str], BuiltImage] = {}
    for (region, image_id), build in images.items():
        name, number = build, 1
        # A source keeps its own name, even if another source's second image would get the same one.
        while (name, region) in named or (number > 1 and name in sources):
            number += 1
            name = f"{build}-{number}"
        named[name, region] = BuiltImage(name, region, image_id)
    return list(named.values())


def _images(file: Path, build: str, artifact_id: str) -> list[tuple[str, str]]:
    parts = [_ARTIFACT.fullmatch(part) for part in artifact_id.split(",")]
    if None in parts:
        raise ValueError(
            f"{file.name}: the artifact_id of build {build!r} is {artifact_id!r}, not like "
            "eu-west-1:ami-0123456789abcdef0,us-east-1:ami-0fedcba9876543210"
        )
    return [(match[1], match[2]) for match in parts if match]
