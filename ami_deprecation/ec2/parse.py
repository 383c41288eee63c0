"""EC2's descriptions as values: what a response says of an image. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict, cast

from .. import dates
from ..image import SEVERITIES, Image, Scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_ec2.type_defs import ImageTypeDef, InstanceImageMetadataTypeDef


class _Watermark(TypedDict, total=False):
    WatermarkKey: str


class _ScanResults(TypedDict, total=False):
    HighestFindingSeverityLabel: str
    FindingScanDate: datetime
    CriticalFixAvailableSince: datetime
    HighFixAvailableSince: datetime
    MediumFixAvailableSince: datetime
    LowFixAvailableSince: datetime
    InformationalFixAvailableSince: datetime


class _NewerFields(TypedDict, total=False):
    """What the type stubs do not know yet. EC2 leaves out what an image does not have."""

    PublicSsmParameterName: str
    ImageWatermarks: list[_Watermark]
    ScanResults: _ScanResults


def to_image(raw: ImageTypeDef, region: str) -> Image:
    """EC2's description of an image as ours."""
    newer = cast("_NewerFields", raw)
    deprecation, launched = raw.get("DeprecationTime"), raw.get("LastLaunchedTime")
    return Image(
        id=raw["ImageId"],
        name=raw.get("Name", ""),
        region=region,
        owner_id=raw.get("OwnerId", ""),
        creation_date=_created(raw["CreationDate"]),
        deprecation_time=dates.parse_ec2(deprecation) if deprecation else None,
        state=raw.get("State", "available"),
        public=raw.get("Public", False),
        tags=MappingProxyType({tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}),
        last_launched_time=dates.parse_ec2(launched) if launched else None,
        architecture=raw.get("Architecture"),
        platform=raw.get("Platform"),
        description=raw.get("Description"),
        owner_alias=raw.get("ImageOwnerAlias"),
        deregistration_protection=raw.get("DeregistrationProtection"),
        public_ssm_parameter_name=newer.get("PublicSsmParameterName"),
        source_image_id=raw.get("SourceImageId"),
        source_image_region=raw.get("SourceImageRegion"),
        image_allowed=raw.get("ImageAllowed"),
        watermarks=tuple(
            sorted(
                mark["WatermarkKey"] for mark in newer.get("ImageWatermarks", []) if "WatermarkKey" in mark
            )
        ),
        scan=_to_scan(newer.get("ScanResults")),
    )


def _created(text: str) -> datetime:
    """A creation date.

    Raises:
        ValueError: it is none, or so late that no date can be counted from it.
    """
    created = dates.parse_ec2(text)
    dates.after_days(created, dates.MAX_DAYS)
    return created


def to_instance_image(raw: InstanceImageMetadataTypeDef, region: str) -> Image | None:
    """The image of an instance as ours, which says less than DescribeImages; None when EC2 does not know it."""
    image = raw.get("ImageMetadata", {})
    image_id, created, deprecation = (
        image.get("ImageId"),
        image.get("CreationDate"),
        image.get("DeprecationTime"),
    )
    if not image_id or not created:
        return None
    return Image(
        id=image_id,
        name=image.get("Name", ""),
        region=region,
        owner_id=image.get("OwnerId", ""),
        creation_date=dates.parse_ec2(created),
        deprecation_time=dates.parse_ec2(deprecation) if deprecation else None,
        state=image.get("State", "available"),
        public=image.get("IsPublic", False),
        owner_alias=image.get("ImageOwnerAlias"),
        image_allowed=image.get("ImageAllowed"),
    )


def _to_scan(raw: _ScanResults | None) -> Scan | None:
    # An empty structure says nothing: unknown, and not "no findings".
    if not raw:
        return None
    answered: Mapping[str, object] = {**raw}
    since = {severity: answered.get(f"{severity.capitalize()}FixAvailableSince") for severity in SEVERITIES}
    highest = raw.get("HighestFindingSeverityLabel")
    scanned = raw.get("FindingScanDate")
    return Scan(
        highest_severity=highest.lower() if highest else None,
        scanned_at=scanned.astimezone(timezone.utc) if scanned else None,
        fix_available_since=MappingProxyType(
            {
                severity: when.astimezone(timezone.utc)
                for severity, when in since.items()
                if isinstance(when, datetime)
            }
        ),
    )
