"""Eventual consistency: for minutes after a write EC2 may show the old date, none, no image, or each in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pulumi
import pytest

from ami_deprecation.testing import LagMode
from tests.support.dates import EARLY, LATE, MIDDLE, text
from tests.support.program import dated, made

if TYPE_CHECKING:
    from datetime import datetime

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

MODES = get_args(LagMode)
#: How long the provider thinks that EC2 may lag, in seconds: far longer than any test, or just long enough to see it.
LONG, SHORT = "120", "3"


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine(AMI_DEPRECATION_SETTLE_SECONDS=LONG)


@pytest.fixture(params=["first", "moved"])
def original(request: pytest.FixtureRequest, ec2: LocalEC2, image: str) -> datetime | None:
    """The date before ours."""
    date = None if request.param == "first" else MIDDLE
    ec2.set_deprecation_time(image, date)
    return date


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("original")
def test_up_knows_its_write_without_waiting(engine: Engine, ec2: LocalEC2, image: str, mode: LagMode) -> None:
    ec2.faults.lag(mode=mode)
    for when in (EARLY, LATE):
        up = engine.up(dated(image, when))
        assert up.mutations == ["EnableImageDeprecation"]
        assert engine.outputs("web")["deprecation_time"] == text(when)
        again = engine.up(dated(image, when))
        assert (again.operations, again.actions) == ([], [])
        assert up.seconds < 30  # the wait that must not be is 120


@pytest.mark.parametrize("shape", ["absent", "empty"])
def test_update_of_gone_image_fails_with_its_id(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, shape: str
) -> None:
    engine = make_engine()
    engine.up(dated(image, EARLY))
    if shape == "absent":
        ec2.remove_image(image)
    else:
        ec2.deregister_image(image)
    preview = engine.preview(dated(image, LATE))
    assert f"{image} in eu-west-1 is not shown by EC2" in preview.notes
    up = engine.up(dated(image, LATE), check=False)
    assert up.sentence.startswith(f"{engine.begins('ImageNotFound')}{image} in eu-west-1 is not found: ")
    assert up.mutations == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("original")
def test_change_back_is_not_mistaken_for_done(
    engine: Engine, ec2: LocalEC2, image: str, mode: LagMode
) -> None:
    engine.up(dated(image, EARLY))
    ec2.faults.lag(mode=mode, reads=2)
    engine.up(dated(image, LATE))
    back = engine.up(dated(image, EARLY))  # the date that EC2 still shows
    assert back.mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("original")
def test_consecutive_writes_are_both_ours_despite_lag(
    engine: Engine, ec2: LocalEC2, image: str, mode: LagMode
) -> None:
    ec2.faults.lag(mode=mode, reads=3)
    engine.up(dated(image, EARLY))
    engine.up(dated(image, LATE))  # EC2 goes on with the first of the two, and is not seen with it before
    assert engine.refresh().operations == ["refresh"]
    assert engine.outputs("web")["deprecation_time"] == text(LATE)
    ec2.faults.lag(mode=mode)
    engine.up(dated(image, EARLY))
    engine.up(dated(image, LATE))
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("original")
def test_refresh_after_write_waits_and_shows_no_drift(
    engine: Engine, ec2: LocalEC2, image: str, mode: LagMode
) -> None:
    ec2.faults.lag(mode=mode, reads=1)
    engine.up(dated(image, EARLY))
    before = dict(engine.outputs("web"))
    refreshed = engine.refresh()
    assert refreshed.steps == [("refresh", "web")]
    assert engine.outputs("web") == before
    # An image that EC2 does not show is asked for again at once; an older date is waited for.
    waits = mode not in ("absent", "empty")
    assert ("EC2 does not show the date that was set a moment ago" in refreshed.notes) is waits
    again = engine.up(dated(image, EARLY))
    assert (again.operations, again.actions) == ([], [])


@pytest.mark.parametrize("mode", ["old", "none", "flap"])
@pytest.mark.usefixtures("original")
def test_wait_of_refresh_is_bounded(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, mode: LagMode
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS=SHORT)
    ec2.faults.lag(mode=mode)
    engine.up(dated(image, EARLY))
    refreshed = engine.refresh()
    assert refreshed.seconds < 30
    assert engine.names() == ["web"]
    ec2.faults.clear()
    engine.up(dated(image, EARLY), refresh=True)
    assert ec2.image(image).deprecation_time == EARLY
    assert engine.outputs("web")["deprecation_time"] == text(EARLY)


@pytest.mark.parametrize("theirs", ["another date", "none"])
def test_change_from_outside_soon_after_write_is_still_seen(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, theirs: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS=SHORT)
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, LATE if theirs == "another date" else None)
    assert engine.refresh().operations == ["refresh-update"]
    engine.up(dated(image, EARLY))
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("original")
def test_destroy_after_write_cancels_despite_lag(
    engine: Engine, ec2: LocalEC2, image: str, mode: LagMode
) -> None:
    ec2.faults.lag(mode=mode)
    engine.up(dated(image, EARLY))
    destroyed = engine.destroy()
    assert destroyed.mutations == ["DisableImageDeprecation"]
    assert f"the date {text(EARLY)} is canceled" in destroyed.notes  # not the one that EC2 shows
    assert ec2.image(image).deprecation_time is None
    assert engine.state == []


@pytest.mark.parametrize("mode", MODES)
def test_destroy_after_write_restores_despite_lag(
    engine: Engine, ec2: LocalEC2, image: str, mode: LagMode
) -> None:
    ec2.set_deprecation_time(image, LATE)
    ec2.faults.lag(mode=mode)
    engine.up(dated(image, EARLY, on_destroy="restore"))
    engine.destroy()
    assert ec2.image(image).deprecation_time == LATE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["rename", "taint", "taint, delete first"])
@pytest.mark.usefixtures("original")
def test_refactoring_soon_after_write_keeps_date(
    engine: Engine, ec2: LocalEC2, image: str, how: str, mode: LagMode
) -> None:
    opts = pulumi.ResourceOptions(delete_before_replace="delete first" in how)
    program = made("site" if how == "rename" else "web", image_id=image, deprecate_at=EARLY, opts=opts)
    ec2.faults.lag(mode=mode, reads=3)
    engine.up(dated(image, EARLY, opts=opts))
    if how != "rename":
        engine.taint("web")
    first = engine.up(program, check=False)
    assert first.ok or (mode in ("absent", "empty") and "is not found" in str(first)), str(first)
    assert ec2.image(image).deprecation_time == EARLY
    ec2.faults.clear()
    engine.up(program)
    assert ec2.image(image).deprecation_time == EARLY
    [entry] = engine.state
    assert entry.outputs["deprecation_time"] == text(EARLY)


def test_new_image_is_looked_up_again(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.faults.add("DescribeImages", code="InvalidAMIID.NotFound", image_id=image, times=1)
    assert engine.preview(dated(image, EARLY)).operations == ["create"]
    ec2.faults.add("DescribeImages", code="InvalidAMIID.NotFound", image_id=image, times=1)
    engine.up(dated(image, EARLY))
    assert ec2.image(image).deprecation_time == EARLY
