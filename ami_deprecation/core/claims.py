"""Which resource of this update sets the date of which image.

The plugin's process lives as long as one update. After a rename the engine creates the new resource first and
deletes the old one at the end, and the delete would cancel the date that the new one has just set: the claims tell it
that another resource has taken the image over. The processes of other providers in the same update see them too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Literal

from .meeting import Meeting, Note

if TYPE_CHECKING:
    from datetime import datetime

    from ..ec2 import Target


@dataclass(frozen=True)
class Claim:
    """One resource's interest in one image."""

    target: Target
    image_id: str
    resource: str | None
    #: The image's account, if known: the same id under two roles may be two images.
    owner_id: str | None
    #: Whether it has what was known of the image from the resource that it replaces.
    carried_over: bool = False
    #: The date that the resource asks for, None while it is not known.
    date: datetime | None = field(default=None, compare=False)
    #: Whether the resource takes the date that it has found for somebody else's. Only its create knows.
    is_adopted: bool = field(default=True, compare=False)
    #: Whether the program declares the resource, and the engine has not shown it to any provider yet.
    is_only_declared: bool = False


@dataclass
class Claims:
    """The claims of one update. Thread-safe."""

    #: The other processes of this update.
    meeting: Meeting = field(default_factory=Meeting)
    _declared: dict[tuple[str, str], list[Claim]] = field(default_factory=dict)
    _held: dict[tuple[str, str], list[Claim]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def declare(self, claim: Claim) -> Claim | None:
        """Note what a resource of the program says; returns the claim of another resource on the same image."""
        self.meeting.write(_note(claim, "checked"))
        with self._lock:
            others = self._declared.setdefault(_key(claim), [])
            for other in others:
                if other.resource != claim.resource and _same_image(other, claim):
                    return other
            others[:] = [other for other in others if other.resource != claim.resource]
            others.append(claim)
        elsewhere = [_claim(each, claim) for each in self._elsewhere(claim)]
        return next(
            (each for each in elsewhere if each.resource != claim.resource and _is_known_same(each, claim)),
            None,
        )

    def hold(self, claim: Claim) -> None:
        """Note that the claim's resource has the image in this update, or is about to get it.

        A check, the check of a replacement and a create each note it; the last one knows the most.
        """
        self.meeting.write(_note(claim, "held"))
        with self._lock:
            held = self._held.setdefault(_key(claim), [])
            earlier = [each for each in held if _is_same_resource(each, claim)]
            # Only a check knows whether there is an old state.
            carried_over = claim.carried_over or any(each.carried_over for each in earlier)
            held[:] = [each for each in held if each not in earlier] + [
                replace(claim, carried_over=carried_over)
            ]

    def rival(self, claim: Claim) -> Claim | None:
        """Another resource of the program that has the same image for certain; checks that could not read it let both pass."""
        with self._lock:
            held = list(self._held.get(_key(claim), []))
        held += [_claim(each, claim) for each in self._elsewhere(claim) if each.kind == "held"]
        return next(
            (each for each in held if each.resource != claim.resource and _is_known_same(each, claim)), None
        )

    def holder(self, claim: Claim) -> Claim | None:
        """Who has the image. An owner that is not known counts as the same: a delete in doubt keeps the date."""
        with self._lock:
            own = [each for each in self._held.get(_key(claim), []) if _may_be_same_image(each, claim)]
            elsewhere = self._resources_elsewhere(claim)
        if own:
            return own[0]
        notes = self._elsewhere(claim)
        held = [_claim(each, claim) for each in notes if each.kind == "held"]
        # A resource that the program declares and that no provider has seen: the engine has skipped it.
        skipped = [
            _claim(each, claim)
            for each in notes
            if each.kind == "declared" and each.resource not in {claim.resource, *elsewhere}
        ]
        # The last note of a resource is the most complete.
        return next((each for each in (*reversed(held), *skipped) if _may_be_same_image(each, claim)), None)

    def _resources_elsewhere(self, claim: Claim) -> set[str | None]:
        """The resources that this process has seen with the same id in another Region."""
        return {
            each.resource
            for known in (self._declared, self._held)
            for (region, image_id), claims in known.items()
            if image_id == claim.image_id and region != claim.target.region
            for each in claims
        }

    def _elsewhere(self, claim: Claim) -> list[Note]:
        return self.meeting.others(claim.image_id, claim.target.region)


def _key(claim: Claim) -> tuple[str, str]:
    return claim.target.region, claim.image_id


def _is_same_resource(one: Claim, other: Claim) -> bool:
    return one.resource == other.resource and one.target.identity == other.target.identity


def _may_be_same_image(one: Claim, other: Claim) -> bool:
    return one.owner_id is None or other.owner_id is None or one.owner_id == other.owner_id


def _is_known_same(one: Claim, other: Claim) -> bool:
    return one.owner_id is not None and one.owner_id == other.owner_id


def _note(claim: Claim, kind: Literal["checked", "held"]) -> Note:
    return Note(
        kind,
        claim.image_id,
        claim.target.region,
        claim.resource,
        claim.owner_id,
        claim.date,
        claim.carried_over,
    )


def _claim(note: Note, about: Claim) -> Claim:
    """Another process's claim on the same id and Region."""
    return Claim(
        about.target,
        note.image_id,
        note.resource,
        note.owner_id,
        note.carried_over,
        date=note.date,
        is_only_declared=note.kind == "declared",
    )


def _same_image(one: Claim, other: Claim) -> bool:
    """Whether two claims on one id and Region are on one image: a known owner decides, else the identity."""
    if one.owner_id is not None and other.owner_id is not None:
        return one.owner_id == other.owner_id
    return one.target.identity == other.target.identity
