"""Credentials and Region of every call: of resources, policies, ``get_images`` and the command line.

``REGION_ORDER`` and ``PROVIDER_KEYS`` are the tables of the configuration page. The keys are those of the aws provider.
Source: https://www.pulumi.com/registry/packages/aws/installation-configuration/
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypedDict

from ..ec2.target import Identity, Network, Role, Target
from ..errors import InvalidInput
from .inputs import UNKNOWN, Inputs, Unknown, check_role_arn, meant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..ec2 import Gateway
    from .run import Run


class Source(enum.Enum):
    """Where a Region and credentials can come from; the value is what the configuration page says of it."""

    OWN = "`region`, `profile`, `role_arn` of the resource, policy or call; `--region`, `--profile`, `--role-arn`"
    PROVIDER = (
        "an explicit `aws.Provider` (`opts.provider`, or its parent's), in place of the stack's configuration"
    )
    STACK = "the stack's configuration: `aws:region`, `aws:profile`, `aws:assumeRoles`, …"
    STATE = "the Region that the resource is in already"
    BOTO3 = "boto3's chain: `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_PROFILE`, the AWS configuration files, …"


#: Which Region counts: the first of these that names one. Credentials follow the same order, without the state.
REGION_ORDER = (Source.OWN, Source.PROVIDER, Source.STACK, Source.STATE, Source.BOTO3)


@dataclass(frozen=True)
class Key:
    """A key of the aws provider's configuration, and what this package does with it."""

    name: str
    treatment: Literal["honored", "refused", "ignored"]
    #: Why, in a few words.
    because: str
    #: For a refused one: the variables that boto3 reads instead. With one of these it is accepted in the stack.
    variables: tuple[str, ...] = ()


_OTHER_ACCOUNT = "it decides which account is called, and boto3 takes it only from the environment"
_OTHER_ENDPOINT = (
    "it decides which endpoint is called, and boto3 takes it only from the environment; for `sts`, set "
    "`AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`"
)
_OWN_RETRIES = "calls are retried as AMI_DEPRECATION_RETRY_SECONDS says"
_PROVIDERS_OWN = "it is about the aws provider's own checks at its start"
_NO_TAGS = "no tag is written"
_NO_S3 = "S3 is not called"

#: Every key of the aws provider, in the order of its documentation.
PROVIDER_KEYS = (
    Key("accessKey", "honored", "with secretKey; from the stack's configuration only"),
    Key("allowedAccountIds", "honored", "the account of the credentials is checked before the first call"),
    Key("assumeRole", "honored", "the older form of assumeRoles"),
    Key("assumeRoleWithWebIdentity", "refused", _OTHER_ACCOUNT, ("AWS_WEB_IDENTITY_TOKEN_FILE",)),
    Key("assumeRoles", "honored", "the roles are assumed one after the other"),
    Key("customCaBundle", "honored", "as AWS_CA_BUNDLE"),
    Key("defaultTags", "ignored", _NO_TAGS),
    Key("ec2MetadataServiceEndpoint", "refused", _OTHER_ACCOUNT, ("AWS_EC2_METADATA_SERVICE_ENDPOINT",)),
    Key(
        "ec2MetadataServiceEndpointMode",
        "refused",
        _OTHER_ACCOUNT,
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",),
    ),
    Key("endpoints", "refused", _OTHER_ENDPOINT, ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")),
    Key("forbiddenAccountIds", "honored", "the account of the credentials is checked before the first call"),
    Key("httpProxy", "honored", "for endpoints with http://"),
    Key("httpsProxy", "honored", "for endpoints with https://, which AWS's own are"),
    Key("ignoreTags", "ignored", _NO_TAGS),
    Key("insecure", "ignored", "certificates are always verified; use customCaBundle"),
    Key("maxRetries", "ignored", _OWN_RETRIES),
    Key("noProxy", "honored", "hosts that are reached without the proxy"),
    Key("profile", "honored", "a profile of the AWS configuration"),
    Key("region", "honored", "the Region, unless the resource names one"),
    Key("retryMode", "ignored", _OWN_RETRIES),
    Key("s3UsEast1RegionalEndpoint", "ignored", _NO_S3),
    Key("s3UsePathStyle", "ignored", _NO_S3),
    Key("secretKey", "honored", "with accessKey; from the stack's configuration only"),
    Key("sharedConfigFiles", "refused", _OTHER_ACCOUNT, ("AWS_CONFIG_FILE",)),
    Key("sharedCredentialsFiles", "refused", _OTHER_ACCOUNT, ("AWS_SHARED_CREDENTIALS_FILE",)),
    Key("skipCredentialsValidation", "ignored", _PROVIDERS_OWN),
    Key(
        "skipMetadataApiCheck",
        "honored",
        "if true, credentials do not come from the instance metadata service",
    ),
    Key("skipRegionValidation", "ignored", _PROVIDERS_OWN),
    Key("skipRequestingAccountId", "ignored", _PROVIDERS_OWN),
    Key("stsRegion", "ignored", "STS is called in the image's Region, for the same account"),
    Key("tagPolicyCompliance", "ignored", _NO_TAGS),
    Key("token", "honored", "with accessKey and secretKey; from the stack's configuration only"),
    Key("tokenBucketRateLimiterCapacity", "ignored", _OWN_RETRIES),
    Key("useDualstackEndpoint", "honored", "calls go to the dual-stack endpoint"),
    Key("useFipsEndpoint", "honored", "calls go to the FIPS endpoint"),
    Key("userAgents", "ignored", "calls name ami-deprecation in CloudTrail"),
)
#: Credentials. An explicit aws provider may not carry them: the resource's state would contain them.
SECRET_KEYS = ("accessKey", "secretKey", "token")
_REFUSED = {each.name: each.variables for each in PROVIDER_KEYS if each.treatment == "refused"}
#: What an explicit provider hands over, with the profile.
FROM_PROVIDER = tuple(
    each.name
    for each in PROVIDER_KEYS
    if each.treatment == "honored" and each.name not in {*SECRET_KEYS, "profile", "assumeRole"}
)
#: What keeps an explicit provider from being used.
NOT_FROM_PROVIDER = (*SECRET_KEYS, *_REFUSED)

#: The services that are called -> the variables that name their endpoints to boto3.
_ENDPOINT_VARIABLES = {
    "ec2": ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"),
    "sts": ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"),
}
_DISABLED_KEY = "pulumi:disable-default-providers"
#: What a program can do when the stack has no default aws provider.
GIVE_PROVIDER = "set opts.provider to an aws.Provider"

#: The fields of one assumed role as the aws provider spells them -> ours.
_ROLE_TEXTS = {
    "roleArn": "arn",
    "externalId": "external_id",
    "sessionName": "session_name",
    "policy": "policy",
    "sourceIdentity": "source_identity",
}
_ROLE_LISTS = {"policyArns": "policy_arns", "transitiveTagKeys": "transitive_tag_keys"}
#: Every field of an assumed role, as the aws provider spells it.
ROLE_KEYS = (*_ROLE_TEXTS, *_ROLE_LISTS, "tags", "duration")
#: Go's spelling, as the aws provider has it: ``1h30m``, ``1.5h``. Source: https://pkg.go.dev/time#ParseDuration
_DURATION_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"[-+]?(?:{_DURATION_PART.pattern})+")
_UNIT_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
#: STS's limits. Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_SHORTEST, _LONGEST = 900, 12 * 3600


@dataclass(frozen=True)
class AwsConfig:
    """The configuration of an aws provider: the stack's default one, or an explicit one."""

    region: str | None = None
    identity: Identity = field(default_factory=Identity)
    network: Network = field(default_factory=Network)
    #: The stack has no default aws provider (``pulumi:disable-default-providers``).
    disabled: bool = False


# Which source counts.


def first_region(
    named: Mapping[Source, Callable[[], str | None]], gateway: Gateway, until_now: str | None = None
) -> str:
    """The Region of the first source, in ``REGION_ORDER``, that names one.

    Args:
        named: what each source says, as far as it applies.
        gateway: knows Region names.
        until_now: the Region that the resource is in. It is not checked: it may be newer than this boto3, and
            reading the list of Regions takes half a second.

    Raises:
        InvalidInput: none names one, or there is no such Region.
    """
    for source in REGION_ORDER:
        region = named[source]() if source in named else None
        if region:
            if region != until_now:
                gateway.check_region(region)
            return region
    raise InvalidInput(
        "no Region is set: give region, or run `pulumi config set aws:region eu-west-1`, or set AWS_REGION"
    )


def resolve_identity(config: AwsConfig, profile: str | None, role_arn: str | None) -> Identity:
    """Whose credentials are used: a profile and role of one's own, else the configuration's.

    A profile of one's own replaces the configuration's profile and keys; a role of one's own replaces its roles.
    """
    base = config.identity
    if profile is not None:
        base = replace(base, profile=profile, access_key=None, secret_key=None, token=None)
    return base if role_arn is None else replace(base, roles=(Role(arn=role_arn),))


def resolve(
    gateway: Gateway,
    config: AwsConfig,
    *,
    region: str | None,
    profile: str | None,
    role_arn: str | None,
    from_provider: bool = False,
) -> Target:
    """Credentials and Region of a program's or the command line's own reads.

    Args:
        gateway: knows Region names and boto3's chain.
        config: of the stack or of an explicit aws provider.
        region: a Region's name.
        profile: a profile of the AWS configuration.
        role_arn: a role to assume.
        from_provider: whether ``config`` is an explicit provider's.

    Raises:
        AmiDeprecationError: one of its subclasses: no Region is set, it does not exist, the profile does not.
    """
    who = resolve_identity(config, profile, role_arn)
    chosen = first_region(
        {
            Source.OWN: lambda: region,
            Source.PROVIDER if from_provider else Source.STACK: lambda: config.region,
            Source.BOTO3: lambda: gateway.default_region(who.profile),
        },
        gateway,
    )
    return Target(who, chosen, config.network)


def config_of(run: Run, given: Inputs) -> AwsConfig:
    """The aws configuration of a resource. An explicit provider stands in for all of the stack's, whatever is wrong there."""
    if given.aws is None or isinstance(given.aws, Unknown):
        return run.stack
    return read_provider_config(given.aws)


def identity_of(run: Run, given: Inputs) -> Identity | Unknown:
    """Whose credentials a resource uses; UNKNOWN while a preview does not know them."""
    if (
        isinstance(given.profile, Unknown)
        or isinstance(given.role_arn, Unknown)
        or isinstance(given.aws, Unknown)
    ):
        return UNKNOWN
    return resolve_identity(config_of(run, given), given.profile, given.role_arn)


def region_of(run: Run, given: Inputs, *, until_now: str | None) -> str | Unknown:
    """The Region of a resource; UNKNOWN while a preview does not know it.

    The Region that it is in already goes before boto3's chain: another machine's environment must not move it.

    Raises:
        InvalidInput: no Region is set, or there is none of that name.
    """
    if isinstance(given.region, Unknown) or isinstance(given.aws, Unknown):
        return UNKNOWN
    own, explicit = given.region, given.aws is not None
    if own is None and until_now is None and isinstance(given.profile, Unknown):
        config = config_of(run, given)
        if config.region is None:
            return UNKNOWN

    def of_boto3() -> str | None:
        # A role has no Region of its own, so one that is not known yet leaves nothing open.
        who = identity_of(run, replace(given, role_arn=None))
        return None if isinstance(who, Unknown) else run.ec2.default_region(who.profile)

    return first_region(
        {
            Source.OWN: lambda: own,
            Source.PROVIDER if explicit else Source.STACK: lambda: config_of(run, given).region,
            Source.STATE: lambda: until_now,
            Source.BOTO3: of_boto3,
        },
        run.ec2,
        until_now,
    )


def target_of(run: Run, given: Inputs, region: str) -> Target:
    """Credentials and Region of a create, update, read or delete; everything is known then."""
    who = identity_of(run, given)
    if isinstance(who, Unknown):
        raise InvalidInput(
            f"{given.image_id}: profile and role_arn have to be known",
            image_id=str(given.image_id),
            region=region,
        )
    return Target(who, region, config_of(run, given).network)


def refuse_disabled(config: AwsConfig, way_out: str = GIVE_PROVIDER) -> None:
    """Refuse the stack's configuration where it disables the default aws provider, as an aws resource would be refused.

    Args:
        config: the stack's.
        way_out: what the program can do instead.

    Raises:
        InvalidInput: with the way out.
    """
    if config.disabled:
        raise InvalidInput(
            f"the default aws provider is disabled ({_DISABLED_KEY}): {way_out}, or remove aws and * from that list"
        )


# Reading a configuration.


class _Keys(TypedDict):
    """The part of an identity that stands in a configuration as plain texts."""

    profile: str | None
    access_key: str | None
    secret_key: str | None
    token: str | None


def read_stack_config(get: Callable[[str], object], environment: Mapping[str, str]) -> AwsConfig:
    """Read the stack's ``aws:…`` keys. An absent key is None, lists and objects are JSON text.

    Raises:
        InvalidInput: a value cannot be read, or a setting is not supported here and the environment does not have it
            either.
    """
    values = _Values(get, "aws:")
    for key in _REFUSED:
        for variables in _variables_for(key, values.any(key)):
            if not any(environment.get(name) for name in variables):
                raise InvalidInput(
                    f"aws:{key} is not supported here, so these calls would not go where your other AWS resources are: "
                    f"set {variables[0]} in the environment as well"
                )
    keys = _keys(values)
    config = _read(values)
    identity = replace(config.identity, **keys)
    disabled = _Values(get, "pulumi:").json("disable-default-providers")
    return replace(
        config,
        identity=identity,
        disabled=isinstance(disabled, list) and not {"aws", "*"}.isdisjoint(map(str, disabled)),
    )


def read_provider_config(given: Mapping[str, object]) -> AwsConfig:
    """Read what the inputs say of an explicit aws provider.

    Raises:
        InvalidInput: a value cannot be read.
    """
    return _read(_Values(given.get, "", of_options=True))


def read_native_config(given: Mapping[str, object]) -> AwsConfig:
    """Read the configuration of a native provider: the aws provider's keys, and a ``roleArn``. Lists may be JSON text.

    Raises:
        InvalidInput: a value cannot be read.
    """
    values = _Values(given.get, "")
    config = _read(values)
    identity = replace(config.identity, **_keys(values))
    role = values.text("roleArn")
    if role is not None:
        check_role_arn(role)
        if identity.roles:
            raise InvalidInput("roleArn and assumeRoles are set: set one of them")
        identity = replace(identity, roles=(Role(arn=role),))
    return replace(config, identity=identity)


@dataclass(frozen=True)
class _Values:
    """The values of a configuration, by their keys without the namespace."""

    get: Callable[[str], object]
    namespace: str
    #: Whether it is what ``opts.provider`` says.
    of_options: bool = False

    def where(self, key: str) -> str:
        """How a message names a key."""
        return f"opts.provider.{snake_case(key)}" if self.of_options else f"{self.namespace}{key}"

    def text(self, key: str) -> str | None:
        value = self.get(f"{self.namespace}{key}")
        return value if isinstance(value, str) and value else None

    def json(self, key: str) -> object:
        value = self.get(f"{self.namespace}{key}")
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            where = self.where(key)
            # Only the stack's own configuration is set with this command.
            how = (
                f"set it with `pulumi config set --path '{where}[0]' VALUE`"
                if self.namespace
                else "give a list"
            )
            raise InvalidInput(f"{where} is not JSON: {how}") from None

    def any(self, key: str) -> object:
        """A list or object, or a plain text."""
        value = self.get(f"{self.namespace}{key}")
        try:
            return json.loads(value) if isinstance(value, str) and value else value
        except ValueError:
            return value

    def flag(self, key: str) -> bool:
        value = self.get(f"{self.namespace}{key}")
        if value in (None, "", "false", "False", False):
            return False
        if value in ("true", "True", True):
            return True
        raise InvalidInput(f"{self.where(key)} is {value!r}: set it to true or false")


def _read(values: _Values) -> AwsConfig:
    """What the stack's configuration and an explicit provider have in common."""
    roles = values.json("assumeRoles") or []
    single = values.json("assumeRole")
    if not roles and single:
        roles = [single]
    return AwsConfig(
        region=values.text("region"),
        identity=Identity(
            roles=parse_roles(roles, values.where("assumeRoles")),
            allowed_account_ids=_parse_accounts(values, "allowedAccountIds"),
            forbidden_account_ids=_parse_accounts(values, "forbiddenAccountIds"),
            skip_metadata=values.flag("skipMetadataApiCheck"),
        ),
        network=Network(
            use_fips=values.flag("useFipsEndpoint"),
            use_dualstack=values.flag("useDualstackEndpoint"),
            http_proxy=values.text("httpProxy"),
            https_proxy=values.text("httpsProxy"),
            no_proxy=values.text("noProxy"),
            ca_bundle=values.text("customCaBundle"),
        ),
    )


def _keys(values: _Values) -> _Keys:
    """The profile and the keys; half of a pair of keys is refused."""
    missing = [key for key in ("accessKey", "secretKey") if values.text(key) is None]
    given = [key for key in SECRET_KEYS if values.text(key) is not None]
    if given and missing:
        raise InvalidInput(
            f"{values.where(given[0])} is set without {values.where(missing[0])}: set both as secrets, or neither of them"
        )
    return _Keys(
        profile=values.text("profile"),
        access_key=values.text("accessKey"),
        secret_key=values.text("secretKey"),
        token=values.text("token"),
    )


def matters(key: str, value: object) -> bool:
    """Whether a value decides about the calls of this package: endpoints of other services do not."""
    return bool(_endpoints_of(value) if key == "endpoints" else value)


def _variables_for(key: str, value: object) -> list[tuple[str, ...]]:
    """What boto3 reads in place of a refused key's value: of each of these, one variable."""
    if key == "endpoints":
        return [_ENDPOINT_VARIABLES[service] for service in _endpoints_of(value)]
    return [_REFUSED[key]] if value else []


def _endpoints_of(value: object) -> list[str]:
    """The services that are called, of those that the key ``endpoints`` names."""
    if value and not isinstance(value, (list, dict)):
        return list(_ENDPOINT_VARIABLES)
    several = value if isinstance(value, list) else [value]
    return [
        service
        for service in _ENDPOINT_VARIABLES
        if any(isinstance(each, dict) and each.get(service) for each in several)
    ]


def _parse_accounts(values: _Values, key: str) -> tuple[str, ...]:
    """A list of account ids. Unquoted ones arrive as numbers, without their leading zeros."""
    value = values.json(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, (str, int, float)) for item in value):
        raise InvalidInput(f"{values.where(key)} is not a list of account ids")
    return tuple(item if isinstance(item, str) else f"{int(item):012d}" for item in value)


def parse_roles(value: object, where: str) -> tuple[Role, ...]:
    """A list of roles to assume one after the other, each an object as the aws provider has it."""
    if not isinstance(value, list):
        raise InvalidInput(f"{where} is not a list of roles")
    return tuple(_parse_role(item, f"{where}[{index}]") for index, item in enumerate(value))


def _parse_role(value: object, where: str) -> Role:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} is not an object with a roleArn")
    given = {str(key): item for key, item in value.items() if item not in (None, "")}
    for key in given:
        if _camel(key) not in ROLE_KEYS:
            raise InvalidInput(f"{where}.{key}: there is no such key: {meant(key, ROLE_KEYS)}")
    by_camel = {_camel(key): item for key, item in given.items()}
    if not isinstance(by_camel.get("roleArn"), str):
        raise InvalidInput(f"{where} has no roleArn")
    texts = {ours: str(by_camel[key]) for key, ours in _ROLE_TEXTS.items() if key in by_camel}
    lists = {
        ours: _parse_texts(by_camel[key], f"{where}.{key}")
        for key, ours in _ROLE_LISTS.items()
        if key in by_camel
    }
    tags = by_camel.get("tags", {})
    if not isinstance(tags, dict):
        raise InvalidInput(f"{where}.tags is not an object of texts")
    pairs = tuple(sorted((str(key), str(item)) for key, item in tags.items()))
    duration = _parse_duration(by_camel.get("duration"), f"{where}.duration")
    return Role(arn=texts.pop("arn"), tags=pairs, duration_seconds=duration, **texts, **lists)  # type: ignore[arg-type]  # split by table


def _parse_duration(value: object, where: str) -> int | None:
    """The length of an assumed role's session in seconds: Go's spelling, or plain seconds."""
    if value is None:
        return None
    text = str(value).strip()
    try:
        if _DURATION.fullmatch(text):
            seconds = sum(
                float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text)
            ) * (-1 if text.startswith("-") else 1)
        else:
            seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise InvalidInput(f"{where}: {text!r} is not 15 minutes to 12 hours: write 15m, 1.5h or 3600s")
    return round(seconds)


def _parse_texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{where} is not a list of texts")
    return tuple(value)


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake_case(key: str) -> str:
    """The name of an argument of ``aws.Provider``, for a key of its configuration."""
    return re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", key)
