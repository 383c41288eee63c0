"""What both providers' plugin processes start with."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .._collector import collect_rarely
from ..core import engine
from ..core.claims import Claims
from ..core.meeting import Meeting
from ..core.run import Run
from ..ec2 import Gateway
from ..settings import read_settings
from . import engine_log

if TYPE_CHECKING:
    from collections.abc import Callable


def engine_address() -> str | None:
    """Where this plugin's engine listens: the engine gives each of its plugins its own address."""
    return next((each for each in sys.argv[1:] if ":" in each), None)


def start_run(address: str | None, phrase: Callable[[str], str] = str) -> Run:
    """Show the package's log lines in the engine's diagnostics, collect garbage rarely, and begin to remember.

    Args:
        address: the engine's; None when the process has none.
        phrase: a log line as users of this provider read it.
    """
    collect_rarely()
    engine_log.start(address, phrase)
    return Run(Gateway(read_settings(os.environ)), Claims(Meeting(address, engine.of_this_process())))
