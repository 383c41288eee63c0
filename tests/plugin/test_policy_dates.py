"""The dates that a policy gives, and what the passing of time and changed settings do to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation import AmiDeprecation, AmiDeprecationPolicy, RequestRefused
from tests.support.fleets import DAY, EU, NOW, US, date, fleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine
    from tests.support.operation import Outcome

pytestmark = pytest.mark.usefixtures("program_reaches_ec2")


def policy(**changed: Any) -> Callable[[], object]:
    arguments: dict[str, Any] = {"name": "base-*", "keep_newest": 1, "grace_days": 30, **changed}
    return lambda: AmiDeprecationPolicy("base", **arguments)


def changes(outcome: Outcome) -> list[tuple[str, str]]:
    """Operation and image name of every step that changes something."""
    return sorted(
        (operation, name.removeprefix("base-").partition("-ami-")[0])
        for operation, name in outcome.steps
        if operation != "same"
    )


# Which images get a date.


def test_exclusions_leave_images_out(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 50, 40, 30, 20, 10)
    ec2.add_image("base-kept", created=NOW - 60 * DAY, tags={"Keep": "true"})
    preview = engine.preview(policy(exclude=[ids[0], "*-1", "tag:Keep=true"]))
    assert changes(preview) == [("create", "base-2"), ("create", "base-3")]


def test_other_resource_for_an_image_is_told_to_exclude_it(engine: Engine, ec2: LocalEC2) -> None:
    old, *_ = fleet(ec2, 50, 40)

    def program() -> None:
        AmiDeprecationPolicy("base", name="base-*", keep_newest=1, grace_days=30)
        AmiDeprecation("own", image_id=old, deprecate_at=NOW + 90 * DAY)

    refused = engine.preview(program, check=False)
    assert "name the image in exclude of the policy, or remove the other resource" in str(refused)


def test_groups_and_regions_are_counted_separately(engine: Engine, ec2: LocalEC2) -> None:
    ec2.set_time(NOW)
    due = set()
    for region in (EU, US):
        for family in ("web", "db"):
            for age in (40, 30, 20):
                name = f"base-{region}-{family}-{age}"
                tags = {"Family": family, "Team": "core"}
                ec2.add_image(name, region=region, created=NOW - age * DAY, tags=tags)
                if age == 40:
                    due.add(("create", name))
    ec2.add_image("base-other", created=NOW - 400 * DAY, tags={"Team": "other", "Family": "web"})
    grouped = policy(tags={"Team": "core"}, group_by="tag:Family", keep_newest=2, regions=[EU, US])
    assert set(changes(engine.preview(grouped))) == due


def test_undated_image_in_use_can_be_skipped(engine: Engine, ec2: LocalEC2) -> None:
    used, free, _ = fleet(ec2, 30, 20, 10)
    arn = "arn:aws:ec2:eu-west-1:123456789012:launch-template/lt-1"
    ec2.add_reference(used, "ec2:LaunchTemplate", arn)
    engine.up(policy(in_use="skip"))
    assert (date(ec2, used), date(ec2, free)) == (None, NOW + 20 * DAY)
    ec2.add_reference(free, "ec2:LaunchTemplate", arn)  # to skip it now would cancel its date
    assert engine.preview(policy(in_use="skip")).operations == []


def test_public_images_stay_in_two_years_and_never_move_later(engine: Engine, ec2: LocalEC2) -> None:
    ec2.set_time(NOW)
    public = ec2.add_image("base-public", created=NOW - 700 * DAY, public=True)
    tight = ec2.add_image("base-tight", created=NOW - 300 * DAY, public=True, deprecation_time=NOW + 40 * DAY)
    limit = date(ec2, public)
    assert limit is not None
    late = policy(keep_newest=None, grace_days=0, deprecate_after_days=2000)
    assert engine.up(late).mutations == []
    assert (date(ec2, public), date(ec2, tight)) == (limit, NOW + 40 * DAY)
    ec2.set_time(limit + DAY)
    assert engine.preview(late).operations == []


def test_max_changes_does_not_count_settled_dates(engine: Engine, ec2: LocalEC2) -> None:
    fleet(ec2, 40, 30, 20, 10)
    engine.up(policy(max_changes=3))
    ec2.add_image("base-4", created=NOW)
    with pytest.raises(RequestRefused):
        engine.preview(policy(max_changes=0))
    assert engine.up(policy(max_changes=1)).mutations == ["EnableImageDeprecation"]
    ec2.set_time(NOW + 400 * DAY)
    assert engine.preview(policy(max_changes=0)).operations == []


# Time passes.


def test_passing_day_changes_nothing(engine: Engine, ec2: LocalEC2) -> None:
    noticed, dated, _ = fleet(ec2, 400, 100, 5)
    ec2.set_deprecation_time(noticed, NOW + 300 * DAY)
    unchanged = policy(grace_days=60)
    engine.up(unchanged)
    given = {image_id: date(ec2, image_id) for image_id in (noticed, dated)}
    assert given == {noticed: NOW + 14 * DAY, dated: NOW + 55 * DAY}
    # Before the notice ends, at its end (within the notice of the other date), on that day, and long after.
    for days in (13.999, 14, 55, 1000):
        ec2.set_time(NOW + days * DAY)
        preview = engine.preview(unchanged)
        assert (preview.operations, preview.actions) == ([], []), days
    assert engine.up(unchanged).mutations == []
    assert engine.refresh().mutations == []
    assert engine.preview(unchanged).operations == []
    assert {image_id: date(ec2, image_id) for image_id in given} == given


def test_two_runs_on_two_days_give_same_dates(engine: Engine, ec2: LocalEC2) -> None:
    fleet(ec2, 20, 10, 5)
    before = engine.preview(policy())
    ec2.advance(5 * DAY)
    after = engine.preview(policy())
    for preview in (before, after):
        given = sorted(inputs["deprecate_at"] for inputs in preview.inputs.values())
        assert given == ["2027-03-21T12:00:00Z", "2027-03-26T12:00:00Z"]


def test_new_and_returning_images_are_one_change_each(engine: Engine, ec2: LocalEC2) -> None:
    oldest, second, third = fleet(ec2, 30, 20, 10)
    engine.up(policy())
    newest = ec2.add_image("base-3", created=NOW)
    assert changes(engine.preview(policy())) == [("create", "base-2")]
    assert engine.up(policy()).mutations == ["EnableImageDeprecation"]
    assert date(ec2, third) == NOW + 30 * DAY
    before = date(ec2, oldest), date(ec2, second)

    ec2.deregister_image(newest)
    assert changes(engine.preview(policy())) == [("delete", "base-2")]
    assert engine.up(policy()).mutations == ["DisableImageDeprecation"]
    assert (date(ec2, oldest), date(ec2, second), date(ec2, third)) == (*before, None)

    ec2.set_time(NOW + DAY)
    ec2.deregister_image(oldest)
    assert changes(engine.preview(policy())) == [("delete", "base-0")]
    assert engine.up(policy()).mutations == []


def test_changed_settings_move_dates_and_revive_none(engine: Engine, ec2: LocalEC2) -> None:
    noticed, dated, _ = fleet(ec2, 400, 100, 10)
    engine.up(policy())
    ec2.set_time(NOW + 2 * DAY)
    assert changes(engine.preview(policy(grace_days=60))) == [("update", "base-1")]
    assert engine.up(policy(grace_days=60)).mutations == ["EnableImageDeprecation"]
    assert (date(ec2, noticed), date(ec2, dated)) == (NOW + 14 * DAY, NOW + 50 * DAY)

    ec2.set_time(NOW + 100 * DAY)
    for settings in ({"notice_days": 60}, {"grace_days": 10}, {"grace_days": 70, "notice_days": 0}):
        assert engine.up(policy(**settings)).mutations == [], settings
    assert (date(ec2, noticed), date(ec2, dated)) == (NOW + 14 * DAY, NOW + 50 * DAY)
    assert engine.preview(policy(grace_days=70, notice_days=0)).operations == []


def test_changed_date_comes_back_or_gets_notice(engine: Engine, ec2: LocalEC2) -> None:
    ids = noticed, first, second, _ = fleet(ec2, 400, 100, 40, 5)
    program = policy(grace_days=60)
    engine.up(program)
    assert [date(ec2, image_id) for image_id in ids[:3]] == [NOW + 14 * DAY, NOW + 20 * DAY, NOW + 55 * DAY]
    ec2.set_time(NOW + 30 * DAY)
    ec2.set_deprecation_time(noticed, None)
    ec2.set_deprecation_time(first, None)
    ec2.set_deprecation_time(second, NOW + 300 * DAY)
    engine.refresh()
    preview = engine.preview(program)
    assert changes(preview) == [("update", "base-0"), ("update", "base-1"), ("update", "base-2")]
    assert "cannot be set again" not in str(preview)
    assert "2027-03-15T12:00:00Z" not in str(preview.inputs)
    engine.up(program)
    assert [date(ec2, image_id) for image_id in ids[:3]] == [NOW + 44 * DAY, NOW + 44 * DAY, NOW + 55 * DAY]
    ec2.set_time(NOW + 100 * DAY)
    assert engine.preview(program).operations == []


def test_run_without_refresh_names_changed_dates(engine: Engine, ec2: LocalEC2, warned: list[str]) -> None:
    canceled, moved, *_ = fleet(ec2, 400, 100, 40, 5)
    engine.up(policy(grace_days=60))
    ec2.set_deprecation_time(canceled, None)
    ec2.set_deprecation_time(moved, NOW + 300 * DAY)
    assert engine.preview(policy(grace_days=60)).operations == []
    [line] = warned
    assert f"{canceled} (base-0) in {EU} has no date instead of " in line
    assert f"{moved} (base-1) in {EU} has 2027-" in line
    warned.clear()
    engine.up(policy(grace_days=60), refresh=True)
    warned.clear()
    assert engine.preview(policy(grace_days=60)).operations == []
    assert warned == []


def test_lagging_listing_changes_nothing(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 400, 20, 10)
    ec2.faults.lag(mode="none")
    engine.up(policy())
    given = [date(ec2, image_id) for image_id in ids]
    assert given == [NOW + 14 * DAY, NOW + 20 * DAY, None]
    ec2.advance(timedelta(minutes=1))
    assert engine.preview(policy()).operations == []
    assert engine.up(policy()).mutations == []
    assert [date(ec2, image_id) for image_id in ids] == given
