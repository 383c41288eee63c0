"""The images of all accounts: moto's, and beside each what moto does not keep; and the clock."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from . import date_rules, moto_backend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..image import Scan

DEREGISTERED = "deregistered"


class Clock:
    """The real time, until ``set`` stops it or ``advance`` moves it. Thread-safe."""

    def __init__(self) -> None:
        """Start with the real time."""
        self._lock = threading.Lock()
        self._fixed: datetime | None = None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """LocalEC2's current time, aware and in UTC."""
        with self._lock:
            return (self._fixed or datetime.now(timezone.utc)) + self._ahead

    def set(self, when: datetime | None) -> None:
        """Stop the clock at ``when``; None: back to the real time.

        Raises:
            ValueError: ``when`` has no offset.
        """
        fixed = aware(when)
        with self._lock:
            self._fixed, self._ahead = fixed, timedelta()

    def advance(self, by: timedelta) -> None:
        """Move the clock by ``by``, whether it runs or is stopped."""
        with self._lock:
            self._ahead += by


@dataclass(frozen=True)
class Watermark:
    """A watermark on an image, and where it was attached first.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImageWatermark.html
    """

    #: ``account:name``.
    key: str
    source_image_id: str
    source_image_region: str
    source_image_created: datetime
    created: datetime


@dataclass(frozen=True)
class Disk:
    """One EBS volume of an image's block device mapping."""

    device_name: str
    #: Empty for a volume that begins empty.
    snapshot_id: str
    volume_size: int = 15
    volume_type: str = "gp3"
    delete_on_termination: bool = True
    encrypted: bool = False


@dataclass
class Details:
    """What EC2 keeps with an image and moto does not. Times are aware and in UTC."""

    deprecation_time: datetime | None = None
    last_launched_time: datetime | None = None
    deregistration_protection: str = "disabled"
    #: The end of the cooldown of a protection that was disabled; None without one.
    protected_until: datetime | None = None
    scan: Scan | None = None
    watermarks: tuple[Watermark, ...] = ()
    public_ssm_parameter_name: str | None = None
    source_image_id: str | None = None
    source_image_region: str | None = None
    image_allowed: bool | None = None
    ramdisk_id: str | None = None
    ena_support: bool = True
    state_reason: tuple[str, str] | None = None
    #: None: one volume, moto's snapshot.
    disks: tuple[Disk, ...] | None = None


@dataclass(frozen=True)
class Record:
    """An image, its owner, Region and moto backend, and what moto does not keep."""

    account: str
    region: str
    home: moto_backend.Backend
    image: moto_backend.Image
    details: Details

    @property
    def tags(self) -> dict[str, str]:
        """Its tags, read-only: EC2 keeps them apart from the image."""
        return self.home.tags.get(self.image.id, {})

    @property
    def created(self) -> datetime:
        """Its CreationDate, aware, UTC."""
        return utc(self.image.creation_date)

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Its block device mapping."""
        if self.details.disks is None:
            return (Disk(self.image.root_device_name, self.image.ebs_snapshot.id),)
        return self.details.disks


@dataclass(frozen=True)
class LocalImage:
    """The true state of an image: what EC2 would show once every delay is over."""

    #: Such as ``ami-0123456789abcdef0``.
    image_id: str
    region: str
    #: The account that owns it.
    owner_id: str
    name: str
    #: EC2's ImageState, such as ``available`` or ``disabled``; ``deregistered`` also for an image that
    #: DescribeImages no longer shows.
    state: str
    #: Whether every account may launch it.
    public: bool
    #: Aware, UTC.
    creation_date: datetime
    #: Aware, UTC; None without a date.
    deprecation_time: datetime | None
    #: Aware, UTC; None when it has never been launched.
    last_launched_time: datetime | None
    tags: Mapping[str, str]
    #: The account ids that it is shared with, and ``all`` for a public image.
    launch_permissions: tuple[str, ...]
    #: ``disabled``, ``enabled-with-cooldown`` or ``enabled-without-cooldown``.
    deregistration_protection: str = "disabled"
    #: The keys of its watermarks, sorted.
    watermarks: tuple[str, ...] = ()
    #: What Amazon Inspector knows of it; None when it has not been scanned.
    scan: Scan | None = None


@dataclass
class World:
    """All accounts and Regions. Hold ``lock`` around every use."""

    clock: Clock = field(default_factory=Clock)
    lock: threading.RLock = field(default_factory=threading.RLock)
    #: Account to the Regions that are enabled for it; an account that is not here has moto's defaults.
    enabled_regions: dict[str, frozenset[str]] = field(default_factory=dict)
    _details: dict[tuple[str, str], Details] = field(default_factory=dict)
    _recycle_bin: dict[tuple[str, str], Record] = field(default_factory=dict)

    def regions(self, region: str) -> list[moto_backend.RegionInfo]:
        """Every Region of the partition that ``region`` is in."""
        home = moto_backend.backend(moto_backend.DEFAULT_ACCOUNT, region)
        return [each for each in home.describe_regions() if _partition(each.name) == _partition(region)]

    def enabled(self, account: str, region: str) -> frozenset[str]:
        """The Regions of that partition that are enabled for an account."""
        chosen = self.enabled_regions.get(account)
        return frozenset(
            each.name
            for each in self.regions(region)
            if (each.name in chosen if chosen is not None else each.opt_in_status == "opt-in-not-required")
        )

    def is_enabled(self, account: str, region: str) -> bool:
        """Whether an account may make calls to a Region; to every one until some are chosen."""
        chosen = self.enabled_regions.get(account)
        return chosen is None or region in chosen

    def watermark(self, record: Record, key: str) -> Watermark:
        """A watermark that is attached to an image now."""
        now = self.clock.now()
        return Watermark(key, record.image.id, record.region, record.created, now)

    def details(self, region: str, image_id: str) -> Details:
        """What is kept beside an image of moto's."""
        details = self._details.get((region, image_id))
        if details is None:
            details = self._details[region, image_id] = Details()
        return details

    def find(self, region: str, image_id: str) -> Record | None:
        """The image with this id in the Region, whoever owns it."""
        for account, home in moto_backend.backends(region):
            if (image := home.amis.get(image_id)) is not None:
                return Record(account, region, home, image, self.details(region, image_id))
        return None

    def was_deregistered(self, region: str, image_id: str) -> bool:
        """Whether EC2 still knows the id of an image that it no longer shows."""
        return any(image_id in home.deleted_amis for _, home in moto_backend.backends(region))

    def visible(self, region: str, account: str) -> Iterator[Record]:
        """The images of a Region that ``account`` owns or may launch, its own first."""
        moto_backend.backend(account, region)  # an account's first request creates its EC2
        for owner, home in sorted(moto_backend.backends(region), key=lambda pair: pair[0] != account):
            for image in home.amis.values():
                if owner == account or may_launch(image, account):
                    yield Record(owner, region, home, image, self.details(region, image.id))

    def add(
        self,
        account: str,
        region: str,
        name: str,
        *,
        created: datetime,
        image_id: str | None = None,
        details: Details | None = None,
    ) -> Record:
        """Make a private, available image.

        Raises:
            ValueError: the Region has an image with this id already.
            KeyError: there is no such Region.
        """
        home = moto_backend.backend(account, region)
        if image_id is not None and self.find(region, image_id) is not None:
            raise ValueError(f"there is an image {image_id} in {region} already")
        image = moto_backend.new_image(home, image_id, name, created)
        return self._keep(Record(account, region, home, image, details or Details()))

    def copies(self, record: Record, names: list[str]) -> list[Record]:
        """Make copies of an image under new names and ids, which share its snapshot.

        A copy costs a hundredth of moto's constructor, which makes a volume and a snapshot.
        """
        made = []
        for name in names:
            image = copy.copy(record.image)
            image.id, image.name = moto_backend.new_image_id(), name
            image.launch_permissions = list(record.image.launch_permissions)
            another = Record(record.account, record.region, record.home, image, copy.copy(record.details))
            self.set_tags(another, record.tags)
            made.append(self._keep(another))
        return made

    def _keep(self, record: Record) -> Record:
        record.image.image_location = f"{record.account}/{record.image.name}"
        record.home.amis[record.image.id] = record.image
        self._details[record.region, record.image.id] = record.details
        return record

    def set_tags(self, record: Record, tags: Mapping[str, str]) -> None:
        """Tag an image."""
        if tags:
            record.home.tags.setdefault(record.image.id, {}).update(tags)

    def make_public(self, record: Record) -> None:
        """Share an image with everybody, with what EC2 then does to its date."""
        if not record.image.is_public:
            record.image.launch_permissions.append({"Group": "all"})
        self.set_public_date(record)

    def set_public_date(self, record: Record) -> None:
        """Do to the date what EC2 does when an image becomes public."""
        details = record.details
        details.deprecation_time = date_rules.public_date(record.created, details.deprecation_time)

    def to_recycle_bin(self, record: Record) -> None:
        """Keep an image that is about to be deregistered, as a Recycle Bin rule does."""
        self._recycle_bin[record.region, record.image.id] = record

    def in_recycle_bin(self, region: str, image_id: str) -> Record | None:
        """A deregistered image that can be restored."""
        return self._recycle_bin.get((region, image_id))

    def restore(self, region: str, image_id: str) -> None:
        """Take an image out of the Recycle Bin: same id, private, without a date.

        No public page says whether the date survives in EC2; losing it is the harder case.

        Raises:
            KeyError: no such image was deregistered.
        """
        record = self._recycle_bin.pop((region, image_id))
        record.image.state = "available"
        record.image.launch_permissions = []
        record.home.amis[image_id] = record.image
        if image_id in record.home.deleted_amis:
            record.home.deleted_amis.remove(image_id)
        record.details.deprecation_time = None
        self._details[region, image_id] = record.details

    def deregister(self, record: Record) -> None:
        """Do what DeregisterImage does: DescribeImages by this id is empty afterwards."""
        self.to_recycle_bin(record)
        del record.home.amis[record.image.id]
        record.home.deleted_amis.append(record.image.id)

    def forget(self, region: str, image_id: str) -> None:
        """Remove every trace of an image: its id is unknown from now on."""
        for _, home in moto_backend.backends(region):
            home.amis.pop(image_id, None)
            if image_id in home.deleted_amis:
                home.deleted_amis.remove(image_id)
            home.tags.pop(image_id, None)
        self._details.pop((region, image_id), None)
        self._recycle_bin.pop((region, image_id), None)

    def clear(self) -> None:
        """Forget all images, and which Regions are enabled."""
        for home in moto_backend.all_backends():
            for image_id in (*home.amis, *home.deleted_amis):
                home.tags.pop(image_id, None)
            home.amis.clear()
            home.deleted_amis.clear()
        self._details.clear()
        self._recycle_bin.clear()
        self.enabled_regions.clear()


def _partition(region: str) -> str:
    special = ("us-gov-", "cn-", "us-iso")
    return next((prefix for prefix in special if region.startswith(prefix)), "")


def may_launch(image: moto_backend.Image, account: str) -> bool:
    """Whether the image is public or shared with ``account``."""
    return image.is_public or {"UserId": account} in image.launch_permissions


def utc(when: datetime) -> datetime:
    """Moto's times, which are naive or aware, as aware ones in UTC."""
    return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)


def aware(when: datetime | None) -> datetime | None:
    """A caller's time in UTC.

    Raises:
        ValueError: it has no offset.
    """
    if when is not None and when.tzinfo is None:
        raise ValueError(f"LocalEC2 needs times with an offset, not {when.isoformat()}")
    return None if when is None else when.astimezone(timezone.utc)


def snapshot(record: Record, state: str | None = None) -> LocalImage:
    """A frozen picture of an image."""
    image, details = record.image, record.details
    return LocalImage(
        image_id=image.id,
        region=record.region,
        owner_id=image.owner_id,
        name=image.name or "",
        state=state or image.state,
        public=image.is_public,
        creation_date=record.created,
        deprecation_time=details.deprecation_time,
        last_launched_time=details.last_launched_time,
        tags=dict(record.tags),
        launch_permissions=tuple(
            "all" if "Group" in permission else next(iter(permission.values()))
            for permission in image.launch_permissions
        ),
        deregistration_protection=details.deregistration_protection,
        watermarks=tuple(sorted(watermark.key for watermark in details.watermarks)),
        scan=details.scan,
    )
