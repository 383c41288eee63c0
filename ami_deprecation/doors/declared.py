"""What a program tells the plugins of its run: which image each of its resources is about.

The engine shows a provider nothing of a resource that it skips (``--target``, ``--exclude``, ``--continue-on-error``).
The plugin that deletes the old name of a skipped rename knows from the program that the image is still wanted.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING

import pulumi

from ..errors import InvalidInput
from . import quirks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def tell(
    name_of: Callable[[], str | Awaitable[str]],
    image_id: pulumi.Input[str],
    region: pulumi.Input[str] | None,
    deprecate_at: object,
) -> None:
    """Tell which image a resource is about, as soon as it is known, and the date if it is a plain one."""
    address = quirks.engine_address()
    if address is None:
        return
    from .. import dates  # noqa: PLC0415  # lazily: a program without an engine needs none
    from ..core import meeting  # noqa: PLC0415
    from ..core.meeting import Note  # noqa: PLC0415

    date = None
    if isinstance(deprecate_at, (str, dt.date)):
        with suppress(InvalidInput):  # the check says it
            date = dates.parse(deprecate_at)

    def write(resource: str, image: str, place: str | None) -> None:
        meeting.tell(address, Note("declared", image, place, resource, date=date))

    def announce(resource: str) -> None:
        meeting.tell(address, Note("declared", "", None, resource))

    name = name_of()
    if isinstance(name, str) and isinstance(image_id, str) and isinstance(region, str | None):
        write(name, image_id, region)
        return
    if not isinstance(image_id, str):
        pulumi.Output.from_input(name).apply(announce)
    pulumi.Output.all(name, image_id, region).apply(lambda values: write(*values))
