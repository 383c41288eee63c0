"""Sessions and clients of botocore: made when they are needed, one for each identity and Region, shared by threads.

botocore is the part of boto3 that makes calls. Importing the rest of boto3 takes a quarter longer, and boto3 does not
expose half of what this module needs.
"""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from ..errors import AmiDeprecationError, CredentialsError
from . import sources, translate
from .translate import NoClient, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import botocore.session
    from types_boto3_ec2 import EC2Client
    from types_boto3_sts import STSClient

    from .target import Role, Target

_Key = TypeVar("_Key", bound="Hashable")
_Made = TypeVar("_Made")

#: EC2's model with the calls of this package only. Reading botocore's own, with all of EC2, would be most of the time
#: and memory of a process that dates one image. ``tools/ec2_model.py`` makes it.
_MODELS = Path(__file__).parent / "models"


class Sessions:
    """The sessions and clients of one process. Thread-safe.

    Args:
        retry_seconds: how long a call is retried; a call that hangs must end before that.
        may_prompt: whether a person can be asked: for an MFA code, or by a ``credential_process``.
    """

    def __init__(self, retry_seconds: float, *, may_prompt: bool) -> None:
        self._retry_seconds = retry_seconds
        self._may_prompt = may_prompt
        self._lock = threading.RLock()  # making a client is not thread-safe; using one is
        self._base: dict[Hashable, botocore.session.Session] = {}
        self._helpers: dict[Hashable, sources.Helper] = {}
        self._assumed: dict[Target, botocore.session.Session] = {}
        self._ec2: dict[Target, EC2Client] = {}
        self._sts: dict[Target, STSClient] = {}

    def ec2(self, target: Target) -> EC2Client:
        """The EC2 client of a target.

        Raises:
            NoClient: botocore cannot make one.
            Unreachable: the network's configuration cannot be used.
            CredentialsError: likewise, as a sentence already.
        """
        with self._making(target):
            return _remembered(self._ec2, target, self._make_ec2)

    def sts(self, target: Target) -> STSClient:
        """The STS client of a target, at its Region's endpoint (which other partitions need); it raises what ``ec2`` does."""
        with self._making(target):
            return _remembered(self._sts, target, self._make_sts)

    @contextlib.contextmanager
    def _making(self, target: Target) -> Iterator[None]:
        """One thread at a time; what goes wrong here is told apart from what EC2 returns.

        botocore reads the configuration and looks for credentials when it makes a client, and not when it makes a call.
        """
        with self._lock:
            try:
                yield
            except Exception as error:  # botocore's own, ValueError for an endpoint, OSError for a file
                # botocore's session keeps which profiles it has visited, and would call a second visit an endless loop.
                self._base.pop(_base_key(target), None)
                if isinstance(error, (AmiDeprecationError, Unreachable)):
                    raise
                raise NoClient(error) from None

    def _make_ec2(self, target: Target) -> EC2Client:
        self._check_ca_bundle(target)
        return cast("EC2Client", self._session(target).create_client("ec2", region_name=target.region))

    def _make_sts(self, target: Target) -> STSClient:
        self._check_ca_bundle(target)
        return cast("STSClient", self._session(target).create_client("sts", region_name=target.region))

    def _check_ca_bundle(self, target: Target) -> None:
        """Refuse a bundle of certificates that is not there: botocore would name neither the setting nor the file.

        Raises:
            Unreachable: there is no such file.
        """
        own = target.network.ca_bundle
        configured = self._base_session(target).get_config_variable("ca_bundle")
        bundle = own or configured
        if bundle and not Path(bundle).exists():
            setting = "aws:customCaBundle" if own else "AWS_CA_BUNDLE (or ca_bundle of the profile)"
            raise Unreachable(f"{setting} names {bundle}, and there is no such file")

    def _session(self, target: Target) -> botocore.session.Session:
        if not target.identity.roles:
            return self._base_session(target)
        return _remembered(self._assumed, target, self._make_session)

    def _make_session(self, target: Target) -> botocore.session.Session:
        session = self._base_session(target)
        for role in target.identity.roles:
            session = self._assume(session, role, target)
        return session

    def _base_session(self, target: Target) -> botocore.session.Session:
        return _remembered(self._base, _base_key(target), lambda _: self._make_base_session(target))

    def _make_base_session(self, target: Target) -> botocore.session.Session:
        import botocore.exceptions  # noqa: PLC0415  # lazily: see the package's docstring
        import botocore.loaders  # noqa: PLC0415

        identity = target.identity
        session = self._new_session(target)
        # Where STS is asked for a role of the profile, which may name no Region.
        session.set_config_variable("region", target.region)
        if identity.access_key is not None and identity.secret_key is not None:
            session.set_credentials(identity.access_key, identity.secret_key, identity.token)
        try:
            loader: botocore.loaders.Loader = session.get_component("data_loader")
        except botocore.exceptions.ProfileNotFound as wrong:  # it may be AWS_PROFILE's
            raise CredentialsError(
                f"the profile {wrong.kwargs['profile']!r} is not in your AWS configuration: add it, or set another profile"
            ) from None
        # A model of the user's own (AWS_DATA_PATH) still goes first.
        loader.search_paths.insert(loader.search_paths.index(loader.BUILTIN_DATA_PATH), str(_MODELS))
        if identity.access_key is None:
            helper = _remembered(self._helpers, _base_key(target), lambda _: self._make_helper())
            sources.prepare(session, helper, skip_metadata=identity.skip_metadata)
        return session

    def _new_session(self, target: Target) -> botocore.session.Session:
        from .network_session import Session  # noqa: PLC0415  # lazily: see the package's docstring

        return Session(target.identity.profile, target.network, self._retry_seconds)

    def _make_helper(self) -> sources.Helper:
        return sources.Helper(timeout=self._retry_seconds, has_terminal=self._may_prompt)

    def _assume(
        self, source: botocore.session.Session, role: Role, target: Target
    ) -> botocore.session.Session:
        """A session with the role's credentials, fetched at the first call and renewed before they expire."""
        from botocore.credentials import (  # noqa: PLC0415  # lazily: see the package's docstring
            AssumeRoleCredentialFetcher,
            DeferredRefreshableCredentials,
        )

        credentials = source.get_credentials()
        if credentials is None:
            raise CredentialsError(
                f"there are no AWS credentials to assume {role.arn} with: set AWS_PROFILE or aws:profile, or log in"
            )
        # STS at the Region's own endpoint: the global one serves neither China nor GovCloud.
        here = partial(source.create_client, region_name=target.region)

        def create_client(*arguments: Any, **options: Any) -> Any:
            with self._lock:  # at the first call, in any thread
                return here(*arguments, **options)

        fetcher = AssumeRoleCredentialFetcher(
            create_client,
            credentials,
            role.arn,
            extra_args=_assume_role_arguments(role),
        )
        # The profile's other settings still hold: its endpoints, its certificates.
        assumed = self._new_session(target)
        assumed.register_component("data_loader", source.get_component("data_loader"))
        # botocore has no public setter for credentials that renew themselves; this is what its own users do.
        assumed._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return assumed


def _base_key(target: Target) -> Hashable:
    """What a base session is made of: everything but the roles and the Region."""
    identity = target.identity
    return (
        identity.profile,
        identity.access_key,
        identity.secret_key,
        identity.token,
        identity.skip_metadata,
        target.network,
    )


def proxy_of(client: EC2Client | STSClient) -> str | None:
    """The host and port of the proxy that a client goes through, without its user and password.

    Raises:
        Unreachable: it is of a kind that botocore does not know.
    """
    from botocore.utils import get_environ_proxies  # noqa: PLC0415  # lazily: see the package's docstring

    url = client.meta.endpoint_url
    configured: dict[str, str] | None = client.meta.config.proxies  # type: ignore[attr-defined]  # an option of Config
    proxies = get_environ_proxies(url) if configured is None else configured
    proxy = proxies.get(urlsplit(url).scheme)
    if not proxy:
        return None
    scheme = proxy.partition("://")[0] if "://" in proxy else "http"
    host = translate.host_of(proxy)
    if scheme not in {"http", "https"}:  # botocore would look for a host of that name
        raise Unreachable(f"boto3 cannot use the proxy {scheme}://{host}: set one with http://")
    return host


def _remembered(made: dict[_Key, _Made], key: _Key, make: Callable[[_Key], _Made]) -> _Made:
    if key not in made:
        made[key] = make(key)
    return made[key]


def _assume_role_arguments(role: Role) -> dict[str, object]:
    optional = {
        "RoleSessionName": role.session_name or "ami-deprecation",
        "ExternalId": role.external_id,
        "DurationSeconds": role.duration_seconds,
        "Policy": role.policy,
        "SourceIdentity": role.source_identity,
        "PolicyArns": [{"arn": arn} for arn in role.policy_arns],
        "TransitiveTagKeys": list(role.transitive_tag_keys),
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags],
    }
    return {key: value for key, value in optional.items() if value}
