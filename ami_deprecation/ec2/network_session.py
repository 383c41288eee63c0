"""A botocore session whose clients all use the network settings.

Also the clients that botocore makes itself: STS for a profile's role, the sign-in of a profile. Imported when a session
is made, as botocore is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from .. import _version
from . import translate

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from .target import Network


class Session(botocore.session.Session):
    """A session with the settings of a profile, except for the network.

    Args:
        profile: a profile of the AWS configuration.
        network: how AWS's endpoints are reached.
        retry_seconds: how long a call is retried; a call that hangs must end before that.
    """

    def __init__(self, profile: str | None, network: Network, retry_seconds: float) -> None:
        super().__init__(profile=profile)
        self._network = network
        self._retry_seconds = retry_seconds

    def create_client(  # type: ignore[override]  # as this package and botocore's credentials call it
        self,
        service_name: str,
        region_name: str | None = None,
        *,
        config: Config | None = None,
        verify: bool | str | None = None,
        **options: Any,
    ) -> BaseClient:
        """A client, without a proxy where ``noProxy`` names its host. Only the client knows the host."""

        def make(network: Network, *, direct: bool = False) -> BaseClient:
            ours = _config_of(network, self._retry_seconds, direct=direct)
            return super(Session, self).create_client(
                service_name,
                region_name,
                config=ours if config is None else ours.merge(config),
                verify=network.ca_bundle if verify is None else verify,
                **options,
            )

        network = self._network
        client = make(network)
        if network.no_proxy and _is_direct(translate.host_of(client.meta.endpoint_url), network.no_proxy):
            return make(replace(network, http_proxy=None, https_proxy=None), direct=True)
        return client


def _config_of(network: Network, retry_seconds: float, *, direct: bool) -> Config:
    # A third of the time for retries, so that a call that hangs is tried again.
    longest = min(20.0, max(1.0, retry_seconds / 3))
    proxies = {"http": network.http_proxy, "https": network.https_proxy}
    return Config(
        connect_timeout=min(5.0, longest),
        read_timeout=longest,
        # One try: the gateway retries, so that each try passes through the pacing.
        retries={"total_max_attempts": 1},
        max_pool_connections=8,
        # CloudTrail then shows who did it.
        user_agent_extra=f"ami-deprecation/{_version.__version__}",
        use_fips_endpoint=network.use_fips or None,
        use_dualstack_endpoint=network.use_dualstack or None,
        # None leaves it to the environment.
        proxies={scheme: url for scheme, url in proxies.items() if url} or ({} if direct else None),
    )


def _is_direct(host: str, no_proxy: str) -> bool:
    """Whether ``noProxy`` names a host or one of its parent domains."""
    names = [name.strip().lstrip(".") for name in no_proxy.split(",")]
    name = host.partition(":")[0]
    return any(each in {"*", host, name} or (each and name.endswith(f".{each}")) for each in names)
