"""The check: what EC2 would refuse, seen in the pull request, and what the reviewer sees of the image.

Nothing here changes anything in EC2. The image is read only for a resource that is new, whose image,
Region, identity or date has changed, or whose date was changed outside Pulumi: a preview without changes makes no
call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import sleep
from typing import TYPE_CHECKING

from .. import ec2
from ..ec2 import Target
from ..errors import AmiDeprecationError, InvalidInput, WrongAccount
from . import context, rules
from .claims import Claim
from .inputs import UNKNOWN, At, Inputs, Problem, Unknown
from .state import Facts, Plan, State, facts_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..image import Image
    from .run import Run

#: A check, and the create that follows it, may use what the process has read within this time, in seconds.
MAX_AGE = 300.0
#: EC2 may not show an image for a moment: a single "not found" is asked again after this time, in seconds.
LOOK_AGAIN_AFTER = 2.0


@dataclass(frozen=True)
class Checked:
    """What a check found: the plan, None when it got no further than the problems."""

    plan: Plan | None
    problems: tuple[Problem, ...] = ()


def check(run: Run, old: State | None, given: Inputs) -> Checked:
    """Plan one resource, and list everything that is wrong with it.

    Args:
        run: what this process remembers.
        old: what the old inputs say; None for a resource that is to be created, also in a replacement.
        given: the program's inputs.
    """
    same_image = old is not None and old.inputs.image_id == given.image_id
    try:
        region = context.region_of(
            run, given, until_now=old.region or None if old is not None and same_image else None
        )
        who = context.identity_of(run, given)
    except InvalidInput as wrong:
        return Checked(None, (Problem("region" if given.region else "", str(wrong)),))
    except AmiDeprecationError as wrong:
        return Checked(None, (Problem("profile" if given.profile else "", str(wrong)),))
    given = replace(given, region=region)
    if isinstance(region, Unknown) or isinstance(who, Unknown) or isinstance(given.image_id, Unknown):
        return _check_without_image(given)
    if old is not None and (old.inputs.image_id, old.region) != (given.image_id, region):
        run.moves_on(old.image_id, old.region, given.resource)
    return _Check(run, old, given, given.image_id, Target(who, region)).check()


def _check_without_image(given: Inputs) -> Checked:
    """Check what can be checked of an image that is not known yet, one made in the same stack for example."""
    wanted = given.schedule
    plan = Plan(given, UNKNOWN, wanted.when if isinstance(wanted, At) else UNKNOWN)
    if not isinstance(wanted, At):
        return Checked(plan)
    refusal = rules.date_refusal(None, wanted, wanted.when, ec2.now())
    return Checked(plan, () if refusal is None else (Problem(refusal.property, refusal.sentence),))


@dataclass
class _Check:
    """The live part, for one resource whose image, Region and identity are known."""

    run: Run
    old: State | None
    given: Inputs
    image_id: str
    target: Target

    @property
    def region(self) -> str:
        return self.target.region

    def check(self) -> Checked:
        old = self._state_of_same_image()
        try:
            image, problems = self._look(old) if self._has_to_look(old) else (None, [])
        except WrongAccount as wrong:
            return Checked(self._plan(old, None), (Problem("", str(wrong)),))
        plan = self._plan(old, image)
        if old is not None:
            self.run.remember(self.image_id, self.region, old)
        duplicate = self._claim(old, plan)
        return Checked(plan, (*problems, *([duplicate] if duplicate else [])))

    def _state_of_same_image(self) -> State | None:
        """What is known of this image: from the old inputs, or from the check before a replacement."""
        old = self.old
        if old is None:
            return self.run.remembered(self.image_id, self.region)
        return old if (old.inputs.image_id, old.region) == (self.image_id, self.region) else None

    def _is_unchanged(self, old: State | None) -> bool:
        """Whether the program still asks for what it asked for when the state was written."""
        return old is not None and old.inputs.schedule == self.given.schedule

    def _has_to_look(self, old: State | None) -> bool:
        if self.old is None or old is None or not self._is_unchanged(old):
            return True
        return bool(rules.replacement_keys(self.old, self.given, self.region)) or old.drifted

    def _look(self, old: State | None) -> tuple[Image | None, list[Problem]]:
        if self.run.skips_checks(self.target):
            return None, []
        try:
            image = look_twice(self.target, self.image_id, MAX_AGE)
            refusal = rules.image_refusal(image, self.image_id, self.region, None)
            if image is not None and refusal is None:
                account = ec2.caller_account(self.target)
                refusal = rules.image_refusal(image, self.image_id, self.region, account)
        except WrongAccount:
            raise
        except AmiDeprecationError as trouble:
            self.run.skip_checks(self.target)
            self.run.warn_once(f"live checks in {self.region} were skipped: {trouble}")
            return None, []
        if image is None and self.old is not None and old is not None:
            # It was there when its date was set, and for minutes after that EC2 may not show it.
            self.run.warn_once(
                f"{refusal.sentence if refusal else self.image_id}; its date cannot be changed while EC2 does not show it"
            )
            return None, []
        if refusal is not None or image is None:
            return None, [Problem(refusal.property, refusal.sentence)] if refusal else []
        return image, self._judge_date(old, image)

    def _judge_date(self, old: State | None, image: Image) -> list[Problem]:
        wanted = self.given.schedule
        if isinstance(wanted, Unknown):
            return []
        now = ec2.now()
        when = rules.date_for(wanted, old, image, now, first=self.old is None)
        refusal = rules.date_refusal(image, wanted, when, now)
        if refusal is None:
            for note in rules.notes_on(image, wanted, when, new=old is None):
                self.run.warn_once(note)
            return []
        if self._is_unchanged(old) and self.old is not None:
            # Changed outside Pulumi, and EC2 does not take ours back: no reason to fail every run.
            where = f"{image.id} ({image.name}) in {image.region}"
            self.run.warn_once(f"{where}: the date cannot be put back: {refusal.sentence}")
            return []
        return [Problem(refusal.property, refusal.sentence)]

    def _plan(self, old: State | None, image: Image | None) -> Plan:
        # The date found belongs to the first time that this resource saw the image.
        facts: Facts | None = old.facts if old else None
        if image is not None:
            facts = facts_of(image, image.date if old is None else old.previous)
        wanted = self.given.schedule
        date: datetime | Unknown | None = (
            wanted if isinstance(wanted, Unknown) else rules.settled_date(wanted, old, image, ec2.now())
        )
        return Plan(self.given, facts, date)

    def _claim(self, old: State | None, plan: Plan) -> Problem | None:
        owner = plan.facts.owner_id if isinstance(plan.facts, Facts) else None
        date = None if isinstance(plan.date, Unknown) else plan.date
        claim = Claim(
            self.target, self.image_id, self.given.resource, owner, carried_over=old is not None, date=date
        )
        other = self.run.claims.declare(claim)
        # Also when nothing changes: a delete of this image may be left over from a run that was cut off.
        self.run.claims.hold(claim)
        if other is None:
            return None
        return Problem(
            "image_id",
            f"{self.image_id} in {self.region} is given a date by two resources, {other.resource!r} and "
            f"{self.given.resource!r}: keep one of them",
        )


def look_twice(target: Target, image_id: str, max_age: float) -> Image | None:
    """The image; one that EC2 does not show is asked for again after a moment, because a single answer can be wrong."""
    image = ec2.read_image(target, image_id, max_age)
    if image is None:
        sleep(LOOK_AGAIN_AFTER)
        image = ec2.read_image(target, image_id, 0)
    return image
