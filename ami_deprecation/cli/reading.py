"""Reading many Regions at once, with a progress bar; a Region that fails hides no other."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from ..ec2 import Gateway
from ..errors import AmiDeprecationError
from ..fleet.selection import matches
from ..settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.progress import TaskID

    from ..ec2 import Target
    from ..ec2.listing import Reference
    from ..image import Image

_AT_ONCE = 8
_MOST_NAMED = 3


@dataclass(frozen=True)
class Query:
    """Which images to read."""

    name: str | None = None
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    include_disabled: bool = True
    #: The images that the account's instances run on, instead of the account's own.
    running: bool = False
    #: Images of other accounts that are shared with this one, too.
    include_shared: bool = False
    #: Whether to read the references of an image.
    references: Callable[[Image], bool] = lambda _: False


@dataclass(frozen=True)
class Reading:
    """What one Region returned."""

    region: str
    images: tuple[Image, ...] = ()
    #: The references of the images whose references were read.
    references: Mapping[str, Sequence[Reference]] = field(default_factory=dict)
    #: Those of other accounts that are shared with this one.
    shared: tuple[Image, ...] = ()
    #: For the images of running instances: how many instances.
    instances: Mapping[str, int] = field(default_factory=dict)
    #: Why it is not complete.
    trouble: AmiDeprecationError | None = None


@cache
def gateway() -> Gateway:
    """The gateway of this process. On a terminal, botocore may ask for an MFA code."""
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return Gateway(read_settings(os.environ), may_prompt=on_terminal)


def read(targets: Sequence[Target], query: Query) -> list[Reading]:
    """Every Region's images and their references, in the order of the targets."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        with _progress() as progress:
            task = progress.add_task("", total=len(targets))
            return list(pool.map(partial(_read_one, query, progress, task), targets))
    finally:
        # After Ctrl-C nobody waits for what EC2 may still answer.
        pool.shutdown(wait=False, cancel_futures=True)


def regions(home: Target) -> list[str]:
    """The Regions that are enabled for the account."""
    return gateway().list_regions(home)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """On stderr, and only on a terminal."""
    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield bar


def _read_one(query: Query, progress: Progress, task: TaskID, target: Target) -> Reading:
    images: list[Image] = []
    instances: dict[str, int] = {}
    references: dict[str, list[Reference]] = {}
    shared: tuple[Image, ...] = ()

    def show(what: str, count: int) -> None:
        progress.update(task, description=f"{target.region}: {count} {what}")

    try:
        if query.running:
            used = gateway().instance_images(target, on_page=partial(show, "instances"))
            images = [image for image, _ in used if matches(query.name or "*", image.name)]
            instances = {image.id: count for image, count in used}
        else:
            images = gateway().list_images(
                target,
                name=query.name,
                tags=query.tags or None,
                include_disabled=query.include_disabled,
                on_page=partial(show, "images"),
            )
        if query.include_shared:
            own = {image.id for image in images}
            launchable = gateway().list_images(target, owners=(), executable_users=("self",), name=query.name)
            shared = tuple(image for image in launchable if image.id not in own and not image.public)
        asked = [image.id for image in images if query.references(image)]
        references = gateway().image_references(
            target, asked, on_page=partial(show, "looked at for references")
        )
    except AmiDeprecationError as trouble:
        return Reading(target.region, tuple(images), references, shared, instances, trouble)
    finally:
        progress.advance(task)
    return Reading(target.region, tuple(images), references, shared, instances)


def failures(readings: Sequence[Reading]) -> list[str]:
    """One sentence for each cause: an account that cannot be read fails in every Region for the same one."""
    causes: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
    for each in readings:
        if each.trouble is not None:
            what = "the use of its images is not completely known" if each.images else "not in the report"
            causes[what, str(each.trouble).replace(each.region, "")].append(each)
    return [f"{_named(of)}: {what}: {of[0].trouble}" for (what, _), of in causes.items()]


def _named(readings: Sequence[Reading]) -> str:
    names = [each.region for each in readings]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more Regions" if more > 0 else "")
