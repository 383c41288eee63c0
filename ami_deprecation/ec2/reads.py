"""Reading images: few calls for many of them.

The engine asks for one image at a time, at most four at once. The first images of a process are asked for by
their ids; when more follow, a listing of the account's own images answers for the rest. An account with many
more images than ours is listed little by little: ours are asked for by ids meanwhile, those of waiting threads
together in one call, and a further page is read for every ten of these calls. So neither an account of
20,000 images costs a small stack much, nor are a thousand images asked for one by one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from threading import Condition
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict, cast

from .. import dates
from ..errors import ImageNotFound, RequestRefused
from ..image import SEVERITIES, Image, Scan
from . import translate
from .transport import Target, call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import (
        DescribeImagesRequestTypeDef,
        DescribeImagesResultTypeDef,
        ImageTypeDef,
    )

#: This many calls by id within a listing's age, then a listing.
_LIST_AFTER = 2
#: So many of its pages at once; most accounts end before that.
_PAGES_AT_ONCE = 3
#: A page of a thousand images takes EC2 and us about the time of so many calls by id.
_CALLS_PER_PAGE = 10
#: DescribeImages' own maximum.
_PAGE = 1000
_MOST_IDS = 200


@dataclass
class _Entry:
    image: Image | None
    at: float


@dataclass
class _Listing:
    """How far the account's own images are listed. Only the thread that reads touches it."""

    began: float = 0.0
    pages: int = 0
    token: str | None = None

    @property
    def ended(self) -> bool:
        return self.pages > 0 and self.token is None


@dataclass
class Reader:
    """The images of one target, as this process has read them. Thread-safe."""

    target: Target
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _busy: bool = False
    _by_id_calls: list[float] = field(default_factory=list)
    _listing: _Listing = field(default_factory=_Listing)
    _written: dict[str, float] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)

    def get(self, image_id: str, max_age: float) -> Image | None:
        """One image, read at most ``max_age`` seconds ago; None when it is not there."""
        asked = time.monotonic()
        while True:
            with self._changed:
                entry = self._fresh(image_id, asked, max_age)
                if entry is not None:
                    self._wanted.discard(image_id)
                    return entry.image
                self._wanted.add(image_id)
                if self._busy:
                    self._changed.wait()
                    continue
                self._busy = True
            try:
                while self._page_is_due(image_id, asked, max_age):
                    self._read_page()
                self._read(self._take(image_id, asked, max_age))
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _fresh(self, image_id: str, asked: float, max_age: float) -> _Entry | None:
        entry = self._entries.get(image_id)
        return entry if entry is not None and entry.at >= asked - max_age else None

    def _take(self, image_id: str, asked: float, max_age: float) -> list[str]:
        """The ids that still have to be asked for, ours first."""
        with self._changed:
            waiting = [image_id, *sorted(self._wanted - {image_id})][:_MOST_IDS]
            self._wanted.difference_update(waiting)
            return [each for each in waiting if self._fresh(each, asked, max_age) is None]

    def forget(self, image_id: str) -> None:
        """After a write, what was read before is no longer true, also when its answer is still on its way."""
        with self._changed:
            self._entries.pop(image_id, None)
            self._written[image_id] = time.monotonic()

    def _store(self, images: Mapping[str, Image | None], at: float) -> None:
        with self._changed:
            self._entries.update(
                {
                    image_id: _Entry(image, at)
                    for image_id, image in images.items()
                    if at > self._written.get(image_id, 0.0)
                }
            )

    def _page_is_due(self, image_id: str, asked: float, max_age: float) -> bool:
        with self._changed:
            if self._fresh(image_id, asked, max_age) is not None:
                return False  # it was on the page before
        since = asked - max_age
        by_id = sum(at >= since for at in self._by_id_calls)
        if by_id < _LIST_AFTER:
            return False
        if self._listing.began < since:
            self._listing = _Listing()
        beyond = max(0, self._listing.pages + 1 - _PAGES_AT_ONCE)
        return not self._listing.ended and by_id >= _LIST_AFTER + beyond * _CALLS_PER_PAGE

    def _read_page(self) -> None:
        at = time.monotonic()
        known = self._listing
        request: DescribeImagesRequestTypeDef = {"Owners": ["self"], "MaxResults": _PAGE}
        if known.token:
            request["NextToken"] = known.token
        try:
            # An image that cannot be read is an error for its own resource only, which asks by id.
            images, token = describe(
                self.target, request, what=f"the account's images in {self.target.region}", unusable=[]
            )
        except RequestRefused:
            if not known.token:
                raise
            images, token = [], None  # a token too old: what the listing has not shown is asked for by ids
        self._store({image.id: image for image in images}, at)
        self._listing = _Listing(began=known.began if known.pages else at, pages=known.pages + 1, token=token)

    def _read(self, ids: list[str]) -> None:
        if not ids:
            return
        at = time.monotonic()
        self._by_id_calls.append(at)
        try:
            found = describe(
                self.target, {"ImageIds": ids}, what=f"{', '.join(ids)} in {self.target.region}"
            )[0]
        except ImageNotFound:
            if len(ids) == 1:
                self._store({ids[0]: None}, at)
                return
            for image_id in ids:  # one absent id fails the whole call
                self._read([image_id])
            return
        by_id = {image.id: image for image in found}
        self._store({image_id: by_id.get(image_id) for image_id in ids}, at)


def describe(
    target: Target,
    request: DescribeImagesRequestTypeDef,
    what: str,
    *,
    patience: float | None = None,
    unusable: list[str] | None = None,
) -> tuple[list[Image], str | None]:
    """One DescribeImages call: the images, whatever their state, and the token of the next page.

    An image without a usable creation date is left out and added to ``unusable``; without such a list it is an error.
    """

    def ask(client: EC2Client) -> DescribeImagesResultTypeDef:
        everything: DescribeImagesRequestTypeDef = {
            "IncludeDeprecated": True,
            "IncludeDisabled": True,
            **request,
        }
        response = client.describe_images(**everything)
        if "Images" not in response:  # an HTML page parses, and has no images: that is not "none"
            raise translate.NoAnswer("the answer was not one of EC2's")
        return response

    response = call(target, "DescribeImages", what, ask, patience=patience)
    images: list[Image] = []
    for raw in response["Images"]:
        try:
            images.append(to_image(raw, target.region))
        except (KeyError, ValueError):  # noqa: PERF203  # each of them
            image_id = raw.get("ImageId", "an image")
            if unusable is None:
                raise RequestRefused(
                    f"EC2 gives no usable creation date of {image_id} in {target.region} ({raw.get('CreationDate')!r}): ask "
                    "AWS Support about the image"
                ) from None
            unusable.append(image_id)
    return images, response.get("NextToken") or None


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
    """What the type stubs do not know yet. A botocore too old for a field leaves it out of the answer."""

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
        creation_date=dates.parse_ec2(raw["CreationDate"]),
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
