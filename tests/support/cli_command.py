"""The command line as a user starts it, over an embedded EC2."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import gateways

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from ami_deprecation.testing import LocalEC2

REGION = "eu-west-1"


def _start_cold() -> list[str]:
    return [sys.executable, "-m", "ami_deprecation"]


#: What starts a process of the command line; the tests' fixtures put a fork of a warm process here.
start: Callable[[], list[str]] = _start_cold


def command(
    ec2: LocalEC2, *arguments: str, region: str | None = REGION, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `ami-deprecation` in a process of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(
        [*start(), *arguments],
        env=kept | ec2.environment(region=region) | more,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def use(ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process's own calls reach `ec2`, for tests that need no process each.

    Clients are kept per Region for a process's life, and those of another test have another endpoint.
    """
    gateways.enter(ec2, monkeypatch)


def succeed(ec2: LocalEC2, *arguments: str, region: str | None = REGION, stdin: str = "") -> str:
    """Its stdout, when its exit code is 0 and no traceback was shown."""
    result = command(ec2, *arguments, region=region, stdin=stdin)
    assert result.returncode == 0, result.stderr
    return result.stdout
