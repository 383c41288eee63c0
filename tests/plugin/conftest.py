"""Fixtures of the plugin tests: an embedded EC2, and stacks of the mini engine on it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pulumi
import pytest

from ami_deprecation.testing import LocalEC2
from tests.support import gateways
from tests.support.dates import NOW
from tests.support.engine import Engine
from tests.support.plugin import Launcher
from tests.support.spelling import DOORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.forks import ForkServer
    from tests.support.spelling import Door

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
#: Another account.
OTHER = "210987654321"
#: Short, so that what is waited for comes soon; a test that is about waiting sets its own.
PATIENCE = {
    "AMI_DEPRECATION_RETRY_SECONDS": "5",
    "AMI_DEPRECATION_SETTLE_SECONDS": "0",
    "AMI_DEPRECATION_LOOK_AGAIN_SECONDS": "0.1",
}

#: Modules whose cases run with both providers.
EVERY_DOOR = {
    "test_changed_outside",
    "test_contract",
    "test_destroy",
    "test_drift",
    "test_kept_dates",
    "test_kills",
    "test_preview_checks",
    "test_preview_notes",
    "test_state_machine",
}
#: Those that take minutes: with the native provider only when pytest is run with --every-door.
LONG = {"test_consistency", "test_faults"}


class MakeEngine(Protocol):
    """The `make_engine` fixture."""

    def __call__(self, *, account: str | None = None, spawn: bool = False, **environment: str) -> Engine:
        """A stack of its own, acting in `account`, with these variables in its environment."""


@pytest.fixture(scope="session")
def launcher(forks: ForkServer | None) -> Launcher:
    """Plugin processes as forks of a warm one."""
    return Launcher(forks)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalEC2]:
    """One EC2 for a module: it starts quickly, but there can be one a process only."""
    with LocalEC2() as ec2:
        yield ec2


@pytest.fixture
def ec2(server: LocalEC2) -> Iterator[LocalEC2]:
    """An EC2 without images, faults or calls."""
    yield server
    server.faults.clear()
    server.set_time(None)
    server.set_limits(None)
    server.clear_calls()
    forget_images(server)


def forget_images(server: LocalEC2) -> None:
    """Take away all images, wherever tests make some."""
    for region in (REGION, "us-east-1"):
        for account in (None, OTHER):
            for image in server.images(region=region, account=account):
                server.remove_image(image.image_id, region=region)


@pytest.fixture
def image(ec2: LocalEC2) -> str:
    """An image of thirty days ago, without a date."""
    return ec2.add_image("web", created=NOW - timedelta(days=30), tags={"Team": "web"})


@pytest.fixture
def door() -> Door:
    """The provider that a case speaks to: see ``EVERY_DOOR``."""
    return "dynamic"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the cases of some modules with each provider."""
    name = metafunc.module.__name__.rpartition(".")[2]
    everywhere = EVERY_DOOR | (LONG if metafunc.config.getoption("--every-door") else set())
    if "door" in metafunc.fixturenames and name in everywhere:
        metafunc.parametrize("door", DOORS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each case with both providers, but of its sets of parameters every second one only with the native provider.

    The providers share all that decides. Without this the second one would cost a quarter of all tests' time.
    """
    if config.getoption("--every-door"):
        return
    count: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        case = item.nodeid.partition("[")[0]
        parameters = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        is_native = parameters.get("door") == "native"
        (left_out if is_native and count[case] % 2 else kept).append(item)
        count[case] += is_native
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture
def make_engine(ec2: LocalEC2, launcher: Launcher, door: Door) -> MakeEngine:
    """Make stacks."""

    def make(*, account: str | None = None, spawn: bool = False, **environment: str) -> Engine:
        started = Launcher() if spawn else launcher
        variables = plugin_environment(ec2, account) | environment
        return Engine(started, ec2, variables, {"aws:region": REGION}, door=door)

    return make


@pytest.fixture
def program_reaches_ec2(ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A policy reads EC2 from the program, which is this process."""
    for name, value in {**PATIENCE, "AMI_DEPRECATION_RETRY_SECONDS": "1"}.items():
        monkeypatch.setenv(name, value)
    gateways.enter(ec2, monkeypatch, REGION)
    ec2.set_time(NOW)
    yield
    gateways.forget()


def plugin_environment(ec2: LocalEC2, account: str | None = None) -> dict[str, str]:
    """The environment that a CLI would hand down, with nothing of this machine's own AWS or Pulumi."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_", "AMI_"))
    }
    paths = os.pathsep.join([str(REPOSITORY), *filter(None, [kept.get("PYTHONPATH")])])
    return (
        kept
        | ec2.environment(account=account)
        | PATIENCE
        | {
            "PULUMI_PROJECT": "project",
            "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
            "PYTHONPATH": paths,
        }
    )


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """An empty stack."""
    return make_engine()


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program shows as warnings."""
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, *_args, **_options: lines.append(message))
    return lines
