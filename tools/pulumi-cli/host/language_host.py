"""A Pulumi language host for Python, for an engine that was built without the official one.

The engine starts it through the script `pulumi-language-python` beside it, reads its gRPC port from the
first line of its output, calls `Run` (once for a preview, once for an update) and `RunPlugin` (once for each
plugin in Python, such as a policy pack), for `pulumi package add` also `GeneratePackage` and `Link`, and interrupts it at the end; one command starts it two or three times.
Protocol: the SDK's `pulumi/runtime/proto/language.proto`. Packages are the business of pip or uv here, so every
other call has an empty answer: on the wire, no bytes.

Each `Run` has a process of its own, as with the official host, so that nothing a program leaves in its
modules reaches the next run. What takes time is importing the SDK, so that is done once, beside the engine's
own work, in a process from which the runs are then forked. It is itself forked off before gRPC starts its
threads, because a fork after that is not safe.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

try:
    import grpc
except ModuleNotFoundError:
    sys.exit(
        f"{sys.executable}, the Python of this project, has no Pulumi SDK: name the right one in Pulumi.yaml "
        "(runtime: options: virtualenv), or install the project's requirements into this one."
    )

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

SERVICE = "pulumirpc.LanguageRuntime"
EMPTY = ("Handshake", "GetPluginInfo", "GetRequiredPackages", "GetProgramDependencies", "About", "Cancel")
MOST_CALLS = 64  # at once: each running plugin holds one for as long as it lives


def serve_engine(runs: Connection) -> None:
    """Serve the protocol until the engine is gone; the bytes of `Run` go through `runs` and back."""
    one_at_a_time = threading.Lock()

    def run(request: bytes, _: grpc.ServicerContext) -> bytes:
        with one_at_a_time:
            runs.send_bytes(request)
            return runs.recv_bytes()

    def run_plugin(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        from plugin_runner import run_plugin  # noqa: PLC0415  # imports the SDK, which most runs do not need here

        return run_plugin(request, context)

    def generate_package(request: bytes, context: grpc.ServicerContext) -> bytes:
        from package_sdk import generate  # noqa: PLC0415  # likewise

        return generate(request, context)

    def link(request: bytes, context: grpc.ServicerContext) -> bytes:
        from package_sdk import link  # noqa: PLC0415  # likewise

        return link(request, context)

    handlers = {name: grpc.unary_unary_rpc_method_handler(lambda *_: b"") for name in EMPTY}
    handlers["InstallDependencies"] = grpc.unary_stream_rpc_method_handler(lambda *_: iter(()))
    handlers["Run"] = grpc.unary_unary_rpc_method_handler(run)
    handlers["RunPlugin"] = grpc.unary_stream_rpc_method_handler(run_plugin)
    handlers["GeneratePackage"] = grpc.unary_unary_rpc_method_handler(generate_package)
    handlers["Link"] = grpc.unary_unary_rpc_method_handler(link)
    workers = ThreadPoolExecutor(max_workers=MOST_CALLS)
    server = grpc.server(workers, options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.buffer.read()  # the engine holds the other end: end of file means that it is gone, however it went
    server.stop(grace=None)  # ends the plugins


def main() -> None:
    # The engine ends all our processes with an interrupt. The default action ends them in silence, where
    # Python's own would print a KeyboardInterrupt into the user's output.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    runs, requests = multiprocessing.Pipe()
    if os.fork() == 0:
        runs.close()
        from program_runner import serve_runs  # noqa: PLC0415  # the slow import, in this process alone

        serve_runs(requests, engine_address=sys.argv[-1])
    else:
        requests.close()
        serve_engine(runs)


if __name__ == "__main__":
    main()
