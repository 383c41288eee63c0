"""examples/fleet, its README followed to the letter."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tests.support.examples import EXAMPLES, follow

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.conftest import MakeStack

FLEET = (
    ("base-web-2026-05", "0aaaaaaaaaaaaaaa1", "eu-west-1", datetime(2026, 5, 1, tzinfo=timezone.utc)),
    ("base-web-2026-08", "0aaaaaaaaaaaaaaa2", "eu-west-1", datetime(2026, 8, 1, tzinfo=timezone.utc)),
    ("base-web-2026-11", "0aaaaaaaaaaaaaaa3", "eu-west-1", datetime(2026, 11, 20, tzinfo=timezone.utc)),
    ("base-db-2026-02", "0bbbbbbbbbbbbbbb1", "us-east-1", datetime(2026, 2, 1, tzinfo=timezone.utc)),
    ("base-db-2026-06", "0bbbbbbbbbbbbbbb2", "us-east-1", datetime(2026, 6, 1, tzinfo=timezone.utc)),
    ("base-db-2026-09", "0bbbbbbbbbbbbbbb3", "us-east-1", datetime(2026, 9, 1, tzinfo=timezone.utc)),
)


def test_fleet_example_matches_its_readme(make_stack: MakeStack, ec2: LocalEC2) -> None:
    ec2.set_time(datetime(2026, 11, 23, 12, tzinfo=timezone.utc))
    for name, number, region, created in FLEET:
        tags = {"Family": name.split("-")[1]}
        ec2.add_image(name, image_id=f"ami-{number}", region=region, created=created, tags=tags)
    kept = ec2.add_image("base-golden", created=FLEET[0][3], tags={"Family": "web", "Keep": ""})
    template = "arn:aws:ec2:eu-west-1:123456789012:launch-template/lt-0ccccccccccccccc1"
    ec2.add_reference("ami-0aaaaaaaaaaaaaaa1", "ec2:LaunchTemplate", template)
    stack = make_stack(EXAMPLES / "fleet")
    follow(stack, "fleet")
    assert ec2.image(kept).deprecation_time is None
    dates = {
        image.name: f"{image.deprecation_time:%Y-%m-%d}"
        for region in ("eu-west-1", "us-east-1")
        for image in ec2.images(region=region)
        if image.deprecation_time
    }
    assert dates == {"base-web-2026-05": "2026-12-20", "base-db-2026-02": "2026-12-07"}
