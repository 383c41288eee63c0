"""What the stack's state has of a policy, read from within the program.

The engine answers the function behind stack references for the running stack too, with the state that the last run left:
in a preview, under an update's lock, and for a stack without a state (run with the CLI 3.245 and a file backend).
Source: ``readStackResourceOutputs`` in pulumi/pulumi ``pkg/resource/deploy/builtins.go``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

from ..core import state
from ..fleet.plan import Earlier
from . import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..fleet.plan import Key

_READ = "pulumi:pulumi:readStackResourceOutputs"
_STACK = "pulumi:pulumi:Stack"


def policy_children(
    token: str, name: str, parent_type: str | None, options: pulumi.ResourceOptions | None = None
) -> dict[Key, Earlier] | None:
    """The resources that a policy's last run left in the stack's state, by Region and image id.

    Args:
        token: a policy's type.
        name: the policy's name.
        parent_type: the type of the policy's parent, None without one.
        options: the policy's. With aliases it may have had another name, or another parent.

    Returns:
        None when the state cannot be read, as in unit tests of a program, or when it does not tell this policy's
        children from those of another policy with the same name.

    Raises:
        InvalidInput: the state of a child cannot be read.
    """
    resources = _resources()
    if resources is None:
        return None
    earlier_names = _names_before(options)
    by_type: defaultdict[str, list[Earlier]] = defaultdict(list)
    moved: defaultdict[str, list[Earlier]] = defaultdict(list)
    for urn, outputs in resources:
        kind, _, resource = urn.partition("::")[2].partition("::")[2].partition("::")
        # A policy's name can be the beginning of another policy's, so a child is known by its whole name.
        policy, _, child = kind.rpartition("$")
        if child not in names.TYPES or not policy.endswith(token):
            continue
        is_here = _is_parent(kind, token, parent_type)
        if not is_here and not earlier_names:
            continue
        known = state.parse(names.to_python(outputs))
        parts = [part for part in (known.image_name, known.image_id, known.region) if part]
        if resource in {"-".join([each, *parts]) for each in (name, *earlier_names)}:
            child_now = Earlier("-".join([name, *parts]), known)
            (by_type if is_here else moved)[policy].append(child_now)
    by_type = by_type or moved
    if len(by_type) > 1:
        return None
    return {each.key: each for children in by_type.values() for each in children}


def _names_before(options: pulumi.ResourceOptions | None) -> set[str]:
    """The names that a resource's aliases give it; one that is not known yet is left out."""
    aliases = options.aliases if options is not None and options.aliases else ()
    known: set[str] = set()
    for alias in aliases if not isinstance(aliases, pulumi.Output) else ():
        if isinstance(alias, str):
            known.add(alias.rpartition("::")[2])
        elif isinstance(alias, pulumi.Alias):
            # Without a name of its own, it is the same name elsewhere.
            known.add(alias.name if isinstance(alias.name, str) else "")
    return known


def _resources() -> list[tuple[str, Mapping[str, object]]] | None:
    """The resources in the stack's state: URN and outputs.

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
    return list(_outputs(resources)) if isinstance(resources, dict) else None


def _outputs(resources: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    for urn, resource in resources.items():
        outputs = resource.get("outputs") if isinstance(resource, dict) else None
        if isinstance(outputs, dict):
            yield urn, outputs


def _is_parent(kind: str, token: str, parent_type: str | None) -> bool:
    """Whether the types in a child's URN are those of a policy under this parent, as far as the parent tells."""
    above = kind.partition(token)[0].rstrip("$")
    if parent_type in (None, _STACK):
        return not above
    return above.rpartition("$")[2] == parent_type
