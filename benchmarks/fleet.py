"""The fleet of the soak: what happens to its images, and which dates it should have in the end.

The expected dates are worked out here anew, from the policy's description and not by its code.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2, LocalImage

REGIONS = ("eu-west-1", "us-east-1", "ap-southeast-2")
FAMILIES = 10
OLDEST_DAYS = 300

#: What the last round asks for. Every date of it lies further ahead than the notice, so that there is one right answer.
LAST_POLICY: dict[str, object] = {"keep_newest": 2, "grace_days": 500, "notice_days": 14}


@dataclass
class Fleet:
    """Images in several Regions, and a seeded chance that changes them and the policy."""

    ec2: LocalEC2
    size: int
    chance: random.Random = field(default_factory=lambda: random.Random(2026))  # noqa: S311  # repeatable
    #: Dated by hand: somebody else's date on an image that the policy keeps is left alone.
    by_hand: set[str] = field(default_factory=set)
    _made: int = 0

    def __post_init__(self) -> None:
        """Make the images."""
        for number in range(self.size):
            self._make(REGIONS[number % len(REGIONS)], self.chance.uniform(1, OLDEST_DAYS))

    def _make(self, region: str, age_days: float) -> None:
        created = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=age_days)
        family = f"family-{self.chance.randrange(FAMILIES)}"
        self.ec2.add_image(
            f"{family}-{self._made:04}", region=region, created=created, tags={"Family": family}
        )
        self._made += 1

    def change(self) -> None:
        """What a week brings: new images, some that go, and somebody who moves and cancels dates by hand."""
        for region in REGIONS:
            images = self.ec2.images(region=region)
            gone, moved, canceled = self.chance.sample(images, 3)
            self.ec2.remove_image(gone.image_id, region=region)
            self._make(region, age_days=0.001)
            later = datetime.now(timezone.utc) + timedelta(days=self.chance.randrange(20, 2000))
            self.ec2.set_deprecation_time(
                moved.image_id, later.replace(second=0, microsecond=0), region=region
            )
            self.ec2.set_deprecation_time(canceled.image_id, None, region=region)
            self.by_hand.add(moved.image_id)

    def policy(self) -> dict[str, object]:
        """Another policy for all of it."""
        rules: dict[str, object] = {
            "keep_newest": self.chance.randrange(6),
            "grace_days": self.chance.randrange(400),
            "notice_days": self.chance.randrange(40),
        }
        if self.chance.random() < 0.5:  # noqa: PLR2004
            rules["deprecate_after_days"] = self.chance.randrange(100, 900)
        if self.chance.random() < 0.3:  # noqa: PLR2004
            rules["exclude"] = [f"family-{self.chance.randrange(FAMILIES)}-*"]
        return rules

    def wrong(self) -> list[str]:
        """The images that have another date than LAST_POLICY gives them."""
        return [
            f"{image.image_id} in {region}: {image.deprecation_time} instead of {date}"
            for region in REGIONS
            for image, date in _expected(self.ec2.images(region=region))
            if image.deprecation_time != date and not (date is None and image.image_id in self.by_hand)
        ]


def _expected(images: list[LocalImage]) -> list[tuple[LocalImage, datetime | None]]:
    keep, grace = 2, timedelta(days=500)
    expected: list[tuple[LocalImage, datetime | None]] = []
    for family in {image.tags["Family"] for image in images}:
        members = sorted((i for i in images if i.tags["Family"] == family), key=lambda i: i.image_id)
        members.sort(key=lambda i: i.creation_date, reverse=True)
        for rank, image in enumerate(members):
            due = None if rank < keep else members[rank - keep].creation_date + grace
            expected.append((image, due and (due + timedelta(seconds=30)).replace(second=0, microsecond=0)))
    return expected
