"""SDKs that Pulumi's code generation makes from the provider's schema, and the TypeScript compiler."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ami_deprecation.doors.native import schema
from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is generated against, and compiles it.
PACKAGES = {"@pulumi/pulumi": "^3.270.0", "@types/node": "^22", "typescript": "^5.9"}
TIMEOUT_SECONDS = 300


def generate(language: str, folder: Path) -> Path:
    """Write the SDK for `python` or `nodejs` into a folder.

    Raises:
        AssertionError: Pulumi finds a mistake in the schema, or a warning.
    """
    folder.mkdir(parents=True)
    file = folder.with_suffix(".json")
    file.write_text(json.dumps(schema.package()))
    run(codegen(), language, str(file), str(folder))
    return folder


@cache
def codegen() -> str:
    """The program that has Pulumi's code generation."""
    tool = str(REPOSITORY / "tools" / "pulumi-cli" / "get.py")
    return run(sys.executable, tool, "--codegen").strip()


def run(*command: str, folder: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """The output of a command that has to succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={"UV_SYSTEM_CERTS": "1"}
        | dict(os.environ if env is None else env),  # uv trusts what the machine trusts, as in the Makefile
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def node_modules(folder: Path) -> Path:
    """Give a folder the packages that TypeScript programs need: links to those in the user's cache.

    npm gets them once; the next run, and the next checkout, need no network.
    """
    wanted = json.dumps({"private": True, "dependencies": PACKAGES})
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "ami-deprecation")
    cached = cache_home / f"typescript-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if not cached.exists():
        cache_home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_home) as temporary:
            install = Path(temporary, "install")
            install.mkdir()
            (install / "package.json").write_text(wanted)
            npm = shutil.which("npm")
            assert npm is not None, "the tests of the TypeScript SDK need Node.js with npm"
            run(npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", folder=install)
            try:
                install.rename(cached)
            except OSError:  # another run was first
                assert cached.exists()
    modules = folder / "node_modules"
    (modules / "@pulumi").mkdir(parents=True)
    for package in (cached / "node_modules").iterdir():
        if package.name != "@pulumi":
            (modules / package.name).symlink_to(package)
    (modules / "@pulumi" / "pulumi").symlink_to(cached / "node_modules" / "@pulumi" / "pulumi")
    return modules
