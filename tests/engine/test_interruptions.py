"""Killed at any point: the next `up` converges, and nothing is done twice that matters."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.programs import TOKEN, declare, resource
from tests.support.watch import wait_until

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

JUNE = datetime(2028, 6, 1, tzinfo=timezone.utc)


def wait_for(ec2: LocalEC2, action: str, calls: int = 1) -> None:
    wait_until(
        lambda: sum(call.action == action for call in ec2.calls) >= calls, f"EC2 has {calls} of {action}"
    )


@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_update_killed_after_write_converges(stack: Stack, ec2: LocalEC2, how: str) -> None:
    images = [ec2.add_image(name="web-1"), ec2.add_image(name="web-2")]
    declare(
        stack,
        resource("at", images[0], "deprecate_at='2028-06-01'"),
        resource("in", images[1], "deprecate_in_days=30"),
    )
    # EC2 does it, and its answer never comes.
    ec2.faults.add("EnableImageDeprecation", "hang", times=2, after_effect=True, seconds=3)
    with stack.start("up", "--yes", "--skip-preview") as running:
        wait_for(ec2, "EnableImageDeprecation", 2)
        getattr(running, how)()
        if how == "interrupt":
            running.wait()
    dates = [ec2.image(image).deprecation_time for image in images]
    assert None not in dates
    ec2.faults.clear()
    stack.run("cancel", "--yes", check=False)  # a killed CLI leaves its lock
    again = stack.up()
    assert again.mutations == []
    assert [ec2.image(image).deprecation_time for image in images] == dates
    assert len(stack.resources(TOKEN)) == len(images)
    assert stack.up("--expect-no-changes").actions == []
