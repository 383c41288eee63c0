"""Starts Python plugins quickly: a process that has imported what they import, and forks.

A language host or a provider takes one to two seconds of processor time before its first call, nearly all of it in
imports and in reading botocore's model of EC2. This process does that once for a whole test run. Each fork then runs
the same file as the real plugin, as `__main__`, with the environment, folder, arguments and streams of its request.
Nothing of a stack is known before the fork, so each plugin has a memory of its own, as on a real engine.

The argument is the descriptor of a Unix socket that listens in the fork server's folder. A request is a connection with one line of JSON, a
`Request`, and three descriptors beside it: the process's standard streams. The answer is the process's id, four bytes.
With a `client`, its exit code follows, four bytes more; the process, and all that it forks, ends when the client closes
the connection; and the subfolder `groups` has a file with the client's id as its name and the process's id, which is
also its process group, as its text. The server ends with its standard input.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

_CHUNK_BYTES = 1 << 20
_NUMBER_BYTES = 4
_STREAMS = 3


class Request(TypedDict):
    """What to run.

    Attributes:
        file: a Python file; None, the SDK's server of dynamic resources.
        client: the process that waits for the end; None, nobody does.
    """

    file: str | None
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    client: int | None


@dataclass
class Client:
    """Who waits for a process's end."""

    connection: socket.socket
    group_file: Path


class Server:
    """Forks on request."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._groups = Path(listener.getsockname()).with_name("groups")
        #: The forks that run, and who waits for them.
        self._clients: dict[int, Client | None] = {}
        self._child_ended, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for pytest, which ends this process
        self._selector = selectors.DefaultSelector()
        for source in (listener, self._child_ended, sys.stdin):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self) -> None:
        """Serve until the standard input ends, which it does with the test run."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    for pid in self._clients:
                        end_group(pid)
                    return
                if key.fileobj is self._listener:
                    self._answer(self._listener.accept()[0])
                elif key.fileobj is self._child_ended:
                    self._child_ended.recv(_CHUNK_BYTES)
                    self._reap()
                elif key.data in self._clients:  # a client is gone
                    self._selector.unregister(key.fileobj)
                    end_group(key.data)

    def _answer(self, connection: socket.socket) -> None:
        line, streams, _, _ = socket.recv_fds(connection, _CHUNK_BYTES, _STREAMS)
        while line and not line.endswith(b"\n"):
            part = connection.recv(_CHUNK_BYTES)
            line = line + part if part else b""
        if line:
            self._fork(json.loads(line), connection, streams)
        else:
            connection.close()
        for stream in streams:
            os.close(stream)

    def _fork(self, request: Request, connection: socket.socket, streams: list[int]) -> None:
        import_aws_for(request)
        pid = os.fork()
        if pid == 0:
            self._leave(connection)
            become(request, streams)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpgid(pid, pid)  # here as in the child: whoever comes first
        if request["client"] is None:
            self._clients[pid] = None
        else:
            client = Client(connection, self._groups / str(request["client"]))
            client.group_file.write_text(str(pid))
            self._clients[pid] = client
            self._selector.register(connection, selectors.EVENT_READ, pid)
        with contextlib.suppress(OSError):  # the client is gone already
            connection.sendall(pid.to_bytes(_NUMBER_BYTES, "big"))
        if request["client"] is None:
            connection.close()

    def _leave(self, connection: socket.socket) -> None:
        """Close in a fork all that is the server's."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for each in (self._listener, self._child_ended, self._wakeup, connection):
            each.close()
        for client in self._clients.values():
            if client is not None:
                client.connection.close()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                client = self._clients.pop(ended[0], None)
                if client is None:
                    continue
                with contextlib.suppress(KeyError):
                    self._selector.unregister(client.connection)
                client.group_file.unlink()
                code = os.waitstatus_to_exitcode(ended[1])
                with contextlib.suppress(OSError):
                    client.connection.sendall(code.to_bytes(_NUMBER_BYTES, "big", signed=True))
                client.connection.close()


def end_group(pid: int) -> None:
    """End a process and all that it has forked."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def become(request: Request, streams: list[int]) -> None:
    """Be the requested process until it ends."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for standard, stream in enumerate(streams):
        os.dup2(stream, standard)
        os.close(stream)
    code = 1
    try:
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        run(request)
        code = 0
    except SystemExit as exited:
        code = exited.code if isinstance(exited.code, int) else int(exited.code is not None)
    except BaseException:  # noqa: BLE001  # as Python does at its end
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def run(request: Request) -> None:
    """Run what `python -u FILE ARGUMENT…`, or `python -u -m pulumi.dynamic ARGUMENT…`, would run."""
    # A compiled program counts as current while the program has the same length and was written in the same second, so
    # a test that replaces one image's id by another's would run the old one.
    sys.dont_write_bytecode = True
    sys.path[1:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if request["file"] is None:
        sys.argv = ["pulumi.dynamic", *request["arguments"]]
        sys.path[0] = request["folder"]
        runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
    else:
        sys.argv = [request["file"], *request["arguments"]]
        sys.path[0] = str(Path(request["file"]).parent)
        runpy.run_path(request["file"], run_name="__main__")


def import_aws_for(request: Request) -> None:
    """Import `pulumi_aws`, which takes three seconds, for the first program that does."""
    program = Path(request["folder"], "__main__.py")
    if "pulumi_aws" not in sys.modules and program.exists() and "pulumi_aws" in program.read_text():
        importlib.import_module("pulumi_aws.ec2")
        gc.freeze()


def warm_up() -> None:
    """Import what a plugin will import, and read the files that botocore will read."""
    import botocore.hooks  # noqa: PLC0415  # this is the module's whole purpose
    import botocore.loaders  # noqa: PLC0415
    import grpc  # noqa: F401, PLC0415
    import pulumi.dynamic  # noqa: PLC0415
    import pulumi.runtime.proto.language_pb2  # noqa: PLC0415
    import pulumi.runtime.proto.provider_pb2_grpc  # noqa: F401, PLC0415

    import ami_deprecation.cli.app  # noqa: PLC0415
    import ami_deprecation.core.check  # noqa: PLC0415
    import ami_deprecation.core.lifecycle  # noqa: PLC0415
    import ami_deprecation.doors.native.server  # noqa: PLC0415
    import ami_deprecation.ec2.regions  # noqa: PLC0415
    import ami_deprecation.ec2.sessions  # noqa: PLC0415
    import ami_deprecation.provider  # noqa: PLC0415

    # botocore reads the same files anew for each session; here each is read once. It hands what it has read to all
    # clients of a session, so nothing of it is changed later.
    read = functools.cache(botocore.loaders.JSONFileLoader().load_file)
    listed = functools.cache(botocore.loaders.create_loader().list_available_services)

    def load_file(_self: object, file_path: str) -> object:
        return read(file_path)

    def list_available_services(_self: object, type_name: str) -> list[str]:
        return listed(type_name)

    botocore.loaders.JSONFileLoader.load_file = load_file  # type: ignore[method-assign,assignment]
    botocore.loaders.Loader.list_available_services = list_available_services  # type: ignore[method-assign,assignment]
    # Likewise what it works out for each session and client, which is most of the time that they take.
    botocore.hooks.accepts_kwargs = functools.cache(botocore.hooks.accepts_kwargs)
    aliaser: Any = botocore.hooks.EventAliaser  # its types lack what is private
    aliased = functools.cache(aliaser(botocore.hooks.HierarchicalEmitter())._alias_event_name)
    aliaser._alias_event_name = lambda _self, event_name: aliased(event_name)
    sessions = ami_deprecation.ec2.sessions.Sessions(1, may_prompt=False)
    nobody = ami_deprecation.ec2.Target(
        ami_deprecation.ec2.Identity(access_key="none", secret_key="none"), "eu-west-1"
    )
    sessions.ec2(nobody)
    sessions.sts(nobody)
    ami_deprecation.ec2.regions.load_partitions()  # botocore's own list, kept by the caches above


if __name__ == "__main__":
    warm_up()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        Server(inherited).serve()
