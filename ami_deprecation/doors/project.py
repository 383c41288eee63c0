"""The ready-to-use project's configuration: what stands in the stack's YAML -> arguments of resources. Pure.

Everything is looked at before anything is declared, so that a mistake changes nothing; each is one
sentence with its path (``ami-deprecation:images.web.deprecateAt: …``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from ..core import inputs
from ..errors import InvalidInput
from ..fleet import arguments as policy_arguments
from ..fleet.arguments import Given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..core.inputs import Problem
    from ..ec2.listing import Values
    from ..image import Severity

#: The configuration's namespace, which is the root project's name.
NAMESPACE = "ami-deprecation"
KEYS = ("images", "policies")


class PolicyKeywords(TypedDict, total=False):
    """The keyword arguments of one ``AmiDeprecationPolicy``, checked."""

    name: Values
    tags: Mapping[str, Values]
    filters: Mapping[str, Values]
    owners: Sequence[str]
    executable_users: Sequence[str]
    exclude: Sequence[str]
    group_by: str | Sequence[str]
    keep_newest: int
    grace_days: int
    keep_at_least: int
    deprecate_after_days: int
    fix_days: Mapping[Severity, int]
    whole_releases: bool
    notice_days: int
    in_use: policy_arguments.InUse
    regions: Sequence[str] | Literal["all"]
    exclude_regions: Sequence[str]
    max_changes: int
    allow_empty: bool
    on_destroy: inputs.OnDestroy
    explain: bool
    profile: str
    role_arn: str


IMAGE_KEYS = {each.camel: each.name for each in inputs.DEFINITIONS}

#: The policy's own arguments in camelCase.
POLICY_KEYS = {inputs.camel(each.name): each.name for each in fields(Given)}


def check_keys(configured: Iterable[str]) -> None:
    """Refuse a configuration key of this project's that nothing reads: what it says would not be done.

    Args:
        configured: the stack's configuration keys, of all namespaces.

    Raises:
        InvalidInput: with a line for each.
    """
    wrong = []
    for name in configured:
        namespace, _, key = name.partition(":")
        if namespace != NAMESPACE or key in KEYS:
            continue
        if key.partition(".")[0] in KEYS:
            hint = f"set it with `pulumi config set --path '{name}' VALUE`"
        else:
            hint = inputs.meant(key, KEYS)
        wrong.append(f"{name}: there is no such key: {hint}")
    if wrong:
        raise InvalidInput("\n".join(wrong))


def images(value: object) -> dict[str, dict[str, Any]]:
    """The ``images`` key: resource name -> arguments of ``AmiDeprecation``, checked.

    Raises:
        InvalidInput: with a line for everything that is wrong.
    """
    return _checked(value, "images", IMAGE_KEYS, lambda given: inputs.parse(given)[1])


def policies(value: object) -> dict[str, PolicyKeywords]:
    """The ``policies`` key: resource name -> arguments of ``AmiDeprecationPolicy``.

    Raises:
        InvalidInput: with a line for everything that is wrong.
    """
    checked = _checked(
        value, "policies", POLICY_KEYS, lambda given: policy_arguments.parse(Given(**given))[1]
    )
    return cast("dict[str, PolicyKeywords]", checked)


def _checked(
    value: object,
    key: str,
    keys: Mapping[str, str],
    problems_of: Callable[[Mapping[str, object]], list[Problem]],
) -> dict[str, dict[str, object]]:
    """All entries of one configuration key, under our argument names."""
    checked: dict[str, dict[str, object]] = {}
    wrong: list[str] = []
    camel = {ours: theirs for theirs, ours in keys.items()}
    for name, given in entries(value, key).items():
        path = f"{NAMESPACE}:{key}.{name}"
        try:
            arguments = renamed(given, keys, path)
        except InvalidInput as problem:
            wrong.append(str(problem))
            continue
        for each in problems_of(arguments):
            where = f"{path}.{camel[each.property]}" if each.property else path
            sentence = each.sentence
            for ours, theirs in camel.items():
                sentence = sentence.replace(ours, theirs)
            wrong.append(f"{where}: {sentence}")
        checked[name] = arguments
    if wrong:
        raise InvalidInput("\n".join(wrong))
    return checked


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


def renamed(given: object, keys: Mapping[str, str], path: str = "") -> dict[str, object]:
    """One entry with our argument names; a key that is none of them is refused."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{path}: it is not an object: give {_listed(keys)}")
    for key in given:
        if key not in keys:
            where = f"{path}.{key}" if path else repr(key)
            raise InvalidInput(f"{where}: there is no such key: {inputs.meant(str(key), keys)}")
    return {keys[key]: item for key, item in given.items() if item is not None}


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(keys)
