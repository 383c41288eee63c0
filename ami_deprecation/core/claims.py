"""Which resource of this update sets the date of which image.

The plugin's process lives as long as one update. After a rename the engine creates the new resource first and
deletes the old one at the end, and the delete would cancel the date that the new one has just set: the claims tell it
that another resource has taken the image over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ..ec2 import Target


@dataclass(frozen=True)
class Claim:
    """One resource's interest in one image."""

    target: Target
    image_id: str
    resource: str | None
    #: The image's account when it is known: the same id under two roles may be two images.
    owner_id: str | None
    #: Whether it has what was known of the image from the resource that it replaces.
    carried_over: bool = False
    #: The date that the resource asks for, None while it is not known.
    date: datetime | None = field(default=None, compare=False)


@dataclass
class Claims:
    """The claims of one update. Thread-safe."""

    _declared: dict[tuple[str, str], list[Claim]] = field(default_factory=dict)
    _held: dict[tuple[str, str], list[Claim]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def declare(self, claim: Claim) -> Claim | None:
        """Note what a resource of the program says; returns the claim of another resource on the same image."""
        with self._lock:
            others = self._declared.setdefault(_key(claim), [])
            for other in others:
                if other.resource != claim.resource and _same_image(other, claim):
                    return other
            others[:] = [other for other in others if other.resource != claim.resource]
            others.append(claim)
        return None

    def hold(self, claim: Claim) -> None:
        """Note that the claim's resource has the image in this update, or is about to get it.

        A check, the check of a replacement and a create each note it; the last one knows the most.
        """
        with self._lock:
            held = self._held.setdefault(_key(claim), [])
            earlier = [each for each in held if _is_same_resource(each, claim)]
            # Only a check knows whether there is an old state.
            carried_over = claim.carried_over or any(each.carried_over for each in earlier)
            held[:] = [each for each in held if each not in earlier] + [
                replace(claim, carried_over=carried_over)
            ]

    def holder(self, claim: Claim) -> Claim | None:
        """Who has the image. An owner that is not known counts as the same: a delete in doubt keeps the date."""
        with self._lock:
            return next(
                (each for each in self._held.get(_key(claim), []) if _may_be_same_image(each, claim)), None
            )


def _key(claim: Claim) -> tuple[str, str]:
    return claim.target.region, claim.image_id


def _is_same_resource(one: Claim, other: Claim) -> bool:
    return one.resource == other.resource and one.target.identity == other.target.identity


def _may_be_same_image(one: Claim, other: Claim) -> bool:
    return one.owner_id is None or other.owner_id is None or one.owner_id == other.owner_id


def _same_image(one: Claim, other: Claim) -> bool:
    """Whether two claims on one id and Region are on one image: a known owner decides, else the identity."""
    if one.owner_id is not None and other.owner_id is not None:
        return one.owner_id == other.owner_id
    return one.target.identity == other.target.identity
