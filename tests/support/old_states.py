"""States that version 0.1 wrote, as `pulumi stack export` showed them, with their programs and their images.

The files in tests/data/states-0.1 were written by the real CLI with the package at commit 4aeb270. They stand for
the states that users have, so nothing changes them. `created`, `modified`, the manifest and the secrets provider are
left out: they have nothing to do with the package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2

FOLDER = REPOSITORY / "tests" / "data" / "states-0.1"
DISABLE, ENABLE = "DisableImageDeprecation", "EnableImageDeprecation"

#: What destroy sends to EC2, for each state.
DESTROY = {
    "after-days": [DISABLE],
    "at": [DISABLE],
    "aws-provider": [DISABLE],
    "drifted": [],  # the date on the image is somebody else's
    "given-up": [],  # there is no date to cancel
    "in-days": [DISABLE],
    "nested": [DISABLE],
    "policy-notice": [DISABLE],
    "profile": [DISABLE],
    "public": [],  # EC2 does not cancel the date of a public image
    "restore": [ENABLE],
    "role": [DISABLE],
}
#: A policy lists its images in each run; nothing else calls EC2 while nothing changes.
PREVIEW = {"policy-notice": ["DescribeImages"]}
#: The one state in which EC2 has another date than the program.
DRIFTED = "drifted"


@dataclass(frozen=True)
class OldState:
    """One file.

    Attributes:
        now: EC2's clock when the state was written.
        images: the arguments of `LocalEC2.add_image`.
        program: the text of `__main__.py`.
        deployment: what `pulumi stack import` takes.
    """

    name: str
    now: datetime
    images: list[dict[str, Any]]
    program: str
    deployment: dict[str, Any]

    def fill(self, ec2: LocalEC2) -> None:
        """Give `ec2` the clock and the images."""
        ec2.set_time(self.now)
        for image in self.images:
            ec2.add_image(**image)

    def dates(self, ec2: LocalEC2) -> list[datetime | None]:
        """The dates of the images now."""
        return [
            ec2.image(image["image_id"], region=image.get("region", "eu-west-1")).deprecation_time
            for image in self.images
        ]

    def declare(self) -> None:
        """Run the program in this process."""
        exec(compile(self.program, self.name, "exec"), {"__name__": "__main__"})  # noqa: S102  # our own test data

    def write(self, file: Path) -> Path:
        """Write what `pulumi stack import --file` reads."""
        file.write_text(json.dumps({"version": 3, "deployment": self.deployment}))
        return file


def load(name: str) -> OldState:
    """Read one file."""
    read = json.loads((FOLDER / f"{name}.json").read_text())
    images = [
        {
            key: _time(value) if key in ("created", "deprecation_time") else value
            for key, value in image.items()
        }
        for image in read["images"]
    ]
    program = "\n".join([*read["program"], ""])
    return OldState(name, datetime.fromisoformat(read["now"]), images, program, read["deployment"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def second_profile(folder: Path) -> str:
    """A credentials file, for AWS_SHARED_CREDENTIALS_FILE, in which the profile `second` exists."""
    file = folder / "credentials"
    file.write_text("[second]\naws_access_key_id = second\naws_secret_access_key = second\n")
    return str(file)
