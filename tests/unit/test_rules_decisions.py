"""What create, update and delete do with a date: tables, and properties of every decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.core import rules
from ami_deprecation.core.inputs import At
from ami_deprecation.core.rules import Cancel, Enable, GiveUp, Keep, Leave, Refusal
from tests.support.samples import (
    AUTUMN,
    CREATED,
    GONE_BY,
    IMAGE_ID,
    NOW,
    SETTLE,
    SUMMER,
    image,
    inputs,
    state,
    written,
)

if TYPE_CHECKING:
    from ami_deprecation import Image
    from ami_deprecation.core.state import State

MINUTE = timedelta(minutes=1)


# What create and update do.


def update(old: State | None, current: Image, when: datetime) -> object:
    return rules.on_update(old, current, At(when), when, NOW, SETTLE)


def test_create_sets_or_adopts_date() -> None:
    assert update(None, image(), SUMMER) == Enable(SUMMER)
    assert update(None, image(AUTUMN), SUMMER) == Enable(SUMMER)
    assert update(None, image(SUMMER), SUMMER) == Keep()
    assert update(None, image(SUMMER + timedelta(seconds=20)), SUMMER) == Keep()
    assert update(None, image(GONE_BY), GONE_BY) == Keep()
    assert isinstance(update(None, image(AUTUMN), GONE_BY), Refusal)


def test_update_moves_date_with_one_call() -> None:
    assert update(state(), image(SUMMER), AUTUMN) == Enable(AUTUMN)
    assert update(state(live=None), image(None), SUMMER) == Enable(SUMMER)
    assert update(state(), image(AUTUMN), AUTUMN) == Keep()
    assert isinstance(update(state(), image(SUMMER), GONE_BY), Refusal)


def test_update_of_another_input_leaves_outside_date() -> None:
    left = update(state(), image(None), SUMMER)
    assert isinstance(left, Leave)
    assert left.because.startswith(
        f"{IMAGE_ID} (web) in eu-west-1 has no date (changed outside Pulumi) and keeps it"
    )
    assert update(state(applied=written(30)), image(None), SUMMER) == Keep(), "EC2 may not show it yet"


def test_date_that_cannot_be_put_back_is_given_up() -> None:
    given_up = update(state(GONE_BY, live=None), image(None), GONE_BY)
    assert isinstance(given_up, GiveUp)
    assert given_up.because.startswith(
        f"{IMAGE_ID} in eu-west-1 has no date after a change outside Pulumi, and 2026-12-01T00:00:00Z cannot be set again: "
    )
    public = update(state(AUTUMN, live=SUMMER), image(SUMMER, public=True), AUTUMN)
    assert isinstance(public, GiveUp)
    assert "has 2027-06-01T00:00:00Z after a change" in public.because


def test_stale_answer_after_write_is_ignored() -> None:
    # Summer was changed to autumn a moment ago, and now back; EC2 may only show summer still.
    back = state(AUTUMN, applied=written(119, over=SUMMER))
    assert update(back, image(SUMMER), SUMMER) == Enable(SUMMER)
    later = state(AUTUMN, applied=written(120, over=SUMMER))
    assert update(later, image(SUMMER), SUMMER) == Keep()


def test_answer_that_confirms_our_write_is_taken_at_once() -> None:
    # Only on_destroy changed, say; the date may by now be too near to be set again.
    soon = NOW + MINUTE
    assert update(state(soon, applied=written(30)), image(soon), soon) == Keep()
    assert update(state(soon, live=AUTUMN, applied=written(30)), image(SUMMER), SUMMER) == Enable(SUMMER)


def test_past_date_is_not_sent_again_during_lag() -> None:
    back = state(AUTUMN, applied=written(30, over=GONE_BY))
    assert isinstance(update(back, image(GONE_BY), GONE_BY), Refusal)


# What delete does.


def delete(old: State, current: Image | None) -> object:
    return rules.on_delete(old, current, NOW, SETTLE)


def restoring(previous: datetime | None, scheduled: datetime = SUMMER, **changes: object) -> State:
    given = inputs(At(scheduled), on_destroy="restore")
    return state(scheduled, inputs=given, previous=previous, **changes)


def test_delete_cancels_our_date() -> None:
    assert delete(state(), image(SUMMER)) == Cancel()
    assert delete(state(), image(SUMMER, state="disabled")) == Cancel()
    assert delete(state(GONE_BY), image(GONE_BY)) == Cancel()
    assert delete(state(previous=AUTUMN), image(SUMMER)) == Cancel()


def test_delete_leaves_foreign_date_and_says_so() -> None:
    assert delete(state(), image(AUTUMN)) == Keep(
        f"{IMAGE_ID} in eu-west-1 keeps 2027-09-01T00:00:00Z: this resource did not set it "
        "(it stands for 2027-06-01T00:00:00Z)"
    )
    assert delete(state(applied=written(30, over=None)), image(AUTUMN)) != Cancel()
    assert delete(state(), image(None)) == Keep()


@pytest.mark.parametrize("current", [None, image(SUMMER, state="deregistered")])
def test_delete_of_image_that_is_gone_does_nothing(current: Image | None) -> None:
    assert delete(state(), current) == Keep()
    assert delete(state(applied=written(120)), current) == Keep()


def test_delete_after_write_cancels_despite_lag() -> None:
    soon = state(applied=written(119, over=AUTUMN))
    assert delete(soon, image(AUTUMN)) == Cancel()
    assert delete(soon, image(None)) == Cancel()
    assert delete(soon, None) == Cancel()
    assert delete(soon, image(SUMMER, state="deregistered")) == Keep()
    later = state(applied=written(120, over=AUTUMN))
    assert isinstance(delete(later, image(AUTUMN)), Keep)


def test_restore_puts_back_date_that_is_still_ahead() -> None:
    assert delete(restoring(AUTUMN), image(SUMMER)) == Enable(AUTUMN)
    assert delete(restoring(NOW + 2 * MINUTE), image(SUMMER)) == Enable(NOW + 2 * MINUTE)
    assert delete(restoring(NOW + MINUTE), image(SUMMER)) == Cancel()
    assert delete(restoring(GONE_BY), image(SUMMER)) == Cancel()
    assert delete(restoring(None), image(SUMMER)) == Cancel()


def test_restore_leaves_date_that_was_there_from_start() -> None:
    kept = delete(restoring(SUMMER), image(SUMMER))
    assert kept == Keep(f"{IMAGE_ID} in eu-west-1 keeps 2027-06-01T00:00:00Z, its original date")
    assert isinstance(delete(restoring(GONE_BY, GONE_BY), image(GONE_BY)), Keep)


def test_restore_after_write_ignores_lag() -> None:
    assert delete(restoring(AUTUMN, applied=written(30, over=AUTUMN)), image(AUTUMN)) == Enable(AUTUMN)
    # The date found has passed, so it cannot be set again, although EC2 still shows it.
    assert delete(restoring(GONE_BY, applied=written(30, over=GONE_BY)), image(GONE_BY)) == Cancel()


def test_public_images_date_is_not_cancelled() -> None:
    kept = delete(state(), image(SUMMER, public=True))
    assert kept == Keep(
        f"{IMAGE_ID} in eu-west-1 is public, and EC2 does not cancel the date of a public image: 2027-06-01T00:00:00Z stays"
    )
    # Restoring is possible to an earlier date, not to a later one.
    assert isinstance(delete(restoring(AUTUMN), image(SUMMER, public=True)), Keep)
    assert delete(restoring(SUMMER, AUTUMN), image(AUTUMN, public=True)) == Enable(SUMMER)


# Whatever the history: properties of every decision.

near = st.integers(-5, 5).map(lambda minutes: NOW + minutes * MINUTE)
far = st.sampled_from([GONE_BY, SUMMER, AUTUMN, NOW + timedelta(days=700), NOW + timedelta(days=4000)])
dates = st.one_of(near, far)
maybe_dates = st.none() | dates
images = st.builds(
    image,
    maybe_dates,
    public=st.booleans(),
    state=st.sampled_from(["available", "pending", "disabled", "deregistered"]),
)


@st.composite
def states(draw: st.DrawFn) -> State:
    scheduled = draw(dates)
    on_destroy = draw(st.sampled_from(["cancel", "restore"]))
    applied = draw(st.none() | st.builds(written, st.integers(0, 240), maybe_dates))
    return state(
        scheduled,
        inputs=inputs(At(scheduled), on_destroy=on_destroy),
        live=draw(st.just(scheduled) | maybe_dates),
        previous=draw(maybe_dates),
        applied=applied,
    )


def is_settling(old: State | None) -> bool:
    return old is not None and old.applied is not None and old.applied.at > NOW - SETTLE


def ec2_takes(when: datetime, current: Image) -> bool:
    """EC2's own rules, counted anew; a public image's date is compared by EC2 itself while a write spreads."""
    if when < NOW + 2 * MINUTE or when > NOW.replace(year=NOW.year + 10):
        return False
    return not current.public or when <= CREATED.replace(year=CREATED.year + 2)


@given(st.none() | states(), images, dates)
def test_update_sends_only_acceptable_and_needed_dates(
    old: State | None, current: Image, when: datetime
) -> None:
    action = rules.on_update(old, current, At(when), when, NOW, SETTLE)
    if isinstance(action, Enable):
        assert action.when == when
        assert ec2_takes(when, current)
        assert current.date != when or is_settling(old)
    elif isinstance(action, Keep):
        assert current.date == when or (is_settling(old) and old is not None and old.live == when)
    elif isinstance(action, Leave):
        assert old is not None
        assert when in (old.live, old.given_up)
        assert current.date != when
    else:
        known = [date for date in (current.date, old.live if old else None) if date is not None]
        assert not ec2_takes(when, current) or (current.public and min(known) < when)
        assert isinstance(action, GiveUp) == (old is not None and old.scheduled == when)


@given(states(), st.none() | images)
def test_delete_touches_only_our_date(old: State, current: Image | None) -> None:
    action = rules.on_delete(old, current, NOW, SETTLE)
    if isinstance(action, Keep):
        return
    if current is None:
        assert is_settling(old)
        assert action == Cancel() or (action, old.inputs.on_destroy) == (
            Enable(old.previous),  # type: ignore[arg-type]  # None fails too
            "restore",
        )
        return
    assert current.state != "deregistered"
    over = old.applied.over if old.applied else ()
    assert current.date == old.scheduled or (is_settling(old) and current.date in (None, *over))
    if isinstance(action, Cancel):
        assert not current.public
    else:
        assert action == Enable(old.previous)  # type: ignore[arg-type]  # None fails too
        assert old.inputs.on_destroy == "restore"
        assert ec2_takes(action.when, current)


@given(states(), images)
def test_delete_leaves_no_date_of_ours_behind(old: State, current: Image) -> None:
    if current.date == old.scheduled and current.state != "deregistered" and not current.public:
        action = rules.on_delete(old, current, NOW, SETTLE)
        kept_for_restore = old.inputs.on_destroy == "restore" and old.previous == current.date
        assert isinstance(action, (Cancel, Enable)) or kept_for_restore


@given(states(), dates)
def test_second_update_has_nothing_to_do(old: State, when: datetime) -> None:
    """The state that update writes and the question whether one is needed agree, or every run would update."""
    for current in (image(old.live), image(None), image(when)):
        action = rules.on_update(old, current, At(when), when, NOW, SETTLE)
        if isinstance(action, (Refusal, Leave)):
            continue  # the next preview is to show the date that was left
        given_up = when if isinstance(action, GiveUp) else None
        live = current.date if isinstance(action, GiveUp) else when
        new = replace(old, inputs=inputs(At(when)), live=live, scheduled=when, given_up=given_up)
        assert not rules.needs_update(new, At(when))
