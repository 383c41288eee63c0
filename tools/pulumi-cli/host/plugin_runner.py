"""The part of the language host that runs plugins written in Python, such as policy packs: see language_host.py."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pulumi.runtime.proto import language_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

POLICY_PACK = "analyzer"  # the engine's name for this kind of plugin
CHUNK_BYTES = 65536


def run_plugin(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    """Run the plugin of a serialized RunPluginRequest; yields its output, then its exit code, serialized."""
    asked = language_pb2.RunPluginRequest.FromString(request)
    folder = asked.info.program_directory
    if asked.kind == POLICY_PACK:
        arguments, working_directory = ["-m", "pulumi.policy", *asked.args, folder], folder
    else:
        arguments, working_directory = [folder, *asked.args], asked.pwd
    plugin = subprocess.Popen(
        [python_of(asked.info), "-u", *arguments],
        cwd=working_directory or None,
        env=os.environ | dict(line.split("=", 1) for line in asked.env if "=" in line),
        stdin=subprocess.PIPE,  # never written to: its end tells the plugin that this host is gone
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if not context.add_callback(plugin.terminate):  # the call is already over
        plugin.terminate()
    for part in output(plugin):
        yield part.SerializeToString()
    yield language_pb2.RunPluginResponse(exitcode=plugin.wait()).SerializeToString()


def python_of(info: language_pb2.ProgramInfo) -> str:
    """The interpreter of the virtual environment that the plugin's own project file names, else this one."""
    options = dict(info.options)
    environment = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    if environment is None:
        return sys.executable
    python = Path(info.root_directory or info.program_directory, str(environment), "bin", "python")
    return str(python) if python.exists() else sys.executable


def output(plugin: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
    """What the plugin prints, as it prints it, until it has closed both streams."""
    parts: queue.SimpleQueue[language_pb2.RunPluginResponse | None] = queue.SimpleQueue()

    def forward(stream: IO[bytes], name: str) -> None:
        while part := os.read(stream.fileno(), CHUNK_BYTES):
            response = language_pb2.RunPluginResponse()
            setattr(response, name, part)
            parts.put(response)
        parts.put(None)

    streams = {"stdout": plugin.stdout, "stderr": plugin.stderr}
    for name, stream in streams.items():
        threading.Thread(target=forward, args=(stream, name), daemon=True).start()
    for _ in streams:
        yield from iter(parts.get, None)
