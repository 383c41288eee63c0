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

from .. import dates
from ..doors import project
from . import import_file, options, output, reading
from .exits import EXIT_CODES, CommandError, Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ..image import Image

#: So many images that are left out are named for each reason; the rest is counted.
_MOST_NAMED = 5
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


def adoptions(images: Iterable[Image]) -> list[Adoption]:
    """The images that have a date, with valid and unique names made from their own."""
    dated = sorted(
        (image for image in images if image.date is not None), key=lambda i: (i.name, i.region, i.id)
    )
    return [Adoption(name, image) for name, image in zip(_names(dated), dated, strict=True)]


def left_out(own: Sequence[Image], shared: Sequence[Image], *, include_disabled: bool) -> list[str]:
    """One sentence for each reason why images are not adopted: how many, and which."""
    reasons = {
        "without a date": [image for image in own if image.date is None],
        "disabled (--include-disabled)": [
            image for image in own if image.date is not None and _is_disabled(image) and not include_disabled
        ],
        "not owned by this account, and only an image's owner can change its date": shared,
    }
    return [f"left out, {reason}: {_listed(images)}" for reason, images in reasons.items() if images]


def _is_disabled(image: Image) -> bool:
    return image.state == "disabled"


def _listed(images: Sequence[Image]) -> str:
    names = [f"{image.id} ({image.name})" for image in images[:_MOST_NAMED]]
    more = len(images) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


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


def as_import(adopted: Sequence[Adoption], extras: Extras, *, native: bool) -> str:
    """A file for `pulumi import --file`."""
    entry = import_file.native_entry if native else import_file.dynamic_entry
    resources = [entry(each.name, each.image, _arguments(each, extras)) for each in adopted]
    return json.dumps({"resources": resources}, indent=2) + "\n"


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
  ami-deprecation adopt --format import -o import.json
  ami-deprecation adopt --format import --native -o import.json

python is a program, or a module to import into one. yaml is a stack's configuration for the ready-to-use
project. Read it, remove the images that you do not want to manage, and run `pulumi up`: the preview shows a
resource to create for each image, and because the images already have these dates, no call changes EC2.

import is a file for `pulumi import --file import.json --generate-code=false --protect=false` (Pulumi 3.254 or
newer), which puts the same resources into the state at once: use it beside the program of the same command.
With --native they are of the native provider's type, for programs in every Pulumi language.

An existing file is not overwritten, because it may hold more than dates: a program, or a stack's other
settings. Merge the new part by hand, or use --force.

Images that are left out are named on stderr, with the reason: without a date, disabled, or shared by another
account, whose images only their owner can change.

Resources are named after their images; the Region and the image id follow where names are not unique.
Deleting a resource later leaves the date that was on the image before, unless it was imported: then it is
canceled. A date that the program moved in between is canceled; with --on-destroy restore, the original date
comes back.

{EXIT_CODES}"""


@click.command("adopt", epilog=EPILOG, short_help="Write code for the dates that images already have.")
@options.place
@options.selection
@click.option(
    "--format",
    "form",
    type=click.Choice(("python", "yaml", "import")),
    default="python",
    show_default=True,
    help="A Python program, a stack's configuration, or a file for pulumi import.",
)
@click.option(
    "--native",
    is_flag=True,
    help="With --format import: resources of the native provider, for every Pulumi language.",
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
    native: bool,
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
    if native and form != "import":
        raise CommandError("--native requires --format import: the other formats use the Python resource")
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)
    query = reading.Query(name=name, tags=options.by_key(tags), include_shared=not tags)
    readings = reading.read(targets, query)
    failures = reading.failures(readings)
    if failures:
        raise CommandError("; ".join(failures), Exit.FAILED)
    own = [image for each in readings for image in each.images]
    shared = [image for each in readings for image in each.shared]
    adopted = adoptions(image for image in own if include_disabled or not _is_disabled(image))
    extras = Extras(profile=profile, role_arn=role_arn, on_destroy=on_destroy)
    if form == "import":
        code = as_import(adopted, extras, native=native)
    elif form == "yaml":
        code = as_yaml(adopted, extras)
    else:
        code = as_python(adopted, extras, reading.gateway().now())
    output.write(code, path)
    click.echo(
        f"ami-deprecation: {len(adopted)} image{'s' if len(adopted) != 1 else ''} with a date in "
        f"{', '.join(each.region for each in readings)}",
        err=True,
    )
    for sentence in left_out(own, shared, include_disabled=include_disabled):
        click.echo(f"ami-deprecation: {sentence}", err=True)
    return Exit.OK
