"""Changes from outside that cannot be repaired are told and given up; the others: test_drift.py."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.cli.comment import preview
from ami_deprecation.cli.comment.preview import Action
from tests.plugin.test_preview_names import digest
from tests.support.dates import EARLY, NOW, WAYS, ahead, text
from tests.support.program import dated, made

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine


def test_date_pulled_in_by_going_public_is_given_up(engine: Engine, ec2: LocalEC2, image: str) -> None:
    far = ahead(1000)
    program = dated(image, far)
    engine.up(program)
    ec2.make_public(image)
    pulled_in = ec2.image(image).deprecation_time
    assert engine.refresh().operations == ["refresh-update"]
    assert engine.outputs("web")["deprecation_time"] == text(pulled_in)
    told = engine.preview(program)
    assert "public image" in told.notes
    up = engine.up(program)
    assert up.mutations == []
    assert "public image" in up.notes
    quiet_from_now_on(engine, program)
    assert ec2.image(image).deprecation_time == pulled_in
    ec2.make_private(image)  # EC2 takes it again
    assert "update" in engine.preview(program, refresh=True).operations
    assert engine.up(program, refresh=True).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == far
    quiet_from_now_on(engine, program)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("theirs", ["canceled", "moved"])
def test_changed_past_date_is_reported_and_given_up(
    engine: Engine, ec2: LocalEC2, image: str, theirs: str, way: str
) -> None:
    program = made(image_id=image, **{way: WAYS[way]})
    engine.up(program)
    ec2.advance(timedelta(days=400))
    date = None if theirs == "canceled" else ahead(1000)
    ec2.set_deprecation_time(image, date)
    assert engine.refresh().operations == ["refresh-update"]
    before = {entry.name: entry for entry in copy.deepcopy(engine.state)}
    shown = engine.preview(program)
    assert "is in the past" in shown.notes
    [change] = preview.read(digest(before, shown), NOW + timedelta(days=400)).changes
    assert (change.action, change.before, change.after.when) == (Action.KEPT, date, date)
    up = engine.up(program)
    assert up.mutations == []
    assert "cannot be set again" in up.notes
    quiet_from_now_on(engine, program)
    assert ec2.image(image).deprecation_time == date
    # A new wish is another matter.
    assert engine.up(dated(image, ahead(500))).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == ahead(500)


def test_given_up_date_that_returns_is_ours_again(engine: Engine, ec2: LocalEC2, image: str) -> None:
    program = dated(image, EARLY)
    engine.up(program)
    ec2.advance(timedelta(days=400))
    ec2.set_deprecation_time(image, None)
    engine.up(program, refresh=True)
    ec2.set_deprecation_time(image, EARLY)
    engine.up(program, refresh=True)
    assert engine.outputs("web")["deprecation_time"] == text(EARLY)
    quiet_from_now_on(engine, program)
    assert engine.destroy().mutations == ["DisableImageDeprecation"]


def quiet_from_now_on(engine: Engine, program: Callable[[], object]) -> None:
    for operation in (engine.preview, engine.up):
        again = operation(program)
        assert (again.operations, again.actions) == ([], []), str(again)
        again = operation(program, refresh=True)
        assert set(again.operations) <= {"refresh"}, str(again)
        assert again.mutations == []


def test_image_from_recycle_bin_gets_its_date_again(engine: Engine, ec2: LocalEC2, image: str) -> None:
    program = dated(image, EARLY)
    engine.up(program)
    ec2.deregister_image(image)
    ec2.restore_image(image)
    assert ec2.image(image).deprecation_time is None
    assert engine.refresh().operations == ["refresh-update"]
    assert engine.up(program).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == EARLY
