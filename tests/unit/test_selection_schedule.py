"""How an image that is due is given its date, as the clock moves: as it is, or as a notice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation import dates
from ami_deprecation.core import rules
from ami_deprecation.core.inputs import At, Notice
from ami_deprecation.fleet.selection import changes, schedule_of
from tests.support.fleet_samples import DAY, START, image

if TYPE_CHECKING:
    from ami_deprecation.image import Image

NOTICE = 14


def due(date: datetime, **fields: object) -> tuple[Image, datetime]:
    return image(1, 900, **fields), date


def test_date_far_enough_ahead_is_unchanged() -> None:
    for live in (None, START - DAY, START + 400 * DAY):
        assert schedule_of(*due(START + 14 * DAY, deprecation_time=live), START, NOTICE) == At(
            START + 14 * DAY
        )


@pytest.mark.parametrize("ahead", [-900, -1, 0, 13.99])
@pytest.mark.parametrize("live", [None, 20, 400])
def test_past_or_near_date_becomes_notice(ahead: float, live: int | None) -> None:
    later = None if live is None else START + live * DAY
    assert schedule_of(
        *due(dates.to_minute(START + ahead * DAY), deprecation_time=later), START, NOTICE
    ) == Notice(NOTICE)


@pytest.mark.parametrize("clock", [-900, -14, -1, -0.001, 0, 0.001, 1, 5000])
def test_given_date_is_kept_before_on_and_after_its_day(clock: float) -> None:
    dated = due(START, deprecation_time=START)
    assert schedule_of(*dated, START + clock * DAY, NOTICE) == At(START)
    assert not changes(dated[0], At(START), START + clock * DAY)


def test_date_moved_later_needs_no_notice() -> None:
    dated = due(START + 2 * DAY, deprecation_time=START + DAY)
    assert schedule_of(*dated, START, NOTICE) == At(START + 2 * DAY)


def test_passed_date_is_not_replaced_by_another_passed_one() -> None:
    for moved in (-10, 10):
        passed = START - 100 * DAY
        wanted = schedule_of(*due(passed + moved * DAY, deprecation_time=passed), START, NOTICE)
        assert wanted == Notice(NOTICE)
        assert not changes(image(1, deprecation_time=passed), wanted, START)
        assert apply(wanted, image(1, deprecation_time=passed), START) == passed


def test_public_image_keeps_earlier_date() -> None:
    public = due(START + 300 * DAY, deprecation_time=START + 30 * DAY, public=True)
    assert schedule_of(*public, START, NOTICE) == At(START + 30 * DAY)


def test_public_image_stays_within_two_years() -> None:
    bare = image(1, 100, public=True)
    assert schedule_of(bare, START + 3000 * DAY, START, NOTICE) == At(
        dates.latest(START, created=bare.creation_date, public=True)
    )


def test_undated_public_image_past_two_years_gets_no_date() -> None:
    assert schedule_of(image(1, 800, public=True), START, START, NOTICE) is None


@pytest.mark.parametrize(
    ("live", "counts"),
    [(None, True), (START + 15 * DAY, True), (START + 14 * DAY, False), (START - DAY, False)],
)
def test_notice_changes_images_without_earlier_date_only(live: datetime | None, counts: bool) -> None:
    assert changes(image(1, deprecation_time=live), Notice(NOTICE), START) is counts


def apply(wanted: At | Notice | None, target: Image, now: datetime) -> datetime | None:
    """What an update makes of it."""
    if wanted is None:
        return target.date
    return (
        wanted.when if isinstance(wanted, At) else rules.apply_in_days(wanted, target.date, now, first=False)
    )


@dataclass
class Run:
    """One update: after so many hours, under which rules."""

    hours: float
    grace_days: int
    notice_days: int


hours = st.lists(st.sampled_from([0.01, 1, 24, 24 * 13, 24 * 14, 24 * 40]), min_size=1, max_size=6)


@given(
    hours,
    st.integers(-60, 60),
    st.integers(0, 30),
    st.none() | st.integers(-50, 90),
    st.booleans(),
)
def test_applied_plan_stays_quiet(
    later: list[float], ahead: int, notice_days: int, present: int | None, public: bool
) -> None:
    now = START
    date = START + ahead * DAY
    live = None if present is None else START + present * DAY
    public = public and live is not None  # EC2 gives every public image one
    one = image(1, 100, deprecation_time=live, public=public)
    wanted = schedule_of(one, date, now, notice_days)
    assert wanted is not None
    one = replace(one, deprecation_time=apply(wanted, one, now))
    given_date = one.date
    if live is None:
        assert given_date is not None
        assert given_date >= dates.in_days(now, notice_days)
    settled = schedule_of(one, date, now, notice_days)
    # To the minute, a notice can end exactly on the computed date: then it is that date from now on.
    assert settled == wanted or given_date == date
    for passed in later:
        now += timedelta(hours=passed)
        assert schedule_of(one, date, now, notice_days) == settled
        assert not changes(one, settled, now) if settled else True
        assert apply(settled, one, now) == given_date


@given(
    st.lists(
        st.builds(
            Run,
            hours=st.sampled_from([0.01, 24, 24 * 14, 24 * 40]),
            grace_days=st.integers(0, 60),
            notice_days=st.integers(0, 30),
        ),
        min_size=1,
        max_size=6,
    ),
    st.none() | st.integers(-50, 90),
)
def test_changed_settings_revive_no_deprecated_image(runs: list[Run], present: int | None) -> None:
    now = START
    one = image(1, 30, deprecation_time=None if present is None else START + present * DAY)
    for run in runs:
        now += timedelta(hours=run.hours)
        date = dates.after_days(one.creation_date, run.grace_days)
        before = one.date
        one = replace(one, deprecation_time=apply(schedule_of(one, date, now, run.notice_days), one, now))
        assert one.date is not None
        if before is not None and before <= now and date <= now:
            assert one.date == before
        elif date >= dates.in_days(now, run.notice_days) + timedelta(minutes=10):
            assert one.date == date
        else:
            assert one.date <= max(dates.in_days(now, run.notice_days), date)
