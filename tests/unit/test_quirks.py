"""Canaries: what Pulumi's SDK does, and this package therefore works round. Each fails when the quirk is gone.

Most ask the real plugin server, `python -m pulumi.dynamic`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from datetime import datetime, timezone
from types import ModuleType
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest
from pulumi.dynamic import ReadResult
from pulumi.runtime.proto import engine_pb2_grpc
from pulumi.runtime.settings import SETTINGS

from ami_deprecation import ImageNotFound
from ami_deprecation.doors import quirks
from ami_deprecation.provider import AmiDeprecationProvider
from tests.support.canaries import Canary, pickled
from tests.support.declare import declare
from tests.support.plugin import CallFailed, Launcher, Plugin
from tests.support.samples import IMAGE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

URN = "urn:pulumi:test::project::pulumi-python:dynamic:Resource::canary"
#: How the SDK and the engine write an unknown value.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.fixture(scope="module")
def server() -> Iterator[Plugin]:
    """A plugin process, as the engine starts it."""
    environment = dict(os.environ) | {"PULUMI_PROJECT": "project"}
    plugin = Plugin(Launcher(), environment, {"aws:region": "eu-west-1", "project:key": "value"})
    yield plugin
    plugin.close()


@pytest.fixture(scope="module")
def canary() -> dict[str, Any]:
    """The props that lead to the canary."""
    return {"__provider": pickled(Canary())}


# The server's errors. This test comes first: the process has not met this package's provider yet.


def test_canary_server_sends_tracebacks_without_this_package(server: Plugin, canary: dict[str, Any]) -> None:
    def error_of(key: str) -> str:
        with pytest.raises(CallFailed) as caught:
            server.create(URN, canary | {key: True})
        return caught.value.details

    before = {key: error_of(key) for key in ("ours", "foreign")}
    for details in before.values():
        assert details.startswith("Traceback (most recent call last):")
        assert len(details.splitlines()) > 3
    server.check(URN, None, {"__provider": pickled(AmiDeprecationProvider()), "image_id": IMAGE_ID})
    assert error_of("ours") == "ami_deprecation.ImageNotFound: ami-x is not there: run pulumi refresh"
    assert error_of("foreign") == before["foreign"], "the errors of other providers are theirs"


def shown_by(module: ModuleType, error: Exception) -> str:
    """What the server's wrapper makes of an error."""
    try:
        raise error  # noqa: TRY301  # to be handled, as there
    except Exception:  # noqa: BLE001  # as there
        return str(module.format_exc())


def test_patch_changes_only_plugins_server(monkeypatch: pytest.MonkeyPatch) -> None:
    program, server, built_otherwise = ModuleType("__main__"), ModuleType("__main__"), ModuleType("__main__")
    for module in (server, built_otherwise):
        module.DynamicResourceProviderServicer = object  # type: ignore[attr-defined]
    for module in (program, server):
        module.traceback = traceback  # type: ignore[attr-defined]
    for module in (program, server, built_otherwise):
        monkeypatch.setitem(sys.modules, "__main__", module)
        quirks.show_errors_as_sentences()
    assert vars(program)["traceback"] is traceback
    assert "traceback" not in vars(built_otherwise)
    stand_in = vars(server)["traceback"]
    assert stand_in is not traceback
    assert stand_in.format_tb is traceback.format_tb
    assert shown_by(stand_in, ImageNotFound("Gone.")) == "ami_deprecation.ImageNotFound: Gone."
    assert shown_by(stand_in, LookupError("Theirs.")) == shown_by(traceback, LookupError("Theirs."))
    monkeypatch.setitem(sys.modules, "__main__", server)
    quirks.show_errors_as_sentences()
    assert vars(server)["traceback"] is stand_in, "once is enough"


# What goes over the wire.


def test_unknown_value_is_object_of_its_class(server: Plugin, canary: dict[str, Any]) -> None:
    """So it is asked for with `contains_unknowns`, never by comparing with a text."""
    seen, _ = server.check(URN, None, canary | {"image_id": UNKNOWN})
    assert seen["image_id is"] == "Unknown"
    assert seen["image_id is unknown"] is True
    assert seen["image_id"] == UNKNOWN, "and goes back as the engine wrote it"


def test_double_underscore_key_arrives(server: Plugin, canary: dict[str, Any]) -> None:
    """No quirk but a need, and the reason for the oldest SDK that is allowed: 3.234 drops it."""
    seen, _ = server.check(URN, None, canary | {"__scheduled": "2027-06-01T00:00:00Z"})
    assert seen["__scheduled"] == "2027-06-01T00:00:00Z"


def test_every_number_arrives_as_float(server: Plugin, canary: dict[str, Any]) -> None:
    seen, _ = server.check(URN, None, canary | {"days": 30, "yes": True})
    assert (seen["days is"], seen["yes is"]) == ("float", "bool")


def test_none_is_dropped(server: Plugin, canary: dict[str, Any]) -> None:
    """So a date canceled outside is written as a text in refreshed inputs, and keys are read with `get`."""
    _, outputs = server.create(URN, canary)
    assert {key: value for key, value in outputs.items() if key != "__provider"} == {"something": 1}
    seen, _ = server.check(URN, None, canary | {"nothing": None})
    assert "nothing is" not in seen, "not even check gets it"


def test_stack_configuration_arrives_with_namespaces(server: Plugin, canary: dict[str, Any]) -> None:
    seen, _ = server.check(URN, None, canary)
    assert seen["region"] == "eu-west-1"


def test_gone_is_empty_id_with_outputs_that_are_dict(server: Plugin, canary: dict[str, Any]) -> None:
    """`ReadResult()`, which the SDK's signature suggests, ends in a TypeError."""
    assert server.read(URN, "gone", {}, canary)[0] == ""
    assert (ReadResult().id, ReadResult().outs) == (None, None)
    with pytest.raises(CallFailed, match="TypeError"):
        server.read(URN, "gone", {}, canary | {"as the SDK's default": True})


# What stays in the program's process.


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: the leak would stay in this one."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_every_pickled_provider_with_attributes_costs_frame() -> None:
    """The SDK patches `pickle` once for every resource, and never back: so the provider has no attributes."""
    done = run("""
import sys
from tests.support.canaries import Canary, pickled

provider = Canary()
for number in range(400):
    pickled(provider)
    sys.setrecursionlimit(250)
print("without", flush=True)
provider.attribute = "anything"
try:
    for number in range(400):
        pickled(provider)
except RecursionError:
    print("too deep")
""")
    assert (done.stdout, done.stderr) == ("without\ntoo deep\n", "")


class Plain(pulumi.dynamic.Resource, module="test", name="Plain"):
    """A dynamic resource as the SDK has it."""


def test_datetime_cannot_be_sent() -> None:
    """So the resource turns dates into text."""
    with pytest.raises(ValueError, match="unexpected input of type datetime"):
        declare(lambda: Plain(Canary(), "plain", {"when": datetime(2027, 6, 1, tzinfo=timezone.utc)}))


def test_unseeded_output_is_absent() -> None:
    """So the resource sends every output's key, as None."""

    def program() -> None:
        made = Plain(Canary(), "plain", {"seeded": None})
        assert isinstance(made.seeded, pulumi.Output)  # type: ignore[attr-defined]
        assert not hasattr(made, "other")

    declare(program)


def test_subclass_falls_back_to_sdks_own_type() -> None:
    """So the resource is final."""

    class Sub(Plain):
        pass

    assert [made.type for made in declare(lambda: Sub(Canary(), "sub", {}))] == [
        "pulumi-python:dynamic:Resource"
    ]


def test_address_is_in_the_stub_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = grpc.insecure_channel("127.0.0.1:1")
    monkeypatch.setattr(SETTINGS, "engine", engine_pb2_grpc.EngineStub(channel))  # as the SDK's executor does
    assert quirks.engine_address() == "127.0.0.1:1"
    monkeypatch.setattr(SETTINGS, "engine", None)
    assert quirks.engine_address() is None
