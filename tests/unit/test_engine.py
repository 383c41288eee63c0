"""The CLI that a plugin's process belongs to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.core.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = (
    "import dataclasses, json; from ami_deprecation.core import engine; engine_seen = engine.of_this_process(); "
    "print(json.dumps(engine_seen and dataclasses.asdict(engine_seen)))"
)


def uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_engine_is_the_pulumi_that_started_this_process(tmp_path: Path) -> None:
    shell = tmp_path / "pulumi"
    shutil.copy("/bin/sh", shell)
    before = uptime()
    # As Pulumi's own plugin does: a shell in between, which stays.
    inner = f"{sys.executable} -c '{PROGRAM}'; true"
    done = subprocess.run(
        [str(shell), "-c", f'/bin/sh -c "{inner}"; true', "destroy", "--yes"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    engine_seen = json.loads(done.stdout)
    # The kernel counts in hundredths of a second.
    assert before - 0.02 <= engine_seen["started"] <= uptime()
    assert engine_seen["arguments"][-2:] == ["destroy", "--yes"]
    here = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, check=True)
    assert json.loads(here.stdout) is None


@pytest.mark.parametrize(
    ("arguments", "destroys", "hides"),
    [
        ("destroy --yes", True, False),
        ("--cwd x dn --target a", True, True),
        ("up --stack down", False, False),  # not certain: a date stays then
        ("up --continue-on-error", False, True),
        ("up --target=a", False, True),
        ("up --exclude a", False, True),
        ("up --yes", False, False),
        ("up -ft a", False, True),
        ("up -ta", False, True),
        ("destroy --run-program -m up", True, False),
        ("-C down up", False, False),
        ("--cwd=down up --stack destroy", False, False),
    ],
)
def test_what_a_command_line_says(arguments: str, destroys: bool, hides: bool) -> None:
    engine = Engine(0, tuple(arguments.split()))
    assert (engine.destroys, engine.hides_resources) == (destroys, hides)


@pytest.mark.parametrize(
    "name", ["PULUMI_OPTION_TARGET", "PULUMI_OPTION_EXCLUDE", "PULUMI_CONTINUE_ON_ERROR"]
)
def test_environment_can_hide_resources_too(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "true")
    assert Engine(0, ("up",)).hides_resources
