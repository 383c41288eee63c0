"""A policy's many changes: at EC2's own speed, and one that EC2 refuses stops no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_deprecation.testing import Limits
from tests.support.fleets import EU, QUIET, date, fleet, policy

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


def test_many_changes_are_paced_and_announced(stack: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, *range(40))
    policy(stack, keep_newest=0, grace_days=100)
    stack.env |= {"AMI_DEPRECATION_CHANGES_BURST": "10", "AMI_DEPRECATION_CHANGES_PER_SECOND": "8"}
    # Some calls more at once than ours, for a machine on which the first ones are late.
    ec2.set_limits(Limits(mutating_tokens=20, mutating_per_second=8))
    result = stack.up()
    assert [call for call in result.calls if call.error_code] == []
    assert f"EnableImageDeprecation calls sent in {EU}, the next ones wait for EC2's limit of 8 a second" in (
        result.output
    )
    assert all(date(ec2, image_id) for image_id in ids)


def test_refused_image_is_named_and_retried_alone(stack: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, *range(12))
    policy(stack, keep_newest=0, grace_days=100)
    refusal = ec2.faults.add(
        "EnableImageDeprecation", code="OperationNotPermitted", message="No.", image_id=ids[4], times=None
    )
    first = stack.up("--continue-on-error", check=False)
    assert first.code != 0
    assert f"EnableImageDeprecation on {ids[4]} in {EU}" in first.output
    assert [image_id for image_id in ids if date(ec2, image_id) is None] == [ids[4]]

    again = stack.up("--continue-on-error", check=False)
    assert [call.image_ids for call in again.calls if call.mutates] == [(ids[4],)]
    refusal.times = 0
    assert stack.up().mutations == ["EnableImageDeprecation"]
    stack.run(*QUIET)
