"""The Pulumi CLI that started this plugin: what the engine does not tell a provider.

Read from ``/proc``, so nothing is known on macOS and Windows.
Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: The process of the CLI, which is the engine.
_CLI = "pulumi"
_DESTROY = frozenset({"destroy", "down", "dn"})
_OTHERS = frozenset({"up", "update", "preview", "pre", "refresh", "import", "watch"})
_HIDING = frozenset({"-t", "--target", "--target-replace", "--exclude", "--continue-on-error"})


@dataclass(frozen=True)
class Engine:
    """One run of the CLI."""

    #: In seconds since the machine started.
    started: float
    arguments: tuple[str, ...] = ()

    @property
    def destroys(self) -> bool:
        """Whether it is certainly a destroy: the name of a stack or a folder may look like a command."""
        given = set(self.arguments)
        return not given.isdisjoint(_DESTROY) and given.isdisjoint(_OTHERS)

    @property
    def hides_resources(self) -> bool:
        """Whether the engine may delete resources without showing a provider all others of the program."""
        given = {each.partition("=")[0] for each in self.arguments}
        return not given.isdisjoint(_HIDING) or bool(os.environ.get("PULUMI_CONTINUE_ON_ERROR"))


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
