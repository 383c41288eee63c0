"""Credentials and Region of a call, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Role:
    """A role to assume through STS.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """

    arn: str
    external_id: str | None = None
    session_name: str | None = None
    #: The session's length; None for STS's default.
    duration_seconds: int | None = None
    policy: str | None = None
    source_identity: str | None = None
    policy_arns: tuple[str, ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Identity:
    """Everything that decides which account and role a call is made with."""

    profile: str | None = None
    roles: tuple[Role, ...] = ()
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allowed_account_ids: tuple[str, ...] = ()
    forbidden_account_ids: tuple[str, ...] = ()
    #: Credentials do not come from the instance metadata service.
    skip_metadata: bool = False

    @property
    def label(self) -> str:
        """How a message refers to it; never a credential."""
        if self.roles:
            return f"role {self.roles[-1].arn}"
        return f"profile {self.profile}" if self.profile else "the credentials in force"


@dataclass(frozen=True)
class Network:
    """How AWS's endpoints are reached, where the aws provider's configuration asks for something of its own."""

    use_fips: bool = False
    use_dualstack: bool = False
    #: A proxy's URL may contain a password.
    http_proxy: str | None = field(default=None, repr=False)
    https_proxy: str | None = field(default=None, repr=False)
    #: Hosts that are reached without the proxy, separated by commas.
    no_proxy: str | None = None
    #: A file of certificates.
    ca_bundle: str | None = None


@dataclass(frozen=True)
class Target:
    """Where a call goes, and with which credentials."""

    identity: Identity
    region: str
    network: Network = Network()
