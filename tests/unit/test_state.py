"""State: what a run leaves for the next one, and how old and refreshed states are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation import InvalidInput
from ami_deprecation.core import state
from ami_deprecation.core.inputs import AfterDays, At, InDays
from ami_deprecation.core.state import Applied
from tests.support.samples import ACCOUNT, AUTUMN, CREATED, IMAGE_ID, NOW, REGION, SUMMER
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


def test_outputs_are_written_as_pinned() -> None:
    assert state.outputs(state.parse(OUTS)) == OUTS


def test_absent_values_are_left_out_of_outputs() -> None:
    bare = {
        "image_id": IMAGE_ID,
        "deprecate_at": "2027-06-01T00:00:00Z",
        "region": REGION,
        "on_destroy": "cancel",
    }
    given_up = {"__scheduled": "2027-06-01T00:00:00Z", "__given_up": "2027-06-01T00:00:00Z"}
    assert state.outputs(state.parse(bare | given_up)) == bare | given_up


@pytest.mark.parametrize("key", ["__scheduled", "__applied_over"])
def test_garbage_in_a_state_is_named(key: str) -> None:
    applied = {"__applied_at": "2027-01-01T00:00:00Z"}
    with pytest.raises(InvalidInput, match=rf"the state of 'web' has {key}='soon', which is not a date"):
        state.parse(OUTS | applied | {key: "soon"})


@pytest.mark.parametrize(
    ("key", "value"), [("image_id", "soon"), ("image_id", 5), ("region", ""), ("region", 5)]
)
def test_garbage_instead_of_an_image_is_named(key: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=rf"the state of 'web' has {key}={value!r}, which cannot be used"):
        state.parse(OUTS | {key: value})


def test_refreshed_inputs_show_the_live_date() -> None:
    live_inputs, outs = state.refreshed(replace(state.parse(OUTS), live=AUTUMN))
    shown = {"deprecate_at": "2027-09-01T00:00:00Z", "deprecation_time": "2027-09-01T00:00:00Z"}
    assert outs == OUTS | shown
    assert live_inputs == {key: value for key, value in outs.items() if not key.startswith("__applied")}
    live_inputs, outs = state.refreshed(replace(state.parse(OUTS), live=None))
    assert live_inputs["deprecate_at"] == outs["deprecate_at"] == live_inputs["deprecation_time"] == "none"


def test_refresh_keeps_program_inputs() -> None:
    # A refresh writes the live date where the program had written its own.
    moved = state.parse(
        OUTS | {"deprecate_at": "2027-09-01T00:00:00Z", "deprecation_time": "2027-09-01T00:00:00Z"}
    )
    assert moved.inputs.schedule == At(SUMMER)
    assert (moved.live, moved.scheduled) == (AUTUMN, SUMMER)
    assert moved.drifted
    canceled = state.parse(OUTS | {"deprecate_at": "none", "deprecation_time": "none"})
    assert canceled.inputs.schedule == At(SUMMER)
    assert (canceled.live, canceled.scheduled) == (None, SUMMER)
    assert canceled.drifted


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
def test_a_state_is_read_back_as_written(
    live: datetime | None, scheduled: datetime, applied: Applied | None, given_up: datetime | None
) -> None:
    written = replace(
        sample(scheduled, previous=AUTUMN), live=live, scheduled=scheduled, applied=applied, given_up=given_up
    )
    written = replace(written, inputs=replace(written.inputs, region=REGION))
    assert state.parse(state.outputs(written)) == written
