"""The environment variables that point an AWS SDK at LocalEC2, and at nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = "[default]\n"


def variables(
    endpoint_url: str,
    host: str,
    keys: tuple[str, str, str],
    config_file: str,
    region: str | None,
    around: Mapping[str, str],
) -> dict[str, str]:
    """The variables to lay over ``around``, the environment that a child would inherit.

    Laying variables over others removes none, so those of ``around`` that would lead elsewhere are
    set here.

    Args:
        endpoint_url: the server's.
        host: its address, which must not go through a proxy.
        keys: key id, secret and session token.
        config_file: an existing file that holds ``CONFIG``.
        region: the default Region, or None to leave it open.
        around: usually ``os.environ``.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
    """
    bypass = [around.get("NO_PROXY") or around.get("no_proxy", ""), host, "localhost"]
    no_proxy = ",".join(part for part in bypass if part)
    chosen = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_SESSION_TOKEN": keys[2],
        "AWS_EC2_METADATA_DISABLED": "true",
        # The machine's own profiles must have no effect.
        "AWS_CONFIG_FILE": config_file,
        "AWS_SHARED_CREDENTIALS_FILE": config_file,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }
    # boto3 fails on a profile that no file has, and on an empty name too.
    chosen |= {name: "default" for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in around}
    chosen |= {
        name: endpoint_url for name in ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_STS") if name in around
    }
    if region is not None:
        chosen |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return chosen
