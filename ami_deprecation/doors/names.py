"""The two spellings of a resource's properties: Python's, which the core has, and Pulumi's own, which the native provider has. Pure.

A state may have either, because a resource can move from one provider to the other. No name is in both spellings, but
for those of one word.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from ..core import inputs, keys
from ..core.targets import PROVIDER_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The types of the resource: as the dynamic provider has it, and as the native one does.
DYNAMIC_TYPE = "pulumi-python:dynamic/ec2:AmiDeprecation"
NATIVE_TYPE = "ami-deprecation:index:AmiDeprecation"
TYPES = (DYNAMIC_TYPE, NATIVE_TYPE)

#: Python's name -> Pulumi's.
CAMEL = {
    name: inputs.camel(name) for name in (*(each.name for each in inputs.DEFINITIONS), *keys.OUTPUT_KEYS)
}
_PYTHON = {camel: name for name, camel in CAMEL.items()}
#: The type of the resource that all others of a stack stand under.
STACK = "pulumi:pulumi:Stack"
_KEY = re.compile(rf"(?<![\w:])aws:({'|'.join(each.name for each in PROVIDER_KEYS)})\b")


def to_python(props: Mapping[str, object]) -> dict[str, object]:
    """Properties of either spelling under Python's names."""
    return {_PYTHON.get(key, key): value for key, value in props.items()}


def to_camel(props: Mapping[str, object]) -> dict[str, object]:
    """Properties under Pulumi's names."""
    return {CAMEL.get(key, key): value for key, value in props.items()}


def camel(name: str) -> str:
    """Pulumi's name of one property; a hidden key has one name only."""
    return CAMEL.get(name, name)


def is_python(props: Mapping[str, object]) -> bool:
    """Whether a state has Python's names: the dynamic provider has written it."""
    return "image_id" in props


def is_camel(props: Mapping[str, object]) -> bool:
    """Whether a state has Pulumi's names: the native provider has written it."""
    return CAMEL["image_id"] in props


def in_python(properties: Iterable[str]) -> list[str]:
    """Names of properties, of either spelling, as Python has them."""
    return [_PYTHON.get(key, key) for key in properties]


def kind_and_name(urn: str) -> tuple[str, str]:
    """The types of a resource's parents and its own, joined by ``$``, and its name."""
    kind, _, name = urn.partition("::")[2].partition("::")[2].partition("::")
    return kind, name


def resource_of(urn: str) -> str:
    """A resource's name, with the types of its parents where there are any: the text that a Python program sends."""
    kind, name = kind_and_name(urn)
    parents = kind.rpartition("$")[0].removeprefix(f"{STACK}$")
    return f"{name} (in {parents})" if parents and parents != STACK else name


@cache
def _names_in_sentences() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """What finds Python's names in a sentence, and Pulumi's names for them."""
    from . import project  # noqa: PLC0415  # lazily: only the native provider knows policies

    meant = {
        **CAMEL,
        **{ours: theirs for theirs, ours in project.POLICY_KEYS.items()},
        # Options of every resource.
        "delete_before_replace": "deleteBeforeReplace",
        "ignore_changes": "ignoreChanges",
    }
    # What stands in quotes is the user's own text.
    return re.compile(rf"(?<!')\b({'|'.join(name for name in meant if '_' in name)})\b"), meant


def in_camel(sentence: str) -> str:
    """A sentence as users of the native provider read it: its names of properties and configuration keys."""
    pattern, meant = _names_in_sentences()
    named = pattern.sub(lambda match: meant[match[1]], sentence)
    return _KEY.sub(r"ami-deprecation:\1", named)
