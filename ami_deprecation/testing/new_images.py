"""The calls that make images: RegisterImage, CreateImage, CopyImage.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html and the pages of
the other two.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from . import describe_images, moto_backend, world
from .wire import EC2Error, elements
from .world import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .moto_backend import Instance
    from .wire import Request
    from .world import Record, World

_TAGGABLE = ("image", "snapshot")
_MOST_TAGS = 50
#: Source: the parameter Name of RegisterImage.
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}")
#: ClientToken's account, Region and value, to the request's other parameters and the image's id.
_Tokens = dict[tuple[str, str, str], tuple[dict[str, str], str]]


class NewImages:
    """Each method checks a request, and returns what makes the image and writes the answer."""

    def __init__(self, state: World) -> None:
        """Make images in ``state``."""
        self._state = state
        self._tokens: _Tokens = {}

    def register(self, account: str, request: Request) -> Callable[[], str]:
        """RegisterImage, from snapshots, which exist already: only the image gets tags.

        Raises:
            EC2Error: the name is missing, malformed or taken, or a tag cannot be given.
        """
        tags = _tags(request, ("image",))
        name = self._free_name(account, request)

        def carry_out() -> str:
            record = self._add(account, request, name)
            image, details = record.image, record.details
            image.architecture = request.text("Architecture") or image.architecture
            image.kernel_id = request.text("KernelId")
            image.root_device_name = request.text("RootDeviceName") or "/dev/sda1"
            image.virtualization_type = request.text("VirtualizationType") or image.virtualization_type
            image.boot_mode = request.text("BootMode") or image.boot_mode
            image.sriov = request.text("SriovNetSupport") or image.sriov
            details.ramdisk_id = request.text("RamdiskId")
            details.ena_support = request.flag("EnaSupport") or request.text("EnaSupport") is None
            root, others = _disks(request, record)
            # Without a mapping it has one volume, moto's.
            details.disks = tuple(filter(None, (root, *others))) or None
            return self._finish(record, tags)

        return carry_out

    def create(self, account: str, request: Request) -> Callable[[], str]:
        """CreateImage, from an instance: the image has its root volume, whatever other volumes are given.

        Raises:
            EC2Error: there is no such instance, the name is missing, malformed or taken, or a tag cannot
                be given.
        """
        instance = _instance(account, request)
        tags = _tags(request)
        name = self._free_name(account, request)

        def carry_out() -> str:
            record = self._add(account, request, name)
            image, details = record.image, record.details
            image.instance_id = instance.id
            image.architecture = instance.architecture or image.architecture
            image.platform = instance.platform
            image.virtualization_type = instance.virtualization_type
            image.kernel_id = instance.kernel
            details.source_image_id = instance.image_id
            details.source_image_region = request.region
            source = self._state.find(request.region, instance.image_id or "")
            if source is not None:
                details.watermarks = source.details.watermarks
                details.ena_support = source.details.ena_support
            root, others = _disks(request, record)
            [own] = record.disks
            # Of a volume that the instance has, only DeleteOnTermination can be another.
            own = own if root is None else replace(own, delete_on_termination=root.delete_on_termination)
            details.disks = (own, *others)
            image.ebs_snapshot.description = f"Created by CreateImage({instance.id}) for {image.id}"
            return self._finish(record, tags, [own.snapshot_id])

        return carry_out

    def copy(self, account: str, request: Request) -> Callable[[], str]:
        """CopyImage, from any Region.

        Launch permissions and the deprecation date are not copied, tags only with ``CopyImageTags``.

        Raises:
            EC2Error: there is no such image that the account may copy, a parameter is missing or
                malformed, or ``ClientToken`` was used for another request.
        """
        source_id, region = request.required("SourceImageId"), request.required("SourceRegion")
        name, tags = _name(request), _tags(request)
        source = self._state.find(region, source_id)
        if source is None or not (source.account == account or world.may_launch(source.image, account)):
            describe_images.check_id(source_id)
            raise describe_images.not_found([source_id])
        if source.image.state != "available":
            raise EC2Error("InvalidAMIID.Unavailable", f"The image id '[{source_id}]' is no longer available")
        token = request.text("ClientToken")
        key = (account, request.region, token or "")
        asked = {k: v for k, v in request.params.items() if k not in ("DryRun", "dryRun")}
        if token and key in self._tokens:
            before, image_id = self._tokens[key]
            if before != asked:
                text = f"The client token '{token}' was used with different parameters."
                raise EC2Error("IdempotentParameterMismatch", text)
            return lambda: elements([("imageId", image_id)])
        copied = {} if not request.flag("CopyImageTags") else _user_tags(source.tags)

        def carry_out() -> str:
            record = self._add(account, request, name)
            _copy_looks(source, record, encrypted=request.flag("Encrypted") or request.flag("encrypted"))
            if token:
                self._tokens[key] = asked, record.image.id
            tags_of_image = {**copied, **tags.get("image", {})}
            made = [disk.snapshot_id for disk in record.disks if disk.snapshot_id]
            return self._finish(record, {**tags, "image": tags_of_image}, made)

        return carry_out

    def clear(self) -> None:
        """Forget the client tokens."""
        self._tokens.clear()

    def _add(self, account: str, request: Request, name: str) -> Record:
        created = self._state.clock.now().replace(microsecond=0)
        record = self._state.add(account, request.region, name, created=created)
        record.image.description = request.text("Description")
        return record

    def _free_name(self, account: str, request: Request) -> str:
        """The name of an image that is made; an account has each one once in a Region."""
        name = _name(request)
        for record in self._state.visible(request.region, account):
            if record.account == account and record.image.name == name:
                text = f"AMI name {name} is already in use by AMI {record.image.id}"
                raise EC2Error("InvalidAMIName.Duplicate", text)
        return name

    def _finish(
        self,
        record: Record,
        tags: Mapping[str, Mapping[str, str]],
        snapshots: Sequence[str] = (),
    ) -> str:
        """Tag the image and the snapshots that were made with it, and write the answer."""
        self._state.set_tags(record, tags.get("image", {}))
        for snapshot_id in snapshots if tags.get("snapshot") else ():
            record.home.tags.setdefault(snapshot_id, {}).update(tags["snapshot"])
        return elements([("imageId", record.image.id)])


def _copy_looks(source: Record, record: Record, *, encrypted: bool) -> None:
    """What a copy has of its source."""
    theirs, ours = source.image, record.image
    ours.architecture, ours.platform = theirs.architecture, theirs.platform
    ours.virtualization_type, ours.hypervisor = theirs.virtualization_type, theirs.hypervisor
    ours.kernel_id, ours.boot_mode, ours.sriov = theirs.kernel_id, theirs.boot_mode, theirs.sriov
    ours.root_device_name, ours.root_device_type = theirs.root_device_name, theirs.root_device_type
    ours.product_codes = set(theirs.product_codes)
    record.details.source_image_id, record.details.source_image_region = theirs.id, source.region
    record.details.watermarks = source.details.watermarks
    record.details.ena_support = source.details.ena_support
    record.details.ramdisk_id = source.details.ramdisk_id
    disks: list[Disk] = []
    for disk in source.disks:
        # moto has made one snapshot for the copy, and a volume that begins empty has none.
        snapshot_id = disk.snapshot_id and (_copied(record, disk) if disks else ours.ebs_snapshot.id)
        disks.append(replace(disk, snapshot_id=snapshot_id, encrypted=disk.encrypted or encrypted))
    record.details.disks = tuple(disks)


def _copied(record: Record, disk: Disk) -> str:
    """The snapshot of a further volume of a copy."""
    text = f"Copied for DestinationAmi {record.image.id} for SourceSnapshot {disk.snapshot_id}"
    return moto_backend.new_snapshot(record.home, record.account, record.region, disk.volume_size, text)


def _name(request: Request) -> str:
    name = request.required("Name")
    if _NAME.fullmatch(name) is None:
        raise EC2Error(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, spaces and "
            "these characters: ( ) [ ] . / - ' @ _",
        )
    return name


def _tags(request: Request, taggable: tuple[str, ...] = _TAGGABLE) -> dict[str, dict[str, str]]:
    """Resource type to tags."""
    tags: dict[str, dict[str, str]] = {}
    for given in request.structures("TagSpecification"):
        kind = given.text("ResourceType") or given.text("resourceType") or ""
        if kind not in taggable:
            text = f"'{kind}' is not a valid taggable resource type for this operation."
            raise EC2Error("InvalidParameterValue", text)
        for tag in given.structures("Tag"):
            key = tag.text("Key") or ""
            if key.lower().startswith("aws:"):
                text = f"Tag keys starting with 'aws:' are reserved for internal use: {key}"
                raise EC2Error("InvalidParameterValue", text)
            tags.setdefault(kind, {})[key] = tag.text("Value") or ""
        if len(tags.get(kind, {})) > _MOST_TAGS:
            raise EC2Error("TagLimitExceeded", f"A resource has at most {_MOST_TAGS} tags")
    return tags


def _user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that ``CopyImageTags`` copies: not AWS's own."""
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def _instance(account: str, request: Request) -> Instance:
    instance_id = request.required("InstanceId")
    for reservation in moto_backend.backend(account, request.region).reservations.values():
        for instance in reservation.instances:
            if instance.id == instance_id:
                return instance
    raise EC2Error("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")


def _disks(request: Request, record: Record) -> tuple[Disk | None, tuple[Disk, ...]]:
    """The root volume of the request, None when it names none, and its other volumes."""
    root: Disk | None = None
    others: list[Disk] = []
    for given in request.structures("BlockDeviceMapping"):
        name = given.text("DeviceName") or record.image.root_device_name
        if given.text("NoDevice") is not None or given.text("VirtualName"):
            continue
        is_root = name == record.image.root_device_name
        # A further volume without a snapshot begins empty.
        default = Disk(name, record.image.ebs_snapshot.id if is_root else "")
        disk = Disk(
            device_name=name,
            snapshot_id=given.text("Ebs.SnapshotId") or default.snapshot_id,
            volume_size=int(given.text("Ebs.VolumeSize") or default.volume_size),
            volume_type=given.text("Ebs.VolumeType") or default.volume_type,
            delete_on_termination=given.text("Ebs.DeleteOnTermination") != "false",
            encrypted=given.flag("Ebs.Encrypted"),
        )
        if is_root:
            root = disk
        else:
            others.append(disk)
    return root, tuple(others)
