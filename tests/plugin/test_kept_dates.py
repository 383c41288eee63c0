"""A date is kept when in doubt: two resources on one image, a wrong answer of EC2, a date that has passed."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from ami_deprecation import AmiDeprecation
from tests.support.dates import EARLY, LATE, MIDDLE, NOW, text
from tests.support.program import dated, made

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine


def once_not_found(ec2: LocalEC2, image: str) -> None:
    ec2.faults.add("DescribeImages", "error", code="InvalidAMIID.NotFound", image_id=image)


def test_unread_new_owner_does_not_cancel(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.faults.add("DescribeImages", "denied")
    role = f"arn:aws:iam::{ec2.account}:role/dates"
    moved = engine.up(made("site", image_id=image, deprecate_at=EARLY, role_arn=role))
    assert moved.mutations == []
    assert engine.names() == ["site"]
    assert ec2.image(image).deprecation_time == EARLY


def test_second_role_on_one_image_is_refused_without_checks(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    def program() -> None:
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY)
        role = f"arn:aws:iam::{ec2.account}:role/dates"
        AmiDeprecation("api", image_id=image, deprecate_at=LATE, role_arn=role)

    ec2.faults.add("DescribeImages", "denied")
    up = engine.up(program, check=False)
    assert len(up.mutations) == 1
    assert (
        "is given a date by two resources, 'web' and 'api'" in up.sentence or "'api' and 'web'" in up.sentence
    )


def test_reverted_rename_puts_holders_date_back(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    before = copy.deepcopy(engine.state)
    engine.up(made("site", image_id=image, deprecate_at=LATE))
    # Another resource failed, so the engine did not come to the deletion of the old name.
    engine.state[:0] = before
    reverted = engine.up(dated(image, EARLY))
    assert engine.names() == ["web"]
    assert ec2.image(image).deprecation_time == EARLY
    assert f"{text(LATE)} is replaced by {text(EARLY)}, which 'web' asks for" in reverted.notes


def cut_off_rename(engine: Engine, image: str, **given: Any) -> None:
    """`web` is replaced by `site` with another date, and a resource fails before the deletion of `web`."""
    engine.up(made(image_id=image, **given))
    before = copy.deepcopy(engine.state)
    engine.up(made("site", image_id=image, **{**given, "deprecate_in_days": None, "deprecate_at": LATE}))
    engine.state[:0] = before


def test_reverted_rename_puts_counted_date_back(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(made(image_id=image, deprecate_in_days=200))
    ours = ec2.image(image).deprecation_time
    cut_off_rename(engine, image, deprecate_in_days=200)
    engine.up(made(image_id=image, deprecate_in_days=200))
    assert ec2.image(image).deprecation_time == ours


@pytest.mark.parametrize("parallel", [0, 4])
def test_destroy_of_a_cut_off_rename_leaves_no_date(
    engine: Engine, ec2: LocalEC2, image: str, parallel: int
) -> None:
    cut_off_rename(engine, image, deprecate_at=EARLY, on_destroy="restore")
    engine.parallel = parallel
    engine.destroy()
    assert ec2.image(image).deprecation_time is None


@pytest.mark.parametrize("parallel", [0, 4])
def test_destroy_of_a_cut_off_rename_restores_what_was_there(
    engine: Engine, ec2: LocalEC2, image: str, parallel: int
) -> None:
    ec2.set_deprecation_time(image, MIDDLE)
    cut_off_rename(engine, image, deprecate_at=EARLY, on_destroy="restore")
    engine.parallel = parallel
    engine.destroy()
    assert ec2.image(image).deprecation_time == MIDDLE


def test_reverted_rename_within_lag_puts_date_back(
    make_engine: MakeEngine, ec2: LocalEC2, image: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS="60")
    engine.up(dated(image, EARLY))
    ec2.advance(timedelta(minutes=2))
    before = copy.deepcopy(engine.state)
    ec2.faults.lag(mode="old", reads=2)
    engine.up(made("site", image_id=image, deprecate_at=LATE))
    engine.state[:0] = before
    engine.up(dated(image, EARLY))
    ec2.faults.clear()
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("on_destroy", ["cancel", "restore"])
def test_one_not_found_of_the_write_leaves_no_date(
    engine: Engine, ec2: LocalEC2, image: str, on_destroy: str
) -> None:
    original = LATE if on_destroy == "restore" else None
    ec2.set_deprecation_time(image, original)
    engine.up(dated(image, EARLY, on_destroy=on_destroy))
    action = "DisableImageDeprecation" if original is None else "EnableImageDeprecation"
    ec2.faults.add(action, "error", code="InvalidAMIID.NotFound", image_id=image)
    engine.destroy()
    assert ec2.image(image).deprecation_time == original


@pytest.mark.parametrize("change", ["on_destroy", "role_arn"])
def test_answer_without_a_passed_date_gives_up_nothing(
    engine: Engine, ec2: LocalEC2, image: str, change: str
) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_time(EARLY + timedelta(days=1))
    ec2.faults.add("DescribeImages", "lacks-date", image_id=image)
    value = "restore" if change == "on_destroy" else f"arn:aws:iam::{ec2.account}:role/dates"
    changed = engine.up(dated(image, EARLY, **{change: value}))
    assert (changed.mutations, "cannot be set again" in changed.notes) == ([], False)
    assert engine.outputs("web")["deprecation_time"] == text(EARLY)


def test_passed_dates_survive_delete_first_swap(engine: Engine, ec2: LocalEC2, image: str) -> None:
    other = ec2.add_image("api", created=NOW - timedelta(days=30))
    first = pulumi.ResourceOptions(delete_before_replace=True)

    def program(one: str, two: str) -> None:
        AmiDeprecation("web", image_id=one, deprecate_at=EARLY, opts=first)
        AmiDeprecation("api", image_id=two, deprecate_at=EARLY, opts=first)

    engine.up(lambda: program(image, other))
    ec2.advance(timedelta(days=400))
    swapped = engine.up(lambda: program(other, image))
    assert swapped.mutations == []
    assert {each.deprecation_time for each in ec2.images()} == {EARLY}


def test_one_not_found_does_not_drop_a_resource(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.advance(timedelta(hours=1))
    once_not_found(ec2, image)
    engine.refresh()
    assert engine.names() == ["web"]


def test_one_not_found_does_not_leave_our_date(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, LATE)
    engine.up(dated(image, EARLY, on_destroy="restore"))
    ec2.advance(timedelta(hours=1))
    once_not_found(ec2, image)
    engine.destroy()
    assert ec2.image(image).deprecation_time == LATE


def test_one_answer_without_date_does_not_leave_ours(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.advance(timedelta(hours=1))
    ec2.faults.add("DescribeImages", "lacks-date", image_id=image)
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None


def test_image_that_is_gone_is_named(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.advance(timedelta(hours=1))
    ec2.faults.add("DescribeImages", "error", code="InvalidAMIID.NotFound", image_id=image, times=None)
    refreshed = engine.refresh()
    assert engine.names() == []
    assert f"{image} is not found in eu-west-1: its resource leaves the state" in refreshed.notes


def test_every_cancel_names_image_and_date(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    destroyed = engine.destroy()
    assert f"{image} in eu-west-1: the date {text(EARLY)} is canceled" in destroyed.notes
