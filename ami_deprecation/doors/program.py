"""The door of a user's program, in which policies and ``get_images`` call EC2 themselves: its gateway and its log lines."""

from __future__ import annotations

import logging
import os
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, NoReturn

import pulumi

from ..ec2 import Gateway
from ..errors import data_of
from ..settings import read_settings

if TYPE_CHECKING:
    from ..errors import AmiDeprecationError


class _ProgramHandler(logging.Handler):
    """Shows log lines where the program's own appear, in Pulumi's diagnostics."""

    def emit(self, record: logging.LogRecord) -> None:
        line = f"ami-deprecation: {record.getMessage()}"
        if threading.current_thread() is not threading.main_thread():
            # `pulumi.log` needs the program's event loop. The engine shows what a program prints, too.
            sys.stdout.write(f"{line}\n")
        elif record.levelno >= logging.WARNING:
            pulumi.log.warn(line)
        else:
            pulumi.log.info(line)


@cache
def gateway() -> Gateway:
    """The gateway of this program: all of its reads share clients, pacing and EC2's clock."""
    logger = logging.getLogger("ami_deprecation")
    if not logger.handlers:  # else the program has set up its own
        logger.addHandler(_ProgramHandler())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return Gateway(read_settings(os.environ))


def raise_as_run_error(error: AmiDeprecationError) -> NoReturn:
    """Raise the same error as a ``pulumi.RunError`` too: the language host shows its sentence and no traceback."""
    kind = type(error)
    shown = type(
        kind.__name__, (kind, pulumi.RunError), {"__module__": kind.__module__, "__doc__": kind.__doc__}
    )
    raise shown(str(error), **data_of(error)) from None
