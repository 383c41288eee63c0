"""The provider's process: what the engine asks, answered; an error of this package is one sentence."""

from __future__ import annotations

import functools
import json
import logging
import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import (
    ResourceProviderServicer,
    add_ResourceProviderServicer_to_server,
)

from ..._version import __version__
from ...core import targets
from ...core.inputs import UNKNOWN
from ...core.run import logger
from ...errors import AmiDeprecationError
from .. import engine_log, names, process
from . import component, config, functions, resource, schema, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.run import Run

#: Calls at once: each may wait for EC2, and a Cancel must get through.
_MOST_CALLS = 256
_PARENT_EVERY_SECONDS = 2.0

_Answer = TypeVar("_Answer")


def _answers(verb: Callable[[Any, Any], _Answer]) -> Callable[[Any, Any, grpc.ServicerContext], _Answer]:
    """Answer with one sentence for an error of ours. Log lines go to the row of the request's resource."""

    @functools.wraps(verb)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> _Answer:
        engine_log.urn.set(getattr(request, "urn", ""))  # of this thread, whose next call sets its own
        try:
            return verb(self, request)
        except AmiDeprecationError as error:
            # The engine takes this code for "nothing was done".
            code, sentence = grpc.StatusCode.FAILED_PRECONDITION, names.in_camel(str(error))
        except Exception as error:  # noqa: BLE001  # a mistake of ours: a reader of the terminal needs no traceback
            logger.debug(traceback.format_exc())
            code = grpc.StatusCode.INTERNAL
            sentence = f"{type(error).__name__}: {error}: please report it with what `pulumi --debug` shows"
        context.abort(code, sentence)
        raise AssertionError  # `abort` has raised

    return answer


class Provider(ResourceProviderServicer):
    """Pulumi's provider protocol. Method names are the protocol's."""

    def __init__(self, run: Run, address: str | None) -> None:
        self._run = run
        self._address = address

    # The provider itself.

    @_answers
    def GetPluginInfo(self, _request: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        """The provider's version."""
        return plugin_pb2.PluginInfo(version=__version__)

    @_answers
    def GetSchema(self, _request: Any) -> pb.GetSchemaResponse:  # noqa: N802
        """The package's schema, as JSON."""
        return pb.GetSchemaResponse(schema=json.dumps(schema.package()))

    @_answers
    def CheckConfig(self, request: Any) -> pb.CheckResponse:  # noqa: N802
        """Check the configuration, and mark its credentials as secrets."""
        news = wire.values(request.news)
        known = {key: value for key, value in news.items() if value is not UNKNOWN}
        problem = config.problem_of(known)
        failures = [] if problem is None else [pb.CheckFailure(reason=problem)]
        return pb.CheckResponse(inputs=wire.message(news, secrets=config.SECRETS), failures=failures)

    @_answers
    def DiffConfig(self, _request: Any) -> pb.DiffResponse:  # noqa: N802
        """No change of the configuration replaces the provider; where it moves a resource, that resource's diff says so."""
        return pb.DiffResponse(changes=pb.DiffResponse.DIFF_NONE)

    @_answers
    def Configure(self, request: Any) -> pb.ConfigureResponse:  # noqa: N802
        """Take the configuration."""
        given = wire.values(request.args)
        self._run.configure(lambda: targets.read_native_config(given))
        # The engine asks only a provider that takes secrets to construct a component.
        return pb.ConfigureResponse(supportsPreview=True, acceptSecrets=True)

    @_answers
    def Cancel(self, _request: Any) -> Empty:  # noqa: N802
        """End all waits at once."""
        self._run.ec2.cancel()
        return Empty()

    # Its resource and functions.

    @_answers
    def Check(self, request: Any) -> pb.CheckResponse:  # noqa: N802
        """Bring inputs into their normal form, and refuse what EC2 would refuse."""
        return resource.check(self._run, request)

    @_answers
    def Diff(self, request: Any) -> pb.DiffResponse:  # noqa: N802
        """Another image, Region or identity is a replacement; another date is an update."""
        return resource.diff(self._run, request)

    @_answers
    def Create(self, request: Any) -> pb.CreateResponse:  # noqa: N802
        """Give the image its date; a preview shows what the check has read."""
        return resource.create(self._run, request)

    @_answers
    def Update(self, request: Any) -> pb.UpdateResponse:  # noqa: N802
        """Move the date in place."""
        return resource.update(self._run, request)

    @_answers
    def Read(self, request: Any) -> pb.ReadResponse:  # noqa: N802
        """The date on the image now."""
        return resource.read(self._run, request)

    @_answers
    def Delete(self, request: Any) -> Empty:  # noqa: N802
        """Cancel the date that this resource set, or put back the one it found."""
        resource.delete(self._run, request)
        return Empty()

    @_answers
    def Invoke(self, request: Any) -> pb.InvokeResponse:  # noqa: N802
        """Call a function."""
        answer = functions.FUNCTIONS[request.tok](self._run, wire.values(request.args))
        return pb.InvokeResponse(**{"return": wire.message(answer)})

    @_answers
    def Construct(self, request: Any) -> pb.ConstructResponse:  # noqa: N802
        """Declare a policy's resources."""
        return component.construct(self._run, self._address, request)


def main() -> None:
    """Serve the engine whose address is the first argument, until it is gone."""
    parent = os.getppid()  # first of all: it may end at any time
    address = process.engine_address()
    run = process.start_run(address, names.in_camel)
    logging.getLogger("grpc").setLevel(logging.CRITICAL)  # a call that is not served is no error
    server = grpc.server(ThreadPoolExecutor(_MOST_CALLS), options=[("grpc.max_receive_message_length", -1)])
    add_ResourceProviderServicer_to_server(Provider(run, address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    _wait_for_end_of(parent)
    run.ec2.cancel()
    server.stop(0)


def _wait_for_end_of(parent: int) -> None:
    """Wait for an interrupt, or for the end of the process that has started this one."""
    never = threading.Event()
    try:
        while os.getppid() == parent:
            never.wait(_PARENT_EVERY_SECONDS)
    except KeyboardInterrupt:
        pass
