"""The Pulumi CLI that started this plugin: what the engine does not tell a provider.

Read from ``/proc``, so nothing is known on macOS and Windows.
Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: The process of the CLI, which is the engine.
_CLI = "pulumi"
_DESTROY = frozenset({"destroy", "down", "dn"})
#: Options before the command that take the next word.
_WITH_VALUE = frozenset(
    {"-C", "--cwd", "--color", "-v", "--verbose", "--tracing", "--profiling", "--memprofilerate"}
)
#: What can hide a resource, as options of the command line and as variables of the environment.
_HIDING = ("target", "target-replace", "exclude", "continue-on-error")
#: A cluster of short options with that of ``--target``.
_SHORT_TARGET = re.compile(r"-[a-su-zA-Z]*t")


@dataclass(frozen=True)
class Engine:
    """One run of the CLI."""

    #: In seconds since the machine started.
    started: float
    arguments: tuple[str, ...] = ()

    @property
    def destroys(self) -> bool:
        """Whether its command is a destroy; a stack or a folder may have the name of a command."""
        words = iter(self.arguments)
        for word in words:
            if word in _WITH_VALUE:
                next(words, None)
            elif not word.startswith("-"):
                return word in _DESTROY
        return False

    @property
    def hides_resources(self) -> bool:
        """Whether it may delete resources and show a provider no others of the program."""
        given = {each.partition("=")[0] for each in self.arguments}
        return (
            any(f"--{option}" in given for option in _HIDING)
            or any(_SHORT_TARGET.match(each) for each in self.arguments)
            or any(_is_set(option) for option in _HIDING)
        )


def _is_set(option: str) -> bool:
    name = option.upper().replace("-", "_")
    return bool(os.environ.get(f"PULUMI_OPTION_{name}") or os.environ.get(f"PULUMI_{name}"))


def of_this_process() -> Engine | None:
    """The CLI that this process descends from; None: not known."""
    pid = os.getppid()
    with suppress(OSError, ValueError, IndexError):
        while pid > 1:
            process = Path(f"/proc/{pid}")
            name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(")")
            fields = rest.split()
            if name == _CLI:
                started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
                return Engine(started, tuple((process / "cmdline").read_text().split("\0")[1:-1]))
            pid = int(fields[1])
    return None
