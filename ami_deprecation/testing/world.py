"""The images of all accounts: moto's, and beside each what moto does not know of it."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ami_deprecation.testing import joint, rules
from ami_deprecation.testing.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEREGISTERED = "deregistered"


@dataclass
class Facts:
    """What EC2 keeps with an image and moto does not. Times are aware and in UTC."""

    deprecation_time: datetime | None = None
    last_launched_time: datetime | None = None


@dataclass(frozen=True)
class Found:
    """An image, where it is, and whose."""

    account: str
    region: str
    home: joint.Backend
    image: joint.Image
    facts: Facts


@dataclass(frozen=True)
class LocalImage:
    """How an image stands now, in truth: what EC2 would show after all delays.

    Attributes:
        image_id: such as `ami-0123456789abcdef0`.
        region: its region.
        owner_id: the account that owns it.
        name: its name.
        state: EC2's ImageState, such as `available` or `disabled`; `deregistered` also for one that
            DescribeImages no longer shows.
        public: True when everybody may launch it.
        creation_date: aware, UTC.
        deprecation_time: aware, UTC; None when it has no date.
        last_launched_time: aware, UTC; None when never.
        tags: key to value.
        launch_permissions: account ids it is shared with, and `all` for a public image.
    """

    image_id: str
    region: str
    owner_id: str
    name: str
    state: str
    public: bool
    creation_date: datetime
    deprecation_time: datetime | None
    last_launched_time: datetime | None
    tags: Mapping[str, str]
    launch_permissions: tuple[str, ...]


@dataclass
class World:
    """All accounts and regions. Hold `lock` around every use."""

    clock: Clock = field(default_factory=Clock)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _facts: dict[tuple[str, str], Facts] = field(default_factory=dict)
    _bin: dict[tuple[str, str], Found] = field(default_factory=dict)

    def facts(self, region: str, image_id: str) -> Facts:
        """Return the facts of an image, also of one that moto made by itself (CreateImage, CopyImage)."""
        facts = self._facts.get((region, image_id))
        if facts is None:
            facts = self._facts[region, image_id] = Facts()
        return facts

    def find(self, region: str, image_id: str) -> Found | None:
        """Return the image with this id in the region, whoever owns it."""
        for account, home in joint.backends(region):
            if (image := home.amis.get(image_id)) is not None:
                return Found(account, region, home, image, self.facts(region, image_id))
        return None

    def was_deregistered(self, region: str, image_id: str) -> bool:
        """Return True for an id that EC2 still knows but no longer shows."""
        return any(image_id in home.deleted_amis for _, home in joint.backends(region))

    def visible(self, region: str, account: str) -> Iterator[Found]:
        """Yield the images of a region that `account` owns or may launch, its own first."""
        joint.backend(account, region)  # an account's first request makes its EC2
        for owner, home in sorted(joint.backends(region), key=lambda pair: pair[0] != account):
            for image in home.amis.values():
                if owner == account or may_launch(image, account):
                    yield Found(owner, region, home, image, self.facts(region, image.id))

    def add(  # noqa: PLR0913 - an image has as many sides
        self,
        account: str,
        region: str,
        name: str,
        *,
        image_id: str | None,
        created: datetime,
        public: bool,
        state: str,
        tags: Mapping[str, str],
        facts: Facts,
        copies: int = 1,
    ) -> list[str]:
        """Make `copies` images and return their ids. More than one: `name` gets a number, a backing snapshot is shared."""
        home = joint.backend(account, region)
        if image_id is not None and self.find(region, image_id) is not None:
            raise ValueError(f"there is an image {image_id} in {region} already")
        first = joint.new_image(home, image_id, name, created)
        ids: list[str] = []
        for number in range(copies):
            image = first
            if copies > 1:
                # A copy costs a hundredth of moto's constructor, which makes a volume and a snapshot.
                image = copy.copy(first)
                image.id, image.name = joint.new_image_id(), f"{name}-{number:05}"
            image.state = state
            image.launch_permissions = [{"Group": "all"}] if public else []
            image.image_location = f"{account}/{image.name}"
            home.amis[image.id] = image
            if tags:
                home.tags[image.id] = dict(tags)
            self._facts[region, image.id] = copy.copy(facts)
            if public:
                self.set_public_date(region, image)
            ids.append(image.id)
        return ids

    def set_public_date(self, region: str, image: joint.Image) -> None:
        """Do to the date what EC2 does when an image becomes public."""
        facts = self.facts(region, image.id)
        facts.deprecation_time = rules.public_date(utc(image.creation_date), facts.deprecation_time)

    def keep_for_restore(self, found: Found) -> None:
        """Keep an image that is about to be deregistered, as a Recycle Bin rule does."""
        self._bin[found.region, found.image.id] = found

    def in_bin(self, region: str, image_id: str) -> Found | None:
        """Return a deregistered image that can be restored."""
        return self._bin.get((region, image_id))

    def restore(self, region: str, image_id: str) -> Found:
        """Take an image out of the Recycle Bin: same id, private, without a date.

        Whether the date survives in EC2 is in no public page; losing it is the harder case.

        Raises:
            KeyError: no such image was deregistered.
        """
        found = self._bin.pop((region, image_id))
        found.image.state = "available"
        found.image.launch_permissions = []
        found.home.amis[image_id] = found.image
        if image_id in found.home.deleted_amis:
            found.home.deleted_amis.remove(image_id)
        self._facts[region, image_id] = Facts(None, found.facts.last_launched_time)
        return found

    def forget(self, region: str, image_id: str) -> None:
        """Remove every trace of an image: its id is unknown from now on."""
        for _, home in joint.backends(region):
            home.amis.pop(image_id, None)
            if image_id in home.deleted_amis:
                home.deleted_amis.remove(image_id)
            home.tags.pop(image_id, None)
        self._facts.pop((region, image_id), None)
        self._bin.pop((region, image_id), None)

    def clear(self) -> None:
        """Forget all images."""
        for home in joint.all_backends():
            for image_id in (*home.amis, *home.deleted_amis):
                home.tags.pop(image_id, None)
            home.amis.clear()
            home.deleted_amis.clear()
        self._facts.clear()
        self._bin.clear()

    def deregister(self, found: Found) -> None:
        """Do what DeregisterImage does: DescribeImages by this id is empty afterwards."""
        self.keep_for_restore(found)
        del found.home.amis[found.image.id]
        found.home.deleted_amis.append(found.image.id)


def may_launch(image: joint.Image, account: str) -> bool:
    """Return True when the image is public or shared with `account`."""
    return image.is_public or {"UserId": account} in image.launch_permissions


def utc(when: datetime) -> datetime:
    """Return moto's times, which are naive or aware, as aware ones in UTC."""
    return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)


def snapshot(found: Found, state: str | None = None) -> LocalImage:
    """Return a frozen picture of an image."""
    image = found.image
    return LocalImage(
        image_id=image.id,
        region=found.region,
        owner_id=image.owner_id,
        name=image.name or "",
        state=state or image.state,
        public=image.is_public,
        creation_date=utc(image.creation_date),
        deprecation_time=found.facts.deprecation_time,
        last_launched_time=found.facts.last_launched_time,
        tags=dict(found.home.tags.get(image.id, {})),
        launch_permissions=tuple(
            "all" if "Group" in p else next(iter(p.values())) for p in image.launch_permissions
        ),
    )
