"""Region names: which one is in force, and whether a given one exists."""

from __future__ import annotations

import difflib
from functools import cache

from ..errors import CredentialsError, InvalidInput


@cache
def _known_regions() -> frozenset[str]:
    import botocore.session  # noqa: PLC0415  # lazily: see the package's docstring

    session = botocore.session.get_session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    )


def check_region(region: str) -> None:
    """Refuse the name of a Region that boto3 does not know, in any partition.

    Raises:
        InvalidInput: with the names that come nearest.
    """
    if region in _known_regions():
        return
    near = difflib.get_close_matches(region, _known_regions(), n=2, cutoff=0.7)
    hint = f"did you mean {' or '.join(near)}?" if near else "give one like eu-west-1"
    raise InvalidInput(
        f"{region!r} is not a Region that this boto3 knows: {hint} (for a new Region, upgrade boto3)"
    )


@cache
def default_region(profile: str | None) -> str | None:
    """The Region of boto3's own chain: environment, then the profile's configuration.

    Raises:
        CredentialsError: the profile does not exist.
    """
    import botocore.exceptions  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    try:
        region = botocore.session.Session(profile=profile).get_config_variable("region")
    except botocore.exceptions.ProfileNotFound:
        raise CredentialsError(
            f"the profile {profile!r} is not in your AWS configuration: add it, or set profile"
        ) from None
    return region if isinstance(region, str) else None
