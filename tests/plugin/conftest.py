"""Fixtures of the plugin tests: an embedded EC2, and stacks of the mini engine on it."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from ami_deprecation.testing import LocalEC2
from tests.support.dates import NOW
from tests.support.engine import Engine
from tests.support.plugin import Launcher

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
#: Another account.
OTHER = "210987654321"
#: Short, so that what is waited for comes soon; a test that is about waiting sets its own.
PATIENCE = {"AMI_DEPRECATION_RETRY_SECONDS": "5", "AMI_DEPRECATION_SETTLE_SECONDS": "0"}


class MakeEngine(Protocol):
    """The `make_engine` fixture."""

    def __call__(self, *, account: str | None = None, spawn: bool = False, **environment: str) -> Engine:
        """A stack of its own, acting in `account`, with these variables in its environment."""


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """Plugin processes as forks of a warm one; with PROTOCOL_SPAWN=1, each from nothing."""
    made = Launcher(fork=os.environ.get("PROTOCOL_SPAWN") != "1")
    yield made
    made.close()


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
def make_engine(ec2: LocalEC2, launcher: Launcher) -> MakeEngine:
    """Make stacks."""

    def make(*, account: str | None = None, spawn: bool = False, **environment: str) -> Engine:
        started = Launcher(fork=False) if spawn else launcher
        return Engine(started, ec2, plugin_environment(ec2, account) | environment, {"aws:region": REGION})

    return make


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
