"""A virtual environment with what a user would pick instead, and with what draws the plot; kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("requirements-peers.lock")


def folder() -> Path:
    """The environment's `bin`; made from requirements-peers.lock when it is not there yet."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"{python}-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "ami-deprecation" / "peers" / name
    complete = home / "complete"
    if not complete.exists():
        print("Installing Cloud Custodian, the aws CLI and matplotlib, once …", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        uv = str(Path(sys.prefix, "bin", "uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "-r", str(LOCK)]
        subprocess.run([*install, "--python", str(home / "bin" / "python")], check=True)
        complete.touch()
    return home / "bin"
