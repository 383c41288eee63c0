"""`opts.provider`: what is taken over from an explicit aws provider, and which ones are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws
import pytest

from ami_deprecation import AmiDeprecation
from ami_deprecation.provider import AmiDeprecationProvider
from tests.support.declare import TYPE, declare, declared
from tests.support.samples import IMAGE_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB = "arn:aws:iam::111111111111:role/hub"
SPOKE = "arn:aws:iam::222222222222:role/spoke"


@pytest.fixture(autouse=True)
def _no_region_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """pulumi_aws takes a provider's Region from these."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def web(opts: pulumi.ResourceOptions, **inputs: Any) -> AmiDeprecation:
    return AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at="2027-06-01", opts=opts, **inputs)


def with_provider(*, own: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """What a date with an aws provider of these settings sends."""
    return declared(
        lambda: web(
            pulumi.ResourceOptions(provider=pulumi_aws.Provider("explicit", **settings)), **(own or {})
        )
    )


def test_region_roles_and_account_guards_are_read() -> None:
    sent = with_provider(
        region="eu-west-2",
        assume_roles=[
            pulumi_aws.ProviderAssumeRoleArgs(role_arn=HUB, external_id="e-1"),
            {"role_arn": SPOKE, "duration": "1h"},
        ],
        allowed_account_ids=["111111111111", "012345678901"],
        forbidden_account_ids=["999999999999"],
    )
    assert sent["__aws"]["region"] == "eu-west-2"
    assert sent["__aws"]["allowedAccountIds"] == ["111111111111", "012345678901"]
    assert sent["__aws"]["forbiddenAccountIds"] == ["999999999999"]
    # The SDK leaves the keys of a plain dict as they are; both spellings are read.
    assert [
        {key: value for key, value in role.items() if value} for role in sent["__aws"]["assumeRoles"]
    ] == [
        {"roleArn": HUB, "externalId": "e-1"},
        {"role_arn": SPOKE, "duration": "1h"},
    ]
    assert "__provider_problem" not in sent


def test_provider_profile_applies_unless_resource_has_one() -> None:
    assert with_provider(region="eu-west-2", profile="images")["profile"] == "images"
    assert with_provider(profile="images", own={"profile": "own"})["profile"] == "own"
    assert "profile" not in with_provider(region="eu-west-2")


def test_empty_provider_still_counts() -> None:
    """It stands for itself, not for the stack's configuration."""
    assert with_provider()["__aws"] == {}


def test_missing_provider_adds_nothing() -> None:
    assert "__aws" not in declared(lambda: web(pulumi.ResourceOptions()))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"access_key": "AKIAEXAMPLE", "secret_key": "very-secret"}, "access_key and secret_key"),
        ({"token": "very-secret"}, "token"),
        ({"https_proxy": "http://me:very-secret@proxy"}, "https_proxy with a password"),
        ({"endpoints": [{"ec2": "http://localhost"}]}, "endpoints"),
        ({"shared_credentials_files": ["/credentials"]}, "shared_credentials_files"),
        ({"shared_config_files": ["/config"]}, "shared_config_files"),
        (
            {"assume_role_with_web_identity": {"role_arn": HUB, "web_identity_token": "very-secret"}},
            "assume_role_with_web_identity",
        ),
    ],
)
def test_provider_with_keys_is_refused_and_sends_no_secret(settings: dict[str, Any], named: str) -> None:
    def program() -> None:
        hidden: dict[str, Any] = {key: pulumi.Output.secret(value) for key, value in settings.items()}
        explicit = pulumi_aws.Provider("explicit", region="eu-west-2", **hidden)
        web(pulumi.ResourceOptions(provider=explicit))

    sent = declared(program)
    assert sent["__provider_problem"] == (
        f"opts.provider has {named}, which this resource does not take from a provider: use one with a region, "
        "profile or assume_roles, or the aws:… configuration of the stack"
    )
    assert "very-secret" not in json.dumps(sent)
    assert "AKIAEXAMPLE" not in json.dumps(sent)


class Foreign(pulumi.ProviderResource):
    def __init__(self, name: str) -> None:
        super().__init__("gcp", name, {})


def test_endpoints_of_other_services_do_not_matter() -> None:
    assert "__provider_problem" not in with_provider(endpoints=[{"s3": "http://a"}])
    for service in ("ec2", "sts"):
        sent = with_provider(endpoints=[{"s3": "http://a"}, {service: "http://b"}])
        assert str(sent["__provider_problem"]).startswith("opts.provider has endpoints, which this resource")


def test_skipped_metadata_service_is_sent() -> None:
    sent = with_provider(region="us-east-1", skip_metadata_api_check=True)
    assert sent["__aws"] == {"region": "us-east-1", "skipMetadataApiCheck": True}


def test_network_settings_are_sent() -> None:
    sent = with_provider(region="us-east-1", use_fips_endpoint=True, https_proxy="http://proxy:3128")
    assert sent["__aws"] == {
        "region": "us-east-1",
        "useFipsEndpoint": True,
        "httpsProxy": "http://proxy:3128",
    }


def test_provider_of_another_package_is_refused_by_name() -> None:
    sent = declared(lambda: web(pulumi.ResourceOptions(provider=Foreign("google"))))
    assert sent["__provider_problem"] == (
        "opts.provider is a provider of 'gcp': give a pulumi_aws.Provider, or region, profile and role_arn"
    )


class Site(pulumi.ComponentResource):
    """A component that makes a date of its own."""

    def __init__(self, opts: pulumi.ResourceOptions, child: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Site", "site", None, opts)
        web(pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(parent=self)))


def test_components_providers_are_inherited() -> None:
    inherit = declared(
        lambda: Site(pulumi.ResourceOptions(providers=[pulumi_aws.Provider("a", region="eu-west-2")]))
    )
    assert inherit["__aws"] == {"region": "eu-west-2"}
    inherit = declared(
        lambda: Site(pulumi.ResourceOptions(provider=pulumi_aws.Provider("a", region="eu-west-2")))
    )
    assert inherit["__aws"] == {"region": "eu-west-2"}
    foreign = declared(lambda: Site(pulumi.ResourceOptions(providers=[Foreign("google")])))
    assert "__aws" not in foreign
    assert "__provider_problem" not in foreign


def test_resource_provider_beats_its_components() -> None:
    def program() -> None:
        outer = pulumi_aws.Provider("outer", region="eu-west-1")
        own = pulumi_aws.Provider("own", region="eu-west-2")
        Site(pulumi.ResourceOptions(providers=[outer]), pulumi.ResourceOptions(provider=own))

    assert declared(program)["__aws"] == {"region": "eu-west-2"}


@pytest.mark.parametrize("form", ["list", "mapping"])
def test_provider_among_several_is_found(form: str) -> None:
    def program() -> None:
        several = [Foreign("google"), pulumi_aws.Provider("a", region="eu-west-2")]
        web(
            pulumi.ResourceOptions(
                providers=several if form == "list" else {each.package: each for each in several}
            )
        )

    sent = declared(program)
    assert sent["__aws"] == {"region": "eu-west-2"}
    assert "__provider_problem" not in sent


def test_parent_of_date_may_be_aws_resource() -> None:
    def program() -> None:
        provider = pulumi_aws.Provider("a", region="eu-west-2")
        group = pulumi.CustomResource(
            "aws:ec2/placementGroup:PlacementGroup", "group", {}, pulumi.ResourceOptions(provider=provider)
        )
        web(pulumi.ResourceOptions(parent=group))

    assert declared(program)["__aws"] == {"region": "eu-west-2"}


def test_engine_gets_dynamic_provider_only() -> None:
    for provider in (lambda: pulumi_aws.Provider("a", region="eu-west-2"), lambda: Foreign("google")):
        made = declare(lambda provider=provider: web(pulumi.ResourceOptions(provider=provider())))  # type: ignore[misc]
        assert [each.provider for each in made if each.type == TYPE] == [""]


def test_canary_sdk_silently_drops_foreign_providers() -> None:
    """So this package reads it: when the SDK refuses or honours it, that can go."""

    class Plain(pulumi.dynamic.Resource, module="test", name="Plain"):
        pass

    def program() -> None:
        provider = pulumi_aws.Provider("a", region="eu-west-2")
        Plain(AmiDeprecationProvider(), "plain", {}, pulumi.ResourceOptions(provider=provider))

    (made,) = [each for each in declare(program) if each.name == "plain"]
    assert made.provider == ""
