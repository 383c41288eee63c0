"""What the installed botocore knows of EC2: it leaves fields that are newer than itself out of every response."""

from __future__ import annotations


def image_fields() -> tuple[frozenset[str], str]:
    """The fields of an image that the installed botocore reads, and its version."""
    import botocore  # noqa: PLC0415  # lazily: see the package's docstring
    import botocore.loaders  # noqa: PLC0415

    model = botocore.loaders.Loader().load_service_model("ec2", "service-2")
    return frozenset(model["shapes"]["Image"]["members"]), botocore.__version__
