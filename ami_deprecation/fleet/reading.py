"""What a policy reads before it decides: its Regions' images, and what uses those that are due.

An error of this package is part of the answer, so that one Region's trouble stops no other. EC2's answers can be wrong
for a moment: an image, a date or a whole page is missing. Before an answer moves or cancels an existing date, the Region
is read again, and what either answer has is there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from ..ec2 import listing
from ..errors import AmiDeprecationError, CredentialsError, NotImageOwner, PermissionDenied
from . import plan as planning
from .plan import RegionRead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..ec2 import Gateway, Target
    from ..image import Image
    from .arguments import PolicyArguments
    from .plan import Earlier, Key, Plan

#: Regions that are read at the same time.
_AT_ONCE = 8


def read(
    gateway: Gateway,
    targets: Sequence[Target],
    removed: Sequence[Target],
    arguments: PolicyArguments,
    earlier: Mapping[Key, Earlier] | None,
) -> Plan:
    """Read a policy's Regions, and plan with what they answer.

    Args:
        gateway: the calls to EC2.
        targets: the policy's Regions.
        removed: the Regions of its resources in the stack's state that it does not have any more.
        arguments: the policy.
        earlier: its resources in the stack's state, None when the state is not known.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return _Reading(gateway, targets, removed, arguments, earlier, pool).plan()


@dataclass(frozen=True)
class _Reading:
    """One policy's reading, step by step; each step reads several Regions at once."""

    gateway: Gateway
    targets: Sequence[Target]
    removed: Sequence[Target]
    arguments: PolicyArguments
    earlier: Mapping[Key, Earlier] | None
    pool: ThreadPoolExecutor

    def plan(self) -> Plan:
        reads = self._each(self._list, [RegionRead(target.region) for target in self.targets])
        reads = self._barred(reads)
        reads = self._read_doubtful_again(reads)
        reads += [RegionRead(target.region, removed=True) for target in self.removed]
        reads = self._each(self._look_up, reads)
        plan = self._plan(reads)
        if self.arguments.in_use == "ignore":
            return plan
        due = planning.images_to_ask_about(plan, self.arguments)
        return self._plan(self._each(partial(self._ask_for_use, due), reads))

    def _plan(self, reads: Sequence[RegionRead]) -> Plan:
        settle = timedelta(seconds=self.gateway.settings.settle_seconds)
        return planning.make(self.arguments, reads, self.earlier, self.gateway.now(), settle)

    def _each(
        self, work: Callable[[Target, RegionRead], RegionRead], reads: Sequence[RegionRead]
    ) -> list[RegionRead]:
        """Do one step in each Region; an error ends the Region's part in the later ones."""
        where = {target.region: target for target in (*self.targets, *self.removed)}

        def careful(read: RegionRead) -> RegionRead:
            if read.trouble is not None:
                return read
            try:
                return work(where[read.name], read)
            except AmiDeprecationError as trouble:
                return RegionRead(read.name, trouble=trouble, removed=read.removed)

        return list(self.pool.map(careful, reads))

    def _list(self, target: Target, read: RegionRead) -> RegionRead:
        unusable: list[str] = []
        images = self._query(target, unusable)
        _refuse_foreign(self.gateway, target, images, self.arguments)
        return replace(read, images=tuple(images), unusable=tuple(unusable))

    def _query(self, target: Target, unusable: list[str], ids: Sequence[str] = ()) -> list[Image]:
        """The images that the policy selects, with ids: those of them."""
        of_ids = {"image-id": ids} if ids else {}
        return self.gateway.list_images(
            target,
            owners=self.arguments.owners,
            executable_users=self.arguments.executable_users,
            name=self.arguments.name,
            tags=self.arguments.tags,
            filters={**of_ids, **self.arguments.filters},
            include_disabled=True,
            unusable=unusable,
        )

    def _barred(self, reads: Sequence[RegionRead]) -> list[RegionRead]:
        """Of all the account's Regions, leave out those that it may not use, unless that is every one of them."""
        refused = [read for read in reads if isinstance(read.trouble, (CredentialsError, PermissionDenied))]
        # Without the stack's state nothing could be declared for such a Region, and its dates would be canceled.
        if not self.arguments.all_regions or len(refused) == len(reads) or self.earlier is None:
            return list(reads)
        known = {target.region for target in (*self.targets, *self.removed)}
        disabled = dict.fromkeys(region for region, _ in self.earlier if region not in known)
        barred = not self.gateway.settings.strict  # else each is an error
        return [
            *(replace(read, barred=barred) if read in refused else read for read in reads),
            *(RegionRead(region, trouble=_not_enabled(region), barred=barred) for region in disabled),
        ]

    def _read_doubtful_again(self, reads: Sequence[RegionRead]) -> list[RegionRead]:
        doubtful = planning.doubtful_regions(self._plan(reads), self.earlier)
        if self.arguments.rules.whole_releases and doubtful:
            doubtful = {read.name for read in reads}  # another Region's answer can be the wrong one
        asked = [read for read in reads if read.name in doubtful and read.trouble is None]
        if not asked:
            return list(reads)
        self.gateway.pause(self.gateway.settings.look_again_seconds)
        again = {read.name: read for read in self._each(self._list_again, asked)}
        return [again.get(read.name, read) for read in reads]

    def _list_again(self, target: Target, read: RegionRead) -> RegionRead:
        images = {image.id: image for image in read.images}
        for image in self._query(target, []):
            before = images.get(image.id)
            if before is None or before.date is None or image.date is not None:
                images[image.id] = image
        return replace(read, images=tuple(images.values()))

    def _look_up(self, target: Target, read: RegionRead) -> RegionRead:
        """Find the images that the listings do not show and that still have a resource.

        Some have changed, so that the query does not match them any more. Others EC2 has only left out: asked for these few
        images, the query shows them.
        """
        shown = {image.id for image in read.images}
        ids = [
            image_id
            for region, image_id in self.earlier or {}
            if region == read.name and image_id not in shown
        ]
        images, others, missing = list(read.images), [], False
        for batch in listing.batches(ids, listing.MOST_VALUES):
            there = self.gateway.list_images(
                target,
                # By a filter: of ids that are given as such, one that is gone fails the whole call.
                filters={"image-id": batch},
                include_disabled=True,
                unusable=[],
            )
            missing = missing or len(there) < len(batch)
            selected = (
                {image.id for image in self._query(target, [], [image.id for image in there])}
                if there
                else set()
            )
            images += [image for image in there if image.id in selected]
            others += [image for image in there if image.id not in selected]
        account = self.gateway.caller_account(target) if missing else None
        return replace(read, images=tuple(images), others=tuple(others), account=account)

    def _ask_for_use(self, due: Mapping[str, Sequence[str]], target: Target, read: RegionRead) -> RegionRead:
        return replace(read, references=self.gateway.image_references(target, due.get(read.name, ())))


def _not_enabled(region: str) -> PermissionDenied:
    return PermissionDenied(f"{region} is not enabled for the account")


def _refuse_foreign(
    gateway: Gateway, target: Target, images: Iterable[Image], arguments: PolicyArguments
) -> None:
    if arguments.owners == ("self",):
        return
    account = gateway.caller_account(target)
    foreign = sorted({image.owner_id for image in images} - {account})
    if foreign:
        raise NotImageOwner(
            f"owners: images of {', '.join(foreign)} cannot be dated with credentials of account {account}: only the owner "
            "can deprecate an image, so give each account a policy with its own role_arn",
            region=target.region,
            account=account,
        )
