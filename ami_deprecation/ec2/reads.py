"""Reading images: few calls for many of them.

The engine asks for one image at a time, at most four at once. The first images of a process are asked for by
their ids; when more follow, one listing of the account's own images answers for the rest. An account with
many more images than that is asked by ids after all, those of waiting threads together in one call.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Condition
from types import MappingProxyType
from typing import TYPE_CHECKING

from .. import schedule
from ..errors import ImageNotFound
from ..image import Image
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
#: A listing that has not ended by then is of an account too large for it.
_MOST_PAGES = 3
#: DescribeImages' own maximum.
_PAGE = 1000
_MOST_IDS = 200


@dataclass
class _Entry:
    image: Image | None
    at: float


@dataclass
class Reader:
    """The images of one target, as this process has read them. Thread-safe."""

    target: Target
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _busy: bool = False
    _by_id_calls: list[float] = field(default_factory=list)
    _listed_at: float | None = None
    _too_large: bool = False
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
                listing = self._should_list(asked, max_age)
            try:
                if listing:
                    self._list()
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
        """After a write, what was read before is no longer true."""
        with self._changed:
            self._entries.pop(image_id, None)

    def _should_list(self, asked: float, max_age: float) -> bool:
        self._by_id_calls = [at for at in self._by_id_calls if at >= asked - max_age]
        recently = self._listed_at is not None and self._listed_at >= asked - max_age
        return not self._too_large and not recently and len(self._by_id_calls) >= _LIST_AFTER

    def _store(self, images: Mapping[str, Image | None], at: float) -> None:
        with self._changed:
            self._entries.update({image_id: _Entry(image, at) for image_id, image in images.items()})

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

    def _list(self) -> None:
        at = time.monotonic()
        token: str | None = None
        for _ in range(_MOST_PAGES):
            request: DescribeImagesRequestTypeDef = {"Owners": ["self"], "MaxResults": _PAGE}
            if token:
                request["NextToken"] = token
            images, token = describe(
                self.target, request, what=f"the account's images in {self.target.region}"
            )
            self._store({image.id: image for image in images}, at)
            if not token:
                break
        with self._changed:
            self._listed_at = at
            self._too_large = token is not None


def describe(
    target: Target, request: DescribeImagesRequestTypeDef, what: str, *, patience: float | None = None
) -> tuple[list[Image], str | None]:
    """One DescribeImages call: the images, whatever their state, and the token of the next page."""

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
    return [to_image(image, target.region) for image in response["Images"]], response.get("NextToken") or None


def to_image(raw: ImageTypeDef, region: str) -> Image:
    """EC2's description of an image as ours."""
    deprecation, launched = raw.get("DeprecationTime"), raw.get("LastLaunchedTime")
    return Image(
        id=raw["ImageId"],
        name=raw.get("Name", ""),
        region=region,
        owner_id=raw.get("OwnerId", ""),
        creation_date=schedule.parse_ec2(raw["CreationDate"]),
        deprecation_time=schedule.parse_ec2(deprecation) if deprecation else None,
        state=raw.get("State", "available"),
        public=raw.get("Public", False),
        tags=MappingProxyType({tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}),
        last_launched_time=schedule.parse_ec2(launched) if launched else None,
    )
