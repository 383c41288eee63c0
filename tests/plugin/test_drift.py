"""Three ways to give a date; what refresh shows of a change from outside, and how the next update repairs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pytest

from tests.support.dates import EARLY, LATE, MIDDLE, WAYS, ahead, text
from tests.support.program import dated, made

if TYPE_CHECKING:
    from datetime import datetime

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("drift", "command"),
    [
        ("earlier", "refresh"),
        ("later", "up --refresh"),
        ("canceled", "refresh"),
        ("canceled", "up --refresh"),
    ],
)
def test_drift_is_shown_with_both_dates_and_repaired(
    engine: Engine, ec2: LocalEC2, image: str, way: str, drift: str, command: str
) -> None:
    program = made(image_id=image, **{way: WAYS[way]})
    engine.up(program)
    ours = ec2.image(image).deprecation_time
    theirs = {"earlier": ahead(50), "later": LATE, "canceled": None}[drift]
    ec2.set_deprecation_time(image, theirs)

    quiet = engine.preview(program)
    assert (quiet.operations, quiet.actions) == ([], [])
    seen = engine.preview(program, refresh=True)
    assert seen.mutations == []
    assert "update" in seen.operations
    dates = [pair for key, pair in seen.shown["web"].items() if key in ("deprecate_at", "deprecation_time")]
    assert (text(theirs) or "none", text(ours)) in dates

    if command == "refresh":
        assert "refresh-update" in engine.refresh().operations
        assert engine.outputs("web").get("deprecation_time") == text(theirs)
        assert engine.refresh().operations == ["refresh"], "it is no news any more"
        repaired = engine.up(program)
    else:
        repaired = engine.up(program, refresh=True)
    assert repaired.mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == ours
    assert engine.outputs("web")["deprecation_time"] == text(ours)
    again = engine.up(program)
    assert (again.operations, again.actions) == ([], [])


@pytest.mark.parametrize("way", WAYS)
def test_refresh_without_drift_changes_nothing(engine: Engine, image: str, way: str) -> None:
    program = made(image_id=image, **{way: WAYS[way]})
    engine.up(program)
    before = dict(engine.outputs("web"))
    refreshed = engine.refresh()
    assert (refreshed.steps, refreshed.shown, refreshed.mutations) == ([("refresh", "web")], {}, [])
    assert engine.outputs("web") == before
    again = engine.up(program)
    assert (again.operations, again.actions) == ([], [])


def test_only_image_that_is_gone_is_dropped_from_state(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, None)
    engine.refresh()
    assert engine.names() == ["web"]
    ec2.remove_image(image)
    engine.refresh()
    assert engine.names() == []


def test_changed_date_is_one_update_in_place(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, LATE)
    moved = engine.up(dated(image, MIDDLE))
    assert (moved.operations, moved.mutations) == (["update"], ["EnableImageDeprecation"])
    assert ec2.image(image).deprecation_time == MIDDLE


@pytest.mark.parametrize("theirs", [None, LATE], ids=["canceled", "moved"])
def test_ignore_changes_leaves_foreign_dates_alone(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None
) -> None:
    program = dated(image, EARLY, opts=pulumi.ResourceOptions(ignore_changes=["deprecate_at"]))
    engine.up(program)
    ec2.set_deprecation_time(image, theirs)
    engine.refresh()
    for _ in range(2):
        again = engine.up(program)
        assert (again.operations, again.mutations) == ([], [])
        assert engine.refresh().mutations == []
    assert ec2.image(image).deprecation_time == theirs


def test_ignored_changes_of_date_stay_quiet(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    again = engine.up(dated(image, LATE, opts=pulumi.ResourceOptions(ignore_changes=["deprecate_at"])))
    assert (again.operations, again.actions) == ([], [])
