"""The world of the state machine: four images, and what others do to them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.plugin.conftest import forget_images
from tests.support import model
from tests.support.dates import NOW, ahead
from tests.support.model import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2, LocalImage

images = st.integers(0, 3)


class World(RuleBasedStateMachine):
    """Images in two Regions, time that passes, and changes from outside."""

    ec2: ClassVar[LocalEC2]

    def __init__(self) -> None:
        super().__init__()
        self.ec2.set_time(None)
        #: Images changed from outside since the stack last looked.
        self.unseen: set[Place] = set()
        self.passed = timedelta()
        self.places = [
            self.add("eu-west-1"),
            self.add("eu-west-1"),
            self.add("eu-west-1"),
            self.add("us-east-1"),
        ]

    def teardown(self) -> None:
        self.ec2.faults.clear()
        forget_images(self.ec2)

    def add(self, region: str) -> Place:
        created = NOW - timedelta(days=model.AGE)
        return Place(self.ec2.add_image("image", region=region, created=created), region)

    @property
    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.passed

    def looks(self) -> dict[Place, LocalImage]:
        """How the images stand in truth."""
        return {place: model.look(self.ec2, place) for place in self.places}

    def dates(self) -> dict[Place, datetime | None]:
        return {place: image.deprecation_time for place, image in self.looks().items()}

    def outside(self, image: int, change: Callable[[Place], None]) -> None:
        place = self.places[image]
        if model.look(self.ec2, place).state != model.GONE:
            change(place)
            self.unseen.add(place)

    @rule(image=images, days=st.sampled_from([None, 50, 150, 250, 350]))
    def change_outside(self, image: int, days: int | None) -> None:
        self.outside(
            image,
            lambda place: self.ec2.set_deprecation_time(
                place.image_id, None if days is None else ahead(days), region=place.region
            ),
        )

    @rule(image=images)
    def make_public(self, image: int) -> None:
        self.outside(image, lambda place: self.ec2.make_public(place.image_id, region=place.region))

    @rule(image=images)
    def make_private(self, image: int) -> None:
        self.outside(image, lambda place: self.ec2.make_private(place.image_id, region=place.region))

    @rule(image=images)
    def disable(self, image: int) -> None:
        self.outside(image, lambda place: self.ec2.set_state(place.image_id, "disabled", region=place.region))

    @rule(image=images)
    def take_out_of_the_bin(self, image: int) -> None:
        """A deregistered image comes back, without its date."""
        place = self.places[image]
        if model.look(self.ec2, place).state == model.GONE:
            self.ec2.restore_image(place.image_id, region=place.region)
            self.unseen.add(place)

    @precondition(lambda self: self.passed < timedelta(days=300))
    @rule()
    def let_time_pass(self) -> None:
        self.advance(timedelta(days=150))

    def advance(self, by: timedelta) -> None:
        self.passed += by
        self.ec2.advance(by)
