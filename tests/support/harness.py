"""Real Pulumi stacks for tests: each with a project folder, a file backend and an embedded EC2 of its own.

    def test_a_second_up_changes_nothing(stack: Stack) -> None:
        stack.program("import pulumi; pulumi.export('answer', 42)")
        stack.up()
        assert stack.up().actions == []

Fixtures: conftest.py. A command takes about a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.support import vault
from tests.support.running import FORKS, TIMEOUT_SECONDS, Result, Running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ami_deprecation.testing import LocalEC2

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
NOT_COPIED = shutil.ignore_patterns(".venv", "venv", "__pycache__", ".pulumi")


@dataclass(frozen=True)
class Cli:
    """A Pulumi CLI: the folder that goes first on PATH, and a PULUMI_HOME that several stacks may share.

    Attributes:
        forks: the fork server's folder, when its plugins are forks: see forks.py.
        vault: the address of what encrypts the stacks' secrets: see vault.py; None: a passphrase does.
    """

    folder: Path
    home: Path
    forks: Path | None = None
    vault: str | None = None
    #: The virtual environment of the programs.
    virtualenv: Path = Path(sys.prefix)

    def environment(self) -> dict[str, str]:
        """This process's environment without anything of the user's own Pulumi and AWS, and with this CLI."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "AWS_"))}
        return kept | {
            "PATH": os.pathsep.join([str(self.folder), f"{self.virtualenv}/bin", os.environ["PATH"]]),
            "VIRTUAL_ENV": str(self.virtualenv),
            "PULUMI_HOME": str(self.home),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            # Its processes end before there is much to collect, and half of a start was collecting.
            "GOGC": "off",
            "GOMEMLIMIT": "512MiB",
            **({FORKS: str(self.forks)} if self.forks else {}),
            **({"VAULT_SERVER_URL": self.vault, "VAULT_SERVER_TOKEN": "none"} if self.vault else {}),
        }

    @property
    def secrets_provider(self) -> str:
        """That of its stacks, as `pulumi stack init --secrets-provider` takes it."""
        return vault.PROVIDER if self.vault else "passphrase"


@dataclass(frozen=True)
class StrangersCli(Cli):
    """The CLI on a machine that has nothing else: the home is empty, and so is the environment."""

    def environment(self) -> dict[str, str]:
        user_home = self.home / "user"
        user_home.mkdir(parents=True, exist_ok=True)
        path = os.pathsep.join(
            [str(self.folder), f"{self.virtualenv}/bin", "/usr/local/bin", "/usr/bin", "/bin"]
        )
        kept = ("PULUMI_SKIP_UPDATE_CHECK", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "VIRTUAL_ENV")
        usual = super().environment()
        return {key: usual[key] for key in kept} | {"HOME": str(user_home), "PATH": path}


@dataclass
class Stack:
    """A stack that exists, in a project folder that tests may write to as they like.

    Attributes:
        project: the folder with Pulumi.yaml.
        backend: the folder that holds the state.
        ec2: the embedded EC2 that its programs and providers reach; None: they have none.
        env: more environment variables for its commands.
    """

    cli: Cli
    project: Path
    backend: Path
    ec2: LocalEC2 | None
    name: str = "test"
    region: str | None = REGION
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(
        cls, cli: Cli, folder: Path, ec2: LocalEC2 | None, source: Path | None = None, name: str = "test"
    ) -> Stack:
        """Make a stack under an empty folder.

        Args:
            cli: the CLI to use.
            folder: gets a `project` and a `state`.
            ec2: see the class.
            source: a project to copy: this repository's own, or one of the examples. None: an empty one,
                named `project`, for `program`.
            name: the stack's.
        """
        project = folder / "project"
        if source is None:
            project.mkdir(parents=True)
            runtime = {"name": "python", "options": {"virtualenv": str(cli.virtualenv)}}
            (project / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "project", "runtime": runtime}))
        elif source == REPOSITORY:
            project.mkdir(parents=True)
            for file in ("Pulumi.yaml", "__main__.py"):
                shutil.copy(source / file, project / file)
        else:
            shutil.copytree(source, project, ignore=NOT_COPIED)
        stack = cls(cli, project, folder / "state", ec2, name)
        stack._link_virtualenv()
        stack._initialize()
        return stack

    def _initialize(self) -> None:
        """`pulumi stack init`, which takes half a second, for a project's name once; later stacks are copies of that."""
        settings = self.project / f"Pulumi.{self.name}.yaml"
        project = yaml.safe_load((self.project / "Pulumi.yaml").read_text())["name"]
        first = (
            self.cli.home / "first-stacks" / self.cli.secrets_provider.partition(":")[0] / project / self.name
        )
        configured = settings.exists()
        if first.exists() and not configured:
            shutil.copytree(first / "state", self.backend)
            shutil.copy(first / settings.name, settings)
            return
        self.backend.mkdir()
        self.run("stack", "init", self.name, "--secrets-provider", self.cli.secrets_provider)
        if settings.exists() and not configured:
            shutil.copytree(self.backend, first / "state", dirs_exist_ok=True)
            shutil.copy(settings, first)

    def _link_virtualenv(self) -> None:
        """Let the virtual environment that the project names be the one of the tests."""
        runtime = yaml.safe_load((self.project / "Pulumi.yaml").read_text())["runtime"]
        options = runtime.get("options", {}) if isinstance(runtime, dict) else {}
        linked = self.project / options.get("virtualenv", ".venv")
        if not linked.exists():
            linked.symlink_to(self.cli.virtualenv)

    # What the user writes.

    def program(self, source: str, **files: str) -> None:
        """Write `__main__.py`, and other modules by their name without `.py`; indented text is dedented."""
        for name, text in {"__main__": source, **files}.items():
            (self.project / f"{name}.py").write_text(textwrap.dedent(text))
        # Python takes a compiled program of the same second and length for current.
        shutil.rmtree(self.project / "__pycache__", ignore_errors=True)

    def config(self, values: Mapping[str, object]) -> None:
        """Replace the stack's configuration: full keys (`aws:region`), values plain or structured.

        A `datetime.date` is written as YAML writes it, without quotes.
        """
        file = self.project / f"Pulumi.{self.name}.yaml"
        settings = yaml.safe_load(file.read_text()) if file.exists() else {}
        file.write_text(yaml.safe_dump({**settings, "config": dict(values)}))

    # What the user types.

    def run(self, *arguments: str, check: bool = True, timeout: float = TIMEOUT_SECONDS) -> Result:
        """Run `pulumi` with these arguments to its end.

        Raises:
            AssertionError: with all output, when `check` and the exit code is not 0, or after `timeout` s.
        """
        with self.start(*arguments) as running:
            result = running.wait(timeout)
        assert not check or result.code == 0, str(result)
        return result

    @contextlib.contextmanager
    def start(self, *arguments: str) -> Iterator[Running]:
        """Start a command, to be interrupted or killed on the way; nothing of it outlives the block."""
        running = Running(arguments, self.project, self.environment(), self.ec2)
        try:
            yield running
        finally:
            running.kill()

    def up(self, *arguments: str, check: bool = True) -> Result:
        """`pulumi up`, without the preview before it (`preview` is that)."""
        return self.run("up", "--yes", "--skip-preview", *arguments, check=check)

    def preview(self, *arguments: str, check: bool = True) -> Result:
        """`pulumi preview`."""
        return self.run("preview", *arguments, check=check)

    def preview_json(self, *arguments: str) -> dict[str, Any]:
        """What `pulumi preview --json` prints: `steps`, `changeSummary`, `diagnostics` and more."""
        document: dict[str, Any] = json.loads(self.run("preview", "--json", *arguments).stdout)
        return document

    def refresh(self, *arguments: str, check: bool = True) -> Result:
        """`pulumi refresh`, without the preview before it."""
        return self.run("refresh", "--yes", "--skip-preview", *arguments, check=check)

    def destroy(self, *arguments: str, check: bool = True) -> Result:
        """`pulumi destroy`, without the preview before it."""
        return self.run("destroy", "--yes", "--skip-preview", *arguments, check=check)

    # What is kept.

    def state(self) -> dict[str, Any]:
        """The deployment as the backend holds it, which `pulumi stack export` would print.

        Read from the file, because a CLI command takes 0.3 s.
        """
        file = next((self.backend / ".pulumi" / "stacks").glob(f"*/{self.name}.json"))
        deployment: dict[str, Any] = json.loads(file.read_text())["checkpoint"]["latest"]
        return deployment

    def resources(self, token: str | None = None) -> list[dict[str, Any]]:
        """The resources in state, oldest first, without the stack itself and the providers; or those of one type."""
        resources: list[dict[str, Any]] = self.state().get("resources", [])
        return [
            resource
            for resource in resources
            if (token is None and not resource["type"].startswith("pulumi:")) or resource["type"] == token
        ]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        stacks = self.resources("pulumi:pulumi:Stack")
        outputs: dict[str, Any] = stacks[0].get("outputs", {}) if stacks else {}
        return outputs

    def environment(self) -> dict[str, str]:
        """The environment of this stack's commands; also for an Automation API program."""
        return {
            **self.cli.environment(),
            **(self.ec2.environment(region=self.region) if self.ec2 else {}),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "passphrase",
            "PULUMI_STACK": self.name,
            **self.env,
        }
