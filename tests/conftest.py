"""Fixtures of the end-to-end tests: a real Pulumi CLI, an embedded EC2, and stacks between them."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import settings

from ami_deprecation.core import meeting
from ami_deprecation.testing import LocalEC2
from tests.support import cli_command, vault
from tests.support.forks import ForkServer
from tests.support.harness import REPOSITORY, Cli, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator


#: Longer than another test run's program and its deletes can be apart, in seconds.
A_WHILE_SECONDS = 600
#: Without hypothesis's time limit for an example: a loaded machine is no failing test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


class MakeStack(Protocol):
    """The `make_stack` fixture."""

    def __call__(self, source: Path | None = None) -> Stack:
        """Make another stack; see `Stack.create`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose the CLI and how its plugins start."""
    parser.addoption(
        "--oldest-cli", action="store_true", help="run on the oldest Pulumi CLI that the docs promise"
    )
    parser.addoption(
        "--every-door", action="store_true", help="run all plugin tests of both providers with all parameters"
    )
    parser.addoption(
        "--cold", action="store_true", help="start each Python plugin as a CLI on a user's machine does"
    )


@pytest.fixture(autouse=True)
def package_logger() -> Iterator[None]:
    """The package's logger as it was: a program's gateway gives it a handler, which goes with the test."""
    logger = logging.getLogger("ami_deprecation")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate


@pytest.fixture(scope="session")
def forks(pytestconfig: pytest.Config) -> Iterator[ForkServer | None]:
    """Starts Python plugins quickly; None with --cold."""
    if pytestconfig.getoption("--cold"):
        yield None
        return
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> None:
    """Remove what programs of earlier test runs have declared: a fork does not know when its engine started."""
    for file in meeting.private_folder().glob(f"*/{meeting.PROGRAM}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > A_WHILE_SECONDS:
                file.unlink()


@pytest.fixture(scope="session", autouse=True)
def forked_commands(forks: ForkServer | None) -> None:
    """The command line's processes are forks too."""
    if forks is not None:
        cli_command.start = forks.command


@pytest.fixture(scope="session")
def cold_cli(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Cli:
    """The CLI that `make setup` got, as it is; with --oldest-cli, the oldest that the docs promise, for Python only."""
    command = [sys.executable, str(REPOSITORY / "tools" / "pulumi-cli" / "get.py")]
    command.append("--oldest" if pytestconfig.getoption("--oldest-cli") else "--yaml")
    folder = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return Cli(Path(folder), home=tmp_path_factory.mktemp("pulumi-home"))


@pytest.fixture(scope="session")
def cli(cold_cli: Cli, forks: ForkServer | None) -> Iterator[Cli]:
    """The same CLI with forks of a warm process as its Python plugins: for projects that run in this Python."""
    if forks is None:
        yield cold_cli
        return
    with vault.serve() as address:
        yield replace(cold_cli, folder=forks.cli(cold_cli.folder), forks=forks.folder, vault=address)


@pytest.fixture
def ec2() -> Iterator[LocalEC2]:
    """An empty EC2."""
    with LocalEC2() as server:
        yield server


@pytest.fixture
def make_stack(cli: Cli, ec2: LocalEC2, tmp_path: Path) -> MakeStack:
    """Make stacks that reach `ec2`: empty ones, or copies of a project in this repository."""
    made: list[Stack] = []

    def make(source: Path | None = None) -> Stack:
        made.append(Stack.create(cli, tmp_path / f"stack-{len(made)}", ec2, source))
        return made[-1]

    return make


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """An empty stack, for a test that writes the program."""
    return make_stack()


@pytest.fixture
def root(make_stack: MakeStack) -> Stack:
    """A stack of this repository's own project."""
    return make_stack(REPOSITORY)
