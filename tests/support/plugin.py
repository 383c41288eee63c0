"""One plugin process: the real `python -u -m pulumi.dynamic`, and the gRPC calls that the engine makes on it."""

from __future__ import annotations

import array
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.program import Props

#: No call of a test takes longer; a plugin that hangs must not hang the test run.
_LONGEST_CALL = 120.0


class CallFailed(Exception):
    """A verb of the provider ended with an error; `details` is what the engine would print."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self.details = details


class PluginDied(Exception):
    """The process ended, or was killed, while a call was under way."""


@dataclass
class Launcher:
    """Starts plugin processes: forks of a warm one, or each from nothing as the engine does."""

    fork: bool = True
    _control: socket.socket | None = None
    _fork_server: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, environment: Mapping[str, str], output: int, error: int) -> int:
        """Start one with these descriptors as its output and error; returns its process id."""
        if not self.fork:
            command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
            return subprocess.Popen(command, env=dict(environment), stdout=output, stderr=error).pid
        with self._lock:
            if self._control is None:
                self._control, theirs = socket.socketpair()
                command = [sys.executable, "-u", "-m", "tests.support.fork_server"]
                with theirs:
                    self._fork_server = subprocess.Popen(command, stdin=theirs.fileno())
            socket.send_fds(self._control, [json.dumps(dict(environment)).encode()], [output, error])
            pid = array.array("i", self._control.recv(4))
        return pid[0]

    def close(self) -> None:
        """End the warm process."""
        if self._control is not None:
            self._control.close()
        if self._fork_server is not None:
            self._fork_server.wait(10)


@dataclass
class Plugin:
    """A plugin process of one operation.

    Attributes:
        printed: every line that it has written to its output and error, as far as it has come in.
    """

    launcher: Launcher
    environment: Mapping[str, str]
    config: Mapping[str, str]
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        output, theirs = os.pipe()
        error, theirs_too = os.pipe()
        self.pid = self.launcher.start(self.environment, theirs, theirs_too)
        os.close(theirs)
        os.close(theirs_too)
        out = os.fdopen(output, encoding="utf-8")
        port = out.readline().strip()
        if not port:
            raise PluginDied(os.fdopen(error).read())
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (out, os.fdopen(error, encoding="utf-8"))
        ]
        for reader in self._readers:
            reader.start()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", _CHANNEL_OPTIONS)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._call(
            "Configure",
            provider_pb2.ConfigureRequest(
                args=_struct(self.config), acceptSecrets=True, acceptResources=True
            ),
        )

    def _read(self, stream: Any) -> None:
        with stream:
            for line in stream:
                self.printed.append(line.rstrip("\n"))

    def _call(self, verb: str, request: Any) -> Any:
        try:
            return getattr(self._stub, verb)(request, timeout=_LONGEST_CALL)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise PluginDied(verb) from None
            raise CallFailed(error.details()) from None

    # The verbs. Props are JSON values.

    def check(self, urn: str, olds: Props | None, news: Props) -> tuple[Props, list[tuple[str, str]]]:
        """Checked inputs, and (property, reason) of each failure."""
        answer = self._call(
            "Check",
            provider_pb2.CheckRequest(
                urn=urn, olds=None if olds is None else _struct(olds), news=_struct(news)
            ),
        )
        return MessageToDict(answer.inputs), [(each.property, each.reason) for each in answer.failures]

    def diff(self, urn: str, id_: str, old_inputs: Props, old_outputs: Props, news: Props) -> Any:
        """The DiffResponse; outputs stand where the protocol says olds."""
        return self._call(
            "Diff",
            provider_pb2.DiffRequest(
                id=id_,
                urn=urn,
                olds=_struct(old_outputs),
                news=_struct(news),
                old_inputs=_struct(old_inputs),
            ),
        )

    def create(self, urn: str, inputs: Props) -> tuple[str, Props]:
        """The id and the outputs."""
        answer = self._call("Create", provider_pb2.CreateRequest(urn=urn, properties=_struct(inputs)))
        return answer.id, MessageToDict(answer.properties)

    def update(self, urn: str, id_: str, old_inputs: Props, old_outputs: Props, news: Props) -> Props:
        """The outputs."""
        answer = self._call(
            "Update",
            provider_pb2.UpdateRequest(
                id=id_,
                urn=urn,
                olds=_struct(old_outputs),
                news=_struct(news),
                old_inputs=_struct(old_inputs),
            ),
        )
        outputs: Props = MessageToDict(answer.properties)
        return outputs

    def read(self, urn: str, id_: str, inputs: Props, outputs: Props) -> tuple[str, Props | None, Props]:
        """The id (empty: gone), the inputs when the provider gives any, and the outputs."""
        answer = self._call(
            "Read",
            provider_pb2.ReadRequest(id=id_, urn=urn, properties=_struct(outputs), inputs=_struct(inputs)),
        )
        given = MessageToDict(answer.inputs) if answer.HasField("inputs") else None
        return answer.id, given, MessageToDict(answer.properties)

    def delete(self, urn: str, id_: str, inputs: Props, outputs: Props) -> None:
        """Delete it."""
        self._call(
            "Delete",
            provider_pb2.DeleteRequest(
                id=id_, urn=urn, properties=_struct(outputs), old_inputs=_struct(inputs)
            ),
        )

    # Its end.

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, after which `printed` is complete."""
        self.kill()
        self._channel.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        deadline = time.monotonic() + 10
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))


#: The SDK's own limit of 400 MB is of no use here; a lost process must be noticed at once.
_CHANNEL_OPTIONS = [("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1)]


def _struct(values: Mapping[str, Any]) -> Struct:
    return ParseDict(dict(values), Struct())
