"""The public errors. Each message is one sentence: what, where, and what to do.

They are caught by type, never by text. Their module is the package itself, because the plugin's
server prints an exception with its traceback and ``ami_deprecation.<Name>: sentence`` is what a
reader should find as its last line (facts: pulumi/pulumi#24465).
"""

from __future__ import annotations

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
    """Any error of this package."""


class InvalidInput(AmiDeprecationError):
    """An input has a value that cannot be meant: it is named, with the way out."""


class ImageNotFound(AmiDeprecationError):
    """The image is not in that region, or it is gone (deregistered)."""


class NotImageOwner(AmiDeprecationError):
    """Only an image's owner may give it a deprecation date, and another account owns it."""


class RequestRefused(AmiDeprecationError):
    """EC2 does not do this: a past date, more than ten years, a public image's limit, a failed image."""


class CredentialsError(AmiDeprecationError):
    """There are no credentials, or AWS does not accept them: missing, expired, wrong, or the clock is off."""


class PermissionDenied(CredentialsError):
    """The credentials are good but lack an IAM action; the sentence names it."""


class WrongAccount(CredentialsError):
    """The credentials are of an account that the aws configuration rules out, or that does not see the owner's image."""


class EC2Unavailable(AmiDeprecationError):
    """EC2 did not answer, or not sensibly, in the time given to retries."""


class Throttled(EC2Unavailable):
    """EC2 went on refusing calls for their rate in the time given to retries."""


for _name in __all__:
    globals()[_name].__module__ = "ami_deprecation"
