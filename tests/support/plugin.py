"""One plugin process: the real `python -u -m pulumi.dynamic` or the native provider, and the engine's gRPC calls on it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2, provider_pb2, provider_pb2_grpc

from tests.support.engine_service import EngineService
from tests.support.spelling import Door, from_door, given_to_door, sentence_from_door, to_door

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.forks import ForkServer
    from tests.support.program import Props

NATIVE = str(Path(__file__).resolve().parents[2] / "plugin" / "__main__.py")
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

    forks: ForkServer | None = None

    def start(self, environment: Mapping[str, str], output: int, error: int, door: Door = "dynamic") -> int:
        """Start one with these descriptors as its output and error; returns its process id."""
        file = NATIVE if door == "native" else None
        if self.forks is not None:
            return self.forks.plugin(file, environment, [error, output, error])
        address = environment.get("ENGINE_ADDRESS", "").split()
        command = [sys.executable, "-u", *([file] if file else ["-m", "pulumi.dynamic"]), *address]
        return subprocess.Popen(command, env=dict(environment), stdout=output, stderr=error).pid


@dataclass
class Plugin:
    """A plugin process of one operation.

    Attributes:
        printed: every line that it has written to its output and error, or that it or the program has logged, as far as
            it has come in.
        warnings: those of them that it has logged as warnings.
        door: which provider it is. Cases use Python's names with both, see spelling.py.
        rows: for each line that it has logged, the URN that the line is about.
    """

    launcher: Launcher
    environment: Mapping[str, str]
    config: Mapping[str, str]
    printed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    door: Door = "dynamic"
    rows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        output, theirs = os.pipe()
        error, theirs_too = os.pipe()
        self._engine = EngineService(self._take)
        environment = {"ENGINE_ADDRESS": self._engine.address, **self.environment}
        self.pid = self.launcher.start(environment, theirs, theirs_too, self.door)
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
        own = "aws:" if self.door == "native" else ""
        config = {key.removeprefix(own): value for key, value in self.config.items()}
        answer = self._call(
            "Configure",
            provider_pb2.ConfigureRequest(args=_struct(config), acceptSecrets=True, acceptResources=True),
        )
        self.previews: bool = answer.supportsPreview

    @property
    def address(self) -> str:
        """Where its engine listens."""
        return self._engine.address

    def _take(self, request: engine_pb2.LogRequest) -> None:
        if request.severity == engine_pb2.DEBUG:  # shown with `--debug` only
            return
        line = sentence_from_door(self.door, request.message)
        self.printed.append(line)
        self.rows.append(request.urn)
        if request.severity == engine_pb2.WARNING:
            self.warnings.append(line)

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
            raise CallFailed(sentence_from_door(self.door, error.details())) from None

    def _out(self, props: Props) -> Struct:
        return _struct(to_door(self.door, props))

    def _in(self, message: Struct) -> Props:
        return from_door(self.door, MessageToDict(message))

    # The verbs. Props are JSON values.

    def check(self, urn: str, olds: Props | None, news: Props) -> tuple[Props, list[tuple[str, str]]]:
        """Checked inputs, and (property, reason) of each failure."""
        answer = self._call(
            "Check",
            provider_pb2.CheckRequest(
                urn=urn,
                olds=None if olds is None else self._out(olds),
                news=_struct(given_to_door(self.door, news)),
            ),
        )
        failures = [
            (
                next(iter(from_door(self.door, {each.property: None}))),
                sentence_from_door(self.door, each.reason),
            )
            for each in answer.failures
        ]
        return self._in(answer.inputs), failures

    def diff(  # the protocol's
        self,
        urn: str,
        id_: str,
        old_inputs: Props,
        old_outputs: Props,
        news: Props,
        ignore_changes: Sequence[str] = (),
    ) -> Any:
        """The DiffResponse; outputs stand where the protocol says olds."""
        return self._call(
            "Diff",
            provider_pb2.DiffRequest(
                id=id_,
                urn=urn,
                olds=self._out(old_outputs),
                news=self._out(news),
                old_inputs=self._out(old_inputs),
                ignoreChanges=[*to_door(self.door, dict.fromkeys(ignore_changes))],
            ),
        )

    def create(self, urn: str, inputs: Props, *, preview: bool = False) -> tuple[str, Props]:
        """The id and the outputs; those of a preview when the provider has any."""
        if preview and not self.previews:
            return "", inputs
        answer = self._call(
            "Create", provider_pb2.CreateRequest(urn=urn, properties=self._out(inputs), preview=preview)
        )
        return answer.id, self._in(answer.properties)

    def update(  # the protocol's
        self,
        urn: str,
        id_: str,
        old_inputs: Props,
        old_outputs: Props,
        news: Props,
        *,
        preview: bool = False,
    ) -> Props:
        """The outputs; those of a preview when the provider has any."""
        if preview and not self.previews:
            return news
        answer = self._call(
            "Update",
            provider_pb2.UpdateRequest(
                id=id_,
                urn=urn,
                olds=self._out(old_outputs),
                news=self._out(news),
                old_inputs=self._out(old_inputs),
                preview=preview,
            ),
        )
        return self._in(answer.properties)

    def read(self, urn: str, id_: str, inputs: Props, outputs: Props) -> tuple[str, Props | None, Props]:
        """The id (empty: gone), the inputs when the provider gives any, and the outputs."""
        answer = self._call(
            "Read",
            provider_pb2.ReadRequest(
                id=id_, urn=urn, properties=self._out(outputs), inputs=self._out(inputs)
            ),
        )
        given = self._in(answer.inputs) if answer.HasField("inputs") else None
        return answer.id, given, self._in(answer.properties)

    def delete(self, urn: str, id_: str, inputs: Props, outputs: Props) -> None:
        """Delete it."""
        self._call(
            "Delete",
            provider_pb2.DeleteRequest(
                id=id_, urn=urn, properties=self._out(outputs), old_inputs=self._out(inputs)
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
        self._engine.close()
        deadline = time.monotonic() + 10
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))


#: The SDK's own limit of 400 MB is of no use here; a lost process must be noticed at once.
_CHANNEL_OPTIONS = [("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1)]


def _struct(values: Mapping[str, Any]) -> Struct:
    return ParseDict(dict(values), Struct())
