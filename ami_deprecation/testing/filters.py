"""The filters of DescribeImages and of DescribeInstanceImageMetadata.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from . import date_rules
from .wire import EC2Error, boolean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from ..image import Severity
    from .wire import Request
    from .world import Disk, Record, Watermark

Item = TypeVar("Item")


def tests(
    request: Request,
    values_of: Mapping[str, Callable[[Item], Iterable[str | None]]],
    tags_of: Callable[[Item], Mapping[str, str]],
) -> list[Callable[[Item], bool]]:
    """One test for each filter of a request; an item has to pass them all.

    Args:
        request: with ``Filter.1.Name``, ``Filter.1.Value.1`` and so on.
        values_of: for each filter's name, what it compares of an item; one match is enough.
        tags_of: an item's tags, for the filters ``tag:…`` and ``tag-key``.

    Raises:
        EC2Error: a filter has no name or one that EC2 does not know.
    """
    return [_test(each, values_of, tags_of) for each in request.structures("Filter")]


def _test(
    given: Request,
    values_of: Mapping[str, Callable[[Item], Iterable[str | None]]],
    tags_of: Callable[[Item], Mapping[str, str]],
) -> Callable[[Item], bool]:
    name = given.text("Name")
    if not name:
        raise EC2Error("InvalidParameterValue", "The filter 'null' is invalid")
    matches = _matcher(given.many("Value"))
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda item: matches(tags_of(item).get(key))
    if name == "tag-key":
        return lambda item: any(matches(key) for key in tags_of(item))
    values = values_of.get(name)
    if values is None:
        raise EC2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    return lambda item: any(matches(value) for value in values(item))


def _matcher(values: Sequence[str]) -> Callable[[str | None], bool]:
    """Match whole values; ``*`` and ``?`` are wildcards unless a backslash stands before them."""
    pattern = re.compile("|".join(_pattern(value) for value in values), re.DOTALL)
    return lambda text: text is not None and bool(values) and pattern.fullmatch(text) is not None


def _pattern(value: str) -> str:
    wild = {"*": ".*", "?": "."}
    parts = re.findall(r"\\.|.", value, re.DOTALL)
    return "".join(wild.get(part) or re.escape(part[-1]) for part in parts)


def one(value: Callable[[Item], str | None]) -> Callable[[Item], Iterable[str | None]]:
    """A filter that compares a single value."""
    return lambda item: (value(item),)


def yes_or_no(value: Callable[[Item], bool | None]) -> Callable[[Item], Iterable[str | None]]:
    """A filter that compares a boolean."""
    return lambda item: (boolean(value(item)),)


def time(value: Callable[[Item], datetime | None]) -> Callable[[Item], Iterable[str | None]]:
    """A filter that compares a time, in the form of DescribeImages."""

    def text(item: Item) -> Iterable[str | None]:
        when = value(item)
        return (None if when is None else date_rules.format_time(when),)

    return text


def _disk(value: Callable[[Disk], str | None]) -> Callable[[Record], Iterable[str | None]]:
    return lambda record: (value(disk) for disk in record.disks)


def _watermark(value: Callable[[Watermark], str]) -> Callable[[Record], Iterable[str | None]]:
    return lambda record: (value(each) for each in record.details.watermarks)


def _fix(severity: Severity) -> Callable[[Record], Iterable[str | None]]:
    return time(
        lambda r: None if r.details.scan is None else r.details.scan.fix_available_since.get(severity)
    )


#: Every filter of DescribeImages but ``tag:…`` and ``tag-key``.
OF_IMAGES: Mapping[str, Callable[[Record], Iterable[str | None]]] = {
    "architecture": one(lambda r: r.image.architecture),
    "block-device-mapping.delete-on-termination": _disk(lambda d: boolean(d.delete_on_termination)),
    "block-device-mapping.device-name": _disk(lambda d: d.device_name),
    "block-device-mapping.encrypted": _disk(lambda d: boolean(d.encrypted)),
    "block-device-mapping.snapshot-id": _disk(lambda d: d.snapshot_id),
    "block-device-mapping.volume-size": _disk(lambda d: str(d.volume_size)),
    "block-device-mapping.volume-type": _disk(lambda d: d.volume_type),
    "boot-mode": one(lambda r: r.image.boot_mode),
    "creation-date": time(lambda r: r.created),
    "description": one(lambda r: r.image.description),
    "ena-support": yes_or_no(lambda r: r.details.ena_support),
    "free-tier-eligible": lambda _: ("false",),
    "hypervisor": one(lambda r: r.image.hypervisor),
    "image-allowed": yes_or_no(lambda r: r.details.image_allowed),
    "image-id": one(lambda r: r.image.id),
    "image-type": one(lambda r: r.image.image_type),
    "image-watermark.source-image-creation-time": _watermark(lambda w: w.source_image_created.isoformat()),
    "image-watermark.source-image-id": _watermark(lambda w: w.source_image_id),
    "image-watermark.source-image-region": _watermark(lambda w: w.source_image_region),
    "image-watermark.watermark-creation-time": _watermark(lambda w: w.created.isoformat()),
    "image-watermark.watermark-key": _watermark(lambda w: w.key),
    # LocalEC2 keeps no InstanceTypeSpecification.
    "instance-type-specification.supported-instance-type": lambda _: (),
    "instance-type-specification.unsupported-instance-type": lambda _: (),
    "is-public": yes_or_no(lambda r: r.image.is_public),
    "kernel-id": one(lambda r: r.image.kernel_id),
    "manifest-location": one(lambda r: r.image.image_location),
    "name": one(lambda r: r.image.name),
    "owner-alias": one(lambda r: r.image.owner_alias),
    "owner-id": one(lambda r: r.image.owner_id),
    "platform": one(lambda r: r.image.platform),
    "product-code": lambda r: r.image.product_codes,
    "product-code.type": lambda r: ["marketplace"] if r.image.product_codes else [],
    "public-ssm-parameter-name": one(lambda r: r.details.public_ssm_parameter_name),
    "ramdisk-id": one(lambda r: r.details.ramdisk_id),
    "root-device-name": one(lambda r: r.image.root_device_name),
    "root-device-type": one(lambda r: r.image.root_device_type),
    "scan-result.critical-fix-available-since": _fix("critical"),
    "scan-result.finding-scan-date": time(lambda r: r.details.scan.scanned_at if r.details.scan else None),
    "scan-result.high-fix-available-since": _fix("high"),
    "scan-result.highest-finding-severity-label": one(
        lambda r: r.details.scan.highest_severity if r.details.scan else None
    ),
    "scan-result.informational-fix-available-since": _fix("informational"),
    "scan-result.low-fix-available-since": _fix("low"),
    "scan-result.medium-fix-available-since": _fix("medium"),
    "source-image-id": one(lambda r: r.details.source_image_id),
    "source-image-region": one(lambda r: r.details.source_image_region),
    "source-instance-id": one(lambda r: r.image.instance_id),
    "sriov-net-support": one(lambda r: r.image.sriov),
    "state": one(lambda r: r.image.state),
    "state-reason-code": one(lambda r: r.details.state_reason[0] if r.details.state_reason else None),
    "state-reason-message": one(lambda r: r.details.state_reason[1] if r.details.state_reason else None),
    "virtualization-type": one(lambda r: r.image.virtualization_type),
}
