"""`make demo`, as a new reader runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def test_demo_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "tools" / "demo.py")]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("$ pulumi ") == 8
    assert "All as expected" in told.stdout
    assert list(tmp_path.iterdir()) == []
