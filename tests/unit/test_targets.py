"""As whom calls are made: the stack's aws configuration, an explicit provider, the resource's own."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi_aws
import pytest

from ami_deprecation import InvalidInput
from ami_deprecation.core import targets
from ami_deprecation.core.targets import AwsConfig
from ami_deprecation.ec2 import Identity, Network, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB = "arn:aws:iam::111111111111:role/hub"
SPOKE = "arn:aws:iam::222222222222:role/spoke"
SECRETS = {"aws:accessKey": "AKIAEXAMPLE", "aws:secretKey": "very-secret", "aws:token": "session-secret"}


def stack(**config: object) -> AwsConfig:
    """The stack's configuration; values that are no text are JSON, as Pulumi hands them over."""
    texts = {
        f"aws:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    return targets.read_stack_config(texts.get, {})


def test_empty_configuration_leaves_all_to_boto3() -> None:
    assert stack() == AwsConfig(region=None, identity=Identity())
    assert stack(region="", profile="", assumeRoles="", allowedAccountIds="") == stack()


def test_plain_settings_are_read() -> None:
    config = targets.read_stack_config(
        {"aws:region": "eu-west-1", "aws:profile": "images", **SECRETS}.get, {}
    )
    assert config.region == "eu-west-1"
    assert config.identity == Identity(
        profile="images", access_key="AKIAEXAMPLE", secret_key="very-secret", token="session-secret"
    )


@pytest.mark.parametrize(
    ("given", "missing"), [("accessKey", "secretKey"), ("secretKey", "accessKey"), ("token", "accessKey")]
)
def test_half_key_pair_is_refused_without_its_value(given: str, missing: str) -> None:
    with pytest.raises(InvalidInput) as told:
        stack(**{given: "very-secret"})
    assert (
        str(told.value)
        == f"aws:{given} is set without aws:{missing}: set both as secrets, or neither of them"
    )


def test_roles_are_assumed_one_after_other() -> None:
    roles = stack(
        assumeRoles=[
            {"roleArn": HUB, "externalId": "e-1", "sessionName": "pulumi", "duration": "1h"},
            {
                "roleArn": SPOKE,
                "policy": "{}",
                "policyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
                "sourceIdentity": "me",
                "tags": {"b": "2", "a": "1"},
                "transitiveTagKeys": ["a"],
            },
        ]
    ).identity.roles
    assert roles == (
        Role(arn=HUB, external_id="e-1", session_name="pulumi", duration_seconds=3600),
        Role(
            arn=SPOKE,
            policy="{}",
            policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
            source_identity="me",
            tags=(("a", "1"), ("b", "2")),
            transitive_tag_keys=("a",),
        ),
    )


def test_single_role_is_read_too_but_list_goes_first() -> None:
    assert stack(assumeRole={"roleArn": HUB}).identity.roles == (Role(arn=HUB),)
    both = stack(assumeRole={"roleArn": HUB}, assumeRoles=[{"roleArn": SPOKE}])
    assert both.identity.roles == (Role(arn=SPOKE),)


def test_names_with_underscores_are_read_too() -> None:
    (role,) = targets.parse_roles(
        [{"role_arn": HUB, "external_id": "e", "transitive_tag_keys": ["a"]}], "here"
    )
    assert role == Role(arn=HUB, external_id="e", transitive_tag_keys=("a",))


def test_empty_fields_are_absent() -> None:
    (role,) = targets.parse_roles(
        [{"roleArn": HUB, "externalId": "", "duration": None, "policyArns": None}], ""
    )
    assert role == Role(arn=HUB)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("1h", 3600),
        ("15m", 900),
        ("900s", 900),
        ("1h30m", 5400),
        ("1h0m30s", 3630),
        ("1.5h", 5400),
        ("12h", 43200),
        ("3600", 3600),
        (3600, 3600),
        (None, None),
        # What Go's time.ParseDuration accepts too.
        ("+1h", 3600),
        ("1.h", 3600),
        (".5h", 1800),
        ("3600000ms", 3600),
        ("3600000000us", 3600),
        ("3600000000µs", 3600),
        ("3600000000\u03bcs", 3600),
        ("59m60000000000ns", 3600),
    ],
)
def test_durations_are_gos(duration: object, seconds: int | None) -> None:
    (role,) = targets.parse_roles([{"roleArn": HUB, "duration": duration}], "aws:assumeRoles")
    assert role.duration_seconds == seconds


@pytest.mark.parametrize(
    "duration",
    [
        ".h",
        "+",
        "1h-5m",
        "1 h",
        "1H",
        "-1h",
        "1",
        "1d",
        "10m",
        "13h",
        "m",
        "-15m",
        "15 m",
        "1..5h",
        "nan",
        "inf",
        "1e3h",
    ],
)
def test_unknown_duration_is_refused_by_name(duration: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        targets.parse_roles([{"roleArn": HUB, "duration": duration}], "aws:assumeRoles")
    assert str(wrong.value) == (
        f"aws:assumeRoles[0].duration: {duration!r} is not 15 minutes to 12 hours: write 15m, 1.5h or 3600s"
    )


ELSEWHERE: dict[str, tuple[object, str]] = {
    "assumeRoleWithWebIdentity": (
        {"roleArn": HUB, "webIdentityToken": "very-secret"},
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ),
    "ec2MetadataServiceEndpoint": ("http://localhost", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    "endpoints": ([{"s3": "http://a"}, {"ec2": "http://b"}], "AWS_ENDPOINT_URL_EC2"),
    "sharedConfigFiles": (["/config"], "AWS_CONFIG_FILE"),
    "sharedCredentialsFiles": (["/credentials"], "AWS_SHARED_CREDENTIALS_FILE"),
}


@pytest.mark.parametrize("key", ELSEWHERE)
def test_unsupported_setting_is_refused_with_its_variable(key: str) -> None:
    value, variable = ELSEWHERE[key]
    with pytest.raises(
        InvalidInput, match=f"aws:{key} is not supported here.* set {variable} in the env"
    ) as told:
        stack(**{key: value})
    assert "very-secret" not in str(told.value)
    config = {f"aws:{key}": json.dumps(value)}
    assert targets.read_stack_config(config.get, {variable: "anything"}) == AwsConfig()


@pytest.mark.parametrize(
    ("endpoints", "environment", "missing"),
    [
        ([{"sts": "http://a"}], {}, "AWS_ENDPOINT_URL_STS"),
        ([{"sts": "http://a"}], {"AWS_ENDPOINT_URL_EC2": "x"}, "AWS_ENDPOINT_URL_STS"),
        ([{"sts": "http://a"}], {"AWS_ENDPOINT_URL_STS": "x"}, None),
        ([{"ec2": "http://a"}], {"AWS_ENDPOINT_URL_STS": "x"}, "AWS_ENDPOINT_URL_EC2"),
        ([{"ec2": "http://a"}, {"sts": "http://b"}], {"AWS_ENDPOINT_URL_EC2": "x"}, "AWS_ENDPOINT_URL_STS"),
        ([{"ec2": "http://a", "sts": "http://b"}], {"AWS_ENDPOINT_URL": "x"}, None),
        ({"sts": "http://a"}, {}, "AWS_ENDPOINT_URL_STS"),
        ("http://a", {}, "AWS_ENDPOINT_URL_EC2"),
    ],
)
def test_each_endpoint_needs_its_own_variable(
    endpoints: object, environment: Mapping[str, str], missing: str | None
) -> None:
    config = {"aws:endpoints": endpoints if isinstance(endpoints, str) else json.dumps(endpoints)}
    if missing is None:
        assert targets.read_stack_config(config.get, environment) == AwsConfig()
        return
    with pytest.raises(InvalidInput, match=f"set {missing} in the environment as well"):
        targets.read_stack_config(config.get, environment)


def test_endpoints_of_other_services_are_ignored() -> None:
    assert stack(endpoints=[{"s3": "http://a"}, {"ec2": ""}]) == AwsConfig()
    assert stack(endpoints=[], sharedConfigFiles=[]) == AwsConfig()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["012345678901"], ("012345678901",)),
        ([12345678901], ("012345678901",)),
        ([12345678901.0], ("012345678901",)),
        ([1, "123456789012"], ("000000000001", "123456789012")),
        ([], ()),
    ],
)
def test_unquoted_account_ids_get_their_leading_zeros_back(
    given: list[object], read: tuple[str, ...]
) -> None:
    config = stack(allowedAccountIds=given, forbiddenAccountIds=list(reversed(given))).identity
    assert config.allowed_account_ids == read
    assert config.forbidden_account_ids == tuple(reversed(read))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"assumeRoles": "[{"},
            "aws:assumeRoles is not JSON: set it with `pulumi config set --path 'aws:assumeRoles[0]' VALUE`",
        ),
        ({"assumeRoles": {"roleArn": HUB}}, "aws:assumeRoles is not a list of roles"),
        ({"assumeRoles": [HUB]}, "aws:assumeRoles[0] is not an object with a roleArn"),
        ({"assumeRoles": [{"roleArn": HUB}, {"externalId": "e"}]}, "aws:assumeRoles[1] has no roleArn"),
        ({"assumeRoles": [{"roleArn": 5}]}, "aws:assumeRoles[0] has no roleArn"),
        (
            {"assumeRoles": [{"roleArn": HUB, "externalID": "e"}]},
            "aws:assumeRoles[0].externalID: there is no such key: did you mean externalId?",
        ),
        (
            {"assumeRoles": [{"roleArn": HUB}, {"roleArn": SPOKE, "durationSeconds": 3600}]},
            "aws:assumeRoles[1].durationSeconds: there is no such key: did you mean duration?",
        ),
        (
            {"assumeRoles": [{"role": HUB}]},
            "aws:assumeRoles[0].role: there is no such key: did you mean roleArn?",
        ),
        (
            {"assumeRoles": [{"roleArn": HUB, "xyz": 1}]},
            "aws:assumeRoles[0].xyz: there is no such key: the keys are roleArn, externalId, ",
        ),
        (
            {"assumeRoles": [{"roleArn": HUB, "policyArns": "x"}]},
            "aws:assumeRoles[0].policyArns is not a list of texts",
        ),
        (
            {"assumeRoles": [{"roleArn": HUB, "tags": ["x"]}]},
            "aws:assumeRoles[0].tags is not an object of texts",
        ),
        ({"allowedAccountIds": "123456789012,"}, "aws:allowedAccountIds is not JSON"),
        ({"allowedAccountIds": 123456789012}, "aws:allowedAccountIds is not a list of account ids"),
        ({"forbiddenAccountIds": [None]}, "aws:forbiddenAccountIds is not a list of account ids"),
    ],
)
def test_error_is_one_sentence_with_its_path(config: Mapping[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        stack(**config)
    assert str(caught.value).startswith(sentence)


def test_error_beside_secret_hides_secret() -> None:
    with pytest.raises(InvalidInput) as caught:
        targets.read_stack_config({"aws:assumeRoles": '[{"externalId": "very-secret"'}.get, {})
    assert "very-secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# Whose word counts: the resource's own, else its provider's, else the stack's.

STACK = AwsConfig(
    region="eu-west-1",
    identity=Identity(
        profile="stack",
        roles=(Role(arn=HUB),),
        access_key="AKIAEXAMPLE",
        secret_key="very-secret",
        token="session-secret",
        allowed_account_ids=("111111111111",),
        forbidden_account_ids=("999999999999",),
    ),
)


def resolve(
    profile: str | None = None, role_arn: str | None = None, provider: Mapping[str, object] | None = None
) -> Identity:
    config = STACK if provider is None else targets.read_provider_config(provider)
    return targets.resolve_identity(config, profile, role_arn)


def test_identity_defaults_to_stacks() -> None:
    assert resolve() == STACK.identity


def test_resource_profile_replaces_profile_and_keys() -> None:
    own = resolve(profile="own")
    assert own.profile == "own"
    assert (own.access_key, own.secret_key, own.token) == (None, None, None)
    assert own.roles == (Role(arn=HUB),)
    assert own.allowed_account_ids == ("111111111111",)


def test_resource_role_replaces_stacks_roles() -> None:
    own = resolve(role_arn=SPOKE)
    assert own.roles == (Role(arn=SPOKE),)
    assert (own.profile, own.access_key) == ("stack", "AKIAEXAMPLE")


def test_explicit_provider_replaces_stack_configuration() -> None:
    assert resolve(provider={}) == Identity()
    explicit = resolve(
        provider={
            "region": "eu-west-2",
            "assumeRoles": [{"roleArn": SPOKE, "externalId": "e"}],
            "allowedAccountIds": ["222222222222"],
            "forbiddenAccountIds": ["333333333333"],
        }
    )
    assert explicit == Identity(
        roles=(Role(arn=SPOKE, external_id="e"),),
        allowed_account_ids=("222222222222",),
        forbidden_account_ids=("333333333333",),
    )


def test_resource_settings_beat_its_providers() -> None:
    own = resolve(profile="own", role_arn=HUB, provider={"assumeRoles": [{"roleArn": SPOKE}]})
    assert own == Identity(profile="own", roles=(Role(arn=HUB),))


@pytest.mark.parametrize(
    ("who", "label"),
    [
        (Identity(), "the credentials in force"),
        (Identity(access_key="AKIAEXAMPLE", secret_key="very-secret"), "the credentials in force"),
        (Identity(profile="images"), "profile images"),
        (Identity(profile="images", roles=(Role(arn=HUB), Role(arn=SPOKE))), f"role {SPOKE}"),
    ],
)
def test_message_names_acting_identity(who: Identity, label: str) -> None:
    assert who.label == label


def test_secrets_are_not_shown() -> None:
    for shown in (repr(STACK), str(STACK), f"{STACK.identity}", STACK.identity.label):
        assert "AKIAEXAMPLE" not in shown
        assert "very-secret" not in shown
        assert "session-secret" not in shown


# Every key of the aws provider.


def test_every_key_of_the_aws_provider_is_decided_on() -> None:
    arguments = inspect.signature(pulumi_aws.Provider._internal_init).parameters
    theirs = {targets.snake_case(key.name) for key in targets.PROVIDER_KEYS} - {"assume_role"}
    assert theirs == set(arguments) - {"__self__", "resource_name", "opts", "__props__"}


def test_network_settings_are_read() -> None:
    given = {
        "useFipsEndpoint": "true",
        "useDualstackEndpoint": "false",
        "httpProxy": "http://plain:3128",
        "httpsProxy": "http://me:very-secret@secure:3128",
        "noProxy": "localhost",
        "customCaBundle": "/ca.pem",
    }
    network = Network(
        use_fips=True,
        http_proxy="http://plain:3128",
        https_proxy="http://me:very-secret@secure:3128",
        no_proxy="localhost",
        ca_bundle="/ca.pem",
    )
    assert stack(**given) == AwsConfig(network=network)
    assert targets.read_provider_config(given).network == network
    assert targets.read_provider_config({"useFipsEndpoint": True}).network == Network(use_fips=True)
    assert "very-secret" not in repr(network)


def test_metadata_service_can_be_skipped() -> None:
    assert stack(skipMetadataApiCheck="true").identity == Identity(skip_metadata=True)
    assert stack(skipMetadataApiCheck="false") == stack()
    assert resolve(provider={"skipMetadataApiCheck": True}).skip_metadata
    assert targets.read_native_config({"skipMetadataApiCheck": "true"}).identity.skip_metadata


def test_role_keys_are_the_aws_providers() -> None:
    theirs = set(inspect.signature(pulumi_aws.ProviderAssumeRoleArgs).parameters)
    assert {targets.snake_case(key) for key in targets.ROLE_KEYS} == theirs


def test_flag_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(InvalidInput, match="aws:useFipsEndpoint is 'yes': set it to true or false"):
        stack(useFipsEndpoint="yes")
    with pytest.raises(InvalidInput, match=r"opts\.provider\.use_fips_endpoint is 'yes'"):
        targets.read_provider_config({"useFipsEndpoint": "yes"})


@pytest.mark.parametrize("disabled", [["aws"], ["*"], ["gcp", "aws"]])
def test_disabled_default_provider_is_honored(disabled: list[str]) -> None:
    config = targets.read_stack_config({"pulumi:disable-default-providers": json.dumps(disabled)}.get, {})
    with pytest.raises(InvalidInput) as refused:
        targets.refuse_disabled(config)
    assert str(refused.value) == (
        "the default aws provider is disabled (pulumi:disable-default-providers): set opts.provider to an aws.Provider, "
        "or remove aws and * from that list"
    )


def test_other_disabled_providers_are_ignored() -> None:
    config = targets.read_stack_config({"pulumi:disable-default-providers": '["gcp"]'}.get, {})
    targets.refuse_disabled(config)


# The configuration page.


def test_configuration_page_has_the_order_and_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/configuration.md").read_text()
    order = [f"{number}. {source.value}" for number, source in enumerate(targets.REGION_ORDER, 1)]
    assert "\n".join(order) in page
    rows = [
        f"| `aws:{key.name}` | {key.treatment}"
        f"{' without ' + ' or '.join(f'`{name}`' for name in key.variables) if key.variables else ''} | {key.because} |"
        for key in targets.PROVIDER_KEYS
    ]
    assert "\n".join(rows) in page
