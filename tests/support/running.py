"""One Pulumi command: while it runs, and what came of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ami_deprecation.testing import Call, LocalEC2

TIMEOUT_SECONDS = 120
#: The environment variable with the fork server's folder: see forks.py.
FORKS = "AMI_TESTS_FORKS"


@dataclass(frozen=True)
class Result:
    """One finished Pulumi command.

    Attributes:
        command: as typed, without `pulumi`.
        code: its exit code; negative, the signal that ended it.
        calls: what it, and all it started, asked of the embedded EC2, in order.
        seconds: how long it took.
    """

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    calls: tuple[Call, ...]
    seconds: float

    @property
    def output(self) -> str:
        """All that the user saw."""
        return self.stdout + self.stderr

    @property
    def actions(self) -> list[str]:
        """The names of the EC2 calls, in order."""
        return [call.action for call in self.calls]

    @property
    def mutations(self) -> list[str]:
        """The names of the EC2 calls that change something, in order."""
        return [call.action for call in self.calls if call.mutates]

    def __str__(self) -> str:
        command = " ".join(self.command)
        return f"pulumi {command}: exit code {self.code}, EC2 calls {self.actions}\n{self.output}"


class Running:
    """A Pulumi command under way, with all processes that it starts in a session of their own."""

    def __init__(
        self, arguments: tuple[str, ...], folder: Path, environment: dict[str, str], ec2: LocalEC2 | None
    ) -> None:
        self._arguments = arguments
        self._ec2 = ec2
        self._forks = environment.get(FORKS)
        self._mark = ec2.mark() if ec2 else 0
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            ["pulumi", "--non-interactive", "--color=never", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The CLI's own process."""
        return self._process.pid

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the CLI and all it has started at once, as a machine that goes down does.

        The backend's lock stays: `stack.run("cancel", "--yes")` before the next command takes it away.
        """
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """The CLI and its plugins, as far as they still run; plugins outlive a CLI that was killed."""
        running: dict[int, tuple[int, int]] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # pid (name) state parent group session …: proc(5); a name may contain blanks and brackets.
                state, _, group, session = status.read_text().rpartition(")")[2].split()[:4]
                if state != "Z":
                    running[int(status.parent.name)] = (int(group), int(session))
        own = [pid for pid, (_, session) in running.items() if session == self.pid]
        groups = {self._forked_by(pid) for pid in own} - {None}
        return own + [pid for pid, (group, _) in running.items() if group in groups]

    def _forked_by(self, pid: int) -> int | None:
        """The process group of the plugin that this process stands for."""
        if self._forks is None:
            return None
        try:
            return int(Path(self._forks, "groups", str(pid)).read_text())
        except (OSError, ValueError):
            return None

    def wait(self, timeout: float = TIMEOUT_SECONDS) -> Result:
        """Wait for the end.

        Raises:
            AssertionError: it did not come within `timeout` seconds; with the output so far.
        """
        try:
            stdout, stderr = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            stdout, stderr = self._process.communicate()
            command = " ".join(self._arguments)
            raise AssertionError(f"pulumi {command}: no end after {timeout} s\n{stdout}{stderr}") from None
        return Result(
            command=self._arguments,
            code=self._process.returncode,
            stdout=stdout,
            stderr=stderr,
            calls=tuple(self._ec2.calls_since(self._mark)) if self._ec2 else (),
            seconds=time.monotonic() - self._began,
        )
