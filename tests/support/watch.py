"""Something that happens in the middle of an operation."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it did not hold within `seconds`; with `what`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s still waiting until {what}"
        time.sleep(0.01)


@contextlib.contextmanager
def when(
    condition: Callable[[], object], action: Callable[[], object], *, certain: bool = True
) -> Iterator[None]:
    """During the block, once the condition holds, do something; when it is certain, that it came to that is asserted."""
    over, done = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.is_set():
            if condition():
                action()
                done.set()
                return
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert done.is_set() or not certain, "it never came to that"


@contextlib.contextmanager
def killed(
    engine: Engine, ec2: LocalEC2, action: str, *, after: bool, certain: bool = True
) -> Iterator[None]:
    """During the block, kill the plugin with SIGKILL in such a call to EC2, before or after it took effect."""
    fault = ec2.faults.add(action, "hang", after_effect=after, times=1)

    def kill() -> None:
        assert engine.plugin is not None
        engine.plugin.kill()

    with when(lambda: fault.played, kill, certain=certain):
        yield
    ec2.faults.clear()
