"""opts.provider: an explicit aws provider is honoured, or refused; never ignored. On the real engine: tests/engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws
import pytest

from ami_deprecation import AmiDeprecation
from tests.plugin.conftest import OTHER, REGION
from tests.support.dates import EARLY
from tests.support.program import run
from tests.support.whole_life import SECRETS, role, whole_life

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine


def test_explicit_aws_provider_is_honoured(engine: Engine, ec2: LocalEC2) -> None:
    there = ec2.add_image("there", account=OTHER, region="us-east-1")

    def program() -> None:
        aws = pulumi_aws.Provider("aws", region="us-east-1", assume_roles=[{"role_arn": role(OTHER)}])
        AmiDeprecation("web", image_id=there, deprecate_at=EARLY, opts=pulumi.ResourceOptions(provider=aws))

    whole_life(engine, ec2, program, there, "us-east-1")


@pytest.mark.parametrize("key", ["access_key", "secret_key", "token"])
def test_provider_with_keys_is_refused_before_any_call(engine: Engine, ec2: LocalEC2, key: str) -> None:
    image = ec2.add_image()
    keys: dict[str, Any] = {key: SECRETS[0]}

    def program() -> None:
        aws = pulumi_aws.Provider("aws", region=REGION, **keys)
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY, opts=pulumi.ResourceOptions(provider=aws))

    [web] = run(program, preview=False)
    assert SECRETS[0] not in json.dumps(web.inputs)
    [failure] = engine.preview(program, check=False).failures
    assert f"opts.provider has {key}, which this resource does not take" in failure


def test_provider_of_another_package_is_refused(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image()

    def program() -> None:
        other = pulumi.ProviderResource("gcp", "other", {})
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY, opts=pulumi.ResourceOptions(provider=other))

    [failure] = engine.preview(program, check=False).failures
    assert "provider of 'gcp'" in failure
