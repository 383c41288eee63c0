"""The code that takes existing dates over: a Python program, or a stack's configuration. Pure.

All values are ids, dates, names of our own making and quoted texts, so plain formatting is safe; that the
Python is as ``ruff format`` leaves it, and that both do what they say, is tested.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import dates
from ..doors import project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ..image import Image

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Adoption:
    """One image, and what its resource is called."""

    name: str
    image: Image


@dataclass(frozen=True)
class Extras:
    """What every resource is given beside its own values."""

    profile: str | None = None
    role_arn: str | None = None
    on_destroy: str | None = None


def adoptions(images: Sequence[Image]) -> list[Adoption]:
    """The images that have a date, with names from their own that are valid and differ from each other."""
    dated = sorted(
        (image for image in images if image.date is not None), key=lambda i: (i.name, i.region, i.id)
    )
    return [Adoption(name, image) for name, image in zip(_names(dated), dated, strict=True)]


def _names(images: Sequence[Image]) -> list[str]:
    """The image's name where it is unique, else with the Region, else with the image's id too."""
    plain = [_NOT_IN_NAMES.sub("-", image.name).strip("-.") or image.id for image in images]
    placed = [f"{name}-{image.region}" for name, image in zip(plain, images, strict=True)]
    in_plain, in_placed = Counter(plain), Counter(placed)
    names: dict[str, None] = {}
    for one, two, image in zip(plain, placed, images, strict=True):
        choices = [*([one] if in_plain[one] == 1 else []), *([two] if in_placed[two] == 1 else [])]
        names[next((name for name in choices if name not in names), f"{two}-{image.id}")] = None
    return list(names)


def as_python(found: Sequence[Adoption], extras: Extras, at: datetime) -> str:
    """A program, or a module to import into one."""
    lines = [
        f'"""Deprecation dates that images had on {at:%Y-%m-%d}, taken over as they are.',
        "",
        "The first `pulumi up` changes nothing in EC2.",
        '"""',
        "",
        "from ami_deprecation import AmiDeprecation",
    ]
    for adoption in found:
        lines += ["", "AmiDeprecation(", f"    {_quoted(adoption.name)},"]
        lines += [f"    {key}={_quoted(value)}," for key, value in _arguments(adoption, extras).items()]
        lines += [f"){_remark(adoption.image)}"]
    return "\n".join(lines) + "\n"


def as_yaml(found: Sequence[Adoption], extras: Extras) -> str:
    """The configuration of a stack of the ready-to-use project."""
    lines = ["config:", f"  {project.NAMESPACE}:images:{'' if found else ' {}'}"]
    for adoption in found:
        lines.append(f"    {_key(adoption.name)}:{_remark(adoption.image)}")
        lines += [
            f"      {_camel(key)}: {value if key in ('image_id', 'region') else _quoted(value)}"
            for key, value in _arguments(adoption, extras).items()
        ]
    return "\n".join(lines) + "\n"


def _arguments(adoption: Adoption, extras: Extras) -> Mapping[str, str]:
    image = adoption.image
    given = {
        "image_id": image.id,
        "deprecate_at": None if image.date is None else dates.to_text(image.date),
        "region": image.region,
        "profile": extras.profile,
        "role_arn": extras.role_arn,
        "on_destroy": extras.on_destroy,
    }
    return {key: value for key, value in given.items() if value is not None}


def _remark(image: Image) -> str:
    return "  # public: EC2 moves its date only earlier, and does not cancel it" if image.public else ""


def _quoted(text: str) -> str:
    return json.dumps(text)


def _key(name: str) -> str:
    """A key that YAML reads as text: ``2026-01-01`` or ``1.0`` would be a date and a number."""
    return (
        name
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) and name.lower() not in _YAML_WORDS
        else _quoted(name)
    )


_YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part.capitalize() for part in rest)
