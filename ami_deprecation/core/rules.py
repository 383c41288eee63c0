"""What EC2 allows and what to do: (image, wanted, now) -> sentences; (state, image, now) -> actions. Pure.

Sources: EC2 User Guide, "Deprecate an Amazon EC2 AMI"
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html), and the API reference of
EnableImageDeprecation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .. import dates
from ..errors import AmiDeprecationError, ImageNotFound, InvalidInput, NotImageOwner, RequestRefused
from ..image import BROKEN_STATES, GONE_STATES, Image
from .inputs import AfterDays, At, InDays, Inputs, Notice, Schedule, Unknown
from .keys import PROVIDER_AWS_KEY
from .state import Applied, State, text_or_none

#: A run that was cut off after EC2 took its date is run again within this time; "in N days" would
#: otherwise move the date by the minutes between.
_RERUN = timedelta(hours=1)
_DAY = timedelta(days=1)
#: What a program takes from its start to the write, and the rounding to a minute.
_CLOCK = timedelta(minutes=3)


@dataclass(frozen=True)
class Refusal:
    """Why EC2 would refuse it: the property, the message, and the error type."""

    property: str
    sentence: str
    error: type[AmiDeprecationError]

    def as_error(self, image_id: str, region: str, account: str | None = None) -> AmiDeprecationError:
        """The error to raise, with what it is about."""
        return self.error(self.sentence, image_id=image_id, region=region, account=account)


@dataclass(frozen=True)
class Keep:
    """No call: the image already has the date, or what has to be said instead."""

    because: str | None = None


@dataclass(frozen=True)
class Enable:
    """EnableImageDeprecation with this date."""

    when: datetime


@dataclass(frozen=True)
class Cancel:
    """DisableImageDeprecation."""

    #: The message about the original date.
    because: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class GiveUp:
    """The date was changed from outside and EC2 no longer takes it: say so, and do not try again."""

    because: str


@dataclass(frozen=True)
class Leave:
    """The date was changed outside Pulumi, and this update is about something else: say so, and make no call."""

    because: str


#: Texts after the date that is on an image. `comment` searches for them.
CHANGED_OUTSIDE = "(changed outside Pulumi)"
IS_IGNORED = "the program ignores changes to its date"
#: The text after an image that no live check has read, with AMI_DEPRECATION_STRICT.
NOT_CHECKED = "could not be checked"


def property_of(wanted: Schedule) -> str:
    """The input that gave the date."""
    if isinstance(wanted, At):
        return "deprecate_at"
    return "deprecate_after_days" if isinstance(wanted, AfterDays) else "deprecate_in_days"


def date_for(wanted: Schedule, state: State | None, image: Image, now: datetime, *, first: bool) -> datetime:
    """The date that a schedule resolves to for an image.

    Args:
        wanted: the schedule.
        state: what the last run left, None for a new resource.
        image: the image as it is now.
        now: the time by EC2's clock.
        first: the resource is new to the image.
    """
    settled = settled_date(wanted, state, image, now)
    if settled is not None:
        return settled
    if isinstance(wanted, InDays):
        return apply_in_days(wanted, image.date, now, first=first)
    raise InvalidInput(f"{image.id}: the date has to be known", image_id=image.id, region=image.region)


def settled_date(
    wanted: Schedule, state: State | None, image: Image | None = None, now: datetime | None = None
) -> datetime | None:
    """The date that a schedule means without counting from now; None while it is not settled.

    An unchanged "in N days" keeps the date that it once resolved to. A policy's notice that was changed outside
    Pulumi, and that EC2 does not take back, is given anew: the image is still due. Any other date is then given up
    (``GiveUp``).
    """
    if isinstance(wanted, At):
        return wanted.when
    if isinstance(wanted, AfterDays):
        created = image.creation_date if image else state.creation_date if state else None
        return None if created is None else dates.after_days(created, wanted.days)
    date = state.scheduled if state is not None and state.inputs.schedule == wanted else None
    if isinstance(wanted, Notice) and image is not None and now is not None and date is not None:
        return None if date_refusal(image, wanted, date, now) else date
    return date


def apply_in_days(wanted: InDays, live: datetime | None, now: datetime, *, first: bool) -> datetime:
    """The date that "in N days" becomes when it is applied.

    A resource that is new to an image keeps an earlier date that the image has: it may be this very
    date under the resource's old name, after a taint, or after a run that was cut off, and a date that has
    passed could not be set again. A changed number of days counts from now, unless it is a policy's notice.
    """
    target = dates.in_days(now, wanted.days)
    if live is None or live > target:
        return target
    keeps_earlier = first or isinstance(wanted, Notice) or live >= target - _RERUN
    return live if keeps_earlier else target


def image_refusal(
    image: Image | None, image_id: str, region: str, account: str | None, *, had: bool = False
) -> Refusal | None:
    """What is wrong with the image itself.

    Args:
        image: None when EC2 does not show it.
        image_id: its id.
        region: where it was looked for.
        account: the caller's, None when it could not be read.
        had: this stack has dated the image before.
    """
    if had and (image is None or image.state in GONE_STATES):
        # Only its owner can tell that an image is gone.
        why = "is not found: if it was deregistered," if image is None else "was deregistered:"
        return Refusal("image_id", f"{image_id} in {region} {why} remove it from the program", ImageNotFound)
    if image is None or image.state in GONE_STATES:
        return not_there(image, image_id, region)
    if image.state in BROKEN_STATES:
        return Refusal(
            "image_id",
            f"{image_id} in {region} is in state {image.state} and will never be usable: give another image",
            RequestRefused,
        )
    if account is not None and image.owner_id != account:
        return Refusal(
            "image_id",
            f"{image_id} in {region} is owned by account {image.owner_id} and the credentials are of account {account}: "
            "only the owner can deprecate an image, so use the owner's profile or role_arn, or copy the image",
            NotImageOwner,
        )
    return None


def not_there(image: Image | None, image_id: str, region: str) -> Refusal:
    """Why an image that EC2 does not show, or that is deregistered, cannot be used."""
    gone = f"{image_id} is deregistered" if image else f"{image_id} is not found"
    sentence = (
        f"{gone} in {region}: check the image id, the Region, and that the credentials belong to its owner"
    )
    return Refusal("image_id", sentence, ImageNotFound)


def date_refusal(image: Image | None, wanted: Schedule, when: datetime, now: datetime) -> Refusal | None:
    """Why EC2 would refuse this date for this image; None when it would accept it, or has it already.

    An image that is None is one that does not exist yet: it cannot have the date, and its creation
    is not before now.
    """
    live = None if image is None else image.date
    if when == live:
        return None
    name = property_of(wanted)
    text = dates.to_text(when)
    shown = text
    if isinstance(wanted, AfterDays) and image is not None:
        shown = f"{dates.to_exact_text(image.creation_date)[:10]} plus {wanted.days} days is {text}, which"
    if dates.is_past(when, now):
        return Refusal(
            name,
            f"{shown} is in the past or less than two minutes away (EC2's clock: {dates.to_exact_text(now)}): "
            "EC2 accepts only future dates, so set a later one, or deprecate_in_days=0 to deprecate it immediately",
            RequestRefused,
        )
    public = image is not None and image.public
    last = dates.latest(now, created=image.creation_date if image else now, public=public)
    if when > last:
        limit = " for a public image, two years from its creation" if public else ": ten years from now"
        way_out = "give an earlier date" + (" or make the image private first" if public else "")
        return Refusal(
            name,
            f"{shown} is later than EC2 allows{limit}, so {dates.to_text(last)} at the latest; {way_out}",
            RequestRefused,
        )
    if public and live is not None and when > live:
        return Refusal(
            name,
            f"{shown} is later than {dates.to_text(live)}, the date that this public image has: EC2 moves the date of a "
            "public image only earlier, so give an earlier date or make the image private first",
            RequestRefused,
        )
    return None


def date_by_clock(wanted: At | InDays, now: datetime) -> datetime:
    """The date that a schedule means for an image that is not known."""
    return wanted.when if isinstance(wanted, At) else dates.in_days(now, wanted.days)


def offline_refusal(wanted: At | InDays, now: datetime) -> Refusal | None:
    """What can be judged by this machine's clock alone, which may be wrong by hours.

    A date that has passed is right only for an image that has it already, and that cannot be seen here.
    """
    when = date_by_clock(wanted, now)
    if when < now - _DAY:
        return Refusal(
            property_of(wanted),
            f"{dates.to_text(when)} is past, and without live checks it is not known whether the image already has "
            "this date: set a later date, or use credentials that may call DescribeImages",
            InvalidInput,
        )
    if when > now + 2 * _DAY:
        return date_refusal(None, wanted, when, now + _DAY)
    return None


def notes_on(image: Image, wanted: Schedule, when: datetime, *, new: bool) -> list[str]:
    """What a reviewer should know about a date that EC2 will accept; ``new``: the resource is new to the image."""
    where = f"{image.id} ({image.name}) in {image.region}"
    notes = []
    if image.public and image.date != when:
        notes.append(f"{where} is public: EC2 will then move its date only earlier, and will not cancel it")
    if image.public_ssm_parameter_name is not None and image.date != when:
        notes.append(public_parameter_note(image))
    if new and image.date is not None:
        text = dates.to_text(image.date)
        if image.date != when:
            notes.append(f"{where} already has the date {text}, which {dates.to_text(when)} will replace")
        elif isinstance(wanted, InDays):
            notes.append(f"{where} keeps {text}, the date it has: it is within {wanted.days} days")
    return notes


def public_parameter_note(image: Image) -> str:
    """What to know before an image gets a date that a public SSM parameter names."""
    return (
        f"{image.id} ({image.name}) in {image.region} is what the public SSM parameter {image.public_ssm_parameter_name} "
        "resolves to: others may launch it"
    )


def is_changed_outside(state: State, image: Image, now: datetime, settle: timedelta) -> bool:
    """Whether the image's date is not the one of the state, and no write of ours explains it."""
    if image.date == state.live:
        return False
    return not may_lag(state, image.date, now, settle)


def outside_change(
    state: State, image: Image, when: datetime | None, now: datetime, settle: timedelta
) -> str | None:
    """What a reviewer of a change should know of a date that was changed outside Pulumi; None when it was not.

    Args:
        state: what the last run left.
        image: the image as it is now.
        when: the date that the image will have, None when it is counted at ``up``.
        now: the time by EC2's clock.
        settle: how long EC2 may show what it had before a write.
    """
    if not is_changed_outside(state, image, now, settle):
        return None
    shown = text_or_none(image.date) or "no date"
    then = (
        "the date it should have"
        if when is not None and image.date == when
        else f"{text_or_none(when) or 'a new date'} replaces it"
    )
    return f"{image.id} ({image.name}) in {image.region} has {shown} {CHANGED_OUTSIDE}: {then}"


def moved_with_clock(state: State, wanted: Schedule | Unknown, now: datetime) -> str | None:
    """A hint for a program that computes its date from the clock, so that each run moves it; None for any other change.

    Such a date is a whole number of days from now, as the one before was from the moment when it was written.
    """
    written, before = state.applied, state.scheduled
    if (
        not isinstance(wanted, At)
        or not isinstance(state.inputs.schedule, At)
        or written is None
        or before is None
    ):
        return None
    days = round((wanted.when - now) / _DAY)
    drifts = (wanted.when - now - days * _DAY, before - written.at - days * _DAY)
    if days < 1 or wanted.when == before or any(abs(each) > _CLOCK for each in drifts):
        return None
    return (
        f"deprecate_at is {days} days from now, as it was in the last run, so that each run moves the date: "
        f"deprecate_in_days={days} is counted once and then kept"
    )


def replacement_keys(state: State, given: Inputs, region: str | Unknown) -> list[str]:
    """The changed inputs that replace the resource; an unknown one counts as changed."""
    pairs: dict[str, tuple[object, object]] = {
        "image_id": (state.inputs.image_id, given.image_id),
        "region": (state.region, region),
        "profile": (state.inputs.profile, given.profile),
        "role_arn": (state.inputs.role_arn, given.role_arn),
        PROVIDER_AWS_KEY: (_roles(state.inputs), _roles(given)),
    }
    return [key for key, (old, new) in pairs.items() if old != new]


def _roles(given: Inputs) -> object:
    return given.aws if isinstance(given.aws, Unknown) else (given.aws or {}).get("assumeRoles")


def has_changes(state: State, given: Inputs) -> bool:
    """Whether the resource differs from what the program says of it, in the date or otherwise."""
    if given.on_destroy != state.inputs.on_destroy or isinstance(given.schedule, Unknown):
        return True
    return needs_update(state, given.schedule)


def needs_update(state: State, wanted: Schedule) -> bool:
    """Whether the date in the state differs from the one that the program asks for."""
    if type(state.inputs.schedule) is not type(wanted):
        return True
    if not isinstance(wanted, At) and state.inputs.schedule != wanted:
        return True
    when = settled_date(wanted, state)
    if when is None:
        return True
    return when not in (state.live, state.given_up)


def on_update(  # all that the decision depends on
    state: State | None,
    image: Image,
    wanted: Schedule,
    when: datetime,
    now: datetime,
    settle: timedelta,
    *,
    replaced: State | None = None,
) -> Keep | Enable | GiveUp | Leave | Refusal:
    """What create (no state) and update do about the date; ``replaced`` is the state of what a create replaces."""
    if state is not None and image.date == when and is_settling(state, now, settle):
        # We wrote a moment ago, and EC2 may only show this date still: what we know counts.
        image = replace(image, deprecation_time=state.live)
    if image.date == when or _is_spreading(replaced, image, when, now, settle):
        return Keep()
    refusal = date_refusal(image, wanted, when, now)
    is_asked = state is None or needs_update(state, wanted)
    if refusal is None and state is not None and not is_asked:
        if may_lag(state, image.date, now, settle):
            return Keep()
        shown = text_or_none(image.date) or "no date"
        return Leave(
            f"{image.id} ({image.name}) in {image.region} has {shown} {CHANGED_OUTSIDE} and keeps it in this update, "
            f"which changes other inputs: the next `pulumi up` sets {dates.to_text(when)} again"
        )
    if refusal is None:
        return Enable(when)
    before = state or replaced
    if before is not None and before.scheduled == when:
        shown = text_or_none(image.date) or "no date"
        return GiveUp(
            f"{image.id} in {image.region} has {shown} after a change outside Pulumi, and {dates.to_text(when)} cannot be "
            f"set again: {refusal.sentence}"
        )
    return refusal


def _is_spreading(
    replaced: State | None, image: Image, when: datetime, now: datetime, settle: timedelta
) -> bool:
    """Whether EC2 shows what was before the write of what a create replaces."""
    if replaced is None or replaced.live != when:
        return False
    return may_lag(replaced, image.date, now, settle)


def is_settling(state: State, now: datetime, settle: timedelta) -> bool:
    """Whether EC2 may still show the date from before our last write."""
    return state.applied is not None and now - state.applied.at < settle


def may_be_stale(state: State, live: datetime | None) -> bool:
    """Whether an answer that is not our date is what EC2 shows while a write spreads."""
    return state.applied is not None and (live is None or live in state.applied.over)


def may_lag(state: State, live: datetime | None, now: datetime, settle: timedelta) -> bool:
    """Whether an answer, None also for an image that is not shown, can be from before our last write."""
    return is_settling(state, now, settle) and may_be_stale(state, live)


def record_write(state: State | None, image: Image, now: datetime, settle: timedelta) -> Applied:
    """A write of now: over what EC2 shows, and soon after another write over everything that it may show still."""
    over = {image.date}
    if state is not None and state.applied is not None and is_settling(state, now, settle):
        over |= {state.live, *state.applied.over}
    return Applied(now, tuple(sorted(date for date in over if date is not None)))


def still_given_up(state: State, image: Image, now: datetime) -> datetime | None:
    """The date that was given up, as long as EC2 does not take it: a public image may have become private again."""
    if state.given_up is None or date_refusal(image, At(state.given_up), state.given_up, now) is None:
        return None
    return state.given_up


#: Why a delete cannot know whether another resource asks for its image.
DELETES_FIRST = "delete_before_replace deletes before the run knows whether another resource asks for it"
HIDES_RESOURCES = "--target, --exclude or --continue-on-error can hide a resource that asks for it"


def on_delete(
    state: State, image: Image | None, now: datetime, settle: timedelta, *, doubt: str | None = None
) -> Keep | Enable | Cancel:
    """What delete does with the date: cancel ours, restore the original one, or leave somebody else's.

    Args:
        state: what the last run left.
        image: the image as it is now, None when EC2 does not show it.
        now: the time by EC2's clock.
        settle: how long EC2 may show what it had before a write.
        doubt: why another resource may still ask for this image: a date that has passed cannot be set again.
    """
    settling = is_settling(state, now, settle)
    if (image is None and not settling) or (image is not None and image.state in GONE_STATES):
        return Keep()
    live = state.scheduled if image is None else image.date
    ours = live == state.scheduled or may_lag(state, live, now, settle)
    where = f"{state.image_id} in {state.region}"
    if not ours:
        if live is None:
            return Keep()
        return Keep(
            f"{where} keeps {dates.to_text(live)}: this resource did not set it "
            f"(it stands for {text_or_none(state.scheduled)})"
        )
    if state.adopted and not (image is not None and image.public):
        return Keep(
            f"{where} keeps {text_or_none(state.scheduled)}, which was on the image already: {_how_to_cancel(state)}"
        )
    if doubt is not None and state.scheduled is not None and dates.is_past(state.scheduled, now):
        return Keep(
            f"{where} keeps {dates.to_text(state.scheduled)}: the date has passed and could not be set again, and {doubt}; "
            f"{_how_to_cancel(state)}"
        )
    return _undo(state, image, live, now)


def _how_to_cancel(state: State) -> str:
    command = f"aws ec2 disable-image-deprecation --region {state.region} --image-id {state.image_id}"
    return f"to cancel it, run `{command}`"


def _undo(state: State, image: Image | None, live: datetime | None, now: datetime) -> Keep | Enable | Cancel:
    """What happens to a date that this resource set."""
    where = f"{state.image_id} in {state.region}"
    previous = state.previous
    if state.inputs.on_destroy == "restore" and previous is not None:
        if previous == state.scheduled:
            return Keep(f"{where} keeps {dates.to_text(previous)}, its original date")
        # The image has our date, whatever EC2 shows while it spreads.
        ours_on_it = None if image is None else replace(image, deprecation_time=state.scheduled)
        if date_refusal(ours_on_it, At(previous), previous, now) is None:
            return Enable(previous)
    if image is not None and image.public:
        return Keep(
            f"{where} is public, and EC2 does not cancel the date of a public image: {text_or_none(live) or 'its date'} stays"
        )
    return Cancel(lost_original(state.inputs, previous, state.scheduled, now))


def lost_original(
    given: Inputs, original: datetime | None, ours: datetime | None, now: datetime
) -> str | None:
    """Why ``restore`` is no longer possible: the original date has passed, and EC2 accepts only future dates."""
    if (
        given.on_destroy != "restore"
        or original is None
        or original == ours
        or not dates.is_past(original, now)
    ):
        return None
    return f"its original date, {dates.to_text(original)}, has passed and cannot be restored"
