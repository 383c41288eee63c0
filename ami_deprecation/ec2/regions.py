"""Region names: which ones exist, and which one the environment names."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from ..errors import CredentialsError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_partitions() -> dict[str, str]:
    """Every Region that this boto3 knows, to its partition (``aws``, ``aws-cn``, …)."""
    import botocore.loaders  # noqa: PLC0415  # lazily: see the package's docstring

    # The file by which botocore's clients resolve endpoints. A session's get_available_regions would first
    # read all of EC2's model, which takes longer than the rest of a start.
    partitions = botocore.loaders.Loader().load_data("partitions")["partitions"]
    return {
        region: partition["id"]
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")
    }


def refuse_unknown(region: str, known: Mapping[str, str]) -> None:
    """Refuse the name of a Region that boto3 does not know, in any partition.

    Raises:
        InvalidInput: with the closest names.
    """
    if region in known:
        return
    near = difflib.get_close_matches(region, known, n=2, cutoff=0.7)
    hint = f"did you mean {' or '.join(near)}?" if near else "give one like eu-west-1"
    raise InvalidInput(
        f"{region!r} is not a Region that this boto3 knows: {hint} (for a new Region, upgrade boto3)",
        region=region,
    )


def read_default(profile: str | None) -> str | None:
    """The Region of the environment (``AWS_REGION``, ``AWS_DEFAULT_REGION``), else of the profile.

    boto3 does not know ``AWS_REGION``, but the aws provider does, and an image should be where its other resources are.

    Raises:
        CredentialsError: the profile does not exist, or the configuration cannot be read.
    """
    import botocore.exceptions  # noqa: PLC0415  # lazily: see the package's docstring
    import botocore.session  # noqa: PLC0415

    try:
        region = botocore.session.Session(profile=profile).get_config_variable("region")
    except botocore.exceptions.ProfileNotFound:
        raise CredentialsError(
            f"the profile {profile!r} is not in your AWS configuration: add it, or set profile"
        ) from None
    except botocore.exceptions.BotoCoreError as wrong:
        raise CredentialsError(
            f"the AWS configuration file cannot be used ({type(wrong).__name__}): fix it, or set region"
        ) from None
    # An empty variable, as an empty setting of a CI system gives, counts as absent.
    return os.environ.get("AWS_REGION") or (region if isinstance(region, str) else None) or None
