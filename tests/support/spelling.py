"""The names of properties as each provider has them, so that one case can speak to both.

A case uses Python's names. This is told anew here, apart from the package's own table: an error there must show.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The two providers: the Python resource's dynamic one, and the native one of every language.
Door = Literal["dynamic", "native"]
DOORS: tuple[Door, ...] = ("dynamic", "native")

_PYTHON = {
    "imageId": "image_id",
    "deprecateAt": "deprecate_at",
    "deprecateAfterDays": "deprecate_after_days",
    "deprecateInDays": "deprecate_in_days",
    "roleArn": "role_arn",
    "onDestroy": "on_destroy",
    "deprecationTime": "deprecation_time",
    "imageName": "image_name",
    "ownerId": "owner_id",
    "creationDate": "creation_date",
    "previousDeprecationTime": "previous_deprecation_time",
}
_CAMEL = {python: camel for camel, python in _PYTHON.items()}
_WORD = re.compile(rf"\b({'|'.join(_PYTHON)})\b")
#: What only the Python resource sends to its provider.
_PYTHONS_OWN = ("__provider", "__resource", "__ignored")


def to_door(door: Door, props: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as a provider gets them."""
    if door == "dynamic":
        return dict(props)
    return {_CAMEL.get(key, key): value for key, value in props.items() if key != "__provider"}


def given_to_door(door: Door, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A program's inputs as a program for that provider gives them."""
    if door == "dynamic":
        return dict(inputs)
    kept = {key: value for key, value in inputs.items() if key not in _PYTHONS_OWN and value is not None}
    return to_door(door, kept)


def from_door(door: Door, props: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as cases read them."""
    if door == "dynamic":
        return dict(props)
    assert not set(props) & set(_CAMEL), "the native provider answers with Pulumi's names"
    return {_PYTHON.get(key, key): value for key, value in props.items()}


def sentence_from_door(door: Door, text: str) -> str:
    """A message as cases read it."""
    if door == "dynamic":
        return text
    own = [name for name in _CAMEL if re.search(rf"\b{name}\b", text)]
    assert own == [], f"the native provider's messages have Pulumi's names: {text}"
    return _WORD.sub(lambda match: _PYTHON[match[1]], text)
