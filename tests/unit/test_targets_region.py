"""Credentials and Region of a resource: which source counts, and the errors without one."""

from __future__ import annotations

import configparser
import os
from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation import CredentialsError, InvalidInput
from ami_deprecation.core import targets
from ami_deprecation.core.inputs import UNKNOWN, Inputs
from ami_deprecation.core.run import Run
from ami_deprecation.core.targets import AwsConfig
from ami_deprecation.ec2 import Identity, Role
from tests.support import gateways
from tests.support.samples import inputs

if TYPE_CHECKING:
    from pathlib import Path

ROLE = "arn:aws:iam::111111111111:role/deprecator"


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def run(**config: str) -> Run:
    """A process's memory with this configuration of the stack."""
    values: dict[str, object] = {f"aws:{key}": value for key, value in config.items()}
    made = Run(gateways.gateway())
    made.configure(lambda: targets.read_stack_config(values.get, os.environ))
    return made


def profiles(path: Path, **regions_of: str) -> None:
    """Write the AWS configuration file: profile name -> Region."""
    file = configparser.ConfigParser()
    for name, region in regions_of.items():
        file["default" if name == "default" else f"profile {name}"] = {"region": region}
    with (path / "config").open("w") as opened:
        file.write(opened)


def region(given: Inputs, until_now: str | None = None, **config: str) -> object:
    return targets.region_of(run(**config), given, until_now=until_now)


def test_stacks_configuration_is_taken() -> None:
    configured = run(region="eu-west-1", profile="images")
    assert configured.stack == AwsConfig(region="eu-west-1", identity=Identity(profile="images"))
    assert targets.region_of(configured, inputs(), until_now=None) == "eu-west-1"
    assert targets.identity_of(configured, inputs()) == Identity(profile="images")


def test_a_mistake_in_it_is_reported_by_every_use() -> None:
    wrong = run(assumeRoles="[{")
    errors = []
    for _ in range(2):
        with pytest.raises(InvalidInput, match="aws:assumeRoles is not JSON") as caught:
            targets.identity_of(wrong, inputs())
        errors.append(caught.value)
    assert errors[0] is not errors[1], "one error that is raised again grows its traceback"


def test_explicit_provider_ignores_bad_stack_configuration() -> None:
    wrong = run(assumeRoles="[{")
    given = inputs(aws={"region": "eu-west-3", "assumeRoles": [{"roleArn": ROLE}]})
    assert targets.identity_of(wrong, given) == Identity(roles=(Role(arn=ROLE),))
    assert targets.region_of(wrong, given, until_now=None) == "eu-west-3"


def test_resource_region_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    stack = {"region": "eu-west-1"}
    assert (
        region(inputs(region="eu-west-2", aws={"region": "eu-west-3"}), "us-east-1", **stack) == "eu-west-2"
    )
    assert region(inputs(aws={"region": "eu-west-3"}), "us-east-1", **stack) == "eu-west-3"
    assert region(inputs(), "us-east-1", **stack) == "eu-west-1"


def test_provider_without_region_ignores_stack_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    stack = {"region": "eu-west-1"}
    assert region(inputs(aws={"assumeRoles": [{"roleArn": ROLE}]}), **stack) == "us-west-1"
    assert region(inputs(aws={}), **stack) == "us-west-1"


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
    assert region(inputs(), profile="other") == "sa-east-1"


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
    with pytest.raises(InvalidInput, match="'eu-west-12' is not a Region"):
        region(inputs(), region="eu-west-12")


def test_region_in_state_may_be_newer_than_boto3() -> None:
    assert region(inputs(), "mars-north-1") == "mars-north-1"
    assert region(inputs(region="mars-north-1"), "mars-north-1") == "mars-north-1"


@pytest.mark.parametrize("key", ["region", "aws"])
def test_region_may_be_unknown_in_preview(key: str) -> None:
    changes: dict[str, Any] = {key: UNKNOWN}
    assert targets.region_of(run(region="eu-west-1"), inputs(**changes), until_now=None) is UNKNOWN


@pytest.mark.parametrize("key", ["profile", "role_arn", "aws"])
def test_unknown_identity_passes_preview_but_not_call(key: str) -> None:
    changes: dict[str, Any] = {key: UNKNOWN}
    given = inputs(**changes)
    assert targets.identity_of(run(), given) is UNKNOWN
    with pytest.raises(InvalidInput, match="profile and role_arn have to be known"):
        targets.target_of(run(), given, "eu-west-1")


def test_calls_use_resource_identity_and_region() -> None:
    configured = run(region="eu-west-1", profile="images", accessKey="AKIAEXAMPLE", secretKey="very-secret")
    target = targets.target_of(configured, inputs(role_arn=ROLE), "eu-west-2")
    assert target.region == "eu-west-2"
    assert target.identity == Identity(
        profile="images", roles=(Role(arn=ROLE),), access_key="AKIAEXAMPLE", secret_key="very-secret"
    )
    assert "very-secret" not in repr(target)
