"""boto3 sessions and clients: lazy, one per identity and Region, shared by the plugin's threads."""

from __future__ import annotations

import contextlib
import gc
import threading
from functools import cache, partial
from typing import TYPE_CHECKING

from .._version import __version__
from ..errors import AmiDeprecationError, CredentialsError
from ..settings import settings
from .translate import NoClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3
    import botocore.session
    from botocore.config import Config
    from types_boto3_ec2 import EC2Client
    from types_boto3_sts import STSClient

    from ..core.identity import Identity, Role

_lock = threading.RLock()  # making a client is not thread-safe; using one is


@contextlib.contextmanager
def _making() -> Iterator[None]:
    """One thread at a time, and what goes wrong is told apart from what EC2 answers.

    boto3 reads the configuration and looks for credentials when it makes a client, and not when it makes a call.
    """
    with _lock:
        try:
            yield
        except AmiDeprecationError:
            raise
        except Exception as error:  # noqa: BLE001  # botocore's own, ValueError for an endpoint, OSError for a file
            raise NoClient(error) from None


def _config() -> Config:
    from botocore.config import Config  # noqa: PLC0415  # lazily: see the package's docstring

    # A third of the patience, so that a call that hangs is tried again.
    longest = min(20.0, max(1.0, settings().retry_seconds / 3))
    return Config(
        connect_timeout=min(5.0, longest),
        read_timeout=longest,
        # One try: the gateway does the retries, so that each of them passes through the pacing.
        retries={"total_max_attempts": 1},
        max_pool_connections=8,
        # CloudTrail then shows who did it.
        user_agent_extra=f"ami-deprecation/{__version__}",
    )


@cache
def _base_session(
    profile: str | None, access_key: str | None, secret_key: str | None, token: str | None
) -> boto3.Session:
    import boto3  # noqa: PLC0415
    import botocore.exceptions  # noqa: PLC0415

    try:
        return boto3.Session(
            profile_name=profile,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
        )
    except botocore.exceptions.ProfileNotFound:
        raise CredentialsError(
            f"the profile {profile!r} is not in your AWS configuration: add it, or set another profile"
        ) from None


@cache
def _session(identity: Identity, region: str) -> boto3.Session:
    session = _base_session(identity.profile, identity.access_key, identity.secret_key, identity.token)
    for role in identity.roles:
        session = _assume(session, role, region)
    return session


def _assume(source: boto3.Session, role: Role, region: str) -> boto3.Session:
    """A session with the role's credentials, fetched at the first call and renewed before they expire."""
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials  # noqa: PLC0415

    credentials = source.get_credentials()
    if credentials is None:
        raise CredentialsError(
            f"there are no AWS credentials to assume {role.arn} with: set AWS_PROFILE or aws:profile, or log in"
        )
    core: botocore.session.Session = source._session  # noqa: SLF001  # boto3 has no other way to it
    fetcher = AssumeRoleCredentialFetcher(
        # STS at the Region's own endpoint: the global one serves neither China nor GovCloud.
        partial(core.create_client, region_name=region, config=_config()),
        credentials,
        role.arn,
        extra_args=_assume_role_arguments(role),
    )
    assumed = botocore.session.Session()
    assumed.register_component("data_loader", core.get_component("data_loader"))  # EC2's model is read once
    # botocore has no public setter for credentials that renew themselves; this is what its own users do.
    assumed._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=assumed)


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


@cache
def _ec2(identity: Identity, region: str) -> EC2Client:
    # EC2's model is half a million objects that stay: without them to look at in each of its collections, Python
    # reads it in three quarters of the time, and a page of a thousand images in half.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _session(identity, region).client("ec2", region_name=region, config=_config())
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def ec2(identity: Identity, region: str) -> EC2Client:
    """The EC2 client of an identity in a Region.

    Raises:
        NoClient: boto3 cannot make one.
        CredentialsError: likewise, as a sentence already.
    """
    with _making():
        return _ec2(identity, region)


@cache
def _sts(identity: Identity, region: str) -> STSClient:
    return _session(identity, region).client("sts", region_name=region, config=_config())


def sts(identity: Identity, region: str) -> STSClient:
    """The STS client of an identity, at the Region's own endpoint (which other partitions need); it raises what ``ec2`` does."""
    with _making():
        return _sts(identity, region)
