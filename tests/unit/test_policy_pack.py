"""The example policy pack, tested as pulumi-policy's own docs have it: validations called with made-up resources."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
)

from ami_deprecation.testing import LocalEC2
from tests.support import gateways

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PACK = Path(__file__).parents[2] / "examples" / "policy-pack"
INSTANCE = "aws:ec2/instance:Instance"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


@pytest.fixture
def pack() -> ModuleType:
    """The module with the policies, fresh, for it remembers what it has read."""
    spec = importlib.util.spec_from_file_location("fresh_images", PACK / "fresh_images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def server() -> Iterator[LocalEC2]:
    """One for all tests here: the package keeps its connections for as long as its process lives."""
    with LocalEC2() as ec2, pytest.MonkeyPatch.context() as patch:
        gateways.enter(ec2, patch)
        yield ec2
    gateways.forget()


@pytest.fixture
def ec2(server: LocalEC2) -> LocalEC2:
    server.reset()
    return server


@dataclass
class Verdict:
    """What the two policies said."""

    refused: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)


def judge(
    pack: ModuleType,
    resource_type: str,
    props: dict[str, Any],
    provider: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
) -> Verdict:
    verdict = Verdict()
    given = {"region": "eu-west-1"} if provider is None else provider
    args = ResourceValidationArgs(
        resource_type,
        props,
        f"urn:pulumi:dev::shop::{resource_type}::web",
        "web",
        PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [], None),
        PolicyProviderResource(
            "pulumi:providers:aws", given, "urn:pulumi:dev::shop::pulumi:providers:aws::aws", "aws"
        ),
        config,
    )
    pack.no_deprecated_images.validate(args, lambda message, _=None: verdict.refused.append(message))
    pack.readable_images.validate(args, lambda message, _=None: verdict.warned.append(message))
    return verdict


def days(number: float) -> datetime:
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) + timedelta(days=number)


@pytest.mark.parametrize(
    ("resource_type", "key"),
    [
        (INSTANCE, "ami"),
        ("aws:ec2/spotInstanceRequest:SpotInstanceRequest", "ami"),
        (TEMPLATE, "imageId"),
        ("aws:ec2/launchConfiguration:LaunchConfiguration", "imageId"),
    ],
)
def test_launch_of_deprecated_image_is_refused(
    pack: ModuleType, ec2: LocalEC2, resource_type: str, key: str
) -> None:
    image_id = ec2.add_image("web-1", deprecation_time=datetime(2026, 1, 2, tzinfo=timezone.utc))
    verdict = judge(pack, resource_type, {key: image_id})
    assert verdict.refused == [
        f"{image_id} (web-1) in eu-west-1 has been deprecated since 2026-01-02: use a newer image"
    ]
    assert verdict.warned == []


@pytest.mark.parametrize(
    ("ahead", "config", "refused"),
    [
        (29.5, {}, True),
        (31, {}, False),
        (31, {"noticeDays": 60.0}, True),  # every number on the wire is a float
        (1, {"noticeDays": 0.0}, False),
        (None, {}, False),
    ],
    ids=["within the default", "beyond it", "within a longer notice", "no notice", "no date"],
)
def test_date_within_notice_is_refused(
    pack: ModuleType, ec2: LocalEC2, ahead: float | None, config: dict[str, Any], refused: bool
) -> None:
    image_id = ec2.add_image("web", deprecation_time=None if ahead is None else days(ahead))
    verdict = judge(pack, INSTANCE, {"ami": image_id}, config=config)
    assert bool(verdict.refused) is refused
    assert all("will be deprecated within" in message for message in verdict.refused)
    assert verdict.warned == []


def test_deprecated_image_of_another_account_is_refused(pack: ModuleType, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("theirs", account="099720109477", public=True, deprecation_time=days(-3))
    assert len(judge(pack, INSTANCE, {"ami": image_id}).refused) == 1


def test_image_is_looked_for_where_resource_will_be(pack: ModuleType, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("web", region="us-east-1", deprecation_time=days(-3))
    assert judge(pack, INSTANCE, {"ami": image_id}, provider={"region": "us-east-1"}).refused
    assert judge(pack, INSTANCE, {"ami": image_id, "region": "us-east-1"}).refused
    assert not judge(pack, INSTANCE, {"ami": image_id}).refused


def test_role_of_provider_is_assumed(pack: ModuleType, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("private", account="210987654321", deprecation_time=days(-3))
    role = '[{"roleArn": "arn:aws:iam::210987654321:role/deploy"}]'
    verdict = judge(pack, INSTANCE, {"ami": image_id}, provider={"region": "eu-west-1", "assumeRoles": role})
    assert len(verdict.refused) == 1


def test_image_is_read_once(pack: ModuleType, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("web")
    mark = ec2.mark()
    for _ in range(3):
        judge(pack, INSTANCE, {"ami": image_id})
        judge(pack, TEMPLATE, {"imageId": image_id})
    assert [call.action for call in ec2.calls_since(mark)] == ["DescribeImages"]


def test_image_that_cannot_be_read_is_warning(pack: ModuleType, ec2: LocalEC2) -> None:
    absent = "ami-0123456789abcdef0"
    assert judge(pack, INSTANCE, {"ami": absent}).warned == [
        f"{absent} is not found in eu-west-1, so its date was not looked at"
    ]
    image_id = ec2.add_image("web", deprecation_time=days(-3))
    ec2.faults.add("DescribeImages", "denied")
    verdict = judge(pack, TEMPLATE, {"imageId": image_id})
    assert verdict.refused == []
    assert len(verdict.warned) == 1
    assert "ec2:DescribeImages" in verdict.warned[0]


def test_image_that_is_chosen_at_launch_is_warning(pack: ModuleType, ec2: LocalEC2) -> None:
    verdict = judge(pack, TEMPLATE, {"imageId": "resolve:ssm:/images/web"})
    assert verdict.refused == []
    assert "resolve:ssm:/images/web" in verdict.warned[0]
    assert ec2.calls == []


@pytest.mark.parametrize(
    ("resource_type", "props"),
    [
        ("aws:s3/bucket:Bucket", {"ami": "ami-0123456789abcdef0"}),
        (INSTANCE, {"launchTemplate": {"id": "lt-1"}}),
    ],
    ids=["another type", "an instance from a template"],
)
def test_resource_without_image_is_ignored(
    pack: ModuleType, ec2: LocalEC2, resource_type: str, props: dict[str, Any]
) -> None:
    assert judge(pack, resource_type, props) == Verdict()
    assert ec2.calls == []


def test_refusal_stops_update_and_warning_does_not(pack: ModuleType) -> None:
    assert pack.no_deprecated_images.enforcement_level is EnforcementLevel.MANDATORY
    assert pack.readable_images.enforcement_level is EnforcementLevel.ADVISORY
