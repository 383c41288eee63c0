"""Fixtures of the end-to-end tests: a real Pulumi CLI, an embedded EC2, and stacks between them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import settings

from ami_deprecation.testing import LocalEC2
from tests.support.harness import REPOSITORY, Cli, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator


#: Without hypothesis's time limit for an example: a loaded machine is no failing test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


class MakeStack(Protocol):
    """The `make_stack` fixture."""

    def __call__(self, source: Path | None = None) -> Stack:
        """Make another stack; see `Stack.create`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose the CLI."""
    parser.addoption(
        "--oldest-cli", action="store_true", help="run on the oldest Pulumi CLI that the docs promise"
    )


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Cli:
    """The CLI that `make setup` got; with --oldest-cli, the oldest that the docs promise."""
    command = [sys.executable, str(REPOSITORY / "tools" / "pulumi-cli" / "get.py")]
    if pytestconfig.getoption("--oldest-cli"):
        command.append("--oldest")
    folder = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return Cli(Path(folder), home=tmp_path_factory.mktemp("pulumi-home"))


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
