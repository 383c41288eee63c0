"""DescribeImages: which images an account sees, page by page, and how each is written.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html; for what is
hidden from whom, the EC2 User Guide's pages ami-deprecate and disable-an-ami.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import date_rules, filters, world
from .wire import EC2Error, boolean, elements, item_set, tag_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ..image import Scan
    from .wire import Request
    from .world import Disk, Record, Watermark, World

_MIN_PAGE, _MAX_PAGE = 5, 1000
_IMAGE_ID = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")


def is_id(text: str) -> bool:
    """Whether a text has the form of an image id."""
    return _IMAGE_ID.fullmatch(text) is not None


def check_id(image_id: str) -> None:
    """Raise InvalidAMIID.Malformed for a text that cannot be an image id."""
    if not is_id(image_id):
        raise EC2Error("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')


def not_found(image_ids: Sequence[str]) -> EC2Error:
    """DescribeImages' error for ids that do not exist."""
    listed = ", ".join(image_ids)
    text = f"ids '[{listed}]' do not" if len(image_ids) > 1 else f"id '[{listed}]' does not"
    return EC2Error("InvalidAMIID.NotFound", f"The image {text} exist")


def select(state: World, account: str, request: Request) -> list[Record]:
    """The images that answer a request, all pages together.

    Raises:
        EC2Error: an id is malformed or unknown (one bad id fails the whole call), or a filter is.
    """
    region, now = request.region, state.clock.now()
    include_deprecated = request.flag("IncludeDeprecated")
    include_disabled = request.flag("IncludeDisabled")
    owners, users = request.many("Owner"), request.many("ExecutableBy")
    tests = filters.tests(request, filters.OF_IMAGES, lambda record: record.tags)

    def shown(record: Record) -> bool:
        own = record.account == account
        if record.image.state == "disabled" and not (own and include_disabled):
            return False
        when = record.details.deprecation_time
        return own or bool(request.image_ids) or include_deprecated or when is None or when > now

    def wanted(record: Record) -> bool:
        return (
            (not owners or _has_owner(record, owners, account))
            and (not users or _is_shared_with(record, users, account))
            and all(test(record) for test in tests)
        )

    if request.image_ids:
        candidates: Iterable[Record] = _by_id(state, account, region, request.image_ids)
    else:
        candidates = state.visible(region, account)
    return [record for record in candidates if shown(record) and wanted(record)]


def _by_id(state: World, account: str, region: str, image_ids: Sequence[str]) -> list[Record]:
    for image_id in image_ids:
        check_id(image_id)
    here: list[Record] = []
    unknown: list[str] = []
    for image_id in dict.fromkeys(image_ids):
        record = state.find(region, image_id)
        if record is not None and (record.account == account or world.may_launch(record.image, account)):
            here.append(record)
        elif not state.was_deregistered(region, image_id):
            unknown.append(image_id)
    if unknown:
        raise not_found(unknown)
    return here


def _has_owner(record: Record, owners: Sequence[str], account: str) -> bool:
    return (
        record.image.owner_id in owners
        or ("self" in owners and record.account == account)
        or (record.image.owner_alias is not None and record.image.owner_alias in owners)
    )


def _is_shared_with(record: Record, users: Sequence[str], account: str) -> bool:
    """Whether one of ``users`` has an explicit launch permission; everybody has one for a public image.

    The API reference: for another account's id, "only AMIs shared with that specific account ID are
    returned"; public images are what ``all`` returns.
    """
    permissions = record.image.launch_permissions
    if "all" in users and record.image.is_public:
        return True
    named = [account if user == "self" else user for user in users]
    return any({"UserId": user} in permissions for user in named)


@dataclass
class Pages:
    """What is left of paginated answers. A token stays valid, so that a page can be asked for again."""

    max_tokens: int = 64
    _rest: OrderedDict[str, tuple[Sequence[str], int]] = field(default_factory=OrderedDict)

    def page(self, state: World, account: str, request: Request) -> tuple[list[Record], str | None]:
        """One page and the token of the next.

        Raises:
            EC2Error: the token is unknown, MaxResults is out of range, or ImageIds are paginated.
        """
        size, token = _page_size(request), request.text("NextToken")
        if request.image_ids and (size or token):
            raise EC2Error(
                "InvalidParameterCombination", "The parameter ImageIds cannot be used with pagination"
            )
        if token:
            if token not in self._rest:
                raise EC2Error("InvalidNextToken", "The token is invalid or has expired")
            ids, start = self._rest[token]
        else:
            records = select(state, account, request)
            if not size or len(records) <= size:
                return records, None
            ids, start = [record.image.id for record in records], 0
        end = start + (size or _MAX_PAGE)
        # An image that has gone since the first page is left out: it can no longer be described.
        page = [record for i in ids[start:end] if (record := state.find(request.region, i)) is not None]
        return page, self._keep(ids, end) if end < len(ids) else None

    def clear(self) -> None:
        """Forget all tokens."""
        self._rest.clear()

    def _keep(self, ids: Sequence[str], start: int) -> str:
        token = secrets.token_urlsafe(24)
        self._rest[token] = ids, start
        while len(self._rest) > self.max_tokens:
            self._rest.popitem(last=False)
        return token


def _page_size(request: Request) -> int:
    text = request.text("MaxResults")
    if text is None:
        return 0
    if not text.isdigit() or not _MIN_PAGE <= int(text) <= _MAX_PAGE:
        limits = f"Expecting a value between {_MIN_PAGE} and {_MAX_PAGE}."
        raise EC2Error(
            "InvalidParameterValue", f"Value ( {text} ) for parameter maxResults is invalid. {limits}"
        )
    return int(text)


def item(record: Record, deprecation_time: datetime | None) -> str:
    """One image as DescribeImages writes it, with the date that this answer shows for it.

    Plain text formatting, because accounts have thousands of images.
    """
    image, details = record.image, record.details
    text = elements(
        (
            ("imageId", image.id),
            ("imageLocation", image.image_location or f"{record.account}/{image.name}"),
            ("imageState", image.state),
            ("imageOwnerId", image.owner_id),
            ("creationDate", date_rules.format_time(record.created)),
            ("isPublic", boolean(image.is_public)),
            ("architecture", image.architecture),
            ("imageType", image.image_type),
            ("kernelId", image.kernel_id),
            ("ramdiskId", details.ramdisk_id),
            ("platform", image.platform),
            ("imageOwnerAlias", image.owner_alias),
            ("name", image.name),
            ("description", image.description),
            ("rootDeviceType", image.root_device_type),
            ("rootDeviceName", image.root_device_name),
            ("virtualizationType", image.virtualization_type),
            ("hypervisor", image.hypervisor),
            ("bootMode", image.boot_mode),
            ("enaSupport", boolean(details.ena_support)),
            ("sriovNetSupport", image.sriov),
            ("sourceInstanceId", image.instance_id),
            ("sourceImageId", details.source_image_id),
            ("sourceImageRegion", details.source_image_region),
            ("deprecationTime", _time(deprecation_time)),
            ("lastLaunchedTime", _time(details.last_launched_time)),
            ("deregistrationProtection", details.deregistration_protection),
            ("publicSsmParameterName", details.public_ssm_parameter_name),
            ("imageAllowed", boolean(details.image_allowed)),
        )
    )
    return text + "".join(
        (
            item_set("blockDeviceMapping", [_disk(disk) for disk in record.disks]),
            item_set("productCodes", [_product_code(code) for code in sorted(image.product_codes)]),
            tag_set(record.tags),
            watermark_set(details.watermarks),
            "" if details.scan is None else f"<scanResults>{_scan(details.scan)}</scanResults>",
            "" if details.state_reason is None else _state_reason(*details.state_reason),
        )
    )


def watermark_set(watermarks: Sequence[Watermark]) -> str:
    """The watermarks of an image."""
    return item_set(
        "imageWatermarkSet",
        [
            elements(
                (
                    ("watermarkKey", watermark.key),
                    ("sourceImageRegion", watermark.source_image_region),
                    ("sourceImageId", watermark.source_image_id),
                    ("sourceImageCreationTime", _time(watermark.source_image_created)),
                    ("watermarkCreationTime", _time(watermark.created)),
                )
            )
            for watermark in watermarks
        ],
    )


def _disk(disk: Disk) -> str:
    ebs = elements(
        (
            ("snapshotId", disk.snapshot_id),
            ("volumeSize", str(disk.volume_size)),
            ("deleteOnTermination", boolean(disk.delete_on_termination)),
            ("volumeType", disk.volume_type),
            ("encrypted", boolean(disk.encrypted)),
        )
    )
    return f"{elements([('deviceName', disk.device_name)])}<ebs>{ebs}</ebs>"


def _product_code(code: str) -> str:
    return elements((("productCode", code), ("type", "marketplace")))


def _scan(scan: Scan) -> str:
    fixes = ((f"{name}FixAvailableSince", _time(since)) for name, since in scan.fix_available_since.items())
    return elements(
        (
            ("highestFindingSeverityLabel", scan.highest_severity),
            ("findingScanDate", _time(scan.scanned_at)),
            *fixes,
        )
    )


def _state_reason(code: str, message: str) -> str:
    return f"<stateReason>{elements((('code', code), ('message', message)))}</stateReason>"


def _time(when: datetime | None) -> str | None:
    return None if when is None else date_rules.format_time(when)
