"""What the provider asks of EC2: read an image, set its date, cancel it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from .. import dates
from . import translate
from .reads import Reader
from .transport import Target, call, caller_account, now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import (
        DisableImageDeprecationResultTypeDef,
        EnableImageDeprecationResultTypeDef,
    )

    from ..image import Image

__all__ = ["Target", "caller_account", "disable", "enable", "now", "read_image"]

_lock = Lock()
_readers: dict[Target, Reader] = {}


def _reader(target: Target) -> Reader:
    with _lock:
        return _readers.setdefault(target, Reader(target))


def read_image(target: Target, image_id: str, max_age: float) -> Image | None:
    """The image as EC2 describes it, deprecated and disabled ones too; None when it is not there.

    Args:
        target: as whom and where.
        image_id: ``ami-…``.
        max_age: how many seconds old the answer may be; 0 for a fresh one.

    Raises:
        AmiDeprecationError: one of its subclasses, when EC2 does not answer or not to us.
    """
    return _reader(target).get(image_id, max_age)


def enable(target: Target, image_id: str, when: datetime) -> None:
    """EnableImageDeprecation: set or move the date.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html
    """

    def ask(client: EC2Client) -> EnableImageDeprecationResultTypeDef:
        # As a datetime: botocore would parse a text twice for each call.
        response = client.enable_image_deprecation(ImageId=image_id, DeprecateAt=dates.to_minute(when))
        _check_done(response)
        return response

    try:
        call(target, "EnableImageDeprecation", f"{image_id} in {target.region}", ask)
    finally:
        _reader(target).forget(image_id)


def disable(target: Target, image_id: str) -> None:
    """DisableImageDeprecation: cancel the date; on an image without one it does nothing.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImageDeprecation.html
    """

    def ask(client: EC2Client) -> DisableImageDeprecationResultTypeDef:
        response = client.disable_image_deprecation(ImageId=image_id)
        _check_done(response)
        return response

    try:
        call(target, "DisableImageDeprecation", f"{image_id} in {target.region}", ask)
    finally:
        _reader(target).forget(image_id)


def _check_done(response: Mapping[str, object]) -> None:
    if "Return" not in response:  # an HTML page parses, and says nothing
        raise translate.NoAnswer("the answer was not one of EC2's")
    if not response["Return"]:
        raise translate.NoAnswer("EC2 answered that it did not do it")
