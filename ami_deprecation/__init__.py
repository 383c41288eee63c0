"""Deprecation dates of Amazon Machine Images as Pulumi resources."""

from typing import TYPE_CHECKING

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
from .image import Image, Scan
from .resource import AmiDeprecation

if TYPE_CHECKING:
    from .configured import declare_from_config
    from .images import get_images, get_images_output
    from .policy import AmiDeprecationPolicy

__all__ = [
    "AmiDeprecation",
    "AmiDeprecationError",
    "AmiDeprecationPolicy",
    "CredentialsError",
    "EC2Unavailable",
    "Image",
    "ImageNotFound",
    "InvalidInput",
    "NotImageOwner",
    "PermissionDenied",
    "RequestRefused",
    "Scan",
    "Throttled",
    "WrongAccount",
    "__version__",
    "declare_from_config",
    "get_images",
    "get_images_output",
]

#: What a program imports only when it uses it, because the plugin's every start would pay for it.
_LAZY_EXPORTS = {
    "AmiDeprecationPolicy": "policy",
    "declare_from_config": "configured",
    "get_images": "images",
    "get_images_output": "images",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY_EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # only now is it needed

    return getattr(import_module(f".{_LAZY_EXPORTS[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__]
