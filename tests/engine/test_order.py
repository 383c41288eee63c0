"""Whatever order the engine takes, a refactoring loses no date and sends no call that is not needed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.engine.programs import TOKEN, declare, resource, urn

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.engine.harness import Result, Stack

PASSED = datetime(2026, 1, 1, tzinfo=timezone.utc)
AHEAD = datetime(2028, 6, 1, tzinfo=timezone.utc)
DELETE_FIRST = ", opts=pulumi.ResourceOptions(delete_before_replace=True)"


def dated(ec2: LocalEC2, stack: Stack, when: datetime, arguments: str) -> str:
    """An image whose date a resource `web` has adopted or set."""
    image = ec2.add_image(name="web-1", deprecation_time=when if when == PASSED else None)
    declare(stack, resource("web", image, arguments))
    stack.up()
    assert ec2.image(image).deprecation_time is not None
    return image


FORMS = [
    pytest.param(AHEAD, "deprecate_at='2028-06-01'", id="ahead"),
    pytest.param(PASSED, "deprecate_at='2026-01-01'", id="passed"),
    pytest.param(AHEAD, "deprecate_in_days=30", id="in-days"),
]


@pytest.mark.parametrize(("when", "arguments"), FORMS)
def test_a_rename_without_an_alias_keeps_the_date_without_a_changing_call(
    stack: Stack, ec2: LocalEC2, when: datetime, arguments: str
) -> None:
    image = dated(ec2, stack, when, arguments)
    date = ec2.image(image).deprecation_time
    declare(stack, resource("renamed", image, arguments))
    renamed = stack.up()
    assert renamed.mutations == []
    assert "'renamed' of this update has taken it over" in renamed.output
    assert ec2.image(image).deprecation_time == date
    assert len(stack.resources(TOKEN)) == 1
    assert stack.up("--expect-no-changes").actions == []


@pytest.mark.parametrize("options", ["", DELETE_FIRST], ids=["create-first", "delete-first"])
@pytest.mark.parametrize("how", ["--replace", "taint"])
@pytest.mark.parametrize(("when", "arguments"), FORMS)
def test_a_forced_replacement_keeps_the_date_without_a_changing_call(
    stack: Stack, ec2: LocalEC2, when: datetime, arguments: str, how: str, options: str
) -> None:
    image = dated(ec2, stack, when, arguments)
    date = ec2.image(image).deprecation_time
    declare(stack, resource("web", image, arguments + options))
    replaced: Result
    if how == "taint":
        stack.run("state", "taint", urn(stack, "web"), "--yes")
        replaced = stack.up()
    else:
        replaced = stack.up("--replace", urn(stack, "web"))
    assert "replaced" in replaced.output
    assert replaced.mutations == []
    assert ec2.image(image).deprecation_time == date
    assert stack.up("--expect-no-changes").actions == []


def test_two_resources_that_swap_their_images_end_with_both_dates(stack: Stack, ec2: LocalEC2) -> None:
    one, two = ec2.add_image(name="one"), ec2.add_image(name="two")
    declare(
        stack,
        resource("a", one, "deprecate_at='2028-06-01'"),
        resource("b", two, "deprecate_at='2028-07-01'"),
    )
    stack.up()
    declare(
        stack,
        resource("a", two, "deprecate_at='2028-06-01'"),
        resource("b", one, "deprecate_at='2028-07-01'"),
    )
    assert stack.up().mutations == ["EnableImageDeprecation", "EnableImageDeprecation"]
    assert ec2.image(two).deprecation_time == AHEAD
    assert ec2.image(one).deprecation_time == datetime(2028, 7, 1, tzinfo=timezone.utc)


def test_a_taint_does_not_forget_the_date_that_was_found_at_first(stack: Stack, ec2: LocalEC2) -> None:
    found = datetime(2027, 12, 1, tzinfo=timezone.utc)
    image = ec2.add_image(name="web-1", deprecation_time=found)
    declare(stack, resource("web", image, "deprecate_at='2028-06-01', on_destroy='restore'"))
    stack.up()
    stack.run("state", "taint", urn(stack, "web"), "--yes")
    stack.up()
    assert ec2.image(image).deprecation_time == AHEAD
    stack.destroy()
    assert ec2.image(image).deprecation_time == found


def test_a_destroy_that_runs_the_program_still_cancels(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    assert stack.destroy("--run-program").mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None


def test_a_renamed_resource_that_fails_does_not_lose_the_date_of_the_old_one(
    stack: Stack, ec2: LocalEC2
) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    declare(stack, resource("renamed", image, "deprecate_at='2028-07-01'"))
    ec2.faults.add("EnableImageDeprecation", "denied", times=None)
    failed = stack.up("--continue-on-error", check=False)
    assert failed.code != 0
    assert ec2.image(image).deprecation_time == AHEAD
    ec2.faults.clear()
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == datetime(2028, 7, 1, tzinfo=timezone.utc)
    assert len(stack.resources(TOKEN)) == 1


def test_a_plan_that_was_reviewed_is_what_up_does(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_in_days=30"))
    plan = str(stack.project / "plan.json")
    stack.preview("--save-plan", plan)
    ec2.advance(timedelta(hours=5))
    assert stack.up("--plan", plan).mutations == ["EnableImageDeprecation"]
