"""Log lines of a plugin, where the person who runs Pulumi sees them: in the engine's diagnostics, with their severity."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from ..core.run import logger

if TYPE_CHECKING:
    from collections.abc import Callable

#: The resource that a call of the engine is about, where the protocol names it: its lines stand on its row.
urn: ContextVar[str] = ContextVar("urn", default="")

#: The engine shows what is of level DEBUG with `--debug` only.
_SEVERITIES = {logging.DEBUG: engine_pb2.DEBUG, logging.INFO: engine_pb2.INFO}

#: The engine answers at once; a line must not hold up a call when it does not.
_LONGEST_SECONDS = 5.0


class _EngineHandler(logging.Handler):
    """Sends log lines to the engine. What a plugin prints would be shown, too, but never as a warning.

    Source: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/engine.proto
    """

    def __init__(self, address: str, phrase: Callable[[str], str]) -> None:
        super().__init__()
        self._address = address
        self._phrase = phrase

    @cached_property
    def _engine(self) -> engine_pb2_grpc.EngineStub:
        return engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address))

    def emit(self, record: logging.LogRecord) -> None:
        severity = _SEVERITIES.get(record.levelno, engine_pb2.WARNING)
        message = f"ami-deprecation: {self._phrase(record.getMessage())}"
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn.get())
        try:
            self._engine.Log(request, timeout=_LONGEST_SECONDS)
        except grpc.RpcError:
            _print(message)


class _PrintHandler(logging.Handler):
    """Prints log lines: the engine shows what a plugin prints."""

    def emit(self, record: logging.LogRecord) -> None:
        _print(f"ami-deprecation: {record.getMessage()}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def start(engine_address: str | None, phrase: Callable[[str], str] = str) -> None:
    """Show the package's log lines from here on.

    Args:
        engine_address: ``host:port``; None when the process has no engine.
        phrase: turns a line into what the provider's users read.
    """
    logger.addHandler(_PrintHandler() if engine_address is None else _EngineHandler(engine_address, phrase))
    logger.setLevel(logging.INFO if engine_address is None else logging.DEBUG)
    logger.propagate = False
