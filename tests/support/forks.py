"""The fork server's process, and the Pulumi CLI whose Python plugins are its forks."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import fork_client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parents[2]
#: Runs what `python -m ami_deprecation` does.
COMMAND = str(Path(__file__).with_name("forked_command.py"))
#: A plugin of the CLI that tools/pulumi-cli assembles, or the package's command beside it -> the Python file that it
#: runs; `-` as in fork_client.py.
PLUGINS = {
    "pulumi-language-python": "language_host.py",
    "pulumi-resource-pulumi-python": "-",
    "ami-deprecation": COMMAND,
    "pulumi-resource-ami-deprecation": str(REPOSITORY / "plugin" / "__main__.py"),
}
#: A hundred megabytes: linked rather than copied.
LARGE = ("pulumi", "pulumi-language-yaml")


def link(file: Path, other: Path) -> None:
    try:
        other.hardlink_to(file)
    except OSError:  # another file system
        shutil.copy2(file, other)


class ForkServer:
    """A process that starts with the first request, and forks; see fork_server.py.

    Attributes:
        folder: its `socket`; and in `groups`, a file for each process that stands for a plugin, with that process's
            id as its name and the plugin's process group as its text.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="forks-"))
        self._address = self.folder / "socket"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "groups").mkdir()

    def _start(self) -> None:
        with self._lock:
            if self._process is not None:
                return
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(self._address))
                listener.listen(64)
                number = listener.fileno()
                self._process = subprocess.Popen(
                    [sys.executable, "-u", "-m", "tests.support.fork_server", str(number)],
                    cwd=REPOSITORY,
                    stdin=subprocess.PIPE,
                    pass_fds=[number],
                )

    def plugin(self, file: str | None, environment: Mapping[str, str], streams: Sequence[int]) -> int:
        """Fork a provider's file, or the SDK's server of dynamic resources, with these standard streams; returns its id."""
        self._start()
        request: dict[str, object] = {
            "file": file,
            "arguments": environment.get("ENGINE_ADDRESS", "").split(),
            "environment": dict(environment),
            "folder": str(REPOSITORY),
            "client": None,
        }
        connection, pid = fork_client.connect(str(self._address), list(streams), request)
        connection.close()
        return pid

    def command(self) -> list[str]:
        """What starts the package's command line as a fork, before its arguments."""
        self._start()
        return [*self._client(), COMMAND]

    def _client(self) -> list[str]:
        return [sys.executable, "-IS", str(fork_client.__file__), str(self._address)]

    def cli(self, folder: Path) -> Path:
        """The folder of the same CLI with forks as its plugins; the folder itself when Pulumi released it."""
        if not (folder / "language_host.py").exists():
            return folder
        self._start()
        warm = self.folder / "cli"
        shutil.copytree(folder, warm, ignore=shutil.ignore_patterns(*LARGE))
        # The engine takes plugins without a warning only from the folder in which its own file lies.
        for name in LARGE:
            if (folder / name).exists():
                link(folder / name, warm / name)
        for name, file in PLUGINS.items():
            runs = file if file == "-" else str(warm / file)
            (warm / name).write_text(f'#!/bin/sh\nexec {shlex.join([*self._client(), runs])} "$@"\n')
            (warm / name).chmod(0o755)
        return warm

    def close(self) -> None:
        """End it, and what it has forked."""
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
