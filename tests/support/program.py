"""What a program asks of the engine: the registrations that the SDK sends while it runs.

A program here is a function that makes resources, as `__main__.py` does. The SDK serializes its inputs for a
monitor, which keeps the message instead of carrying it out; so what the mini engine sends on to the
provider is, byte for byte, what a user's program would have sent, the pickled provider included.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks, test
from pulumi.runtime.proto import engine_pb2_grpc
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.sync_await import _ensure_event_loop

from ami_deprecation import AmiDeprecation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Props = dict[str, Any]
T = TypeVar("T")

#: What another provider of the program makes is no business of the plugin's.
_DYNAMIC = "pulumi-python:"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
#: The SDK has one set of settings a process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Registration:
    """One resource of a program, as its RegisterResource message has it.

    Attributes:
        inputs: JSON values; an unknown one is the SDK's sentinel text, a secret is in clear.
        delete_before_replace: None when the program does not say.
    """

    type: str
    name: str
    inputs: Props = field(repr=False)
    delete_before_replace: bool | None = None
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()
    #: URNs that it may have in the state.
    aliases: tuple[str, ...] = ()
    #: URNs of what it depends on.
    dependencies: tuple[str, ...] = ()
    #: The types of the components around it, outermost first.
    parents: tuple[str, ...] = ()

    @property
    def urn(self) -> str:
        return urn("$".join((*self.parents, self.type)), self.name)


def urn(type_: str, name: str) -> str:
    """The URN of a resource without a parent."""
    return f"urn:pulumi:test::project::{type_}::{name}"


#: How a program reads the state of a stack: with these resources.
_READ_STATE = "pulumi:pulumi:readStackResourceOutputs"


@dataclass(frozen=True)
class _Answers(Mocks):
    """What the engine answers a program: of its functions, only the one that reads the state."""

    state: Mapping[str, Props]

    def new_resource(self, args: MockResourceArgs) -> tuple[str, Props]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> tuple[Props, list[tuple[str, str]]]:
        if args.token != _READ_STATE:
            return {}, []
        return {"outputs": {urn: {"outputs": outputs} for urn, outputs in self.state.items()}}, []


class _Monitor(MockMonitor):
    def __init__(self, answers: _Answers) -> None:
        super().__init__(answers)
        self.registrations: list[Registration] = []
        #: What this monitor calls a resource, and its URN.
        self._urns: dict[str, str] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # gRPC's name
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's
        if request.type.startswith(_DYNAMIC):
            parents = _types(request.parent)
            self._urns[answer.urn] = urn("$".join((*parents, request.type)), request.name)
            self.registrations.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    inputs=_plain(MessageToDict(request.object)),
                    delete_before_replace=request.deleteBeforeReplace
                    if request.deleteBeforeReplaceDefined
                    else None,
                    retain_on_delete=request.retainOnDelete,
                    ignore_changes=tuple(request.ignoreChanges),
                    aliases=tuple(_alias(each.spec, request, parents) for each in request.aliases),
                    dependencies=tuple(
                        self._urns[each] for each in request.dependencies if each in self._urns
                    ),
                    parents=parents,
                )
            )
        return answer


def _alias(spec: Any, request: Any, parents: tuple[str, ...]) -> str:
    """The URN that an alias stands for; what it does not say is as in the resource."""
    if spec.noParent:
        parents = ()
    elif spec.parentUrn:
        parents = _types(spec.parentUrn)
    return urn("$".join((*parents, spec.type or request.type)), spec.name or request.name)


def _types(parent: str) -> tuple[str, ...]:
    """The types in a parent's URN; the stack is not among those of its children."""
    types = parent.split("::")[2].split("$") if parent else []
    return tuple(each for each in types if each != "pulumi:pulumi:Stack")


def _plain(value: Any) -> Any:
    """A value as a provider gets it that does not take secrets."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _plain(value["value"])
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def run(
    program: Callable[[], object],
    *,
    preview: bool,
    state: Mapping[str, Props] | None = None,
    address: str | None = None,
) -> list[Registration]:
    """Run a program to its end and return its resources in the order of their registration.

    Args:
        program: makes resources.
        preview: whether unknown values stay unknown.
        state: what the stack's state has: URN to outputs.
        address: where the engine listens; None: nowhere.

    Raises:
        Exception: whatever the program raises.
    """
    answers = _Answers(state or {})
    monitor = _Monitor(answers)

    @test  # type: ignore[untyped-decorator]  # the SDK's own way to wait for all registrations
    def body() -> None:
        program()

    with _one_at_a_time:
        _ensure_event_loop()  # type: ignore[no-untyped-call]  # a thread has none
        set_mocks(answers, project="project", stack="test", preview=preview, monitor=monitor)
        if address is None:
            body()
        else:
            with grpc.insecure_channel(address) as channel:
                SETTINGS.engine = engine_pb2_grpc.EngineStub(channel)
                body()
    return monitor.registrations


def made_in_this_stack(value: T) -> pulumi.Output[T]:
    """An output of another resource of the program: unknown at preview, known in an update."""

    async def known() -> bool:
        return not pulumi.runtime.is_dry_run()

    async def later() -> T:
        return value

    return pulumi.Output(set(), asyncio.ensure_future(later()), asyncio.ensure_future(known()))


def made(name: str = "web", /, **inputs: Any) -> Callable[[], object]:
    """A program with one resource."""
    return lambda: AmiDeprecation(name, **inputs)


def dated(image_id: pulumi.Input[str], when: object, **more: object) -> Callable[[], object]:
    """A program with one resource, `web`, on this date."""
    return made(image_id=image_id, deprecate_at=when, **more)
