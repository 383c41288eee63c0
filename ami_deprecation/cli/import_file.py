"""Entries of a file for `pulumi import --file`: a resource as `up` would have left it, from an image that was read.

With `inputs` and `outputs` in an entry, the engine (3.254 and newer) does not call the provider's Read, which a
dynamic resource could not answer: the engine gives it no properties.
Source: https://www.pulumi.com/docs/iac/cli/commands/pulumi_import/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import inputs, keys, state
from ..doors import names
from ..errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..image import Image


def dynamic_entry(name: str, image: Image, arguments: Mapping[str, str]) -> dict[str, object]:
    """A resource of Python programs.

    Args:
        name: the resource's.
        image: it has a date.
        arguments: the resource's, by their names in Python, without the name.

    Raises:
        InvalidInput: an argument is not one.
    """
    # Imported here because it takes longer than all the rest of a run without it.
    from pulumi.dynamic.dynamic import serialize_provider  # noqa: PLC0415

    from ..provider import AmiDeprecationProvider  # noqa: PLC0415

    provider = {"__provider": serialize_provider(AmiDeprecationProvider())}
    given, outs = _props(name, image, arguments)
    return _entry(names.DYNAMIC_TYPE, name, image, given | provider, outs | provider)


def native_entry(name: str, image: Image, arguments: Mapping[str, str]) -> dict[str, object]:
    """A resource of the native provider; see ``dynamic_entry``."""
    given, outs = _props(name, image, arguments)
    return _entry(names.NATIVE_TYPE, name, image, names.to_camel(given), names.to_camel(outs))


def _props(
    name: str, image: Image, arguments: Mapping[str, str]
) -> tuple[dict[str, object], dict[str, object]]:
    """What the check would make of the program, and what `up` would leave.

    The date counts as one that Pulumi set, as after every import: a destroy cancels it.
    """
    given, problems = inputs.parse({**arguments, keys.RESOURCE_KEY: name})
    if problems:
        raise InvalidInput(f"{name}: {problems[0].sentence}")
    facts = state.facts_of(image, image.date)
    left = state.State(
        inputs=given,
        region=image.region,
        live=image.date,
        scheduled=image.date,
        previous=facts.previous,
        image_name=facts.image_name,
        owner_id=facts.owner_id,
        creation_date=facts.creation_date,
    )
    return state.planned(state.Plan(given, facts, image.date)), state.outputs(left)


def _entry(
    type_: str, name: str, image: Image, given: Mapping[str, object], outs: Mapping[str, object]
) -> dict[str, object]:
    return {
        "type": type_,
        "name": name,
        "id": f"{image.region}/{image.id}",
        "inputs": dict(given),
        "outputs": dict(outs),
    }
