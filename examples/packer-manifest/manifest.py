"""Reads the file that Packer's manifest post-processor writes.

Format: https://developer.hashicorp.com/packer/docs/post-processors/manifest
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

#: What an Amazon builder writes as `artifact_id`: `<region>:<image id>`, with a comma between the Regions.
_ARTIFACT = re.compile(r"([a-z0-9-]+):(ami-[0-9a-f]+)")


class BuiltImage(NamedTuple):
    """One image of a Packer run."""

    build: str
    region: str
    image_id: str


def last_run(file: Path) -> list[BuiltImage]:
    """The images of the last Packer run, all Regions of each build.

    Packer adds each run to the file; those before the last are left out. So are builds that made no AMI.

    Raises:
        ValueError: the file is missing, no manifest, or its last run made no AMI; one sentence.
    """
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        run = manifest["last_run_uuid"]
        builds = [build for build in manifest["builds"] if build["packer_run_uuid"] == run]
        made = [
            BuiltImage(build["name"], region, image_id)
            for build in builds
            if build["builder_type"].startswith("amazon-")
            for region, image_id in _images(file, build["name"], build["artifact_id"])
        ]
    except FileNotFoundError:
        raise ValueError(f"{file.name}: there is no such file: run packer build first") from None
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(
            f"{file.name}: it is no file of Packer's manifest post-processor ({type(wrong).__name__}: {wrong})"
        ) from None
    if not made:
        raise ValueError(f"{file.name}: its last run, {run}, made no AMI: run packer build first")
    return made


def _images(file: Path, build: str, artifact_id: str) -> list[tuple[str, str]]:
    found = [_ARTIFACT.fullmatch(part) for part in artifact_id.split(",")]
    if None in found:
        raise ValueError(
            f"{file.name}: the artifact_id of build {build!r} is {artifact_id!r}, not like "
            "eu-west-1:ami-0123456789abcdef0,us-east-1:ami-0fedcba9876543210"
        )
    return [(match[1], match[2]) for match in found if match]
