"""The public errors. Each message is one sentence: what, where, and what to do.

Catch them by type and branch on their data, never on their text. Their module is the package itself: the plugin's
server prints an exception with its traceback, and ``ami_deprecation.<Name>: sentence`` is the last line that a reader
should see (https://github.com/pulumi/pulumi/pull/24465).
"""

from __future__ import annotations

from typing import TypeVar

__all__ = [
    "AmiDeprecationError",
    "CredentialsError",
    "EC2Unavailable",
    "ImageNotFound",
    "InvalidInput",
    "NotImageOwner",
    "PermissionDenied",
    "RequestRefused",
    "Throttled",
    "WrongAccount",
]


class AmiDeprecationError(Exception):
    """Any error of this package. Unknown attributes are None."""

    #: AWS's error code, like ``UnauthorizedOperation``.
    code: str | None
    #: The API action that failed, like ``EnableImageDeprecation``; ``AssumeRole`` when a role could not be assumed.
    action: str | None
    #: The image that the error is about; None also when a call was about several.
    image_id: str | None
    #: The Region of the call.
    region: str | None
    #: The account of the credentials in force, twelve digits.
    account: str | None

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        action: str | None = None,
        image_id: str | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.action = action
        self.image_id = image_id
        self.region = region
        self.account = account


class InvalidInput(AmiDeprecationError):
    """An input is invalid; the message names it and the fix."""


class ImageNotFound(AmiDeprecationError):
    """The image is not in that Region, or it has been deregistered."""


class NotImageOwner(AmiDeprecationError):
    """Another account owns the image, and only the owner can set its deprecation date."""


class RequestRefused(AmiDeprecationError):
    """EC2 does not allow the request: a past date, more than ten years, a public image's limit, a failed image."""


class CredentialsError(AmiDeprecationError):
    """There are no credentials, or AWS does not accept them: missing, expired, wrong, or the clock is off."""


class PermissionDenied(CredentialsError):
    """The credentials are valid but lack an IAM action; the message names it."""


class WrongAccount(CredentialsError):
    """The credentials belong to an account that the aws configuration rules out, or that cannot see the image."""


class EC2Unavailable(AmiDeprecationError):
    """EC2 gave no usable response until retries ran out."""


class Throttled(EC2Unavailable):
    """EC2 kept throttling until retries ran out."""


_Error = TypeVar("_Error", bound=AmiDeprecationError)


def with_message(error: _Error, message: str) -> _Error:
    """A new error of the same type and data, with another message."""
    return type(error)(message, **data_of(error))


def data_of(error: AmiDeprecationError) -> dict[str, str | None]:
    """What an error knows beside its message, as arguments for another one."""
    return {
        "code": error.code,
        "action": error.action,
        "image_id": error.image_id,
        "region": error.region,
        "account": error.account,
    }


for _name in __all__:
    globals()[_name].__module__ = "ami_deprecation"
