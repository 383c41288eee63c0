"""`make demo`, with the CLI of the tests on PATH."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.harness import Cli


def test_demo_runs_and_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "tools" / "demo.py")]
    environment = cli.environment() | {"TMPDIR": str(tmp_path)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("$ pulumi ") == 8
    assert "All as expected" in told.stdout
    assert list(tmp_path.iterdir()) == []
