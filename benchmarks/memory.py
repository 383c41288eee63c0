"""How much memory the plugin's process has. Linux only: it reads /proc."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

_EVERY_SECONDS = 0.2
_PLUGIN = b"pulumi.dynamic"


def mib(pid: int, what: str) -> float:
    """A line of a process's status, such as `VmRSS` or `VmHWM`, in MiB; 0 when the process is gone.

    Source: proc(5).
    """
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def watched(running: Running, peaks: list[float]) -> Iterator[None]:
    """Add to `peaks` the most memory that the command's plugin process had during the block, in MiB."""
    over = threading.Event()
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        while not over.wait(_EVERY_SECONDS):
            for pid in running.processes():
                with contextlib.suppress(OSError):
                    if _PLUGIN in Path(f"/proc/{pid}/cmdline").read_bytes():
                        peak = max(peak, mib(pid, "VmHWM"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        peaks.append(peak)
