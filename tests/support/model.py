"""What programs, images and states mean, counted anew: the model that the state machine compares with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal, TypedDict

import pulumi

from tests.support.dates import NOW
from tests.support.program import made
from tests.support.whole_life import role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ami_deprecation.testing import LocalEC2, LocalImage
    from tests.support.operation import Entry

Way = Literal["deprecate_at", "deprecate_after_days", "deprecate_in_days"]
OnDestroy = Literal["cancel", "restore"]

#: Images were made this many days ago.
AGE = 30
GONE = "deregistered"
#: Of LocalEC2's own account.
ROLE = role("123456789012")


@dataclass(frozen=True)
class Place:
    """An image, where it is."""

    image_id: str
    region: str


class Wish(TypedDict):
    """What a Spec says of its image."""

    way: Way
    days: int
    on_destroy: OnDestroy
    role: bool
    delete_first: bool


@dataclass(frozen=True)
class Spec:
    """What a program says of one image: the date in `days` from when the tests began, given in one of three ways."""

    place: Place
    way: Way
    days: int
    on_destroy: OnDestroy
    role: bool
    delete_first: bool

    def declare(self, name: str) -> None:
        """Make the resource."""
        values = {
            "deprecate_at": NOW + timedelta(days=self.days),
            "deprecate_after_days": self.days + AGE,
            "deprecate_in_days": self.days,
        }
        made(
            name,
            image_id=self.place.image_id,
            region=self.place.region,
            on_destroy=self.on_destroy,
            role_arn=ROLE if self.role else None,
            opts=pulumi.ResourceOptions(delete_before_replace=self.delete_first),
            **{self.way: values[self.way]},
        )()

    def wanted(self, entry: Entry | None) -> datetime | None:
        """The date that it asks for; of "in N days", what the state has settled it as."""
        if self.way == "deprecate_in_days":
            return None if entry is None else scheduled(entry)
        return NOW + timedelta(days=self.days)


def program(specs: Mapping[str, Spec]) -> Callable[[], None]:
    """The program that says all this."""
    frozen = dict(specs)

    def body() -> None:
        for name, spec in frozen.items():
            spec.declare(name)

    return body


def place_of(entry: Entry) -> Place:
    """The image that a resource in the state is about."""
    region, _, image_id = entry.id.partition("/")
    return Place(image_id, region)


def look(ec2: LocalEC2, place: Place) -> LocalImage:
    """How the image stands in truth."""
    return ec2.image(place.image_id, region=place.region)


def parse(text: object) -> datetime | None:
    """A date in the state."""
    if not isinstance(text, str):
        return None
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def scheduled(entry: Entry) -> datetime | None:
    """The date that a resource stands for."""
    return parse(entry.outputs.get("__scheduled") or entry.outputs.get("deprecation_time"))


def is_past(when: datetime, now: datetime) -> bool:
    """Whether EC2 can be given it no more."""
    return when < now + timedelta(minutes=2)


def after_delete(entry: Entry, image: LocalImage, now: datetime) -> datetime | None:
    """The date that the image has once this resource is gone."""
    live, ours = image.deprecation_time, scheduled(entry)
    if image.state == GONE or live != ours:
        return live
    original = parse(entry.outputs.get("previous_deprecation_time"))
    if entry.outputs["on_destroy"] == "restore" and original is not None:
        later = image.public and live is not None and original > live
        if original == ours or not (is_past(original, now) or later):
            return original
    return live if image.public else None
