"""Policies in programs of the end-to-end tests, and fleets of images for them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

NOW = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
TYPE = "pulumi-python:dynamic/ec2:AmiDeprecation"
EU, US = "eu-west-1", "us-east-1"
#: A preview that fails when it would change anything.
QUIET = ("preview", "--expect-no-changes")


def policy(stack: Stack, **arguments: object) -> None:
    """Let the stack's program be one policy."""
    given = {"name": "base-*", "keep_newest": 1, "grace_days": 30, **arguments}
    listed = ", ".join(f"{key}={value!r}" for key, value in given.items())
    stack.program(f"import ami_deprecation\nami_deprecation.AmiDeprecationPolicy('base', {listed})\n")


def fleet(ec2: LocalEC2, *ages: float, region: str = EU) -> list[str]:
    """Images base-0, base-1 and so on, of these ages in days."""
    ec2.set_time(NOW)
    return [
        ec2.add_image(f"base-{number}", region=region, created=NOW - age * DAY)
        for number, age in enumerate(ages)
    ]


def date(ec2: LocalEC2, image_id: str, region: str = EU) -> datetime | None:
    return ec2.image(image_id, region=region).deprecation_time
