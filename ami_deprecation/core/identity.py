"""Who calls EC2: profile, keys and assumed roles, as the user's other AWS resources have them. Pure.

The keys are those of the default aws provider's stack configuration (``aws:profile`` and so on).
Source: https://www.pulumi.com/registry/packages/aws/installation-configuration/
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The fields of one assumed role as the aws provider spells them -> ours.
_ROLE_TEXTS = {
    "roleArn": "arn",
    "externalId": "external_id",
    "sessionName": "session_name",
    "duration": "duration",
    "policy": "policy",
    "sourceIdentity": "source_identity",
}
_ROLE_LISTS = {"policyArns": "policy_arns", "transitiveTagKeys": "transitive_tag_keys"}

#: Settings of the aws provider that decide as whom or where a call goes and are not read here -> the variables that
#: boto3 reads instead. To ignore one would mean another account than that of the user's other AWS resources.
_BY_ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "assumeRoleWithWebIdentity": ("AWS_WEB_IDENTITY_TOKEN_FILE",),
    "endpoints": ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"),
    "sharedConfigFiles": ("AWS_CONFIG_FILE",),
    "sharedCredentialsFiles": ("AWS_SHARED_CREDENTIALS_FILE",),
}
#: Whose endpoints matter here.
_SERVICES = ("ec2", "sts")

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True)
class Role:
    """A role to assume through STS. Source: the API reference of AssumeRole."""

    arn: str
    external_id: str | None = None
    session_name: str | None = None
    #: Go's spelling, as the aws provider has it: ``1h``, ``15m``.
    duration: str | None = None
    policy: str | None = None
    source_identity: str | None = None
    policy_arns: tuple[str, ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def duration_seconds(self) -> int | None:
        """The session's length, or None for STS's own."""
        if self.duration is None:
            return None
        match = _DURATION.fullmatch(self.duration)
        if match is None or not self.duration:
            raise InvalidInput(f"the assumed role's duration {self.duration!r} is not like 1h or 15m")
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds


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

    @property
    def label(self) -> str:
        """How a sentence calls it; never a credential."""
        if self.roles:
            return f"role {self.roles[-1].arn}"
        return f"profile {self.profile}" if self.profile else "the credentials in force"


@dataclass(frozen=True)
class StackConfig:
    """The default aws provider's configuration of the stack."""

    region: str | None = None
    identity: Identity = Identity()


def from_stack_config(get: Callable[[str], object], environment: Mapping[str, str]) -> StackConfig:
    """Read ``aws:…`` keys; a get of an absent key gives None, lists and objects are JSON text.

    Raises:
        InvalidInput: a value cannot be read, or a setting is not taken over from there and the environment does not
            have it either.
    """
    for key, variables in _BY_ENVIRONMENT.items():
        if _concerns_us(key, _json(get, key)) and not any(environment.get(name) for name in variables):
            raise InvalidInput(
                f"aws:{key} is not taken over from the stack's configuration, so these calls would not go where your other "
                f"AWS resources are: set {variables[0]} in the environment as well"
            )

    def text(key: str) -> str | None:
        value = get(f"aws:{key}")
        return value if isinstance(value, str) and value else None

    missing = [key for key in ("accessKey", "secretKey") if text(key) is None]
    given = [key for key in ("accessKey", "secretKey", "token") if text(key) is not None]
    if given and missing:
        raise InvalidInput(
            f"aws:{given[0]} is set without aws:{missing[0]}: set both as secrets, or neither of them"
        )
    roles = _json(get, "assumeRoles") or []
    single = _json(get, "assumeRole")
    if not roles and single:
        roles = [single]
    return StackConfig(
        region=text("region"),
        identity=Identity(
            profile=text("profile"),
            roles=parse_roles(roles, "aws:assumeRoles"),
            access_key=text("accessKey"),
            secret_key=text("secretKey"),
            token=text("token"),
            allowed_account_ids=parse_texts(_json(get, "allowedAccountIds"), "aws:allowedAccountIds"),
            forbidden_account_ids=parse_texts(_json(get, "forbiddenAccountIds"), "aws:forbiddenAccountIds"),
        ),
    )


def _concerns_us(key: str, value: object) -> bool:
    if key != "endpoints" or not isinstance(value, list):
        return bool(value)
    return any(isinstance(each, dict) and each.get(name) for each in value for name in _SERVICES)


def _json(get: Callable[[str], object], key: str) -> object:
    value = get(f"aws:{key}")
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise InvalidInput(
            f"aws:{key} is not JSON: set it with `pulumi config set --path aws:{key}[0]`"
        ) from None


def parse_texts(value: object, where: str) -> tuple[str, ...]:
    """A list of account ids. Unquoted ones arrive as numbers, without their leading zeros."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, (str, int, float)) for item in value):
        raise InvalidInput(f"{where} is not a list of account ids")
    return tuple(item if isinstance(item, str) else f"{int(item):012d}" for item in value)


def parse_roles(value: object, where: str) -> tuple[Role, ...]:
    """A list of roles to assume one after the other, each an object as the aws provider has it."""
    if not isinstance(value, list):
        raise InvalidInput(f"{where} is not a list of roles")
    return tuple(_parse_role(item, f"{where}[{index}]") for index, item in enumerate(value))


def _parse_role(value: object, where: str) -> Role:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} is not an object with a roleArn")
    by_camel = {_camel(str(key)): item for key, item in value.items() if item not in (None, "")}
    if not isinstance(by_camel.get("roleArn"), str):
        raise InvalidInput(f"{where} has no roleArn")
    texts = {ours: str(by_camel[key]) for key, ours in _ROLE_TEXTS.items() if key in by_camel}
    lists = {
        ours: _strings(by_camel[key], f"{where}.{key}")
        for key, ours in _ROLE_LISTS.items()
        if key in by_camel
    }
    tags = by_camel.get("tags", {})
    if not isinstance(tags, dict):
        raise InvalidInput(f"{where}.tags is not an object of texts")
    pairs = tuple(sorted((str(key), str(item)) for key, item in tags.items()))
    return Role(arn=texts.pop("arn"), tags=pairs, **texts, **lists)  # type: ignore[arg-type]  # split by table


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{where} is not a list of texts")
    return tuple(value)


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def resolve(
    stack: StackConfig, *, profile: str | None, role_arn: str | None, provider: Mapping[str, object] | None
) -> Identity:
    """The identity of one resource: what it says itself, else its aws provider's, else the stack's.

    A profile of its own replaces the stack's profile and keys; a role of its own replaces the
    stack's roles. An explicit aws provider replaces the stack's configuration whole, as it does
    for every other AWS resource.
    """
    base = stack.identity
    if provider is not None:
        base = Identity(
            roles=parse_roles(provider.get("assumeRoles") or [], "opts.provider.assume_roles"),
            allowed_account_ids=parse_texts(provider.get("allowedAccountIds"), "opts.provider"),
            forbidden_account_ids=parse_texts(provider.get("forbiddenAccountIds"), "opts.provider"),
        )
    own_profile = profile is not None
    return Identity(
        profile=profile if own_profile else base.profile,
        roles=(Role(arn=role_arn),) if role_arn is not None else base.roles,
        access_key=None if own_profile else base.access_key,
        secret_key=None if own_profile else base.secret_key,
        token=None if own_profile else base.token,
        allowed_account_ids=base.allowed_account_ids,
        forbidden_account_ids=base.forbidden_account_ids,
    )
