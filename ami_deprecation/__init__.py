"""Deprecation dates of Amazon Machine Images as Pulumi resources."""

from ._version import __version__
from .errors import (
    AmiDeprecationError,
    CredentialsError,
    EC2Unavailable,
    ImageNotFound,
    InvalidInput,
    NotImageOwner,
    PermissionDenied,
    RequestRefused,
    Throttled,
    WrongAccount,
)
from .image import Image
from .resource import AmiDeprecation

__all__ = [
    "AmiDeprecation",
    "AmiDeprecationError",
    "CredentialsError",
    "EC2Unavailable",
    "Image",
    "ImageNotFound",
    "InvalidInput",
    "NotImageOwner",
    "PermissionDenied",
    "RequestRefused",
    "Throttled",
    "WrongAccount",
    "__version__",
]
