"""examples/vulnerable-images, its README followed to the letter."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ami_deprecation.image import Scan
from tests.support.examples import EXAMPLES, follow

if TYPE_CHECKING:
    from ami_deprecation.image import Severity
    from ami_deprecation.testing import LocalEC2
    from tests.conftest import MakeStack


def november(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=timezone.utc)


#: Number, severity and day since when a fix is available.
FLEET: list[tuple[int, Severity, int]] = [(1, "critical", 12), (2, "high", 20), (3, "critical", 15)]


def test_vulnerable_images_example_matches_its_readme(make_stack: MakeStack, ec2: LocalEC2) -> None:
    ec2.set_time(november(23).replace(hour=12))
    for number, severity, day in FLEET:
        ec2.add_image(
            f"web-2026-{number + 8:02}",
            image_id=f"ami-0aaaaaaaaaaaaaaa{number}",
            created=datetime(2026, number + 8, 1, tzinfo=timezone.utc),
            scan=Scan(severity, november(22), {severity: november(day)}),
        )
    follow(make_stack(EXAMPLES / "vulnerable-images"), "vulnerable-images")
