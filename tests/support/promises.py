"""Programs of the promise machine, and the promise: the date of no image is lost.

What an operation may do is judged from EC2's side: the dates before and after it, and its calls.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pulumi

from ami_deprecation import AmiDeprecation, AmiDeprecationPolicy
from ami_deprecation.doors import names
from tests.support import model
from tests.support.dates import NOW, text
from tests.support.neighbors import Neighbor
from tests.support.program import urn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.support.model import OnDestroy
    from tests.support.operation import Entry, Limits, Outcome

NEIGHBOR = "neighbor"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Item:
    """What a program says of one image.

    Attributes:
        days: from `NOW`, or from when it is first applied.
        counted: whether they count from then (`deprecate_in_days`).
        parent: the type of a component around the resource; empty: none.
        alias: the URN that the resource had.
        waits: whether it depends on the neighbor.
        ignores: whether it leaves the date to others after the first one (``ignore_changes``).
    """

    image_id: str
    days: int
    counted: bool = False
    on_destroy: OnDestroy = "cancel"
    role: bool = False
    delete_first: bool | None = None
    retain: bool = False
    waits: bool = False
    ignores: bool = False
    parent: str = ""
    alias: str | None = None

    @property
    def date(self) -> datetime:
        return NOW + timedelta(days=self.days)

    def urn(self, name: str) -> str:
        return urn("$".join(filter(None, (self.parent, names.DYNAMIC_TYPE))), name)

    def declare(self, name: str, neighbor: pulumi.Resource | None, parent: pulumi.Resource | None) -> None:
        AmiDeprecation(
            name,
            image_id=self.image_id,
            deprecate_at=None if self.counted else self.date,
            deprecate_in_days=self.days if self.counted else None,
            on_destroy=self.on_destroy,
            role_arn=model.ROLE if self.role else None,
            opts=pulumi.ResourceOptions(
                parent=parent,
                delete_before_replace=self.delete_first,
                retain_on_delete=self.retain,
                depends_on=[neighbor] if self.waits and neighbor is not None else [],
                aliases=[self.alias] if self.alias else [],
                ignore_changes=["deprecate_at", "deprecate_in_days"] if self.ignores else [],
            ),
        )


@dataclass(frozen=True)
class Program:
    """Resources by name, and what else there is.

    Attributes:
        policy_days: of a policy over the images without a resource of their own: days from creation; None: no policy.
        neighbor_fails: None: there is no neighbor.
    """

    items: Mapping[str, Item] = field(default_factory=dict)
    policy_days: int | None = None
    neighbor_fails: bool | None = None

    def __call__(self) -> None:
        fails = self.neighbor_fails
        neighbor = None if fails is None else Neighbor(NEIGHBOR, fails=fails)
        parents: dict[str, pulumi.Resource | None] = {"": None}
        for name, item in self.items.items():
            if item.parent not in parents:
                parents[item.parent] = pulumi.ComponentResource(item.parent, f"parent-{len(parents)}")
            item.declare(name, neighbor, parents[item.parent])
        if self.policy_days is not None:
            AmiDeprecationPolicy(
                "policy",
                name="image-*",
                regions=[REGION],
                deprecate_after_days=self.policy_days,
                exclude=sorted({item.image_id for item in self.items.values()}) or None,
                allow_empty=True,
            )

    def wanted(self, entry: Entry) -> datetime | None:
        """The date that it asks for with a resource in the state; None: it does not ask with this one."""
        if entry.delete or entry.name == NEIGHBOR:
            return None
        for name, item in self.items.items():
            if item.urn(name) == entry.urn:
                if item.image_id != image_of(entry) or item.ignores:
                    return None
                # When days began to count, only the state knows.
                return model.scheduled(entry) if item.counted else item.date
        # What is due already gets the notice of a policy, which only the state knows.
        return model.scheduled(entry) if self.policy_days is not None and "Policy" in entry.urn else None


@dataclass
class Run:
    """One operation of one stack, as EC2 saw it.

    Attributes:
        program: None for a destroy.
        limits: what was left out.
        now: EC2's time.
        before, after: the dates of the images.
        state_before, state: the stack's resources.
    """

    program: Program | None
    limits: Limits
    outcome: Outcome
    now: datetime
    before: Mapping[str, datetime | None]
    after: Mapping[str, datetime | None]
    state_before: list[Entry]
    state: list[Entry]

    def actions(self, image_id: str) -> list[str]:
        """The calls that have changed the image, in their order."""
        calls = [each for each in self.outcome.calls if each.mutates and each.error_code is None]
        return [each.action for each in calls if image_id in each.image_ids]

    def wants(self, image_id: str) -> bool:
        """Whether the program declares the image, also where an option leaves the resource out."""
        program = self.program
        return program is not None and (
            program.policy_days is not None
            or any(item.image_id == image_id for item in program.items.values())
        )

    def lines_about(self, image_id: str) -> str:
        """What the user has read of it."""
        return "\n".join(line for line in self.outcome.printed if image_id in line)


@dataclass
class Ledger:
    """What one stack has done to the images, and what it cannot know before it refreshes."""

    #: The dates that it has set, by image.
    ours: defaultdict[str, set[datetime]] = field(default_factory=lambda: defaultdict(set))
    #: Images changed by somebody else, or by a run that was cut off, since the stack last looked.
    unseen: set[str] = field(default_factory=set)

    def judge(self, run: Run) -> None:
        """Hold an operation against the promise.

        Raises:
            AssertionError: it has broken it.
        """
        for image_id in run.before:
            self._judge_image(run, image_id)
        if run.outcome.ok and run.program is not None:
            for entry in run.state:
                self._judge_held(run, run.program, entry)
        if run.outcome.ok:
            for entry in run.state_before:
                self._judge_gone(run, entry)
        assert "leaves the state" not in run.outcome.notes, f"all images are there\n{run.outcome}"
        held = {image_of(entry) for entry in run.state}
        for image_id in run.before.keys() - held:
            self.ours.pop(image_id, None)

    def _judge_image(self, run: Run, image_id: str) -> None:
        """Nobody else's date is canceled, no passed one that the program asks for, and none without a line."""
        actions, before, after = run.actions(image_id), run.before[image_id], run.after[image_id]
        why = f"{image_id}: {text(before)} -> {text(after)} by {actions}\n{run.program}\n{run.outcome}"
        assert actions or before == after, why
        if actions and not run.outcome.ok:
            self.unseen.add(image_id)
        if actions[:1] == ["DisableImageDeprecation"] and before is not None:
            assert before in self.ours[image_id], f"somebody else's date is canceled, {why}"
            assert before > run.now or not run.wants(image_id), f"a passed date is canceled, {why}"
            if run.outcome.ok:
                assert str(text(before)) in run.lines_about(image_id), f"no line names the date, {why}"
        if before is not None and after is None and run.outcome.ok:
            assert not run.wants(image_id), f"a date is lost, {why}"
        if "EnableImageDeprecation" in actions and after is not None:
            self.ours[image_id].add(after)

    def _judge_held(self, run: Run, program: Program, entry: Entry) -> None:
        """An image that a resource holds has its date, or a line says what it has."""
        image_id, wanted = image_of(entry), program.wanted(entry)
        if wanted is None or not run.limits.include(entry.urn):
            return
        has = run.after[image_id]
        if has == wanted:
            if run.actions(image_id):
                self.unseen.discard(image_id)
            return
        if image_id in self.unseen or "__given_up" in entry.outputs:
            return
        assert run.lines_about(image_id), f"{image_id} has {text(has)}, not {text(wanted)}\n{run.outcome}"

    def _judge_gone(self, run: Run, entry: Entry) -> None:
        """A resource that is gone does not leave its date without a word."""
        image_id, ours = image_of(entry), model.scheduled(entry)
        stays = {image_of(each) for each in run.state}
        if entry.name == NEIGHBOR or entry.retain_on_delete or image_id in stays or run.wants(image_id):
            return
        if run.after[image_id] == ours and run.before[image_id] == ours:
            assert run.lines_about(image_id), f"{image_id} keeps {text(ours)}\n{run.outcome}"


def image_of(entry: Entry) -> str:
    """The image that a resource in the state is about."""
    return model.place_of(entry).image_id
