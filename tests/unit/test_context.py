"""As whom and where: which word counts, and what is said when nothing does."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation import CredentialsError, InvalidInput
from ami_deprecation.core import context
from ami_deprecation.core.identity import Identity, Role, StackConfig
from ami_deprecation.core.inputs import UNKNOWN, Inputs
from ami_deprecation.ec2 import regions
from tests.support.samples import inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::111111111111:role/deprecator"


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    regions.default_region.cache_clear()
    yield
    regions.default_region.cache_clear()
    configure()


def configure(**config: str) -> None:
    values: dict[str, object] = {f"aws:{key}": value for key, value in config.items()}
    context.configure(values.get)


def profiles(path: Path, **regions_of: str) -> None:
    """Write the AWS configuration file: profile name -> Region."""
    file = configparser.ConfigParser()
    for name, region in regions_of.items():
        file["default" if name == "default" else f"profile {name}"] = {"region": region}
    with (path / "config").open("w") as opened:
        file.write(opened)


def region(given: Inputs, until_now: str | None = None) -> object:
    return context.region_of(given, until_now=until_now)


def test_stacks_configuration_is_taken() -> None:
    configure(region="eu-west-1", profile="images")
    assert context.stack() == StackConfig(region="eu-west-1", identity=Identity(profile="images"))
    assert region(inputs()) == "eu-west-1"
    assert context.identity_of(inputs()) == Identity(profile="images")


def test_bad_configuration_is_reported_at_every_use() -> None:
    configure(assumeRoles="[{")
    for _ in range(2):
        with pytest.raises(InvalidInput, match="aws:assumeRoles is not JSON"):
            context.stack()
    configure(region="eu-west-1")
    assert region(inputs()) == "eu-west-1"


def test_explicit_provider_ignores_bad_stack_configuration() -> None:
    configure(assumeRoles="[{")
    given = inputs(aws={"region": "eu-west-3", "assumeRoles": [{"roleArn": ROLE}]})
    assert context.identity_of(given) == Identity(roles=(Role(arn=ROLE),))
    assert region(given) == "eu-west-3"


def test_resource_region_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    configure(region="eu-west-1")
    assert region(inputs(region="eu-west-2", aws={"region": "eu-west-3"}), "us-east-1") == "eu-west-2"
    assert region(inputs(aws={"region": "eu-west-3"}), "us-east-1") == "eu-west-3"
    assert region(inputs(), "us-east-1") == "eu-west-1"


def test_provider_without_region_ignores_stack_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    configure(region="eu-west-1")
    assert region(inputs(aws={"assumeRoles": [{"roleArn": ROLE}]})) == "us-west-1"
    assert region(inputs(aws={})) == "us-west-1"


def test_other_environment_does_not_move_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    assert region(inputs(), "eu-west-1") == "eu-west-1"
    assert region(inputs()) == "us-west-1"


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_environment_region_beats_only_profiles(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profiles(tmp_path, default="eu-north-1")
    monkeypatch.setenv(variable, "us-west-1")
    assert region(inputs()) == "us-west-1"


def test_profiles_region_is_last_resort(tmp_path: Path) -> None:
    profiles(tmp_path, default="eu-north-1", images="eu-south-1", other="sa-east-1")
    assert region(inputs()) == "eu-north-1"
    assert region(inputs(profile="images")) == "eu-south-1"
    configure(profile="other")
    assert region(inputs()) == "sa-east-1"


def test_role_that_is_not_known_yet_leaves_region_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    assert region(inputs(role_arn=UNKNOWN)) == "us-west-1"
    assert region(inputs(profile=UNKNOWN)) is UNKNOWN


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_empty_variable_is_not_region(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    with pytest.raises(InvalidInput, match="no Region is set"):
        region(inputs())


def test_missing_region_is_one_sentence_with_three_fixes() -> None:
    with pytest.raises(InvalidInput) as caught:
        region(inputs())
    assert str(caught.value) == (
        "no Region is set: give region, or run `pulumi config set aws:region eu-west-1`, or set AWS_REGION"
    )


def test_unknown_profile_is_named() -> None:
    with pytest.raises(CredentialsError, match="the profile 'images' is not in your AWS configuration"):
        region(inputs(profile="images"))


def test_unknown_region_is_refused_from_every_source() -> None:
    with pytest.raises(InvalidInput, match="'eu-west-11' is not a Region"):
        region(inputs(region="eu-west-11"))
    configure(region="eu-west-12")
    with pytest.raises(InvalidInput, match="'eu-west-12' is not a Region"):
        region(inputs())


def test_region_in_state_may_be_newer_than_boto3() -> None:
    assert region(inputs(), "mars-north-1") == "mars-north-1"
    assert region(inputs(region="mars-north-1"), "mars-north-1") == "mars-north-1"


@pytest.mark.parametrize("key", ["region", "aws"])
def test_region_may_be_unknown_in_preview(key: str) -> None:
    configure(region="eu-west-1")
    changes: dict[str, Any] = {key: UNKNOWN}
    assert region(inputs(**changes)) is UNKNOWN


@pytest.mark.parametrize("key", ["profile", "role_arn", "aws"])
def test_unknown_identity_passes_preview_but_not_call(key: str) -> None:
    configure(region="eu-west-1")
    changes: dict[str, Any] = {key: UNKNOWN}
    given = inputs(**changes)
    assert context.identity_of(given) is UNKNOWN
    with pytest.raises(InvalidInput, match="profile and role_arn have to be known"):
        context.target_of(given, "eu-west-1")


def test_calls_use_resource_identity_and_region() -> None:
    configure(region="eu-west-1", profile="images", accessKey="AKIAEXAMPLE", secretKey="very-secret")
    target = context.target_of(inputs(role_arn=ROLE), "eu-west-2")
    assert target.region == "eu-west-2"
    assert target.identity == Identity(
        profile="images", roles=(Role(arn=ROLE),), access_key="AKIAEXAMPLE", secret_key="very-secret"
    )
    assert "very-secret" not in repr(target)
