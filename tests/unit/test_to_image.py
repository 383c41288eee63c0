"""EC2's description of an image as ours: every field, and those that an older botocore leaves out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

from ami_deprecation import Scan
from ami_deprecation.ec2.parse import to_image

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import ImageTypeDef

WHEN = datetime(2026, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
PLAIN: dict[str, object] = {"ImageId": "ami-0123456789abcdef0", "CreationDate": "2026-01-01T00:00:00.000Z"}


def raw(**fields: object) -> ImageTypeDef:
    return cast("ImageTypeDef", {**PLAIN, **fields})


def test_absent_fields_are_none() -> None:
    image = to_image(raw(), "eu-west-1")
    assert (image.scan, image.architecture, image.image_allowed) == (None, None, None)
    assert image.watermarks == ()


def test_empty_scan_is_unknown() -> None:
    assert to_image(raw(ScanResults={}), "eu-west-1").scan is None


def test_scan_and_watermarks_are_read() -> None:
    image = to_image(
        raw(
            Architecture="arm64",
            ImageOwnerAlias="amazon",
            ImageWatermarks=[{"WatermarkKey": "1:web"}, {"WatermarkKey": "1:base"}],
            PublicSsmParameterName="/aws/service/base",
            ScanResults={
                "HighestFindingSeverityLabel": "CRITICAL",
                "FindingScanDate": WHEN,
                "HighFixAvailableSince": WHEN,
            },
        ),
        "eu-west-1",
    )
    utc = WHEN.astimezone(timezone.utc)
    assert image.scan == Scan("critical", utc, {"high": utc})
    assert image.scan.fix_available_since["high"].utcoffset() == timedelta(0)
    assert image.watermarks == ("1:base", "1:web")
    assert (image.architecture, image.owner_alias) == ("arm64", "amazon")
    assert image.public_ssm_parameter_name == "/aws/service/base"
