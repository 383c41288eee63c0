"""What the program of an earlier run has left behind where a later engine listens at the same address."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.core import meeting
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
    return [each.resource for each in Meeting(ADDRESS, engine_started).others(IMAGE, REGION)]


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


def test_engine_is_the_pulumi_that_started_this_process(tmp_path: Path) -> None:
    shell = tmp_path / "pulumi"
    shutil.copy("/bin/sh", shell)
    program = "from ami_deprecation.core.meeting import engine_start; print(engine_start())"
    before = uptime()
    # As Pulumi's own plugin does: a shell in between, which stays.
    inner = f"{sys.executable} -c '{program}'; true"
    done = subprocess.run(
        [str(shell), "-c", f'/bin/sh -c "{inner}"; true'], stdout=subprocess.PIPE, text=True, check=True
    )
    # The kernel counts in hundredths of a second.
    assert before - 0.02 <= float(done.stdout) <= uptime()
    here = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert here.stdout.strip() == "None"
