"""get_images: DescribeImages as a data source, as whom and where the stack says."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pulumi
import pulumi.runtime
import pytest

from ami_deprecation import (
    AmiDeprecationError,
    AmiDeprecationPolicy,
    EC2Unavailable,
    InvalidInput,
    PermissionDenied,
    get_images,
)
from ami_deprecation.testing import LocalEC2
from tests.support import gateways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EU, US = "eu-west-1", "us-east-1"
START = datetime(2027, 3, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
OTHER = "210987654321"
ABSENT = "ami-0123456789abcdef0"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEC2]:
    with LocalEC2() as server:
        gateways.enter(server, monkeypatch)
        yield server
    gateways.forget()
    pulumi.runtime.set_all_config({})


def names(**query: object) -> list[str]:
    return [image.name for image in get_images(**query)]  # type: ignore[arg-type]  # a test's own query


def test_images_are_frozen_typed_and_newest_first(ec2: LocalEC2) -> None:
    old = ec2.add_image("old", created=START - DAY, deprecation_time=START + DAY, tags={"Team": "core"})
    ec2.add_image("new", created=START, public=True, last_launched=START)
    new, image = get_images()
    assert (image.id, image.name, image.region, image.owner_id) == (old, "old", EU, ec2.account)
    assert (image.creation_date, image.deprecation_time, image.state) == (
        START - DAY,
        START + DAY,
        "available",
    )
    assert (dict(image.tags), image.public, image.last_launched_time) == ({"Team": "core"}, False, None)
    assert (new.name, new.public, new.last_launched_time) == ("new", True, START)
    assert not image.is_deprecated(at=START)
    assert image.is_deprecated(at=START + DAY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.name = "other"  # type: ignore[misc]


def test_filters_are_passed_to_ec2(ec2: LocalEC2) -> None:
    ec2.add_image("web-1", created=START, tags={"Team": "shop"})
    ec2.add_image("web-2", created=START - DAY, tags={"Team": "search"})
    ec2.add_image("db-1", created=START - 2 * DAY, tags={"Team": "shop"}, state="pending")
    assert names() == ["web-1", "web-2", "db-1"]
    assert names(name="web-*") == ["web-1", "web-2"]
    assert names(tags={"Team": ["shop", "else"]}, filters={"state": "pending"}) == ["db-1"]
    assert names(name="none-*") == []


def test_own_images_are_default_and_public_ones_by_owner(
    ec2: LocalEC2,
) -> None:
    ec2.add_image("mine-past", created=START, deprecation_time=START - DAY)
    ec2.add_image("mine-disabled", created=START - DAY, state="disabled")
    ec2.add_image("theirs", created=START - DAY, account=OTHER, public=True)
    ec2.add_image("theirs-past", account=OTHER, public=True, deprecation_time=START - DAY)
    ec2.set_time(START)
    assert names() == ["mine-past"]
    assert names(include_disabled=True) == ["mine-past", "mine-disabled"]
    assert names(owners=OTHER) == ["theirs"]
    assert sorted(names(owners=[OTHER], include_deprecated=True)) == ["theirs", "theirs-past"]
    assert sorted(names(owners=())) == ["mine-past", "theirs"]


def test_missing_ids_are_left_out(ec2: LocalEC2) -> None:
    ids = ec2.add_images(5, created=START)
    assert {image.id for image in get_images(image_ids=[ABSENT, *ids, "ami-0123456789abcdef1"])} == set(ids)
    assert get_images(image_ids=[ABSENT]) == []
    before = len(ec2.calls)
    assert get_images(image_ids=[]) == []
    assert len(ec2.calls) == before


def test_region_order_is_argument_stack_environment(ec2: LocalEC2) -> None:
    for region in (EU, US, "us-west-2"):
        ec2.add_image(region, region=region)
    assert names() == [EU]
    pulumi.runtime.set_all_config({"aws:region": US})
    assert names() == [US]
    assert names(region="us-west-2") == ["us-west-2"]


def test_role_is_argument_then_stacks(ec2: LocalEC2) -> None:
    third = "333333333333"
    ec2.add_image("here")
    ec2.add_image("there", account=OTHER)
    ec2.add_image("elsewhere", account=third)
    assert names() == ["here"]
    roles = f'[{{"roleArn": "arn:aws:iam::{OTHER}:role/fleet"}}]'
    pulumi.runtime.set_all_config({"aws:assumeRoles": roles})
    assert names() == ["there"]
    assert names(role_arn=f"arn:aws:iam::{third}:role/fleet") == ["elsewhere"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"region": "eu-west-11"}, "'eu-west-11' is not a Region"),
        ({"role_arn": "fleet"}, "role_arn: 'fleet' is not the ARN of a role"),
        ({"image_ids": ["ami-1"]}, "image_ids: 'ami-1' is not the id of an AMI"),
    ],
)
def test_bad_argument_is_named_before_any_call(
    ec2: LocalEC2, query: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        names(**query)
    assert ec2.calls == []


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        ("denied", PermissionDenied, "may not do ec2:DescribeImages on the images in eu-west-1"),
        ("unavailable", EC2Unavailable, "DescribeImages on the images in eu-west-1 failed"),
    ],
)
def test_failed_read_is_one_sentence(
    ec2: LocalEC2,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    kind: type[AmiDeprecationError],
    sentence: str,
) -> None:
    monkeypatch.setenv("AMI_DEPRECATION_RETRY_SECONDS", "0.5")
    ec2.faults.add("DescribeImages", fault, times=None)  # type: ignore[arg-type]
    with pytest.raises(kind, match=sentence) as failed:
        get_images()
    # The language host shows a RunError without a traceback.
    assert isinstance(failed.value, pulumi.RunError)
    assert failed.value.__suppress_context__
    assert "\n" not in str(failed.value)


# Policies that are refused before anything is declared, so that no engine is needed to see it.


class Mocks(pulumi.runtime.Mocks):
    """An engine that takes everything."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, _args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, object], None]:
        return {}, None


@pytest.fixture
def engine() -> Iterator[None]:
    pulumi.runtime.set_mocks(Mocks())
    yield
    pulumi.runtime.settings.reset_options()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    "options",
    [
        lambda aws: pulumi.ResourceOptions(provider=aws),
        lambda aws: pulumi.ResourceOptions(providers=[aws]),
        lambda aws: pulumi.ResourceOptions(providers={"aws": aws}),
        lambda aws: pulumi.ResourceOptions(
            parent=pulumi.ComponentResource(
                "test:index:Parent", "p", {}, pulumi.ResourceOptions(providers=[aws])
            )
        ),
    ],
)
def test_policy_refuses_unreadable_provider(
    ec2: LocalEC2, options: Callable[[pulumi.ProviderResource], pulumi.ResourceOptions]
) -> None:
    opts = options(pulumi.ProviderResource("aws", "explicit", {}))
    with pytest.raises(InvalidInput, match=r"policy 'base': an aws\.Provider cannot be used here"):
        AmiDeprecationPolicy("base", name="base-*", keep_newest=1, opts=opts)
    assert ec2.calls == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"keep_newest": -1}, "policy 'base': keep_newest: -1 is not a whole number from 0 on"),
        (
            {"regions": [EU, "eu-west-11"]},
            "policy 'base': 'eu-west-11' is not a Region that this boto3 knows",
        ),
        (
            {"tags": {"team": ["web", pulumi.Output.from_input("db")]}},
            "policy 'base': tags: an Output is known too late, because the images are read first: use a plain value",
        ),
        ({"regions": []}, r"policy 'base': regions: \[\] is not a list of Regions"),
    ],
)
def test_policy_names_bad_argument_before_any_call(
    ec2: LocalEC2, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as wrong:
        AmiDeprecationPolicy("base", **{"name": "base-*", "keep_newest": 1, **arguments})  # type: ignore[arg-type]
    assert isinstance(wrong.value, pulumi.RunError)
    assert ec2.calls == []
