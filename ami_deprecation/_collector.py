"""Python's garbage collector in a process that is this package's own: a plugin, or the command line."""

from __future__ import annotations

import atexit
import gc

#: Net allocations between collections, instead of 700: the imports of one start alone would cause dozens.
_THRESHOLD = 50_000


def collect_rarely() -> None:
    """Collect rarely while the process runs, and not at its end.

    Importing botocore and making its clients takes a third longer with Python's own threshold. At its end Python would
    visit each object of all modules once more, for a quarter of a second, before the process frees all memory anyway.

    A user's program keeps Python's own settings.
    """
    gc.set_threshold(_THRESHOLD)
    atexit.register(gc.freeze)
