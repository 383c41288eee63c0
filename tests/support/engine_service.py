"""The engine's own service, which its plugins call: what they log."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable


class EngineService(engine_pb2_grpc.EngineServicer):
    """Listens until it is closed.

    Attributes:
        address: ``host:port``, the argument that an engine gives to its plugins.
    """

    def __init__(self, take: Callable[[engine_pb2.LogRequest], None]) -> None:
        self._take = take
        self._server = grpc.server(ThreadPoolExecutor(2))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802, ARG002  # the protocol's
        self._take(request)
        return Empty()

    def close(self) -> None:
        """Stop, and forget what the run's program has told its plugins: tests get a port again within minutes."""
        self._server.stop(None)
        folder = Path(tempfile.gettempdir()) / f"ami-deprecation-{os.getuid()}"
        shutil.rmtree(folder / self.address.replace(":", "_"), ignore_errors=True)
