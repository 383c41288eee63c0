"""Create, update, read and delete: read the image, let the rules decide, make at most one changing call."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from .. import dates
from ..errors import ImageNotFound, InvalidInput, RequestRefused, WrongAccount
from ..image import GONE_STATES, Image
from . import rules, targets
from .check import MAX_AGE, look_for_date, look_for_passed_date, look_twice, two_resources
from .claims import Claim
from .inputs import At, Unknown
from .state import State, text_or_none

if TYPE_CHECKING:
    from ..ec2 import Target
    from .inputs import Inputs
    from .run import Run

#: A refresh reads many images one after the other: an answer of this age is as good as a new one, in seconds.
_READ_AGE = 60.0
#: A delete cancels by what it reads, so it reads anew.
_DELETE_AGE = 15.0
_PENDING_EVERY = 5.0
_SETTLE_FIRST = 1.0
_SETTLE_EVERY = 8.0


def _settle(run: Run) -> timedelta:
    return timedelta(seconds=run.ec2.settings.settle_seconds)


def _first_wait(run: Run) -> float:
    return min(_SETTLE_FIRST, run.ec2.settings.look_again_seconds)


def create(run: Run, planned: State, patience: float | None = None) -> State:
    """Give the image its date, or adopt the date when the image has it already.

    Args:
        run: what this process remembers.
        planned: the inputs, and what the check read of the image.
        patience: how long to wait for a pending image, in seconds; None: as the settings say.
    """
    target = targets.target_of(run, planned.inputs, planned.region)
    claim = _claim(target, planned)
    run.claims.hold(claim)
    replaced = run.known(planned.image_id, planned.region)
    if replaced is not None and run.leaves_alone(planned.image_id, planned.region, planned.inputs.resource):
        run.has_arrived(planned.inputs.resource)
        return replace(replaced, inputs=planned.inputs)
    image = _wait_until_usable(run, target, planned.image_id, patience=patience)
    claim = replace(claim, owner_id=image.owner_id)
    run.claims.hold(claim)
    rival = run.claims.rival(claim)
    if rival is not None:
        raise InvalidInput(two_resources(claim, rival), image_id=image.id, region=image.region)
    # A check has read it, and remembers the original date across a taint; without one, it is the date of now.
    previous = planned.previous if planned.owner_id is not None else image.date
    state = _apply(run, target, image, None, replace(planned, previous=previous))
    run.claims.hold(replace(claim, date=state.scheduled, is_adopted=state.adopted))
    run.has_arrived(planned.inputs.resource)
    return state


def update(run: Run, old: State, planned: State, patience: float | None = None) -> State:
    """Move the date in place; ``patience`` is that of ``create``."""
    if run.leaves_alone(old.image_id, old.region, planned.inputs.resource):
        return replace(old, inputs=planned.inputs)
    target = targets.target_of(run, planned.inputs, old.region)
    claim = replace(_claim(target, old), date=planned.scheduled)
    run.claims.hold(claim)
    image = _wait_until_usable(run, target, old.image_id, old, patience)
    run.claims.hold(replace(claim, owner_id=image.owner_id))
    return _apply(run, target, image, old, replace(planned, previous=old.previous))


def _claim(target: Target, state: State) -> Claim:
    return Claim(target, state.image_id, state.inputs.resource, state.owner_id, date=state.scheduled)


def _wait_until_usable(
    run: Run, target: Target, image_id: str, old: State | None = None, patience: float | None = None
) -> Image:
    """The image, once it can get a date: waits for a pending image, and refuses one that will never be usable."""
    patience = run.ec2.settings.pending_seconds if patience is None else patience
    deadline = monotonic() + patience
    image = run.ec2.read_image(target, image_id, MAX_AGE)
    if image is None and old is not None and rules.is_settling(old, run.ec2.now(), _settle(run)):
        return _last_seen(run, old)
    before = old or run.known(image_id, target.region)
    if before is not None:
        image = look_for_passed_date(run, target, before, image)
    not_there_until = monotonic() + run.ec2.settings.not_there_yet_seconds
    while image is None and monotonic() < not_there_until:
        run.ec2.pause(_first_wait(run))
        image = run.ec2.read_image(target, image_id, 0)
    while image is not None and image.state == "pending" and monotonic() < deadline:
        run.note_once(f"{image_id} in {target.region} is pending: waiting for it to become available")
        run.ec2.pause(max(0.0, min(_PENDING_EVERY, deadline - monotonic())))
        image = run.ec2.read_image(target, image_id, 0)
    refusal = rules.image_refusal(image, image_id, target.region, None, had=old is not None)
    account = None
    if refusal is None and image is not None:
        account = run.ec2.caller_account(target)
        refusal = rules.image_refusal(image, image_id, target.region, account)
    if refusal is not None:
        raise refusal.as_error(image_id, target.region, account)
    if image is None or image.state == "pending":
        raise RequestRefused(
            f"{image_id} in {target.region} is still pending after {patience:g} seconds: "
            "run pulumi up again when it is available",
            image_id=image_id,
            region=target.region,
        )
    return image


def _last_seen(run: Run, old: State) -> Image:
    """The image as the last run left it, while EC2 may not show it for a write of a moment ago."""
    created = old.creation_date or run.ec2.now()
    return Image(
        old.image_id, old.image_name or "", old.region, old.owner_id or "", created, deprecation_time=old.live
    )


def _apply(run: Run, target: Target, image: Image, old: State | None, planned: State) -> State:
    """Make the date what it should be; returns where it then stands."""
    wanted, now = planned.inputs.schedule, run.ec2.now()
    if isinstance(wanted, Unknown):
        raise InvalidInput(f"{image.id}: the date has to be known", image_id=image.id, region=image.region)
    # A replacement, as by another role, is no new resource: days that were counted once stay as they are.
    replaced = run.known(image.id, image.region) if old is None else None
    before = old or replaced
    # Days that another resource has counted for this image are its own, as in a swap.
    is_own = replaced is not None and replaced.inputs.resource == planned.inputs.resource
    counted = replaced if is_own else old
    when = rules.date_for(wanted, counted, image, now, first=counted is None)
    action = rules.on_update(old, image, wanted, when, now, _settle(run), replaced=replaced)
    if isinstance(action, rules.Refusal):
        raise action.as_error(image.id, image.region)
    state = replace(
        _with_image(planned, image),
        live=when,
        scheduled=when,
        applied=before.applied if before else None,
        given_up=None,
        # Whoever set the date first still counts when somebody has moved it for a while.
        adopted=old is not None and old.adopted and old.scheduled == when,
    )
    if isinstance(action, rules.GiveUp):
        run.warn(action.because)
        return replace(state, live=image.date, given_up=when)
    if isinstance(action, rules.Leave) and old is not None:
        run.warn(action.because)
        given_up = rules.still_given_up(old, image, now)
        return replace(state, live=image.date, scheduled=old.scheduled, given_up=given_up)
    if isinstance(action, rules.Keep):
        return replace(state, adopted=_is_adopted(run, old, image, when))
    if isinstance(action, rules.Enable):
        note = rules.outside_change(old, image, when, now, _settle(run)) if old else None
        if note is not None:
            run.warn_once(note)
        run.ec2.enable(target, image.id, action.when)
        return replace(state, adopted=False, applied=rules.record_write(old, image, now, _settle(run)))
    return state


def _is_adopted(run: Run, old: State | None, image: Image, when: datetime) -> bool:
    """Whether a date that was there already is somebody else's, as far as this process knows."""
    before = old or run.known(image.id, image.region)
    return before.adopted if before is not None and before.scheduled == when else True


def _with_image(state: State, image: Image) -> State:
    return replace(state, image_name=image.name, owner_id=image.owner_id, creation_date=image.creation_date)


def take_over(run: Run, given: Inputs) -> State:
    """The state of a resource that takes an image over with the date that it has, as an import does; nothing is changed.

    Args:
        run: what this process remembers.
        given: the image, and its Region unless it is the one in force; it has no schedule.

    Raises:
        ImageNotFound: the image is not there.
        InvalidInput: it has no date, or there is no such Region.
        NotImageOwner: another account owns it.
    """
    region = targets.region_of(run, given, until_now=None)
    if isinstance(region, Unknown):
        raise InvalidInput(f"{given.image_id}: the Region has to be known", image_id=str(given.image_id))
    target = targets.target_of(run, given, region)
    image_id = str(given.image_id)
    image = look_twice(run, target, image_id, 0)
    account = run.ec2.caller_account(target)
    refusal = rules.image_refusal(image, image_id, region, account)
    if refusal is not None:
        raise refusal.as_error(image_id, region, account)
    date = None if image is None else image.date
    if image is None or date is None:
        raise InvalidInput(
            f"{image_id} in {region} has no deprecation date, so there is nothing to import: declare the date that you want, "
            "and pulumi up sets it",
            image_id=image_id,
            region=region,
        )
    own = replace(given, schedule=At(date), region=region)
    known = State(own, region, live=date, scheduled=date, previous=date, adopted=True)
    return _with_image(known, image)


def read(run: Run, old: State) -> State | None:
    """The image as it is now; None when it is gone."""
    target = targets.target_of(run, old.inputs, old.region)
    image = _read_settled(run, target, old)
    if image is None or image.state in GONE_STATES:
        run.drop(old.image_id, old.region)
        run.warn(
            f"{old.image_id} in {old.region} was deregistered: its resource leaves the state; remove it from the program"
            if image
            else f"{old.image_id} is not found in {old.region}: its resource leaves the state; remove it from the program"
        )
        return None
    live = image.date
    now = run.ec2.now()
    if live != old.scheduled and rules.may_lag(old, live, now, _settle(run)):
        live = old.live  # still spreading when the waiting was over: our own write is the better answer
    return replace(
        _with_image(old, image),
        live=live,
        scheduled=old.scheduled or live,
        previous=old.previous if old.owner_id is not None else live,
        given_up=rules.still_given_up(old, image, now) if live == old.live else None,
    )


def _look(run: Run, target: Target, old: State, max_age: float) -> Image | None:
    """The image, or None when EC2 does not show it. Only its owner can tell that it is gone.

    Raises:
        WrongAccount: EC2 does not show it, and the credentials are of another account.
    """
    image = look_twice(run, target, old.image_id, max_age)
    if image is None:
        account = run.ec2.caller_account(target)
        if old.owner_id not in (None, account):
            raise WrongAccount(
                f"{old.image_id} in {old.region} belongs to account {old.owner_id}, and account {account} of "
                f"{target.identity.label} cannot see whether it still exists: use the owner's credentials",
                image_id=old.image_id,
                region=old.region,
                account=account,
            )
    return image


def _read_settled(run: Run, target: Target, old: State) -> Image | None:
    """The image, read again for a while when a write of ours may not be visible yet."""
    image = look_for_passed_date(run, target, old, _look(run, target, old, _READ_AGE))
    wait = _first_wait(run)
    while rules.is_settling(old, run.ec2.now(), _settle(run)):
        if image is not None and (image.date == old.scheduled or not rules.may_be_stale(old, image.date)):
            break
        run.note_once(
            f"{old.image_id} in {target.region}: EC2 does not show the date that was set a moment ago; waiting up to "
            f"{run.ec2.settings.settle_seconds:g} seconds after the change"
        )
        run.ec2.pause(wait)
        wait = min(wait * 2, _SETTLE_EVERY)
        image = run.ec2.read_image(target, old.image_id, 0)
    return image


def delete(run: Run, old: State) -> None:
    """Cancel the date that this resource set, restore the original one, or leave somebody else's alone."""
    target = targets.target_of(run, old.inputs, old.region)
    if old.scheduled is not None and not old.adopted:
        original = old.previous if old.inputs.on_destroy == "restore" else None
        run.note_deleted(old.image_id, old.region, old.scheduled, original)
    holder = run.claims.holder(_claim(target, old))
    if holder is not None:
        _hand_over(run, target, old, holder)
        return
    where = f"{old.image_id} in {old.region}"
    image = look_for_date(run, target, old, _look(run, target, old, _DELETE_AGE))
    action = rules.on_delete(old, image, run.ec2.now(), _settle(run), doubt=_doubt(run, old))
    if isinstance(action, rules.Keep):
        if action.because:
            run.warn(action.because)
        elif image is None:
            run.note(f"{where} is not found, so no date is canceled")
        return
    if isinstance(action, rules.Enable):
        original = run.original_below(old.image_id, old.region, action.when)
        if original is None or dates.is_past(original, run.ec2.now()):
            # The other half of a rename that was cut off has set it: nobody is left who wants it.
            action = rules.Cancel()
        else:
            action = rules.Enable(original)
    try:
        _undo(run, target, old, action)
    except ImageNotFound:  # one answer can be wrong
        run.ec2.pause(run.ec2.settings.look_again_seconds)
        try:
            _undo(run, target, old, action)
        except ImageNotFound:
            run.note(f"{where} is not found, so no date is canceled")


def _doubt(run: Run, old: State) -> str | None:
    """Why this run cannot know whether another resource asks for the image."""
    if run.is_moving(old.image_id, old.region, old.inputs.resource):
        return rules.DELETES_FIRST
    return rules.HIDES_RESOURCES if run.claims.meeting.hides_resources() else None


def _undo(run: Run, target: Target, old: State, action: rules.Enable | rules.Cancel) -> None:
    """Make the call that a delete has come to, and say so."""
    where = f"{old.image_id} in {old.region}"
    gone = text_or_none(old.scheduled)  # soon after a write EC2 may show an earlier one
    if isinstance(action, rules.Enable):
        run.ec2.enable(target, old.image_id, action.when)
        run.note(f"{where}: {gone} is replaced by {text_or_none(action.when)}, its original date")
        return
    run.ec2.disable(target, old.image_id)
    if action.because:
        run.warn(f"{where}: the date {gone} is canceled; {action.because}")
    else:
        run.note(f"{where}: the date {gone} is canceled")


def _hand_over(run: Run, target: Target, old: State, holder: Claim) -> None:
    """Leave the image to another resource of this update, with the date that this one asks for."""
    where = f"{old.image_id} in {old.region}"
    wanted = holder.date or _known_date(run, old, holder)
    is_older = holder.carried_over or holder.is_only_declared
    if old.inputs.on_destroy == "restore" and not holder.carried_over and old.previous != old.live:
        # The engine does not pass the old state to a new resource; with an alias it would.
        run.warn(
            f"{where}: its original date, {text_or_none(old.previous) or 'none'}, is not carried over to "
            f"{holder.resource!r}, which will restore {text_or_none(old.live)}"
        )
    # A new holder has set its date itself; one from before this run has not, as after a rename that was reverted.
    if (
        not is_older
        or wanted is None
        or wanted == old.scheduled
        or not _move_back(run, target, old, holder, wanted)
    ):
        _note_holder(run, old, holder)


def _note_holder(run: Run, old: State, holder: Claim) -> None:
    """Say why a date stays."""
    is_new = not holder.carried_over and holder.date in (None, old.scheduled)
    if holder.resource == old.inputs.resource and (old.adopted or not is_new):
        return  # it replaces itself, and what is known about it is kept
    how = "is declared for it" if holder.is_only_declared else "of this update has taken it over"
    note = f"{old.image_id} in {old.region} keeps its date: the resource {holder.resource!r} {how}"
    if is_new and holder.is_adopted:
        note += f"; without an alias, Pulumi cannot tell who set it, so removing {holder.resource!r} leaves the date"
    if holder.is_only_declared and holder.date is None:
        note += f"; the date is {text_or_none(old.scheduled)}: if the program has another one, run `pulumi up --refresh`"
    run.note(note)


def _known_date(run: Run, old: State, holder: Claim) -> datetime | None:
    """The date of a holder that counts its days: its inputs do not have it, its outputs do."""
    known = run.known(old.image_id, old.region)
    return known.scheduled if known is not None and known.inputs.resource == holder.resource else None


def _move_back(run: Run, target: Target, old: State, holder: Claim, wanted: datetime) -> bool:
    """Set the holder's date where the image has the one of this resource; returns whether that was said or done."""
    where = f"{old.image_id} in {old.region}"
    image = look_for_date(run, target, old, _look(run, target, old, _DELETE_AGE))
    if rules.may_lag(old, image.date if image else None, run.ec2.now(), _settle(run)):
        image = _last_seen(run, old)  # EC2 shows what was before our write
    if image is None:
        run.note(f"{where} is not found, so its date is left")
        return True
    if image.date != old.scheduled:
        if image.date == wanted:
            return False
        run.warn(
            f"{where} has {text_or_none(image.date) or 'no date'} {rules.CHANGED_OUTSIDE}, and {holder.resource!r} asks for "
            f"{text_or_none(wanted)}: run `pulumi up --refresh`"
        )
        return True
    refusal = rules.date_refusal(image, At(wanted), wanted, run.ec2.now())
    if refusal is None:
        run.ec2.enable(target, old.image_id, wanted)
        run.note(
            f"{where}: {text_or_none(old.scheduled)} is replaced by {text_or_none(wanted)}, which {holder.resource!r} asks for"
        )
    else:
        run.warn(
            f"{where} keeps {text_or_none(old.scheduled)}, and {holder.resource!r} asks for "
            f"{text_or_none(wanted)}: {refusal.sentence}; run `pulumi up --refresh`"
        )
    return True
