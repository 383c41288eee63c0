"""Makes plugin processes quickly: a parent that has imported what a plugin imports, and forks.

`python -m pulumi.dynamic` takes a second of processor time before its first EC2 call, nearly all of it in imports
and in reading botocore's model of EC2. Here one process does that once; each fork of it then runs the same
module, as `__main__`, with the environment, standard output and error that it is given. Nothing of a stack is
known before the fork, so each plugin has a memory of its own, as on a real engine.

On the socket that is its standard input: a request is a JSON environment with two file descriptors
(output, error) beside it, an answer is the new process's id.
"""

from __future__ import annotations

import array
import functools
import json
import os
import runpy
import signal
import socket
import sys

_MOST = 1 << 20


def serve(control: socket.socket) -> None:
    """Fork a plugin for each request, until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system takes ended plugins away
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, _MOST, 2)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            become_plugin(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(array.array("i", [pid]).tobytes())


def become_plugin(environment: dict[str, str], descriptors: list[int]) -> None:
    """Be `python -u -m pulumi.dynamic` until killed or interrupted."""
    for descriptor, standard in zip(descriptors, (1, 2), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pulumi.dynamic"]
    code = 1
    try:
        runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
        code = 0
    finally:
        os._exit(code)


def warm_up() -> None:
    """Import what a plugin will import, and read the files that botocore will read."""
    import boto3  # noqa: PLC0415  # this is the module's whole purpose
    import botocore.loaders  # noqa: PLC0415
    import grpc  # noqa: F401, PLC0415
    import pulumi.dynamic  # noqa: PLC0415
    import pulumi.runtime.proto.provider_pb2_grpc  # noqa: F401, PLC0415

    import ami_deprecation.core.check  # noqa: PLC0415
    import ami_deprecation.core.lifecycle  # noqa: PLC0415
    import ami_deprecation.ec2  # noqa: PLC0415
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
    session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="eu-west-1")
    for service in ("ec2", "sts"):
        session.client(service)
    ami_deprecation.ec2.check_region("eu-west-1")  # botocore's own list, kept by a cache


if __name__ == "__main__":
    warm_up()
    with socket.socket(fileno=0) as inherited:
        serve(inherited)
