"""What a policy reads of one Region: its images that are due, how each gets its date, and who uses it.

It decides nothing by itself (``selection`` does), and an error is an answer too, so that one Region's trouble
stops no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import ec2
from ..ec2 import Target, listing
from ..errors import AmiDeprecationError, NotImageOwner
from . import selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..core.inputs import At, InDaysOnce
    from ..ec2.listing import Reference
    from ..image import Image
    from .arguments import PolicyArguments


@dataclass(frozen=True)
class Dated:
    """An image that is due, how it is given its date, and what uses it (when that was asked)."""

    image: Image
    wanted: At | InDaysOnce
    references: tuple[Reference, ...] = ()

    @property
    def where(self) -> str:
        """How a sentence calls it."""
        return f"{self.image.id} ({self.image.name}) in {self.image.region}"


@dataclass(frozen=True)
class RegionRead:
    """What reading one Region came to: its images that are due, or why it could not be read."""

    name: str
    #: How many images the policy's query finds, due or not.
    found: int = 0
    dated: tuple[Dated, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: AmiDeprecationError | None = None


def read_region(target: Target, arguments: PolicyArguments) -> RegionRead:
    """Read one Region. Never raises an error of ours: ``trouble`` is it."""
    try:
        found = listing.list_images(
            target,
            owners=arguments.owners,
            name=arguments.name,
            tags=arguments.tags,
            filters=arguments.filters,
            include_disabled=True,
        )
        _refuse_foreign(target, found, arguments)
        due = selection.select(found, arguments.rules)
        now = ec2.now()
        dated: list[Dated] = []
        notes: list[str] = []
        for each in due:
            wanted = selection.schedule_of(each, now, arguments.notice_days)
            if wanted is None:
                notes.append(
                    f"{each.image.id} ({each.image.name}) in {target.region} is public and too old for any date of its own: "
                    "make it private first"
                )
            else:
                dated.append(Dated(each.image, wanted))
        asked = _with_references(target, dated, arguments)
        return RegionRead(target.region, len(found), tuple(asked), tuple(notes))
    except AmiDeprecationError as trouble:
        return RegionRead(target.region, trouble=trouble)


def _refuse_foreign(target: Target, found: Iterable[Image], arguments: PolicyArguments) -> None:
    if arguments.owners == ("self",):
        return
    account = ec2.owner_account(target)
    foreign = sorted({image.owner_id for image in found} - {account})
    if foreign:
        raise NotImageOwner(
            f"owners: images of {', '.join(foreign)} cannot be dated with credentials of account {account}: only the owner "
            "can deprecate an image, so give each account a policy with its own role_arn"
        )


def _with_references(target: Target, dated: Sequence[Dated], arguments: PolicyArguments) -> list[Dated]:
    if arguments.in_use == "ignore":
        return list(dated)
    skip = arguments.in_use == "skip"
    # An image that has a date is not skipped: the engine would cancel the date that this policy gave it.
    asked = [each.image.id for each in dated if not (skip and each.image.date is not None)]
    users = listing.image_references(target, asked)
    return [
        Dated(each.image, each.wanted, tuple(users.get(each.image.id, ())))
        for each in dated
        if not (skip and users.get(each.image.id))
    ]
