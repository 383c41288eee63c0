"""What a policy on the real engine does not do: too much at once, and what it cannot see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.fleets import DAY, EU, NOW, TYPE, US, date, fleet, policy

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


def test_failing_region_keeps_its_dates_and_stops_no_other(stack: Stack, ec2: LocalEC2) -> None:
    stack.env["AMI_DEPRECATION_RETRY_SECONDS"] = "1"
    european, _ = fleet(ec2, 20, 10)
    american, _ = fleet(ec2, 20, 10, region=US)
    policy(stack, regions=[US, EU])
    stack.up()
    there = date(ec2, american, US)
    assert there is not None

    ec2.add_image("base-2", created=NOW)
    ec2.add_image("base-2", created=NOW, region=US)
    ec2.faults.add("DescribeImages", "unavailable", region=US, times=None)
    sentence = f"policy 'base': {US} cannot be read, and its images keep their dates: DescribeImages on the images in {US}"
    failed = stack.up(check=False)
    assert failed.code != 0
    assert sentence in failed.output
    assert "Traceback" not in failed.output
    assert "delete" not in failed.output
    assert failed.mutations == ["EnableImageDeprecation"]
    assert date(ec2, european) is not None
    assert date(ec2, american, US) == there
    assert len(stack.resources(TYPE)) == 3

    ec2.faults.clear()
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert date(ec2, american, US) == there


def test_region_with_unreadable_references_keeps_its_dates(stack: Stack, ec2: LocalEC2) -> None:
    image_id, _ = fleet(ec2, 30, 10)
    policy(stack)
    stack.up()
    ec2.faults.add("DescribeImageReferences", "denied", times=None)
    policy(stack, in_use="warn")
    failed = stack.up(check=False)
    assert failed.code != 0
    assert failed.mutations == []
    assert f"{EU} cannot be read" in failed.output
    assert "may not do ec2:DescribeImageReferences" in failed.output
    assert date(ec2, image_id) == NOW + 20 * DAY


def test_query_without_a_match_is_a_warning(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 20, 10)
    policy(stack, name="bsae-*", regions=[EU, US])
    assert f"no image in {EU}, {US} matches" in stack.preview().output


def test_emptied_selection_is_refused(stack: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 30, 20, 10)
    policy(stack)
    stack.up()
    policy(stack, name="bsae-*")
    refused = stack.up(check=False)
    assert refused.code != 0
    assert refused.mutations == []
    assert f"no image in {EU} matches: all 2 dates that this policy set would be canceled" in refused.output
    assert "Traceback" not in refused.output
    assert date(ec2, ids[0]) is not None
