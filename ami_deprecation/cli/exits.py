"""How a command ends: exit codes that scripts can use, in one place."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """The exit code of every verb."""

    #: It did what it says.
    OK = 0
    #: EC2, the network, a file or a Region failed; what could be done was done.
    FAILED = 1
    #: Wrong options, or input that is not what the verb reads.
    USAGE = 2
    #: A gate was asked for (``report --fail-within``), and it says no.
    GATE = 3


#: For the help.
TABLE = "Exit codes: 0 done; 1 something failed; 2 wrong options or input; 3 the gate says no."


class Stopped(Exception):
    """Ends a verb with one sentence for the user."""

    def __init__(self, sentence: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.code = code
