"""What the program of an earlier run has left behind where a later engine listens at the same address."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.core import meeting
from ami_deprecation.core.engine import Engine
from ami_deprecation.core.meeting import Meeting, Note

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "127.0.0.1:1"
IMAGE, REGION = "ami-0123456789abcdef0", "eu-west-1"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files of other runs on this machine do not count."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def declared(engine_started: float | None) -> list[str | None]:
    """Whom the plugin of a run, of which a process can be one only, knows as declared for the image."""
    engine = None if engine_started is None else Engine(engine_started)
    return [each.resource for each in Meeting(ADDRESS, engine).others(IMAGE, REGION)]


@pytest.mark.parametrize(
    ("engine", "known"),
    [("before", ["web"]), ("after", []), ("not known", ["web"])],  # when nobody can tell, a date is kept
)
def test_declared_image_of_earlier_run_does_not_count(engine: str, known: list[str]) -> None:
    before = uptime()
    meeting.tell(ADDRESS, Note("declared", IMAGE, REGION, "web"))
    assert declared({"before": before, "after": uptime(), "not known": None}[engine]) == known


def test_note_from_before_the_machine_started_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as then:
        then.setattr(meeting, "_uptime", lambda: uptime() + 1000)
        meeting.tell(ADDRESS, Note("declared", IMAGE, REGION, "web"))
    assert declared(uptime() - 10) == []


def test_destroy_needs_nothing_that_the_program_declares() -> None:
    started = uptime()
    meeting.tell(ADDRESS, Note("declared", IMAGE, REGION, "web"))
    engine = Engine(started, ("destroy", "--yes", "--run-program"))
    assert Meeting(ADDRESS, engine).others(IMAGE, REGION) == []


def test_resource_that_never_learns_its_image_is_hidden() -> None:
    engine = Engine(uptime(), ("up", "--continue-on-error"))
    meeting.tell(ADDRESS, Note("declared", IMAGE, REGION, "api"))
    for name in ("web", "site"):
        meeting.tell(ADDRESS, Note("declared", "", None, name))
    meeting.tell(ADDRESS, Note("declared", "ami-00000000000000002", REGION, "web"))
    assert Meeting(ADDRESS, engine).hides_resources()


@pytest.mark.parametrize("tells", [False, True])
def test_only_a_program_that_tells_hides_nothing(tells: bool) -> None:
    engine = Engine(uptime(), ("up", "--target", "web"))
    if tells:
        meeting.tell(ADDRESS, Note("declared", "ami-00000000000000002", REGION, "api"))
    assert Meeting(ADDRESS, engine).hides_resources() is not tells
