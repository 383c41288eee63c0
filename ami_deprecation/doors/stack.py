"""What the stack's state has of a policy, read from within the program.

The engine answers the function behind stack references for the running stack too, with the state that the last run left:
in a preview, under an update's lock, and for a stack without a state (run with the CLI 3.245 and a file backend).
Source: ``readStackResourceOutputs`` in pulumi/pulumi ``pkg/resource/deploy/builtins.go``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

from ..core import state
from ..errors import InvalidInput
from ..fleet.plan import Earlier
from . import names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ..core.state import State
    from ..fleet.plan import Key

_READ = "pulumi:pulumi:readStackResourceOutputs"


def policy_children(
    token: str,
    name: str,
    parent: pulumi.Resource | str | None,
    options: pulumi.ResourceOptions | None = None,
) -> dict[Key, Earlier] | None:
    """The resources that a policy's last run left in the stack's state, by Region and image id.

    Args:
        token: a policy's type.
        name: the policy's name.
        parent: the policy's parent, or the parent's URN.
        options: the policy's. With aliases it may have had another name, or another parent.

    Returns:
        None when the state cannot be read, as in unit tests of a program.

    Raises:
        InvalidInput: the state of a child cannot be read, or the state has several policies that may be this one.
    """
    resources = _resources()
    if resources is None:
        return None
    policies = _policies(resources, token)
    here = {_join(chain, token) for chain in _chains(resources, parent)}
    found = [each for each in policies if each.kind in here and each.name == name]
    if not found:
        before = list(_places_before(resources, token, name, parent, options))
        found = [
            each for each in policies if any(each.name == old and each.kind in kinds for old, kinds in before)
        ]
    if len(found) > 1:
        raise InvalidInput(
            f"several policies in the stack's state may be {name!r}, under parents of different types: give each policy its own "
            "name"
        )
    return {
        (known.region, known.image_id): Earlier("-".join([name, *_parts(known)]), known)
        for policy in found
        for known in policies[policy]
    }


def _join(chain: str, token: str) -> str:
    return f"{chain}${token}" if chain else token


@dataclass(frozen=True)
class _Policy:
    """A policy of the last run, derived from its children's URNs and names."""

    #: Its type, after the types of its parents.
    kind: str
    name: str


def _policies(resources: Mapping[str, Mapping[str, object] | None], token: str) -> dict[_Policy, list[State]]:
    """Each policy's children in the state. A policy's name can be the beginning of another policy's."""
    found: defaultdict[_Policy, list[State]] = defaultdict(list)
    for urn, outputs in resources.items():
        kind, resource = names.kind_and_name(urn)
        policy, _, child = kind.rpartition("$")
        if outputs is None or child not in names.TYPES or not f"${policy}".endswith(f"${token}"):
            continue
        known = state.parse(names.to_python(outputs))
        own = resource.removesuffix("-".join(["", *_parts(known)]))
        if own != resource:
            found[_Policy(policy, own)].append(known)
    return dict(found)


def _parts(known: State) -> list[str]:
    """What a child's name has after the name of its policy."""
    return [part for part in (known.image_name, known.image_id, known.region) if part]


def _chains(resources: Iterable[str], parent: pulumi.Resource | str | None) -> set[str]:
    """The parent types that may precede a policy's type in its URN; only the state knows those above a Python parent."""
    if isinstance(parent, str):
        kind, _ = names.kind_and_name(parent)
        return {"" if kind == names.STACK else kind}
    if parent is None or parent.pulumi_resource_type == names.STACK:
        return {""}
    kinds = (names.kind_and_name(urn) for urn in resources)
    return {
        kind
        for kind, name in kinds
        if name == parent.pulumi_resource_name and kind.rpartition("$")[2] == parent.pulumi_resource_type
    }


def _places_before(
    resources: Mapping[str, object],
    token: str,
    name: str,
    parent: pulumi.Resource | str | None,
    options: pulumi.ResourceOptions | None,
) -> Iterator[tuple[str, Collection[str]]]:
    """The names that a policy may have had, each with the types in its URN; aliases that only an update knows are skipped."""
    aliases = options.aliases if options is not None and options.aliases else ()
    for alias in aliases if not isinstance(aliases, pulumi.Output) else ():
        if isinstance(alias, str):
            kind, old = names.kind_and_name(alias)
            yield old, {kind}
        elif isinstance(alias, pulumi.Alias):
            given: object = alias.parent
            above = parent if given is ... else given
            if above is None or isinstance(above, (str, pulumi.Resource)):
                old = alias.name if isinstance(alias.name, str) else name
                yield old, {_join(chain, token) for chain in _chains(resources, above)}
    if isinstance(parent, pulumi.Resource) and parent._aliases:  # noqa: SLF001  # the SDK's rule: children have them too
        yield name, {kind for kind, _ in map(names.kind_and_name, resources)} | {token}


def _resources() -> dict[str, Mapping[str, object] | None] | None:
    """The resources in the stack's state: URN to outputs, None without any.

    Not by ``pulumi.runtime.invoke``: that drops outputs whose keys begin with ``__``, and it ends the program when a user's
    mocks raise an error, even when the error is caught.
    """
    monitor = get_monitor()
    if monitor is None:
        return None
    try:
        stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        request = resource_pb2.ResourceInvokeRequest(tok=_READ)
        request.args.update({"stackName": stack})
        answer = MessageToDict(getattr(monitor.Invoke(request), "return"))
    except Exception as error:  # noqa: BLE001  # gRPC's, the SDK's, or anything from a user's mocks
        pulumi.log.debug(f"the state of the stack cannot be read: {error}")
        return None
    resources = answer.get("outputs")
    if not isinstance(resources, dict):
        return None
    return {urn: _outputs(resource) for urn, resource in resources.items()}


def _outputs(resource: object) -> Mapping[str, object] | None:
    outputs = resource.get("outputs") if isinstance(resource, dict) else None
    return outputs if isinstance(outputs, dict) else None
