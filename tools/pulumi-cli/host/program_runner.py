"""The half of the language host that runs programs: see language_host.py."""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pulumi
import pulumi.runtime
from pulumi.runtime.proto import language_pb2

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

DONE = 0
MONITOR_IS_GONE = (
    "Resource monitor has terminated, shutting down"  # the SDK's text, in pulumi/runtime/settings.py
)
MONITOR_SHUT_DOWN = "resource monitor shut down"  # the engine's text, in pkg/resource/deploy/source_eval.go
REPORTED = 32  # the exit code by which Pulumi's own hosts say "failed, and the user has been told why"


def serve_runs(requests: Connection, engine_address: str) -> None:
    """Run each serialized RunRequest that comes in, in a forked process; answer with a RunResponse."""
    while True:
        try:
            request = language_pb2.RunRequest.FromString(requests.recv_bytes())
        except EOFError:
            return
        pid = os.fork()
        if pid == 0:
            sys.exit(run_program(request, engine_address))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        requests.send_bytes(response(code).SerializeToString())


def response(code: int) -> language_pb2.RunResponse:
    """What the engine is told of a run that ended with this exit code (negative: of the signal that ended it).

    `bail` and `error` both make the engine fail the update and delete nothing; `bail` adds no message.
    """
    if code == DONE:
        return language_pb2.RunResponse()
    if code in (REPORTED, -signal.SIGINT):
        return language_pb2.RunResponse(bail=True)
    return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")


def run_program(request: language_pb2.RunRequest, engine_address: str) -> int:
    """Run the program of a RunRequest in this process, as Pulumi's own host does; returns the exit code."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a failed program leaves futures un-awaited
    pulumi.runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=request.project,
            stack=request.stack,
            monitor=request.monitor_address,
            engine=engine_address,
            parallel=request.parallel,
            dry_run=request.dryRun,
            organization=request.organization or "organization",
            root_directory=request.info.root_directory,
        )
    )
    program = str(Path(request.info.program_directory, request.info.entry_point))
    os.chdir(request.pwd)
    sys.argv = [program, *request.args]
    sys.path[0] = request.info.program_directory

    def run() -> None:
        runpy.run_path(program, run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Registering a resource holds a thread until the engine answers: four for each it works on at once.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=4 * max(request.parallel, 1)))
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except Exception as error:  # noqa: BLE001  # whatever a user's program raises is shown to the user
        if is_shutdown(error):
            pass
        elif isinstance(error, pulumi.RunError):
            pulumi.log.error(str(error))
        else:
            pulumi.log.error(f"Program failed with an unhandled exception:\n{traceback.format_exc()}")
    else:
        return DONE
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return REPORTED


def is_shutdown(error: Exception) -> bool:
    """Whether the engine has closed its monitor: the update failed elsewhere, and the user has been told.

    Newer engines (3.274, not yet 3.245) close it before they interrupt the program. The SDK then raises a RunError
    that only its text tells from a program's own. Pulumi's executor, `pulumi-language-python-exec`, logs that one
    as another error.
    """
    if isinstance(error, pulumi.RunError):
        return str(error) == MONITOR_IS_GONE
    call = error.__context__
    if isinstance(call, grpc.RpcError):  # one that was under way then
        return call.code() is grpc.StatusCode.CANCELLED or str(error).startswith(MONITOR_SHUT_DOWN)
    return isinstance(error, grpc.RpcError) and error.code() in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
    )
