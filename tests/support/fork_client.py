"""The process that a Pulumi CLI starts as a plugin: has the fork server start the real one, and ends when that ends.

Run as `python -IS fork_client.py SOCKET FILE ARGUMENT…`; the file `-` is the SDK's own server of dynamic resources.
It imports little, because the CLI starts two or three for each command.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

_NUMBER_BYTES = 4


def connect(address: str, streams: list[int], request: dict[str, object]) -> tuple[socket.socket, int]:
    """Have a process forked; fork_server.py says what a request holds.

    Returns:
        The connection, on which `exit_code` waits, and the process's id.
    """
    server = socket.socket(socket.AF_UNIX)
    server.connect(address)
    line = json.dumps(request).encode() + b"\n"
    sent = socket.send_fds(server, [line], streams)
    if sent < len(line):  # the server may close the connection once it has the whole line
        server.sendall(line[sent:])
    return server, int.from_bytes(server.recv(_NUMBER_BYTES), "big")


def exit_code(server: socket.socket) -> int:
    """Wait for the process's end; 1 when the server is gone."""
    answer = server.recv(_NUMBER_BYTES)
    code = int.from_bytes(answer, "big", signed=True) if answer else 1
    return code if code >= 0 else 128 - code


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    address, file, *arguments = sys.argv[1:]
    request: dict[str, object] = {
        "file": None if file == "-" else file,
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109  # pathlib takes longer to import than all the rest
        "client": os.getpid(),
    }
    server, pid = connect(address, [0, 1, 2], request)
    for number in (signal.SIGINT, signal.SIGTERM):  # the engine sends them to a plugin's process group
        signal.signal(number, lambda number, _: os.killpg(pid, number))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # the plugin alone holds the CLI's streams
        os.dup2(nothing, stream)
    return exit_code(server)


if __name__ == "__main__":
    os._exit(main())
