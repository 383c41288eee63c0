"""The check: inputs in their normal form, and what EC2 would refuse, seen in the pull request.

Nothing here changes anything in EC2. The image is read only for a resource that is new, whose image,
Region, identity or date has changed, or whose date was changed from outside, so that a preview of what
stands costs no call.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING

from .. import dates, ec2, notes
from ..ec2 import Target
from ..errors import AmiDeprecationError, InvalidInput, WrongAccount
from . import context, inputs, rules, state
from .claims import Claim, Claims
from .inputs import AfterDays, InDays, Inputs, Problem, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..image import Image
    from .state import State

#: A check, and the create that follows it, may use what the process has read within this time, in seconds.
MAX_AGE = 300.0
#: An image that was made a moment ago may not be there at once: it is looked for again after this time.
_LOOK_AGAIN_AFTER = 2.0

#: The images of this update, shared by the plugin's threads.
claims = Claims()

_lock = Lock()
_left_out: set[Target] = set()
#: What is known of images that are about to be replaced: a second check, without olds, follows the first.
_remembered: dict[tuple[str, str], State] = {}


def check(
    olds: Mapping[str, object] | None, news: Mapping[str, object]
) -> tuple[dict[str, object], list[Problem]]:
    """Inputs in their normal form, and everything that is wrong with them.

    Args:
        olds: the old inputs; None for a resource that is to be created, also in a replacement.
        news: the new ones, as the program gives them.
    """
    if olds is not None and _is_left_alone(olds, news):
        return dict(olds), []
    given, problems = inputs.parse(news)
    if problems:
        return dict(news), problems
    old = None if olds is None else state.parse(olds)
    same_image = old is not None and old.inputs.image_id == given.image_id
    try:
        region = context.region_of(
            given, until_now=old.region or None if old is not None and same_image else None
        )
        who = context.identity_of(given)
    except InvalidInput as wrong:
        return dict(news), [Problem("region" if given.region else "", str(wrong))]
    except AmiDeprecationError as wrong:
        return dict(news), [Problem("profile" if given.profile else "", str(wrong))]
    checked = _normal_form(given, news, region)
    if isinstance(region, Unknown) or isinstance(who, Unknown) or isinstance(given.image_id, Unknown):
        return checked | _facts_to_come(given), _without_image(given)
    return _Check(old, given, given.image_id, Target(who, region), checked).run()


def _is_left_alone(olds: Mapping[str, object], news: Mapping[str, object]) -> bool:
    """Whether the date is under ``ignore_changes``, and a refresh has found it cancelled: the engine hands that back."""
    said = {key: value for key, value in news.items() if value is not None}
    return said.get("deprecate_at") == "none" and all(olds.get(key) == value for key, value in said.items())


def _normal_form(given: Inputs, news: Mapping[str, object], region: str | Unknown) -> dict[str, object]:
    """The program's own inputs in the form in which they are stored, compared and shown."""
    wanted: dict[str, object] = (
        {key: news[key] for key in inputs.SCHEDULE_KEYS if news.get(key) is not None}
        if isinstance(given.schedule, Unknown)
        else inputs.schedule_props(given.schedule)
    )
    return state.present(
        {
            "image_id": given.image_id,
            **wanted,
            "region": region,
            "profile": given.profile,
            "role_arn": given.role_arn,
            "on_destroy": given.on_destroy,
            inputs.RESOURCE_KEY: given.resource,
            inputs.PROVIDER_AWS_KEY: given.aws,
        }
    )


def _facts_to_come(given: Inputs) -> dict[str, object]:
    """What a preview shows of an image that it does not know: left out, it would be shown as taken away."""
    wanted = given.schedule
    when = dates.to_text(wanted.when) if isinstance(wanted, inputs.At) else inputs.UNKNOWN
    return {
        state.LIVE_KEY: when,
        **dict.fromkeys((state.NAME_KEY, state.OWNER_KEY, state.CREATED_KEY), inputs.UNKNOWN),
    }


def _without_image(given: Inputs) -> list[Problem]:
    """What can be said of an image that is not known yet, made in the same stack for example."""
    if isinstance(given.schedule, Unknown):
        return []
    now = ec2.now()
    when = rules.resolve(given.schedule, created=None, kept=None)
    refusal = None if when is None else rules.date_refusal(None, given.schedule, when, now)
    return [] if refusal is None else [Problem(refusal.property, refusal.sentence)]


@dataclass
class _Check:
    """The live part, for one resource whose image, Region and identity are known."""

    old: State | None
    given: Inputs
    image_id: str
    target: Target
    checked: dict[str, object]

    def run(self) -> tuple[dict[str, object], list[Problem]]:
        old = self._same_image()
        try:
            image, problems = self._look(old) if self._has_to_look(old) else (None, [])
        except WrongAccount as wrong:
            return self.checked, [Problem("", str(wrong))]
        self._add_facts(old, image)
        if old is not None:
            with _lock:
                _remembered[self.target.region, self.image_id] = old
        problem = self._claim(old, image)
        return self.checked, [*problems, *([problem] if problem else [])]

    def _same_image(self) -> State | None:
        """What is known of this image: from the old inputs, or from the check before a replacement."""
        old = self.old
        if old is None:
            with _lock:
                return _remembered.get((self.target.region, self.image_id))
        same = (old.inputs.image_id, old.region) == (self.image_id, self.target.region)
        return old if same else None

    def _is_unchanged(self, old: State | None) -> bool:
        """Whether the program still says what it said when the state was written."""
        return old is not None and old.inputs.schedule == self.given.schedule

    def _has_to_look(self, old: State | None) -> bool:
        if self.old is None or old is None or not self._is_unchanged(old):
            return True
        if rules.replaced(self.old, self.given, self.target.region):
            return True
        return old.drifted

    def _look(self, old: State | None) -> tuple[Image | None, list[Problem]]:
        with _lock:
            if self.target in _left_out:
                return None, []
        try:
            image = self._find()
            refusal = rules.image_refusal(image, self.image_id, self.target.region, None)
            if image is not None and refusal is None:
                refusal = rules.image_refusal(
                    image, self.image_id, self.target.region, ec2.owner_account(self.target)
                )
        except WrongAccount:
            raise
        except AmiDeprecationError as trouble:
            with _lock:
                _left_out.add(self.target)
            notes.once(f"checks against EC2 in {self.target.region} were left out: {trouble}")
            return None, []
        if image is None and self.old is not None and old is not None:
            # It was there when its date was set, and for minutes after that EC2 may not show it.
            notes.once(
                f"{refusal.sentence if refusal else self.image_id}; its date cannot be changed while it is not shown"
            )
            return None, []
        if refusal is not None or image is None:
            return None, [Problem(refusal.property, refusal.sentence)] if refusal else []
        return image, self._judge_date(old, image)

    def _find(self) -> Image | None:
        image = ec2.read_image(self.target, self.image_id, MAX_AGE)
        if image is None:
            sleep(_LOOK_AGAIN_AFTER)
            image = ec2.read_image(self.target, self.image_id, 0)
        return image

    def _judge_date(self, old: State | None, image: Image) -> list[Problem]:
        wanted = self.given.schedule
        if isinstance(wanted, Unknown):
            return []
        now = ec2.now()
        unchanged = self._is_unchanged(old)
        kept = rules.kept(old, wanted, image, now)
        when = rules.resolve(wanted, created=image.creation_date, kept=kept)
        if when is None and isinstance(wanted, InDays):
            when = rules.apply_in_days(wanted, image, now, first=self.old is None)
        if when is None:
            return []
        refusal = rules.date_refusal(image, wanted, when, now)
        where = f"{image.id} ({image.name}) in {image.region}"
        if refusal is not None:
            if unchanged and self.old is not None:
                # Changed from outside, and EC2 does not take ours back: no reason to fail every run.
                notes.once(f"{where}: the date cannot be put back: {refusal.sentence}")
                return []
            return [Problem(refusal.property, refusal.sentence)]
        if image.public and image.date != when:
            notes.once(
                f"{where} is public: EC2 will move its date only earlier from then on, and not cancel it"
            )
        if old is None and image.date is not None:
            text = dates.to_text(image.date)
            if image.date != when:
                notes.once(f"{where} already has the date {text}, which {dates.to_text(when)} will replace")
            elif isinstance(wanted, InDays):
                notes.once(f"{where} keeps {text}, the date it has: it is within {wanted.days} days")
        return []

    def _add_facts(self, old: State | None, image: Image | None) -> None:
        """What a reviewer wants to see and later runs need: the image's name, owner, dates."""
        if image is not None:
            # The date found belongs to the first time that this resource saw the image.
            previous = image.date if old is None else old.previous
            self.checked.update(state.facts(image, previous))
        elif old is not None:
            self.checked.update(old.facts)
        created = image.creation_date if image else old.creation_date if old else None
        wanted = self.given.schedule
        if isinstance(wanted, Unknown):
            self.checked[state.LIVE_KEY] = wanted
            return
        kept = rules.kept(old, wanted, image, ec2.now())
        when = rules.resolve(wanted, created=created, kept=kept)
        if when is not None:
            self.checked[state.LIVE_KEY] = dates.to_text(when)
            if not isinstance(wanted, (inputs.At, AfterDays)):
                self.checked[state.SCHEDULED_KEY] = dates.to_text(when)

    def _claim(self, old: State | None, image: Image | None) -> Problem | None:
        owner = image.owner_id if image else old.owner_id if old else None
        claim = Claim(self.target, self.image_id, self.given.resource, owner, carried_over=old is not None)
        other = claims.declare(claim)
        # Also when nothing changes: a delete of this image may be left over from a run that was cut off.
        claims.hold(claim)
        if other is None:
            return None
        return Problem(
            "image_id",
            f"{self.image_id} in {self.target.region} is given a date by two resources, {other.resource!r} and "
            f"{self.given.resource!r}: keep one of them",
        )
