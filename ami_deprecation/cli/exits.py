"""How a command ends: the exit codes that scripts rely on."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """The exit code of every command."""

    #: The command did what it was asked to do.
    OK = 0
    #: EC2, the network, a file or a Region failed; the rest was done.
    FAILED = 1
    #: Invalid options, or input that the command cannot read.
    USAGE = 2
    #: A gate (an option ``--fail-…``) matched.
    GATE = 3


#: For the help.
EXIT_CODES = "Exit codes: 0 done; 1 something failed; 2 invalid options or input; 3 a --fail option matched."


class CommandError(Exception):
    """Ends a command with one sentence for the user."""

    def __init__(self, sentence: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.code = code
