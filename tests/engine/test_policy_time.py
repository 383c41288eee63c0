"""What time does to a policy's dates on the real engine, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.fleets import DAY, NOW, QUIET, date, fleet, policy, steps

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


def test_passing_day_changes_nothing(stack: Stack, ec2: LocalEC2) -> None:
    noticed, dated, _ = fleet(ec2, 400, 100, 5)
    policy(stack, grace_days=60)
    ec2.set_deprecation_time(noticed, NOW + 300 * DAY)
    stack.up()
    given = {image_id: date(ec2, image_id) for image_id in (noticed, dated)}
    assert given == {noticed: NOW + 14 * DAY, dated: NOW + 55 * DAY}
    # Before the notice ends, at its end (within the notice of the other date), on that day, and long after.
    for days in (13.999, 14, 55, 1000):
        ec2.set_time(NOW + days * DAY)
        assert stack.run(*QUIET).actions == ["DescribeImages"], days
    assert stack.up().mutations == []
    assert stack.refresh().mutations == []
    stack.run(*QUIET)
    assert {image_id: date(ec2, image_id) for image_id in given} == given


def test_two_runs_on_two_days_give_same_dates(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 20, 10, 5)
    policy(stack)
    before = stack.preview_json()
    ec2.advance(5 * DAY)
    after = stack.preview_json()
    for each in (before, after):
        given = [step["newState"].get("inputs", {}).get("deprecate_at") for step in each["steps"]]
        assert sorted(filter(None, given)) == ["2027-03-21T12:00:00Z", "2027-03-26T12:00:00Z"]


def test_new_and_returning_images_are_one_line_each(stack: Stack, ec2: LocalEC2) -> None:
    oldest, second, third = fleet(ec2, 30, 20, 10)
    policy(stack)
    stack.up()
    newest = ec2.add_image("base-3", created=NOW)
    assert steps(stack.preview_json()) == [("create", "base-2")]
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert date(ec2, third) == NOW + 30 * DAY
    before = date(ec2, oldest), date(ec2, second)

    ec2.deregister_image(newest)
    assert steps(stack.preview_json()) == [("delete", "base-2")]
    assert stack.up().mutations == ["DisableImageDeprecation"]
    assert (date(ec2, oldest), date(ec2, second), date(ec2, third)) == (*before, None)

    ec2.set_time(NOW + DAY)
    ec2.deregister_image(oldest)
    assert steps(stack.preview_json()) == [("delete", "base-0")]
    assert stack.up().mutations == []


def test_changed_settings_move_dates_and_revive_none(stack: Stack, ec2: LocalEC2) -> None:
    noticed, dated, _ = fleet(ec2, 400, 100, 10)
    policy(stack)
    stack.up()
    ec2.set_time(NOW + 2 * DAY)
    policy(stack, grace_days=60)
    assert steps(stack.preview_json()) == [("update", "base-1")]
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert (date(ec2, noticed), date(ec2, dated)) == (NOW + 14 * DAY, NOW + 50 * DAY)

    ec2.set_time(NOW + 100 * DAY)
    for settings in ({"notice_days": 60}, {"grace_days": 10}, {"grace_days": 70, "notice_days": 0}):
        policy(stack, **settings)
        assert stack.up().mutations == [], settings
    assert (date(ec2, noticed), date(ec2, dated)) == (NOW + 14 * DAY, NOW + 50 * DAY)
    stack.run(*QUIET)


def test_changed_date_comes_back_or_gets_notice(stack: Stack, ec2: LocalEC2) -> None:
    noticed, first, second, _ = fleet(ec2, 400, 100, 40, 5)
    policy(stack, grace_days=60)
    stack.up()
    given = [date(ec2, image_id) for image_id in (noticed, first, second)]
    assert given == [NOW + 14 * DAY, NOW + 20 * DAY, NOW + 55 * DAY]
    ec2.set_time(NOW + 30 * DAY)
    ec2.set_deprecation_time(noticed, None)
    ec2.set_deprecation_time(first, None)
    ec2.set_deprecation_time(second, NOW + 300 * DAY)
    stack.refresh()
    preview = stack.preview_json()
    assert steps(preview) == [("update", "base-0"), ("update", "base-1"), ("update", "base-2")]
    assert "cannot be put back" not in str(preview)
    assert "2027-03-15T12:00:00Z" not in str([step["newState"] for step in preview["steps"]])
    stack.up()
    given = [date(ec2, image_id) for image_id in (noticed, first, second)]
    assert given == [NOW + 44 * DAY, NOW + 44 * DAY, NOW + 55 * DAY]
    ec2.set_time(NOW + 100 * DAY)
    stack.run(*QUIET)


def test_lagging_listing_changes_nothing(stack: Stack, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 400, 20, 10)
    policy(stack)
    ec2.faults.lag(mode="none")
    stack.up()
    given = [date(ec2, image_id) for image_id in ids]
    assert given == [NOW + 14 * DAY, NOW + 20 * DAY, None]
    ec2.advance(timedelta(minutes=1))
    stack.run(*QUIET)
    assert stack.up().mutations == []
    assert [date(ec2, image_id) for image_id in ids] == given
