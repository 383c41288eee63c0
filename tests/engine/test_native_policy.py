"""The policy of the native provider: a remote component whose children are native resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ami_deprecation.core.keys import POLICY_TYPE
from tests.support import native
from tests.support.fleets import DAY, EU, NOW, QUIET, US, date, fleet, policy

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

REMOTE = "Policy('base', name='base-*', keepNewest=1, graceDays=30{})"


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """An empty stack whose programs may use the native provider."""
    native.use_provider(stack)
    return stack


def remote(stack: Stack, more: str = "", *before: str) -> None:
    """Let the stack's program be one policy of the native provider."""
    native.declare(stack, *before, REMOTE.format(f", {more}" if more else ""))


def test_native_policy_dates_due_images_once(stack: Stack, ec2: LocalEC2) -> None:
    old, near, ahead, newest = fleet(ec2, 400, 100, 10, 5)
    remote(stack)
    preview = stack.preview()
    assert preview.mutations == []
    for number, image_id in enumerate((old, near, ahead)):
        assert f"base-base-{number}-{image_id}-{EU} create" in preview.output
    assert stack.up().mutations == ["EnableImageDeprecation"] * 3
    assert [date(ec2, each) for each in (old, near, ahead, newest)] == [
        NOW + 14 * DAY,
        NOW + 20 * DAY,
        NOW + 25 * DAY,
        None,
    ]
    [component] = stack.resources(POLICY_TYPE)
    assert [
        (each["imageName"], each["deprecationTime"]) for each in component["outputs"]["deprecations"]
    ] == [
        ("base-2", "2027-03-26T12:00:00Z"),
        ("base-1", "2027-03-21T12:00:00Z"),
        ("base-0", "2027-03-15T12:00:00Z"),
    ]
    assert stack.run(*QUIET).actions == ["DescribeImages"]
    assert stack.destroy().mutations == ["DisableImageDeprecation"] * 3


def test_native_policy_needs_no_default_aws_provider(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 400, 5)
    stack.config({"pulumi:disable-default-providers": ["aws"]})
    remote(stack)
    assert stack.up().mutations == ["EnableImageDeprecation"]


def test_moved_policy_keeps_dates_and_notices(stack: Stack, ec2: LocalEC2) -> None:
    old, near, _ = fleet(ec2, 400, 50, 10)
    policy(stack)
    stack.up()
    dates = [date(ec2, each) for each in (old, near)]
    ec2.set_time(NOW + 2 * DAY)
    for write in (remote, policy):
        write(stack)
        assert stack.up().mutations == []
        assert [date(ec2, each) for each in (old, near)] == dates
        assert stack.run(*QUIET).mutations == []
    assert stack.destroy().mutations == ["DisableImageDeprecation"] * 2


def test_native_policy_uses_its_explicit_provider(stack: Stack, ec2: LocalEC2) -> None:
    image_id, _ = fleet(ec2, 20, 5, region=US)
    remote(stack, "opts=pulumi.ResourceOptions(provider=us)", f"us = Native('us', region='{US}')")
    assert [call.region for call in stack.up().calls if call.mutates] == [US]
    assert date(ec2, image_id, US) == NOW + 25 * DAY


def test_native_policy_goes_on_without_unreadable_region(stack: Stack, ec2: LocalEC2) -> None:
    stack.env["AMI_DEPRECATION_RETRY_SECONDS"] = "1"
    image_id, _ = fleet(ec2, 20, 5)
    ec2.faults.add("DescribeImages", code="UnauthorizedOperation", region=US, times=100)
    remote(stack, f"regions=['{EU}', '{US}']")
    failed = stack.up(check=False)
    assert failed.code != 0
    assert f"{US} cannot be read, and its images keep their dates" in failed.output
    assert failed.mutations == ["EnableImageDeprecation"]
    assert date(ec2, image_id) == NOW + 25 * DAY


def test_native_policy_refuses_to_lose_all_dates(stack: Stack, ec2: LocalEC2) -> None:
    image_id, _ = fleet(ec2, 20, 5)
    remote(stack)
    stack.up()
    remote(stack, "allowEmpty=False, exclude=['base-0']")
    refused = stack.up(check=False)
    assert "the only date that this policy set would be canceled" in refused.output
    assert "or set allowEmpty to true for this run" in refused.output
    assert refused.mutations == []
    assert date(ec2, image_id) is not None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("noticeDays=-1", "noticeDays: -1 is not a whole number of days"),
        ("keepNew=2", "'keepNew': there is no such key: did you mean keepNewest?"),
        ("keep_newest=2", "'keep_newest': there is no such key: did you mean keepNewest?"),
        ("profile=late", "profile: the value is known too late"),
    ],
    ids=["value", "name", "spelling", "unknown"],
)
def test_native_policy_names_its_mistake(stack: Stack, ec2: LocalEC2, more: str, sentence: str) -> None:
    image_id, _ = fleet(ec2, 20, 5)
    late = f"late = Date('one', imageId='{image_id}', deprecateInDays=3).urn.apply(lambda _: 'one')"
    remote(stack, more, late.replace(".urn", ".id"))
    refused = stack.preview(check=False)
    assert refused.code != 0
    assert f"{POLICY_TYPE} resource 'base' has a problem: {sentence}" in refused.output
    assert "Traceback" not in refused.output
