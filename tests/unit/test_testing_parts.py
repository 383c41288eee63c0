"""The clock, the call log and the entrance of LocalEC2."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from ami_deprecation.testing import Call, Clock
from ami_deprecation.testing.calls import CallLog

NOON = datetime(2027, 1, 1, 12, tzinfo=timezone.utc)


def test_clock_runs_until_it_is_stopped() -> None:
    clock = Clock()
    before = datetime.now(timezone.utc)
    assert before <= clock.now() <= datetime.now(timezone.utc)
    clock.advance(timedelta(days=1))
    assert clock.now() >= before + timedelta(days=1)
    clock.set(NOON)
    clock.advance(timedelta(minutes=5))
    assert clock.now() == clock.now() == NOON + timedelta(minutes=5)
    clock.set(None)
    assert clock.now() <= datetime.now(timezone.utc)


def test_clock_requires_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        Clock().set(NOON.replace(tzinfo=None))


def test_mark_outlives_cleared_log() -> None:
    log = CallLog()
    calls = [Call(action, "eu-west-1", "1", (), None, "", 0.0) for action in ("A", "B", "C")]
    log.append(calls[0])
    mark = log.mark()
    log.append(calls[1])
    assert log.since(mark) == [calls[1]]
    log.clear()
    log.append(calls[2])
    assert log.since(mark) == [calls[2]]


@pytest.mark.parametrize(
    ("action", "mutates"),
    [
        ("EnableImageDeprecation", True),
        ("ModifyImageAttribute", True),
        ("DescribeImages", False),
        ("GetCallerIdentity", False),
        ("AssumeRole", False),
    ],
)
def test_call_knows_whether_it_changes_something(action: str, mutates: bool) -> None:
    assert Call(action, "eu-west-1", "1", (), None, "", 0.0).mutates is mutates


@pytest.mark.parametrize("missing", ["moto", "flask"])
def test_missing_extra_names_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nimport ami_deprecation.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: ami_deprecation.testing needs moto: pip install 'ami-deprecation[testing]'"
    )
    assert "During handling" not in done.stderr
