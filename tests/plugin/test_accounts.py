"""The same account, role and Region as the user's other AWS resources, and nothing of it in the state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from moto.backends import get_backend

from tests.plugin.conftest import OTHER
from tests.support.dates import EARLY, LATE
from tests.support.program import dated, made
from tests.support.whole_life import SECRETS, role, whole_life

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

THIRD = "333333333333"


@pytest.fixture
def theirs(ec2: LocalEC2) -> str:
    """An image of the other account."""
    return ec2.add_image("theirs", account=OTHER)


@pytest.fixture
def profiles(ec2: LocalEC2, tmp_path: Path) -> dict[str, str]:
    """An environment with a profile `other` of the other account, in another Region."""
    keys = ec2.environment(account=OTHER)
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text("[default]\n[profile other]\nregion = us-east-1\n")
    credentials.write_text(
        f"[other]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {SECRETS[0]}\naws_session_token = {SECRETS[1]}\n"
    )
    return {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}


# The stack's configuration of the default aws provider.


def test_stacks_region_is_used(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image("web", region="us-east-1")
    engine.config["aws:region"] = "us-east-1"
    whole_life(engine, ec2, dated(image, EARLY), image, "us-east-1")


def test_resource_region_goes_first(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image("web", region="us-east-1")
    whole_life(engine, ec2, dated(image, EARLY, region="us-east-1"), image, "us-east-1")


@pytest.mark.parametrize("source", ["AWS_REGION", "AWS_DEFAULT_REGION", "profile"])
def test_region_defaults_to_boto3s_chain(
    make_engine: MakeEngine, ec2: LocalEC2, profiles: dict[str, str], source: str
) -> None:
    engine = make_engine()
    engine.environment |= profiles
    engine.config.clear()
    image = ec2.add_image("web", region="us-east-1", account=OTHER if source == "profile" else None)
    if source == "profile":
        whole_life(engine, ec2, dated(image, EARLY, profile="other"), image, "us-east-1")
    else:
        engine.environment[source] = "us-east-1"
        whole_life(engine, ec2, dated(image, EARLY), image, "us-east-1")


def test_missing_region_says_how_to_set_one(engine: Engine, ec2: LocalEC2) -> None:
    engine.config.clear()
    [failure] = engine.preview(dated(ec2.add_image(), EARLY), check=False).failures
    assert "no Region is set" in failure
    assert "pulumi config set aws:region" in failure


def test_stacks_profile_is_used(
    make_engine: MakeEngine, ec2: LocalEC2, profiles: dict[str, str], theirs: str
) -> None:
    engine = make_engine()
    engine.environment |= profiles
    engine.config["aws:profile"] = "other"
    whole_life(engine, ec2, dated(theirs, EARLY), theirs)


def test_stacks_keys_are_used_and_kept_nowhere(engine: Engine, ec2: LocalEC2, theirs: str) -> None:
    keys = ec2.environment(account=OTHER)
    engine.config |= {
        "aws:accessKey": keys["AWS_ACCESS_KEY_ID"],
        "aws:secretKey": SECRETS[0],
        "aws:token": SECRETS[1],
    }
    whole_life(engine, ec2, dated(theirs, EARLY), theirs)
    ec2.faults.add("*", "invalid-client-token", times=None)
    failed = engine.up(dated(theirs, EARLY), check=False)
    for secret in (*SECRETS, keys["AWS_ACCESS_KEY_ID"]):
        assert secret not in engine.export()
        assert secret not in str(failed)


def test_resource_profile_replaces_stacks_keys(
    make_engine: MakeEngine, ec2: LocalEC2, profiles: dict[str, str], theirs: str
) -> None:
    engine = make_engine()
    engine.environment |= profiles
    engine.config |= {"aws:accessKey": "ours", "aws:secretKey": SECRETS[0]}
    whole_life(engine, ec2, dated(theirs, EARLY, profile="other"), theirs)


def test_stacks_roles_are_assumed_one_after_other(engine: Engine, ec2: LocalEC2, theirs: str) -> None:
    first = {"roleArn": role(THIRD, "first")}
    second = {
        "roleArn": role(OTHER, "second"),
        "externalId": "external",
        "sessionName": "session",
        "duration": "15m",
    }
    engine.config["aws:assumeRoles"] = json.dumps([first, second])
    mark = ec2.mark()
    whole_life(engine, ec2, dated(theirs, EARLY), theirs)
    assumed = [call.account for call in ec2.calls_since(mark, "AssumeRole")]
    assert set(assumed) == {
        ec2.account,
        THIRD,
    }  # who asked: ourselves for the first, the first for the second
    [last, *_] = [
        each for each in get_backend("sts")[OTHER]["aws"].assumed_roles if each.session_name == "session"
    ]
    assert last.external_id == "external"
    assert role(THIRD, "first") not in engine.export()


def test_roles_of_profile_and_stack_are_both_assumed(
    engine: Engine, ec2: LocalEC2, tmp_path: Path, theirs: str
) -> None:
    """The stack's roles come after the profile's own, and the calls are made with the last one's credentials."""
    keys = ec2.environment(account=ec2.account)
    (tmp_path / "config").write_text(
        f"[profile hub]\nrole_arn = {role(THIRD, 'hub')}\nsource_profile = keys\n"
        f"[profile keys]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {SECRETS[0]}\n"
    )
    engine.environment["AWS_CONFIG_FILE"] = str(tmp_path / "config")
    engine.config["aws:profile"] = "hub"
    engine.config["aws:assumeRoles"] = json.dumps([{"roleArn": role(OTHER)}])
    mark = ec2.mark()
    whole_life(engine, ec2, dated(theirs, EARLY), theirs)
    assert {call.account for call in ec2.calls_since(mark, "AssumeRole")} == {ec2.account, THIRD}


def test_resource_role_is_assumed_with_stack_credentials(engine: Engine, ec2: LocalEC2, theirs: str) -> None:
    whole_life(engine, ec2, dated(theirs, EARLY, role_arn=role(OTHER)), theirs)


def test_unassumable_role_is_one_sentence(engine: Engine, ec2: LocalEC2, theirs: str) -> None:
    ec2.faults.add("AssumeRole", "denied", code="AccessDenied", status=403, times=None)
    up = engine.up(dated(theirs, EARLY, role_arn=role(OTHER)), check=False)
    assert "sts:AssumeRole" in up.sentence
    assert role(OTHER) in up.sentence


@pytest.mark.parametrize(
    ("key", "ids"), [("allowedAccountIds", [OTHER]), ("forbiddenAccountIds", ["123456789012"])]
)
def test_stacks_account_rules_are_kept(engine: Engine, ec2: LocalEC2, key: str, ids: list[str]) -> None:
    image = ec2.add_image()
    engine.up(dated(image, EARLY))
    engine.config[f"aws:{key}"] = json.dumps(ids)
    mark = ec2.mark()
    [failure] = engine.preview(dated(image, LATE), check=False).failures
    assert f"account {ec2.account}" in failure
    assert key in failure
    for outcome in (engine.refresh(check=False), engine.destroy(check=False)):
        assert outcome.sentence.startswith("ami_deprecation.WrongAccount: account 123456789012")
    assert {call.action for call in ec2.calls_since(mark)} == {"GetCallerIdentity"}
    assert ec2.image(image).deprecation_time == EARLY
    assert engine.names() == ["web"]


@pytest.mark.parametrize("settle_seconds", ["0", "120"])
def test_image_hidden_from_another_account_is_not_gone(
    make_engine: MakeEngine, ec2: LocalEC2, settle_seconds: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS=settle_seconds)
    image = ec2.add_image()
    engine.up(dated(image, EARLY))
    before, ours = engine.export(), dict(engine.environment)
    engine.environment |= ec2.environment(account=OTHER)
    for outcome in (engine.destroy(check=False), engine.refresh(check=False)):
        assert outcome.sentence.startswith(f"ami_deprecation.WrongAccount: {image} in eu-west-1 belongs to")
        assert f"account {ec2.account}, and account {OTHER} of the credentials in force" in outcome.sentence
        assert outcome.mutations == []
        assert outcome.seconds < 60, "a wait shows it no better"
    assert engine.export() == before
    engine.environment = ours
    engine.destroy()
    assert ec2.image(image).deprecation_time is None


@pytest.mark.parametrize("key", ["allowedAccountIds", "forbiddenAccountIds"])
def test_account_that_rules_allow_is_used(engine: Engine, ec2: LocalEC2, key: str) -> None:
    image = ec2.add_image()
    engine.config[f"aws:{key}"] = json.dumps([ec2.account if key == "allowedAccountIds" else OTHER])
    whole_life(engine, ec2, dated(image, EARLY), image)


@pytest.mark.parametrize("key", ["assumeRoles", "allowedAccountIds"])
def test_configuration_that_cannot_be_read_is_named(engine: Engine, ec2: LocalEC2, key: str) -> None:
    engine.config[f"aws:{key}"] = "{not JSON"
    [failure] = engine.preview(dated(ec2.add_image(), EARLY), check=False).failures
    assert f"aws:{key}" in failure


def test_state_has_no_configuration(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image()
    engine.config |= {
        "aws:assumeRoles": json.dumps([{"roleArn": role(ec2.account, "hidden")}]),
        "aws:allowedAccountIds": json.dumps([ec2.account]),
        "aws:secretKey": SECRETS[0],
        "aws:accessKey": "made-up-access-key",
        "aws:token": SECRETS[1],
    }
    engine.up(dated(image, EARLY))
    engine.refresh()
    for hidden in ("hidden", "made-up", "assumeRoles", "llowedAccountIds"):
        assert hidden not in engine.export()


# Regions.


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "cn-northwest-1"])
def test_regions_of_other_partitions_work(engine: Engine, ec2: LocalEC2, region: str) -> None:
    image = ec2.add_image("web", region=region)
    whole_life(engine, ec2, dated(image, EARLY, region=region), image, region)
    ec2.remove_image(image, region=region)


@pytest.mark.parametrize("where", ["input", "stack"])
def test_unknown_region_is_refused_by_name_before_any_call(engine: Engine, ec2: LocalEC2, where: str) -> None:
    image = ec2.add_image()
    inputs = {"region": "eu-west-9"} if where == "input" else {}
    if where == "stack":
        engine.config["aws:region"] = "eu-west-9"
    preview = engine.preview(dated(image, EARLY, **inputs), check=False)
    [failure] = preview.failures
    assert "'eu-west-9' is not a Region" in failure
    assert "did you mean" in failure
    assert preview.actions == []


def test_unsupported_setting_is_refused_before_any_call(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image()
    engine.config["aws:assumeRoleWithWebIdentity"] = json.dumps(
        {"roleArn": role(OTHER), "webIdentityToken": SECRETS[0]}
    )
    preview = engine.preview(dated(image, EARLY), check=False)
    [failure] = preview.failures
    assert "aws:assumeRoleWithWebIdentity is not supported here" in failure
    assert SECRETS[0] not in failure
    assert preview.actions == []


def test_two_regions_in_one_program(engine: Engine, ec2: LocalEC2) -> None:
    here, there = ec2.add_image("here"), ec2.add_image("there", region="us-east-1")

    def program() -> None:
        made("here", image_id=here, deprecate_at=EARLY)()
        made("there", image_id=there, deprecate_at=LATE, region="us-east-1")()

    engine.up(program)
    assert ec2.image(here).deprecation_time == EARLY
    assert ec2.image(there, region="us-east-1").deprecation_time == LATE
