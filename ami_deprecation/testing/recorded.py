"""Images from a recorded answer of DescribeImages, as ``aws ec2 describe-images`` prints it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..image import SEVERITIES, Scan
from . import date_rules, describe_images
from .world import Details, Disk, Watermark, aware

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..image import Severity
    from .world import Record, World


def load(source: str | Path | Mapping[str, object]) -> list[Mapping[str, object]]:
    """The images of a JSON file, or of an answer of boto3's ``describe_images``.

    Raises:
        ValueError: it is not such an answer.
        OSError: the file cannot be read.
    """
    if isinstance(source, (str, Path)):
        try:
            answer: object = json.loads(Path(source).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{source} is not JSON: {error}") from None
    else:
        answer = source
    images = answer.get("Images") if isinstance(answer, dict) else answer
    if not isinstance(images, list) or not all(isinstance(each, dict) for each in images):
        where = source if isinstance(source, (str, Path)) else "the answer"
        raise ValueError(f"{where} does not hold the Images of aws ec2 describe-images")
    return images


def add(state: World, raw: Mapping[str, object], region: str, account: str | None) -> Record:
    """Make the image that ``raw`` describes.

    Args:
        state: where it is added.
        raw: one element of ``Images``.
        region: where it is added; the answer does not say where it came from.
        account: its owner; None: the one that was recorded.

    Raises:
        ValueError: there is an image with its id already, or a field has the wrong type.
        KeyError: there is no such Region.
    """
    image_id = _text(raw, "ImageId") or ""
    owner = account or _text(raw, "OwnerId")
    created = _time(raw, "CreationDate")
    if not describe_images.is_id(image_id) or owner is None or created is None:
        raise ValueError(f"a recorded image needs ImageId, OwnerId and CreationDate: {dict(raw)}")
    details = _details(raw)
    record = state.add(
        owner, region, _text(raw, "Name") or "", created=created, image_id=image_id, details=details
    )
    image = record.image
    image.state = _text(raw, "State") or "available"
    image.architecture = _text(raw, "Architecture") or image.architecture
    image.boot_mode = _text(raw, "BootMode")
    image.description = _text(raw, "Description")
    image.image_location = _text(raw, "ImageLocation") or image.image_location
    image.image_type = _text(raw, "ImageType") or image.image_type
    image.instance_id = _text(raw, "SourceInstanceId")
    image.kernel_id = _text(raw, "KernelId")
    image.owner_alias = _text(raw, "ImageOwnerAlias")
    image.platform = _text(raw, "Platform")
    image.root_device_name = _text(raw, "RootDeviceName") or image.root_device_name
    image.sriov = _text(raw, "SriovNetSupport")
    image.product_codes = {
        code for each in _items(raw, "ProductCodes") if (code := _text(each, "ProductCodeId"))
    }
    if raw.get("Public") is True:
        image.launch_permissions.append({"Group": "all"})
    state.set_tags(
        record, {_text(tag, "Key") or "": _text(tag, "Value") or "" for tag in _items(raw, "Tags")}
    )
    return record


def _details(raw: Mapping[str, object]) -> Details:
    reason = _structure(raw, "StateReason")
    return Details(
        deprecation_time=_time(raw, "DeprecationTime"),
        last_launched_time=_time(raw, "LastLaunchedTime"),
        deregistration_protection=_text(raw, "DeregistrationProtection") or "disabled",
        scan=_scan(_structure(raw, "ScanResults")),
        watermarks=tuple(_watermark(each) for each in _items(raw, "ImageWatermarks")),
        public_ssm_parameter_name=_text(raw, "PublicSsmParameterName"),
        source_image_id=_text(raw, "SourceImageId"),
        source_image_region=_text(raw, "SourceImageRegion"),
        image_allowed=_flag(raw, "ImageAllowed"),
        ramdisk_id=_text(raw, "RamdiskId"),
        ena_support=_flag(raw, "EnaSupport") or False,
        state_reason=None if not reason else (_text(reason, "Code") or "", _text(reason, "Message") or ""),
        disks=tuple(
            _disk(each, ebs)
            for each in _items(raw, "BlockDeviceMappings")
            if (ebs := _structure(each, "Ebs")) is not None
        )
        or None,
    )


def _scan(raw: Mapping[str, object] | None) -> Scan | None:
    if raw is None:
        return None
    fixes: dict[Severity, datetime] = {}
    for severity in SEVERITIES:
        since = _time(raw, f"{severity.title()}FixAvailableSince")
        if since is not None:
            fixes[severity] = since
    return Scan(_text(raw, "HighestFindingSeverityLabel"), _time(raw, "FindingScanDate"), fixes)


def _watermark(raw: Mapping[str, object]) -> Watermark:
    source_created, created = _time(raw, "SourceImageCreationTime"), _time(raw, "WatermarkCreationTime")
    if source_created is None or created is None:
        raise ValueError(f"a recorded watermark needs its two times: {dict(raw)}")
    return Watermark(
        _text(raw, "WatermarkKey") or "",
        _text(raw, "SourceImageId") or "",
        _text(raw, "SourceImageRegion") or "",
        source_created,
        created,
    )


def _disk(raw: Mapping[str, object], ebs: Mapping[str, object]) -> Disk:
    size = ebs.get("VolumeSize")
    return Disk(
        device_name=_text(raw, "DeviceName") or "",
        snapshot_id=_text(ebs, "SnapshotId") or "",
        volume_size=size if isinstance(size, int) else Disk.volume_size,
        volume_type=_text(ebs, "VolumeType") or Disk.volume_type,
        delete_on_termination=_flag(ebs, "DeleteOnTermination") or False,
        encrypted=_flag(ebs, "Encrypted") or False,
    )


def _text(raw: Mapping[str, object], name: str) -> str | None:
    value = raw.get(name)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{name} is {value!r}, not a text")


def _flag(raw: Mapping[str, object], name: str) -> bool | None:
    value = raw.get(name)
    return value if isinstance(value, bool) else None


def _time(raw: Mapping[str, object], name: str) -> datetime | None:
    value = raw.get(name)
    if isinstance(value, datetime):
        return aware(value)
    text = _text(raw, name)
    return None if text is None else date_rules.read_time(text)


def _structure(raw: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    value = raw.get(name)
    return value if isinstance(value, dict) else None


def _items(raw: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    value = raw.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
