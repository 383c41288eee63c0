"""Programs under Pulumi's mocks: what they register, and as what it arrives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks, set_mocks, test

if TYPE_CHECKING:
    from collections.abc import Callable

TYPE = "pulumi-python:dynamic/ec2:AmiDeprecation"


@dataclass(frozen=True)
class Registered:
    """One resource as the engine is asked for it; a secret is an envelope, an unknown value the SDK's own text."""

    type: str
    name: str
    inputs: dict[str, Any] = field(repr=False)
    provider: str = ""
    protect: bool = False


class _Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, _args: object) -> tuple[dict[str, Any], None]:
        return {}, None


class _Monitor(MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Echo())
        self.registered: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # gRPC's name
        if request.type != "pulumi:pulumi:Stack":
            inputs = MessageToDict(request.object)
            self.registered.append(
                Registered(request.type, request.name, inputs, request.provider, request.protect)
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's


def declare(program: Callable[[], object], *, preview: bool = False) -> list[Registered]:
    """Run a program to its end; return its resources in the order in which they were registered.

    Raises:
        Exception: whatever the program raises.
    """
    monitor = _Monitor()
    set_mocks(_Echo(), project="project", stack="test", preview=preview, monitor=monitor)

    @test  # type: ignore[untyped-decorator]  # the SDK's own way to wait for all registrations
    def body() -> None:
        program()

    body()
    return monitor.registered


def declared(program: Callable[[], object], *, preview: bool = False) -> dict[str, Any]:
    """The inputs of the program's one date, without the pickled provider."""
    (date,) = [each for each in declare(program, preview=preview) if each.type == TYPE]
    return {key: value for key, value in date.inputs.items() if key != "__provider"}
