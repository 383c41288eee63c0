"""Killed, or cut off, at any point: the next run converges, and nothing is done twice or undone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pulumi
import pytest

from tests.support.dates import EARLY, LATE, WAYS, text
from tests.support.program import dated, made
from tests.support.watch import killed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine


def settled(engine: Engine, program: Callable[[], object]) -> None:
    """Nothing is left to do."""
    again = engine.up(program)
    assert (again.operations, again.actions) == ([], []), str(again)
    refreshed = engine.refresh()
    assert set(refreshed.operations) <= {"refresh"}, str(refreshed)


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("at", ["DescribeImages", "EnableImageDeprecation"])
@pytest.mark.parametrize("way", WAYS)
def test_killed_create_converges_without_duplicate_effect(
    engine: Engine, ec2: LocalEC2, image: str, way: str, at: str, after: bool
) -> None:
    program = made(image_id=image, **{way: WAYS[way]})
    with killed(engine, ec2, at, after=after):
        engine.up(program, check=False)
    assert engine.state == []
    date = ec2.image(image).deprecation_time
    done = at == "EnableImageDeprecation" and after
    assert (date is not None) == done
    rerun = engine.up(program)
    assert rerun.mutations == ([] if done else ["EnableImageDeprecation"])
    assert not done or ec2.image(image).deprecation_time == date
    assert engine.outputs("web")["deprecation_time"] == text(ec2.image(image).deprecation_time)
    settled(engine, program)


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("at", ["DescribeImages", "EnableImageDeprecation"])
def test_killed_update_converges(engine: Engine, ec2: LocalEC2, image: str, at: str, after: bool) -> None:
    engine.up(dated(image, EARLY))
    with killed(engine, ec2, at, after=after):
        engine.up(dated(image, LATE), check=False)
    assert engine.outputs("web")["deprecation_time"] == text(EARLY)
    done = at == "EnableImageDeprecation" and after
    assert engine.up(dated(image, LATE)).mutations == ([] if done else ["EnableImageDeprecation"])
    assert ec2.image(image).deprecation_time == LATE
    settled(engine, dated(image, LATE))


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("at", ["DescribeImages", "DisableImageDeprecation"])
def test_killed_destroy_converges(engine: Engine, ec2: LocalEC2, image: str, at: str, after: bool) -> None:
    engine.up(dated(image, EARLY))
    with killed(engine, ec2, at, after=after):
        engine.destroy(check=False)
    assert engine.names() == ["web"]
    done = at == "DisableImageDeprecation" and after
    assert engine.destroy().mutations == ([] if done else ["DisableImageDeprecation"])
    assert ec2.image(image).deprecation_time is None


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
def test_killed_destroy_that_restores_converges(
    engine: Engine, ec2: LocalEC2, image: str, after: bool
) -> None:
    ec2.set_deprecation_time(image, LATE)
    engine.up(dated(image, EARLY, on_destroy="restore"))
    with killed(engine, ec2, "EnableImageDeprecation", after=after):
        engine.destroy(check=False)
    engine.destroy()
    assert ec2.image(image).deprecation_time == LATE
    assert engine.state == []


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
def test_abandoned_killed_update_leaves_ec2_alone(
    engine: Engine, ec2: LocalEC2, image: str, after: bool
) -> None:
    engine.up(dated(image, EARLY))
    with killed(engine, ec2, "EnableImageDeprecation", after=after):
        engine.up(dated(image, LATE), check=False)
    engine.up(dated(image, EARLY), refresh=True)  # the change is taken back instead
    assert ec2.image(image).deprecation_time == EARLY
    settled(engine, dated(image, EARLY))


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
def test_killed_refresh_leaves_state_unchanged(
    engine: Engine, ec2: LocalEC2, image: str, after: bool
) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, LATE)
    before = engine.export()
    with killed(engine, ec2, "DescribeImages", after=after):
        engine.refresh(check=False)
    assert engine.export() == before
    engine.up(dated(image, EARLY), refresh=True)
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("order", ["create first", "delete first"])
@pytest.mark.parametrize("how", ["image", "region"])
def test_replacement_killed_in_middle_is_completed(
    engine: Engine, ec2: LocalEC2, image: str, how: str, order: str
) -> None:
    other = image if how == "region" else ec2.add_image("other")
    region = "us-east-1" if how == "region" else "eu-west-1"
    if how == "region":
        ec2.add_image("web", image_id=image, region=region)
    opts = pulumi.ResourceOptions(delete_before_replace=order == "delete first")
    engine.up(dated(image, EARLY, opts=opts))
    program = dated(other, EARLY, region=region, opts=opts)
    at = "DisableImageDeprecation" if order == "create first" else "EnableImageDeprecation"
    with killed(engine, ec2, at, after=True):
        engine.up(program, check=False)
    engine.up(program)
    assert ec2.image(image).deprecation_time is None
    assert ec2.image(other, region=region).deprecation_time == EARLY
    settled(engine, program)


# The old half of a refactoring is left over, and deleted by a later run in which the new half is no news.


def leave_the_old_half(engine: Engine, how: str, image: str, account: str) -> Callable[[], object]:
    """Rename, taint or change the role of `web`, in a run that cannot do the deletion at its end."""
    given = {"image_id": image, "deprecate_at": EARLY}
    program = made(**given)
    if how == "rename":
        program = made("site", **given)
    elif how == "taint":
        engine.taint("web")
    else:
        program = made(**given, role_arn=f"arn:aws:iam::{account}:role/dates")
    [first] = engine.state
    outcome = engine.up(program)
    assert outcome.mutations == []
    # As if it had been killed, or the deletion had failed, after the new half was recorded.
    first.delete = how != "rename"
    engine.state.append(first)
    return program


@pytest.mark.parametrize("how", ["rename", "taint", "role"])
@pytest.mark.parametrize("passed", [False, True], ids=["ahead", "passed"])
def test_pending_delete_in_later_run_keeps_date(
    engine: Engine, ec2: LocalEC2, image: str, how: str, passed: bool
) -> None:
    engine.up(dated(image, EARLY))
    program = leave_the_old_half(engine, how, image, ec2.account)
    if passed:
        ec2.advance(timedelta(days=400))
    later = engine.up(program)
    assert later.mutations == []
    assert ec2.image(image).deprecation_time == EARLY
    assert len(engine.state) == 1
    settled(engine, program)


@pytest.mark.parametrize("how", ["rename", "taint", "role"])
def test_destroy_with_pending_delete_cancels_once(
    engine: Engine, ec2: LocalEC2, image: str, how: str
) -> None:
    engine.up(dated(image, EARLY))
    leave_the_old_half(engine, how, image, ec2.account)
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None
    assert engine.state == []


def test_repeatedly_killed_update_converges(engine: Engine, ec2: LocalEC2) -> None:
    images = [ec2.add_image(f"web-{number}") for number in range(6)]
    engine.parallel = 4

    def program() -> None:
        for number, image in enumerate(images):
            made(f"web-{number}", image_id=image, deprecate_at=EARLY)()

    for _ in range(3):
        with killed(engine, ec2, "EnableImageDeprecation", after=True):
            engine.up(program, check=False)
    engine.up(program)
    assert {ec2.image(image).deprecation_time for image in images} == {EARLY}
    assert len(engine.state) == 6
    settled(engine, program)
