"""Reading many Regions at once, with a progress bar; a Region that fails hides no other."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from ..ec2 import listing
from ..errors import AmiDeprecationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.progress import TaskID

    from ..ec2 import Target
    from ..ec2.listing import Reference
    from ..image import Image

_AT_ONCE = 8


@dataclass(frozen=True)
class Query:
    """Which of the account's images."""

    name: str | None = None
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    include_disabled: bool = True
    #: The images of which to ask who uses them.
    references: Callable[[Image], bool] = lambda _: False


@dataclass(frozen=True)
class Reading:
    """What a Region answered."""

    region: str
    images: tuple[Image, ...] = ()
    #: For the images that were asked about.
    references: Mapping[str, Sequence[Reference]] = field(default_factory=dict)
    #: Why it is not all there.
    trouble: AmiDeprecationError | None = None


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
    """The Regions that the account has switched on."""
    return listing.list_regions(home)


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
    references: dict[str, list[Reference]] = {}

    def show(what: str, count: int) -> None:
        progress.update(task, description=f"{target.region}: {count} {what}")

    try:
        images = listing.list_images(
            target,
            name=query.name,
            tags=query.tags or None,
            include_disabled=query.include_disabled,
            on_page=partial(show, "images"),
        )
        asked = [image.id for image in images if query.references(image)]
        references = listing.image_references(
            target, asked, on_page=partial(show, "looked at for references")
        )
    except AmiDeprecationError as trouble:
        return Reading(target.region, tuple(images), references, trouble)
    finally:
        progress.advance(task)
    return Reading(target.region, tuple(images), references)
