"""The check: what EC2 would refuse, seen in the pull request, and what the reviewer sees of the image.

Nothing here changes anything in EC2. The image is read only for a resource that is new, whose image,
Region, identity or date has changed, or whose date was changed outside Pulumi: a preview without changes makes no
call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from .. import dates
from ..ec2 import Target
from ..ec2.pacing import COOL_DOWN
from ..errors import AmiDeprecationError, EC2Unavailable, InvalidInput, RequestRefused, WrongAccount
from . import rules, targets
from .claims import Claim
from .inputs import UNKNOWN, At, InDays, Inputs, Problem, Unknown
from .keys import POLICY_TYPE
from .state import Facts, Plan, State, facts_of, text_or_none

if TYPE_CHECKING:
    from datetime import datetime

    from ..image import Image
    from .run import Run

#: A check, and the create that follows it, may use what the process has read within this time, in seconds.
MAX_AGE = 300.0


@dataclass(frozen=True)
class Checked:
    """What a check found: the plan, None when it got no further than the problems."""

    plan: Plan | None
    problems: tuple[Problem, ...] = ()


def check(run: Run, old: State | None, given: Inputs, *, leaves_date: bool = False) -> Checked:
    """Plan one resource, and list everything that is wrong with it.

    Args:
        run: what this process remembers.
        old: what the old inputs say; None for a resource that is to be created, also in a replacement.
        given: the program's inputs.
        leaves_date: the program leaves the date to others (``ignore_changes``).
    """
    same_image = old is not None and old.inputs.image_id == given.image_id
    try:
        if given.aws is None:
            targets.refuse_disabled(run.stack)
        region = targets.region_of(
            run, given, until_now=old.region or None if old is not None and same_image else None
        )
        who = targets.identity_of(run, given)
    except InvalidInput as wrong:
        return Checked(None, (Problem("region" if given.region and wrong.region else "", str(wrong)),))
    except AmiDeprecationError as wrong:
        return Checked(None, (Problem("profile" if given.profile else "", str(wrong)),))
    given = replace(given, region=region)
    if isinstance(region, Unknown) or isinstance(who, Unknown) or isinstance(given.image_id, Unknown):
        return _check_without_image(run, given)
    if old is not None and (old.inputs.image_id, old.region) != (given.image_id, region):
        run.moves_on(old.image_id, old.region, given.resource, before=old.inputs.resource)
    if old is None:
        run.awaits(given.resource)
    else:
        run.ask_again(given.image_id, region, given.resource)
    one = _Check(run, old, given, given.image_id, Target(who, region, targets.config_of(run, given).network))
    is_replaced = old is None or bool(rules.replacement_keys(old, given, region))
    if leaves_date and old is not None and same_image:
        run.leave_alone(given.image_id, region, given.resource)
        return one.check() if is_replaced else one.leave(old)
    if old is None and run.leaves_alone(
        given.image_id, region, given.resource
    ):  # the second check of a replacement
        before = run.remembered(given.image_id, region)
        if before is not None:
            return one.leave(before)
    return one.check()


def _check_without_image(run: Run, given: Inputs) -> Checked:
    """Check what can be checked of an image that is not known yet, one made in the same stack for example."""
    wanted = given.schedule
    plan = Plan(given, UNKNOWN, wanted.when if isinstance(wanted, At) else UNKNOWN)
    now = run.ec2.now()
    if not isinstance(wanted, (At, InDays)):
        return Checked(plan)
    refusal = rules.date_refusal(None, wanted, rules.date_by_clock(wanted, now), now)
    return Checked(plan, () if refusal is None else (Problem(refusal.property, refusal.sentence),))


@dataclass
class _Check:
    """The live part, for one resource whose image, Region and identity are known."""

    run: Run
    old: State | None
    given: Inputs
    image_id: str
    target: Target
    #: The program's date, if it was changed outside Pulumi and EC2 no longer accepts it.
    given_up: datetime | None = None

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
        self._warn_of_lost_original(plan)
        duplicate = self._claim(old, plan)
        return Checked(plan, (*problems, *([duplicate] if duplicate else [])))

    def leave(self, old: State) -> Checked:
        """Plan a resource whose date the program leaves to others: nothing is read."""
        self.run.remember(self.image_id, self.region, old)
        plan = Plan(self.given, old.facts, old.live, left_alone=old)
        if old.live == old.scheduled:
            self._warn_of_lost_original(plan)
        duplicate = self._claim(old, plan)
        return Checked(plan, () if duplicate is None else (duplicate,))

    def _state_of_same_image(self) -> State | None:
        """What is known about this image, from the old inputs or from the check before a replacement."""
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
            return None, self._go_without_image(old, None)
        try:
            image = look_twice(self.run, self.target, self.image_id, MAX_AGE)
            if old is not None:
                image = look_for_passed_date(self.run, self.target, old, image)
            had = (self.old is not None and old is not None) or self.run.has_dropped(
                self.image_id, self.region
            )
            refusal = rules.image_refusal(image, self.image_id, self.region, None, had=had)
            if image is not None and refusal is None:
                account = self.run.ec2.caller_account(self.target)
                refusal = rules.image_refusal(image, self.image_id, self.region, account)
        except WrongAccount:
            raise
        except AmiDeprecationError as trouble:
            if not self.run.ec2.settings.strict and not isinstance(trouble, RequestRefused):
                # Wrong credentials stay wrong; an endpoint may recover. A refused request is about this image only.
                is_down = isinstance(trouble, EC2Unavailable)
                self.run.skip_checks(self.target, COOL_DOWN if is_down else math.inf)
            return None, self._go_without_image(old, trouble)
        if image is None and self.old is not None and old is not None:
            # It was there when its date was set, and for minutes after that EC2 may not show it.
            self.run.warn_once(
                f"{self.image_id} in {self.region} is not shown by EC2, so its date cannot be changed now: if it was "
                "deregistered, remove it from the program"
            )
            return None, []
        if refusal is not None or image is None:
            return None, [Problem(refusal.property, refusal.sentence)] if refusal else []
        self.run.see(image)
        return image, self._judge_date(old, image)

    def _go_without_image(self, old: State | None, trouble: AmiDeprecationError | None) -> list[Problem]:
        """What can be said when the live check cannot be made: ``trouble`` the first time, None after that."""
        problems = self._not_checked(trouble)
        if problems:
            return problems
        wanted = self.given.schedule
        if not isinstance(wanted, (At, InDays)) or self._is_unchanged(old):
            return []
        refusal = rules.offline_refusal(wanted, self.run.ec2.now())
        return [] if refusal is None else [Problem(refusal.property, refusal.sentence)]

    def _not_checked(self, trouble: AmiDeprecationError | None) -> list[Problem]:
        """Say that a check did not happen: as a problem if the settings are strict, else as a warning."""
        if trouble is not None and self.run.ec2.settings.strict:
            return [Problem("", f"{self.image_id} in {self.region} {rules.NOT_CHECKED}: {trouble}")]
        self.run.warn_of_skipped_check(self.target, self.image_id, trouble)
        return []

    def _judge_date(self, old: State | None, image: Image) -> list[Problem]:
        wanted = self.given.schedule
        if isinstance(wanted, Unknown):
            return []
        if (
            isinstance(wanted, InDays)
            and old is not None
            and old.scheduled is None
            and self._is_unchanged(old)
        ):
            return []  # only the outputs have the date that was counted once
        now = self.run.ec2.now()
        when = rules.date_for(wanted, old, image, now, first=self.old is None)
        refusal = rules.date_refusal(image, wanted, when, now)
        if refusal is None:
            for note in rules.notes_on(image, wanted, when, new=old is None):
                self.run.warn_once(note)
            return self._try(image, when) if image.date != when else []
        if self._is_unchanged(old):
            # Changed outside Pulumi, and EC2 does not take ours back: no reason to fail every run.
            _warn_of_lost_date(self.run, image, refusal)
            self.given_up = when
            return []
        return [Problem(refusal.property, refusal.sentence)]

    def _try(self, image: Image, when: datetime) -> list[Problem]:
        """Ask EC2 whether these credentials may set the date, if the settings say so."""
        if not self.run.ec2.settings.dry_run or image.state == "pending":  # `up` waits for such an image
            return []
        try:
            self.run.ec2.try_enable(self.target, image.id, when)
        except EC2Unavailable as trouble:
            return self._not_checked(trouble)
        except AmiDeprecationError as refused:
            return [Problem("", str(refused))]
        return []

    def _plan(self, old: State | None, image: Image | None) -> Plan:
        # The original date is the one from when this resource first read the image.
        facts: Facts | None = old.facts if old else None
        if image is not None:
            facts = facts_of(image, image.date if old is None else old.previous)
        wanted = self.given.schedule
        date: datetime | Unknown | None = (
            wanted
            if isinstance(wanted, Unknown)
            else rules.settled_date(wanted, old, image, self.run.ec2.now())
        )
        return Plan(self.given, facts, date, self.given_up)

    def _warn_of_lost_original(self, plan: Plan) -> None:
        """Previews do not check removals, so warn earlier about what a removal cannot do."""
        if not isinstance(plan.facts, Facts) or isinstance(plan.date, Unknown):
            return
        lost = rules.lost_original(self.given, plan.facts.previous, plan.date, self.run.ec2.now())
        if lost is not None:
            where = f"{self.image_id} ({plan.facts.image_name}) in {self.region}"
            self.run.warn_once(f"{where}: {lost}, so a removal cancels the date")

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
        return Problem("image_id", two_resources(claim, other))


def two_resources(claim: Claim, other: Claim) -> str:
    """What is wrong when a program declares an image twice."""
    return (
        f"{claim.image_id} in {claim.target.region} is given a date by two resources, {other.resource!r} and "
        f"{claim.resource!r}: {_way_out(other.resource, claim.resource)}"
    )


def _way_out(*resources: str | None) -> str:
    """How to fix two resources for one image."""
    of_policy = [POLICY_TYPE in (resource or "") for resource in resources]
    if any(of_policy) and not all(of_policy):
        return "name the image in exclude of the policy, or remove the other resource"
    return "keep one of them"


def warn_of_change(run: Run, old: State, planned: State, *, was_left: bool) -> None:
    """Say what a reviewer of a change should know, once the whole old state is known.

    Args:
        run: what this process remembers.
        old: what the last run left.
        planned: the checked inputs.
        was_left: an earlier update has left a date that somebody else had set. The engine then shows no difference in the program's
            date, as it does after a refresh.
    """
    hint = rules.moved_with_clock(old, planned.inputs.schedule, run.ec2.now())
    if hint is not None:
        run.warn_once(hint)
    # A check knows only the old inputs, which do not say when the date was last written: EC2 may still show the one before.
    image = run.seen(old.image_id, old.region) or _read_drifted(run, old, planned)
    if image is None:
        return
    before = replace(old, live=old.scheduled) if was_left else old
    settle = timedelta(seconds=run.ec2.settings.settle_seconds)
    note = rules.outside_change(before, image, planned.live, run.ec2.now(), settle)
    if note is not None:
        run.warn_once(note)


def note_left_date(run: Run, old: State) -> None:
    """Say which date a change of another input leaves: a check does not always know of ``ignore_changes``."""
    if old.drifted:
        where = f"{old.image_id} ({old.image_name}) in {old.region}"
        shown = text_or_none(old.live) or "no date"
        run.note_once(f"{where} has {shown} {rules.CHANGED_OUTSIDE}: {rules.IS_IGNORED}")


def _read_drifted(run: Run, old: State, planned: State) -> Image | None:
    """The image of a resource that left a changed date alone: only its outputs say so, and the check has the inputs."""
    if not old.drifted:
        return None
    try:
        target = targets.target_of(run, planned.inputs, old.region)
        if run.skips_checks(target):
            return None
        image = look_for_passed_date(run, target, old, look_twice(run, target, old.image_id, MAX_AGE))
    except AmiDeprecationError:
        return None  # `up` says it
    wanted = planned.inputs.schedule
    if image is not None and planned.live is not None and not isinstance(wanted, Unknown):
        refusal = rules.date_refusal(image, wanted, planned.live, run.ec2.now())
        if refusal is not None:
            _warn_of_lost_date(run, image, refusal)
    return image


def _warn_of_lost_date(run: Run, image: Image, refusal: rules.Refusal) -> None:
    where = f"{image.id} ({image.name}) in {image.region}"
    run.warn_once(f"{where}: the date cannot be set again: {refusal.sentence}")


def look_for_date(run: Run, target: Target, old: State, image: Image | None) -> Image | None:
    """The image, as it was just read; one without the date of the last run is asked for again, because a single answer can lack it."""
    if image is not None and image.date is None and old.live is not None:
        run.ec2.pause(run.ec2.settings.look_again_seconds)
        image = run.ec2.read_image(target, old.image_id, 0) or image
    return image


def look_for_passed_date(run: Run, target: Target, old: State, image: Image | None) -> Image | None:
    """The image, as it was just read; a date that has passed cannot be set again, so one answer does not make it gone."""
    if old.scheduled is None or not dates.is_past(old.scheduled, run.ec2.now()):
        return image
    return look_for_date(run, target, old, image)


def look_twice(run: Run, target: Target, image_id: str, max_age: float) -> Image | None:
    """The image; one that EC2 does not show is asked for again after a moment, because a single answer can be wrong."""
    image = run.ec2.read_image(target, image_id, max_age)
    if image is None:
        run.ec2.pause(run.ec2.settings.look_again_seconds)
        image = run.ec2.read_image(target, image_id, 0)
    return image
