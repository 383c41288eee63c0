"""``ami-deprecation adopt``: code for the dates that images already have.

All values are ids, dates, names of our own making and quoted text, so plain formatting is safe; tests show that
the Python is as ``ruff format`` leaves it, and that what is written does what it promises.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import dates, ec2
from ..doors import project
from . import options, output, reading
from .exits import EXIT_CODES, CommandError, Exit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ..image import Image

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Adoption:
    """An image, and the name of its resource."""

    name: str
    image: Image


@dataclass(frozen=True)
class Extras:
    """Arguments that every resource gets."""

    profile: str | None = None
    role_arn: str | None = None
    on_destroy: str | None = None


def adoptions(images: Sequence[Image]) -> list[Adoption]:
    """The images that have a date, with valid and unique names made from their own."""
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


def as_python(adopted: Sequence[Adoption], extras: Extras, at: datetime) -> str:
    """A program, or a module to import into one."""
    lines = [
        f'"""The deprecation dates that these images had on {at:%Y-%m-%d}.',
        "",
        "The first `pulumi up` changes nothing in EC2.",
        '"""',
        "",
        "from ami_deprecation import AmiDeprecation",
    ]
    for adoption in adopted:
        lines += ["", "AmiDeprecation(", f"    {_quoted(adoption.name)},"]
        lines += [f"    {key}={_quoted(value)}," for key, value in _arguments(adoption, extras).items()]
        lines += [f"){_remark(adoption.image)}"]
    return "\n".join(lines) + "\n"


def as_yaml(adopted: Sequence[Adoption], extras: Extras) -> str:
    """The configuration of a stack of the ready-to-use project."""
    lines = ["config:", f"  {project.NAMESPACE}:images:{'' if adopted else ' {}'}"]
    for adoption in adopted:
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
    return (
        "  # public: EC2 moves its date only to an earlier one, and does not cancel it"
        if image.public
        else ""
    )


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


EPILOG = f"""\b
Examples:
  ami-deprecation adopt > dates.py
  ami-deprecation adopt --all-regions --name 'web-*' -o __main__.py
  ami-deprecation adopt --format yaml -o Pulumi.prod.yaml

python is a program, or a module to import into one. yaml is a stack's configuration for the ready-to-use
project. Read it, remove the images that you do not want to manage, and run `pulumi up`: the preview shows a
resource to create for each image, and because the images already have these dates, no call changes EC2.

An existing file is not overwritten, because it may hold more than dates: a program, or a stack's other
settings. Merge the new part by hand, or use --force.

Resources are named after their images; the Region and the image id follow where names are not unique.
Deleting a resource later cancels its date; with --on-destroy restore, it puts the original date back.

{EXIT_CODES}"""


@click.command("adopt", epilog=EPILOG, short_help="Write code for the dates that images already have.")
@options.place
@options.selection
@click.option(
    "--format",
    "form",
    type=click.Choice(("python", "yaml")),
    default="python",
    show_default=True,
    help="A Python program, or a stack's configuration.",
)
@click.option(
    "--on-destroy",
    type=click.Choice(("cancel", "restore")),
    help="What deleting a resource does; written only when set (the default is cancel).",
)
@click.option("--include-disabled", is_flag=True, help="Include disabled images (DisableImage).")
@options.output
@click.option("--force", is_flag=True, help="Overwrite an existing --output file.")
def adopt(  # noqa: PLR0913  # one argument an option
    *,
    regions: Sequence[str],
    all_regions: bool,
    profile: str | None,
    role_arn: str | None,
    name: str | None,
    tags: Sequence[tuple[str, str]],
    form: str,
    on_destroy: str | None,
    include_disabled: bool,
    path: str | None,
    force: bool,
) -> Exit:
    """Write code that declares the deprecation dates that your images already have.

    If a Region fails, nothing is written: half of a program would look like a whole one.
    """
    if path is not None and not force and Path(path).is_file():
        raise CommandError(f"{path} exists: name another file, or use --force to overwrite it")
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)
    query = reading.Query(name=name, tags=options.by_key(tags), include_disabled=include_disabled)
    readings = reading.read(targets, query)
    failed = [each for each in readings if each.trouble is not None]
    if failed:
        raise CommandError("; ".join(f"{each.region}: {each.trouble}" for each in failed), Exit.FAILED)
    adopted = adoptions([image for each in readings for image in each.images])
    extras = Extras(profile=profile, role_arn=role_arn, on_destroy=on_destroy)
    code = as_yaml(adopted, extras) if form == "yaml" else as_python(adopted, extras, ec2.now())
    output.write(code, path)
    click.echo(
        f"ami-deprecation: {len(adopted)} image{'s' if len(adopted) != 1 else ''} with a date in "
        f"{', '.join(each.region for each in readings)}",
        err=True,
    )
    return Exit.OK
