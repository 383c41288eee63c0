"""States that version 0.1 wrote stay as they are until the program or EC2 changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import REGION
from tests.support.old_states import (
    DESTROY,
    DISABLE,
    DRIFTED,
    ENABLE,
    FOLDER,
    PREVIEW,
    OldState,
    load,
    second_profile,
)
from tests.support.operation import Entry
from tests.support.program import urn

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

DYNAMIC = "pulumi-python:dynamic/ec2:AmiDeprecation"


@pytest.fixture
def old(request: pytest.FixtureRequest, ec2: LocalEC2) -> OldState:
    """The state of the test's parameter, and its images in EC2."""
    state = load(request.param)
    state.fill(ec2)
    return state


@pytest.fixture
def stack(make_engine: MakeEngine, old: OldState, tmp_path: Path) -> Engine:
    """A stack that has the state."""
    engine = make_engine(AWS_SHARED_CREDENTIALS_FILE=second_profile(tmp_path))
    engine.state = [
        Entry(urn(*each["urn"].split("::")[2:4]), each["id"], each["inputs"], each["outputs"])
        for each in old.deployment["resources"]
        if each["type"] == DYNAMIC
    ]
    return engine


def test_every_old_state_is_listed() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.json")) == sorted(DESTROY)


@pytest.mark.parametrize("old", sorted({*DESTROY} - {DRIFTED}), indirect=True)
def test_old_state_previews_without_change(
    old: OldState, stack: Engine, ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ec2.environment(region=REGION).items():
        monkeypatch.setenv(name, value)  # a policy lists its images in the program, which is this process
    outputs = [entry.outputs for entry in stack.state]
    mark = ec2.mark()
    preview = stack.preview(old.declare)
    assert preview.operations == []
    assert [call.action for call in ec2.calls_since(mark)] == PREVIEW.get(old.name, [])
    stack.up(old.declare)
    assert ec2.mutations(mark) == []
    assert [entry.outputs for entry in stack.state] == outputs


@pytest.mark.parametrize("old", sorted({*DESTROY} - {DRIFTED}), indirect=True)
def test_old_state_refreshes_without_change(old: OldState, stack: Engine, ec2: LocalEC2) -> None:
    dates = old.dates(ec2)
    refresh = stack.refresh()
    assert set(refresh.operations) == {"refresh"}
    assert refresh.mutations == []
    assert old.dates(ec2) == dates


@pytest.mark.parametrize("old", [DRIFTED], indirect=True)
def test_old_drifted_state_gets_its_date_back(old: OldState, stack: Engine) -> None:
    assert set(stack.refresh().operations) == {"refresh"}
    up = stack.up(old.declare)
    assert (up.operations, up.mutations) == (["update"], [ENABLE])
    assert stack.destroy().mutations == [DISABLE]


@pytest.mark.parametrize("old", sorted(DESTROY), indirect=True)
def test_old_state_is_destroyed(old: OldState, stack: Engine, ec2: LocalEC2) -> None:
    dates = old.dates(ec2)
    assert stack.destroy().mutations == DESTROY[old.name]
    assert stack.state == []
    if not DESTROY[old.name]:
        assert old.dates(ec2) == dates
