"""A policy's "in N days": settled once, whatever becomes of the number, the rules or the settings."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ami_deprecation.core import rules, state
from ami_deprecation.core.inputs import At, InDays, Inputs, Notice
from ami_deprecation.core.state import State
from ami_deprecation.image import Image

NOW = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def image(date: datetime | None) -> Image:
    return Image(
        "ami-0123456789abcdef0",
        "web",
        "eu-west-1",
        "123456789012",
        NOW - 400 * DAY,
        deprecation_time=date,
    )


def outs(days: int, date: datetime) -> dict[str, object]:
    given = Inputs("ami-0123456789abcdef0", Notice(days), region="eu-west-1")
    return state.outputs(State(given, "eu-west-1", live=date, scheduled=date))


@pytest.mark.parametrize("days", [0, 7, 14, 30])
def test_changed_notice_leaves_images_that_had_theirs(days: int) -> None:
    old = state.parse(outs(14, NOW - DAY))
    assert not rules.needs_update(old, Notice(days))
    assert rules.needs_update(old, InDays(days))


@pytest.mark.parametrize("date", [NOW - 90 * DAY, NOW + DAY, NOW + 14 * DAY])
@pytest.mark.parametrize("first", [True, False])
def test_notice_keeps_earlier_date(date: datetime, first: bool) -> None:
    assert rules.apply_in_days(Notice(14), date, NOW, first=first) == date


@pytest.mark.parametrize("date", [None, NOW + 15 * DAY])
def test_notice_counts_from_now_without_earlier_date(date: datetime | None) -> None:
    assert rules.apply_in_days(Notice(14), date, NOW, first=False) == NOW + 14 * DAY


def test_notice_changes_image_dated_in_time() -> None:
    old = state.parse({**outs(14, NOW), "deprecate_in_days": None, "deprecate_at": "2027-03-01T12:00:00Z"})
    assert old.inputs.schedule == At(NOW)
    assert rules.needs_update(old, Notice(14))


def test_stored_form_round_trips() -> None:
    wanted = state.parse(outs(14, NOW)).inputs.schedule
    assert isinstance(wanted, Notice)
    assert wanted.days == 14


@pytest.mark.parametrize(
    ("live", "kept"),
    [
        (NOW - DAY, True),  # its day is past, and nobody has changed it
        (None, False),
        (NOW + 300 * DAY, False),
    ],
)
def test_foreign_change_after_notice_gives_new_one(live: datetime | None, kept: bool) -> None:
    old = state.parse(outs(14, NOW - DAY))
    assert rules.settled_date(Notice(14), old, image(live), NOW) == (NOW - DAY if kept else None)
    ahead = state.parse(outs(14, NOW + DAY))
    assert rules.settled_date(Notice(14), ahead, image(live), NOW) == NOW + DAY
