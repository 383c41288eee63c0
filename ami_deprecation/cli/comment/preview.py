"""What a preview says about deprecation dates: from the digest to one change an image. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeAlias

from ... import dates
from ...core import inputs, keys, rules
from ...doors import names
from . import digests

if TYPE_CHECKING:
    from .digests import Object

_NEVER = datetime.max.replace(tzinfo=timezone.utc)


class Action(str, enum.Enum):
    """What happens to an image's date."""

    SET = "set"
    LATER = "moved later"
    EARLIER = "moved earlier"
    CANCELED = "canceled"
    #: The image's original date comes back.
    RESTORED = "restored"
    #: The image has the declared date already; nothing changes in EC2.
    ADOPTED = "adopted"
    #: The resource changes, the date does not.
    KEPT = "kept"


#: The actions that call EC2.
CHANGING = frozenset({Action.SET, Action.LATER, Action.EARLIER, Action.CANCELED, Action.RESTORED})


@dataclass(frozen=True)
class Date:
    """A date as a preview knows it."""

    #: None when it is unknown.
    when: datetime | None = None
    #: Days from when it is applied; ``when`` is then the date it would have now.
    in_days: int | None = None
    #: Days from the creation of an image that does not exist yet.
    after_days: int | None = None


@dataclass(frozen=True)
class Change:
    """One image of a preview."""

    resource: str
    #: None when the image is created in the same update, or its id is a secret.
    image_id: str | None
    image_name: str
    region: str
    action: Action
    before: datetime | None
    after: Date
    #: A reason or detail for the reviewer.
    remark: str = ""
    #: The rule of a policy that decides, and why; empty when the preview does not name it.
    rule: str = ""
    #: Whether ``before`` is a date that was changed outside Pulumi.
    is_outside: bool = False
    #: Whether the program still declares the resource.
    declared: bool = True
    #: When the resource that is gone has set its date; empty for any other.
    applied: str = ""
    #: Whether the id is a secret, as the value of `aws.ssm.get_parameter` is.
    is_secret: bool = False


@dataclass(frozen=True)
class Preview:
    """What a preview says about deprecation dates."""

    #: ``project/stack``; empty when the preview has no step.
    stack: str
    changes: tuple[Change, ...]
    #: How many resources are unchanged, as far as the digest lists them (``--show-sames``).
    unchanged: int
    #: This package's own lines.
    notes: tuple[str, ...]
    #: Why the preview failed; changes can then be missing.
    errors: tuple[str, ...]

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The lines and errors that say which checks against EC2 did not happen."""
        return tuple(each for each in (*self.notes, *self.errors) if digests.is_unchecked(each))


#: No preview says which half of a replacement comes first.
MAY_STAY = "past: with delete_before_replace it stays"
#: By Region and image, the dates that somebody else has set.
_Live: TypeAlias = "Mapping[tuple[str, str], digests.OutsideDate]"


def read(digest: Object, now: datetime) -> Preview:
    """What a digest says, as of a moment (aware)."""
    steps = digests.steps_of(digest)
    ours = [step for step in steps if digests.type_of(step) in names.TYPES]
    gone = frozenset(str(step["urn"]) for step in steps if step.get("op") == "delete")
    diagnostics = [
        each for each in digests.objects(digest.get("diagnostics")) if isinstance(each.get("message"), str)
    ]
    notes = tuple(sorted({note for each in diagnostics for note in digests.notes_of(each)}))
    live = dict(filter(None, map(digests.changed_outside, notes)))
    changes = [change for step in ours for change in _changes(step, gone, live, now)]
    rules = {key: why for each in diagnostics for key, why in digests.rules_of(each).items()}
    return Preview(
        stack=digests.stack_in(digest),
        changes=tuple(
            sorted(
                _explained(_merged(changes, _unchanged(ours), now), rules),
                key=_soonest_first,
            )
        ),
        unchanged=sum(step.get("op") == "same" for step in ours),
        notes=notes,
        errors=_errors(diagnostics),
    )


def _errors(diagnostics: Sequence[Object]) -> tuple[str, ...]:
    errors = {digests.error_of(each) for each in diagnostics if each.get("severity") == "error"}
    reasons = errors - digests.CLOSING or errors
    # The terminal's last error repeats the one of the resource.
    return tuple(sorted(each for each in reasons if not any(each in other for other in reasons - {each})))


def _soonest_first(change: Change) -> tuple[datetime, str, str, str]:
    when = change.after.when or change.before or _NEVER
    return when, change.region, change.image_name, change.image_id or change.resource


def _explained(changes: Sequence[Change], rules: Mapping[tuple[str, str], str]) -> list[Change]:
    """With the rule of a policy that explains its dates."""
    return [replace(each, rule=rules.get((each.region, each.image_id or ""), "")) for each in changes]


def _changes(step: Object, gone: frozenset[str], live: _Live, now: datetime) -> list[Change]:
    old, new = (
        digests.part(step, "oldState", "outputs", "inputs"),
        digests.part(step, "newState", "inputs", "outputs"),
    )
    op = step.get("op")
    if op == "create":
        return [_created(step, new, now)]
    if op == "replace" and _is_same_image(old, new) and _is_forced(step) and keys.OWNER_KEY in new:
        return [_forced(step, old, new, now)]
    if op == "delete":
        return [_removed(step, old, gone, now)]
    if op == "update" or (op == "replace" and _is_same_image(old, new)):
        outside = live.get((digests.region_of(old), digests.text_of(old, "image_id") or ""))
        return [_updated(step, old, new, outside, now)]
    if op == "replace":
        return [_created(step, new, now), _removed(step, old, gone, now)]
    return []


def _change(
    step: Object, props: Object, action: Action, before: datetime | None, after: Date, remark: str = ""
) -> Change:
    image_id, name = digests.text_of(props, "image_id"), digests.text_of(props, keys.NAME_KEY)
    return Change(
        resource=digests.name_of(step),
        # An unknown value is a UUID in the digest.
        image_id=image_id if image_id is None or image_id.startswith("ami-") else None,
        image_name=name or "",
        region=digests.region_of(props),
        action=action,
        before=before,
        after=after,
        remark=remark,
        is_secret=image_id == digests.SECRET,
    )


def _created(step: Object, new: Object, now: datetime) -> Change:
    before = digests.date_of(new, keys.PREVIOUS_KEY)
    after = _applied(before, _after(new, now), now, first=True)
    return _change(step, new, _moved(before, after, same=Action.ADOPTED), before, after)


def _is_forced(step: Object) -> bool:
    """Whether a taint or ``--replace`` is the reason: the engine then names ``id``, and the check gets no old state."""
    return step.get("replaceReasons") == ["id"]


def _forced(step: Object, old: Object, new: Object, now: datetime) -> Change:
    """The check has read the image as that of a new resource, so what it found there is the live date."""
    change = _created(step, new, now)
    is_outside = change.before != digests.date_of(old, keys.LIVE_KEY)
    if change.action is not Action.ADOPTED:
        return replace(change, is_outside=is_outside)
    return replace(
        change, action=Action.KEPT, remark="tainted, or replaced by --replace", is_outside=is_outside
    )


def _applied(before: datetime | None, after: Date, now: datetime, *, first: bool) -> Date:
    """The date that "in N days" becomes: in some cases, an earlier date that the image has is kept."""
    if after.in_days is None:
        return after
    kept = rules.apply_in_days(inputs.InDays(after.in_days), before, now, first=first) == before
    return Date(before) if kept else after


def _updated(
    step: Object, old: Object, new: Object, outside: digests.OutsideDate | None, now: datetime
) -> Change:
    """One resource on one image; ``outside``: the date that somebody else has set since the last run."""
    if outside is not None:
        shown = keys.NO_DATE if outside.date is None else dates.to_text(outside.date)
        old = {**old, keys.LIVE_KEY: shown}
    before = digests.date_of(old, keys.LIVE_KEY)
    is_notice = new.get(keys.ONCE_KEY) is True
    after = _settled(old, new, now) or _applied(before, _after(new, now), now, first=is_notice)
    action = _moved(before, after, same=Action.KEPT)
    ours = digests.date_of(old, keys.SCHEDULED_KEY)
    given_up = digests.date_of(new, keys.GIVEN_UP_KEY)
    if ours is not None and dates.is_past(ours, now):
        given_up = ours  # no run can set it again; the check does not always know
    kept = _why_unmoved(new, before, after, outside, given_up)
    if kept is not None:
        action, after, remark = Action.KEPT, Date(before), kept
    elif action is Action.KEPT:
        remark = _settings(step) if outside is None else "the image has this date already"
    else:
        is_repair = ours is not None and before != ours and after.when == ours
        remark = "repairs a change made outside Pulumi" if is_repair else ""
    known = {"region": digests.region_of(new) or digests.region_of(old)}
    change = _change(step, {**old, **new, **known}, action, before, after, remark)
    return replace(change, is_outside=outside is not None)


def _why_unmoved(
    new: Object,
    before: datetime | None,
    after: Date,
    outside: digests.OutsideDate | None,
    given_up: datetime | None,
) -> str | None:
    """Why an update leaves a date that is not the program's; None when it does not."""
    if digests.text_of(new, keys.LIVE_KEY) == keys.NO_DATE or (outside is not None and outside.is_left):
        return rules.IS_IGNORED
    if after.when is not None and after.when == given_up and before != after.when:
        return f"EC2 no longer accepts {dates.to_text(after.when)}"
    return None


def _settings(step: Object) -> str:
    reasons = step.get("replaceReasons")
    listed = [key for key in reasons if isinstance(key, str)] if isinstance(reasons, list) else []
    changed = ", ".join("opts.provider" if key == keys.PROVIDER_AWS_KEY else key for key in listed)
    return f"{changed} changes" if changed else "only a setting changes"


def _moved(before: datetime | None, after: Date, *, same: Action) -> Action:
    if before is None or after.when is None:
        return Action.SET
    if before == after.when:
        return same
    return Action.LATER if after.when > before else Action.EARLIER


def _removed(step: Object, old: Object, gone: frozenset[str], now: datetime) -> Change:
    applied = digests.text_of(old, keys.APPLIED_AT_KEY) or ""
    return replace(_deleted(step, old, gone, now), declared=False, applied=applied)


def _deleted(step: Object, old: Object, gone: frozenset[str], now: datetime) -> Change:
    before, original = digests.date_of(old, keys.LIVE_KEY), digests.date_of(old, keys.PREVIOUS_KEY)
    kept = _why_kept(step, old, gone)
    if kept is not None or before is None:
        return _change(step, old, Action.KEPT, before, Date(before), kept or "the image has no date")
    restores = old.get("on_destroy") == "restore" and original is not None
    if restores and original == before:
        return _change(step, old, Action.KEPT, before, Date(before), "it is the image's original date")
    if restores and original is not None and not dates.is_past(original, now):
        return _change(step, old, Action.RESTORED, before, Date(original))
    remark = "its original date has passed and cannot be restored" if restores else ""
    if step.get("op") == "replace" and dates.is_past(before, now):
        remark = MAY_STAY
    return _change(step, old, Action.CANCELED, before, Date(), remark)


def _why_kept(step: Object, old: Object, gone: frozenset[str]) -> str | None:
    """Why a delete leaves the date that the image has; None when nothing says so."""
    whole = step.get("oldState")
    facts: Object = whole if isinstance(whole, Mapping) else {}
    before, ours = digests.date_of(old, keys.LIVE_KEY), digests.date_of(old, keys.SCHEDULED_KEY)
    if facts.get("retainOnDelete") is True:
        return "the resource has retain_on_delete"
    if facts.get("deletedWith") in gone:
        return "it is deleted with its image (deleted_with)"
    if before is not None and ours is not None and before != ours:
        return f"this resource did not set it (it set {dates.to_text(ours)})"
    if before is not None and old.get(keys.ADOPTED_KEY) is True:
        return "it was on the image already"
    return None


def _after(new: Object, now: datetime) -> Date:
    when = digests.date_of(new, keys.LIVE_KEY) or digests.date_of(new, "deprecate_at")
    if when is not None:
        return Date(when)
    days = new.get("deprecate_in_days")
    if isinstance(days, (int, float)) and 0 <= days <= dates.MAX_DAYS:
        return Date(dates.in_days(now, int(days)), in_days=int(days))
    days = new.get("deprecate_after_days")
    return Date(after_days=int(days)) if isinstance(days, (int, float)) else Date()


def _settled(old: Object, new: Object, now: datetime) -> Date | None:
    """The date that an unchanged "in N days", or a policy's notice, has resolved to; None when it is counted from now."""
    if keys.LIVE_KEY in new or not isinstance(new.get("deprecate_in_days"), (int, float)):
        return None
    is_notice = new.get(keys.ONCE_KEY) is True
    if not isinstance(old.get("deprecate_in_days"), (int, float)):
        return None  # it had a date of another kind
    if not is_notice and old["deprecate_in_days"] != new["deprecate_in_days"]:
        return None
    when = digests.date_of(old, keys.SCHEDULED_KEY)
    if when is None or (
        is_notice and dates.is_past(when, now) and digests.date_of(old, keys.LIVE_KEY) != when
    ):
        return None  # a notice that EC2 does not take back is given anew
    return Date(when)


@dataclass(frozen=True)
class _Holder:
    """A resource without a change, and the date that it stands for."""

    name: str
    date: datetime | None
    #: When it has set that.
    applied: str


def _unchanged(steps: Sequence[Object]) -> dict[tuple[str, str], _Holder]:
    """The resources without a change, by Region and image."""
    holders = {}
    for step in steps:
        if step.get("op") != "same":
            continue
        props = digests.part(step, "newState", "inputs", "outputs")
        state = digests.part(step, "newState", "outputs", "inputs")
        date = digests.date_of(state, keys.SCHEDULED_KEY) or digests.date_of(state, keys.LIVE_KEY)
        key = (digests.region_of(props), digests.text_of(props, "image_id") or "")
        holders[key] = _Holder(digests.name_of(step), date, digests.text_of(state, keys.APPLIED_AT_KEY) or "")
    return holders


def _merged(
    changes: Sequence[Change], unchanged: Mapping[tuple[str, str], _Holder], now: datetime
) -> list[Change]:
    """One change an image: deleting a resource whose image another one declares cancels nothing."""
    changes = [
        each if each.declared or _key(each) not in unchanged else _held(each, unchanged[_key(each)], now)
        for each in changes
    ]
    takers = {_key(each) for each in changes if each.declared}
    left = {
        key: each.resource for each in changes if not each.declared for key in _keys(each) if key in takers
    }
    return [
        _taken_over(each, left.get(_key(each)))
        for each in changes
        if each.declared or takers.isdisjoint(_keys(each))
    ]


def _held(change: Change, holder: _Holder, now: datetime) -> Change:
    """A deleted resource whose image an unchanged one has: its date stays, or gives way to the holder's.

    The holder's date comes back where the deleted resource's is on the image, as after a rename that is reverted.
    """
    after, remark = Date(change.before), f"the resource {holder.name} has the image"
    if holder.applied > change.applied:  # as in a rename that was cut off, and that goes on
        return replace(change, action=Action.KEPT, before=holder.date, after=Date(holder.date), remark=remark)
    if change.action in CHANGING and holder.date not in (None, change.before):
        if holder.date is not None and dates.is_past(holder.date, now):
            remark += f" and asks for {dates.to_text(holder.date)}, which EC2 no longer accepts"
        else:
            after, remark = Date(holder.date), f"{remark} and asks for this date"
    return replace(change, action=_moved(change.before, after, same=Action.KEPT), after=after, remark=remark)


def _taken_over(change: Change, was: str | None) -> Change:
    if was is None:
        return change
    action = Action.KEPT if change.action is Action.ADOPTED else change.action
    return replace(change, action=action, remark=f"the resource {was} is now {change.resource}")


def _key(change: Change) -> tuple[str, str]:
    return change.region, change.image_id or (change.is_secret and change.image_name) or change.resource


def _keys(change: Change) -> set[tuple[str, str]]:
    """What stands for the same image; another resource may not know its Region yet."""
    return {_key(change), ("", _key(change)[1])}


def _is_same_image(old: Object, new: Object) -> bool:
    """Whether two states are about one image. An id is one Region's, so an unknown Region makes no difference."""
    if digests.region_of(new):
        return _image(old) == _image(new)
    return _image(old)[0] == _image(new)[0]


def _image(props: Object) -> tuple[object, object]:
    """What distinguishes images; a secret id is masked, so the image's name stands in."""
    image_id = props.get("image_id")
    return props.get(keys.NAME_KEY) if image_id == digests.SECRET else image_id, props.get("region")
