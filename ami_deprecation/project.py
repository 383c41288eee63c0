"""The ready-to-use project's configuration: what stands in the stack's YAML -> arguments of resources. Pure.

Everything is looked at before anything is declared, so that a mistake changes nothing; each is one
sentence with its path (``ami-deprecation:images.web.deprecateAt: …``).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict, cast

from . import inputs
from .errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The configuration's namespace, which is the root project's name.
NAMESPACE = "ami-deprecation"


class _RequiredArguments(TypedDict):
    image_id: str


class ImageArguments(_RequiredArguments, total=False):
    """The arguments of one ``AmiDeprecation``, checked."""

    deprecate_at: str
    deprecate_after_days: int
    deprecate_in_days: int
    region: str
    profile: str
    role_arn: str
    on_destroy: inputs.OnDestroy


_IMAGE_KEYS = {
    "imageId": "image_id",
    "deprecateAt": "deprecate_at",
    "deprecateAfterDays": "deprecate_after_days",
    "deprecateInDays": "deprecate_in_days",
    "region": "region",
    "profile": "profile",
    "roleArn": "role_arn",
    "onDestroy": "on_destroy",
}


def images(value: object) -> dict[str, ImageArguments]:
    """The ``images`` key: resource name -> arguments of ``AmiDeprecation``.

    Raises:
        InvalidInput: with a line for everything that is wrong.
    """
    found: dict[str, ImageArguments] = {}
    wrong: list[str] = []
    for name, given in entries(value, "images").items():
        path = f"{NAMESPACE}:images.{name}"
        try:
            arguments = renamed(given, _IMAGE_KEYS, path)
        except InvalidInput as problem:
            wrong.append(str(problem))
            continue
        _, problems = inputs.parse(arguments)
        camel = {ours: theirs for theirs, ours in _IMAGE_KEYS.items()}
        for each in problems:
            where = f"{path}.{camel[each.property]}" if each.property else path
            sentence = each.sentence
            for ours, theirs in camel.items():
                sentence = sentence.replace(ours, theirs)
            wrong.append(f"{where}: {sentence}")
        found[name] = cast("ImageArguments", arguments)  # by the parse above, or it is not used
    if wrong:
        raise InvalidInput("\n".join(wrong))
    return found


def entries(value: object, key: str) -> Mapping[str, object]:
    """A configuration key that maps names to objects; an absent one has none."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(
            f"{NAMESPACE}:{key}: it is not an object of names: set it with "
            f"`pulumi config set --path '{NAMESPACE}:{key}.NAME.KEY' VALUE`"
        )
    return {str(name): given for name, given in value.items()}


def renamed(given: object, keys: Mapping[str, str], path: str) -> dict[str, object]:
    """One entry with our argument names; a key that is none of them is refused."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{path}: it is not an object: give {_listed(keys)}")
    for key in given:
        if key not in keys:
            near = difflib.get_close_matches(str(key), keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {_listed(keys)}"
            raise InvalidInput(f"{path}.{key}: there is no such key: {hint}")
    return {keys[key]: item for key, item in given.items() if item is not None}


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(keys)
