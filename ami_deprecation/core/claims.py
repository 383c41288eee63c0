"""Which images the resources of this update stand for.

The plugin's process lives as long as one update, so a set in it can tell a delete that another
resource has taken the image over: after a rename the engine creates the new resource first and
deletes the old one at the end, and the delete would cancel the date that the new one stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ec2 import Target


@dataclass(frozen=True)
class Claim:
    """One resource's interest in one image."""

    target: Target
    image_id: str
    resource: str | None
    #: The image's account when it is known: the same id under two roles may be two images.
    owner_id: str | None
    #: Whether what is known of the image goes over to it from the resource that it replaces.
    carried_over: bool = False


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
        """A create or update of this image is done or about to be done in this update."""
        with self._lock:
            held = self._held.setdefault(_key(claim), [])
            if claim not in held:  # a check, the check of a replacement and a create each say it
                held.append(claim)

    def holder(self, claim: Claim) -> Claim | None:
        """Who holds the image, when anybody does."""
        with self._lock:
            return next(
                (other for other in self._held.get(_key(claim), []) if _same_image(other, claim)), None
            )


def _key(claim: Claim) -> tuple[str, str]:
    return claim.target.region, claim.image_id


def _same_image(one: Claim, other: Claim) -> bool:
    """Whether two claims of the same id and Region are of one image: a known owner decides, else the identity."""
    if one.owner_id is not None and other.owner_id is not None:
        return one.owner_id == other.owner_id
    return one.target.identity == other.target.identity
