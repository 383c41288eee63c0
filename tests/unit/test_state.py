"""State: what a run leaves for the next one, and how old and refreshed states are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.core import state
from ami_deprecation.core.inputs import AfterDays, At, InDays
from ami_deprecation.core.state import Applied
from tests.support.samples import ACCOUNT, AUTUMN, CREATED, IMAGE_ID, NOW, REGION, SUMMER, image, written
from tests.support.samples import state as sample

if TYPE_CHECKING:
    from collections.abc import Mapping

# Pinned as written: this is what stands in users' states.
FACTS = {
    "image_name": "web",
    "owner_id": ACCOUNT,
    "creation_date": "2026-06-01T10:20:30Z",
    "previous_deprecation_time": "2027-09-01T00:00:00Z",
}
LEDGER = {
    "deprecation_time": "2027-06-01T00:00:00Z",
    "__scheduled": "2027-06-01T00:00:00Z",
    "__applied_at": "2027-01-01T12:00:00Z",
    "__applied_over": "2027-09-01T00:00:00Z",
}
OUTS = {
    "image_id": IMAGE_ID,
    "deprecate_at": "2027-06-01T00:00:00Z",
    "region": REGION,
    "on_destroy": "cancel",
    "__resource": "web",
    **FACTS,
    **LEDGER,
}


def test_outputs_are_read_back() -> None:
    read = state.parse(OUTS)
    assert read.image_id == IMAGE_ID
    assert read.region == REGION
    assert read.inputs.schedule == At(SUMMER)
    assert read.inputs.resource == "web"
    assert (read.live, read.scheduled, read.previous) == (SUMMER, SUMMER, AUTUMN)
    assert (read.image_name, read.owner_id, read.creation_date) == ("web", ACCOUNT, CREATED)
    assert read.applied == Applied(NOW, (AUTUMN,))
    assert read.given_up is None
    assert not read.drifted


def test_image_facts_in_state_are_pinned() -> None:
    assert state.facts(image(), AUTUMN) == FACTS
    assert state.parse(OUTS).facts == FACTS


def test_absent_image_facts_are_left_out() -> None:
    assert "previous_deprecation_time" not in state.facts(image(), None)
    assert state.parse({"image_id": IMAGE_ID}).facts == {}


def test_bookkeeping_in_state_is_pinned() -> None:
    assert state.ledger(live=SUMMER, scheduled=SUMMER, applied=Applied(NOW, (AUTUMN,))) == LEDGER
    assert state.ledger(live=None, scheduled=SUMMER, applied=Applied(NOW), given_up=SUMMER) == {
        "__scheduled": "2027-06-01T00:00:00Z",
        "__applied_at": "2027-01-01T12:00:00Z",
        "__given_up": "2027-06-01T00:00:00Z",
    }


def test_refresh_keeps_program_inputs() -> None:
    # A refresh writes the live date where the program had written its own.
    moved = state.parse(
        OUTS | {"deprecate_at": "2027-09-01T00:00:00Z", "deprecation_time": "2027-09-01T00:00:00Z"}
    )
    assert moved.inputs.schedule == At(SUMMER)
    assert (moved.live, moved.scheduled) == (AUTUMN, SUMMER)
    assert moved.drifted
    cancelled = state.parse(OUTS | {"deprecate_at": "none", "deprecation_time": "none"})
    assert cancelled.inputs.schedule == At(SUMMER)
    assert (cancelled.live, cancelled.scheduled) == (None, SUMMER)
    assert cancelled.drifted


def test_given_up_date_is_no_drift() -> None:
    assert not state.parse(OUTS | {"deprecation_time": "none", "__given_up": OUTS["__scheduled"]}).drifted


def test_dates_by_days_stay_resolved() -> None:
    outs = {key: value for key, value in OUTS.items() if key != "deprecate_at"}
    assert state.parse(outs | {"deprecate_in_days": 30.0}).inputs.schedule == InDays(30)
    assert state.parse(outs | {"deprecate_after_days": 365.0}).inputs.schedule == AfterDays(365)
    assert state.parse(outs | {"deprecate_in_days": 30.0}).scheduled == SUMMER


@pytest.mark.parametrize(
    ("outs", "resource_id", "region"),
    [
        (OUTS, "us-east-1/ami-x", REGION),
        ({}, f"{REGION}/{IMAGE_ID}", REGION),
        ({}, None, ""),
    ],
)
def test_region_comes_from_outputs_or_id(
    outs: Mapping[str, object], resource_id: str | None, region: str
) -> None:
    assert state.parse({"image_id": IMAGE_ID, **outs}, resource_id).region == region


def test_old_inputs_with_fewer_keys_are_read() -> None:
    read = state.parse({"image_id": IMAGE_ID, "deprecate_at": "2027-06-01T00:00:00Z", "region": REGION})
    assert read.inputs.schedule == At(SUMMER)
    assert (read.live, read.scheduled, read.applied) == (None, None, None)
    checked = {
        "image_id": IMAGE_ID,
        "deprecate_at": "2027-06-01T00:00:00Z",
        "deprecation_time": OUTS["__scheduled"],
    }
    assert state.parse(checked).scheduled == SUMMER


minutes = st.integers(0, 5_000_000).map(lambda count: CREATED.replace(second=0) + timedelta(minutes=count))
seconds = st.integers(0, 300_000_000).map(lambda count: CREATED + timedelta(seconds=count))


@given(
    st.none() | minutes,
    minutes,
    st.none() | st.builds(Applied, seconds, st.lists(minutes, max_size=3).map(tuple)),
    st.none() | minutes,
)
def test_bookkeeping_round_trips(
    live: datetime | None, scheduled: datetime, applied: Applied | None, given_up: datetime | None
) -> None:
    ledger = state.ledger(live=live, scheduled=scheduled, applied=applied, given_up=given_up)
    read = state.parse({"image_id": IMAGE_ID, "region": REGION, **ledger})
    assert (read.live, read.scheduled, read.applied, read.given_up) == (live, scheduled, applied, given_up)


def test_sample_states_round_trip() -> None:
    old = sample(applied=written(30, over=AUTUMN), previous=AUTUMN)
    outs = {
        "image_id": IMAGE_ID,
        "deprecate_at": "2027-06-01T00:00:00Z",
        "region": REGION,
        **state.facts(image(), old.previous),
        **state.ledger(live=old.live, scheduled=SUMMER, applied=old.applied),
    }
    assert state.parse(outs) == replace(old, inputs=replace(old.inputs, region=REGION))
    assert old.applied == Applied(datetime(2027, 1, 1, 11, 59, 30, tzinfo=timezone.utc), (AUTUMN,))
