"""Create, update, read and delete: read the image, let the rules decide, make at most one changing call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

from .. import ec2
from ..errors import ImageNotFound, InvalidInput, RequestRefused, WrongAccount
from ..image import GONE_STATES, Image
from ..settings import settings
from . import context, rules
from .check import MAX_AGE, look_twice
from .claims import Claim
from .inputs import At, Unknown
from .state import State, text_or_none

if TYPE_CHECKING:
    from ..ec2 import Target
    from .run import Run

#: A refresh reads many images one after the other: an answer of this age is as good as a new one, in seconds.
_READ_AGE = 60.0
#: A delete cancels by what it reads, so it reads anew.
_DELETE_AGE = 15.0
_PENDING_EVERY = 5.0
_SETTLE_FIRST = 1.0
_SETTLE_EVERY = 8.0
_NOT_THERE_YET = 10.0


def _settle() -> timedelta:
    return timedelta(seconds=settings().settle_seconds)


def create(run: Run, planned: State) -> State:
    """Give the image its date, or adopt the date when the image has it already.

    Args:
        run: what this process remembers.
        planned: the inputs, and what the check read of the image.
    """
    target = context.target_of(run, planned.inputs, planned.region)
    claim = _claim(target, planned)
    run.claims.hold(claim)
    image = _wait_until_usable(run, target, planned.image_id)
    run.claims.hold(replace(claim, owner_id=image.owner_id))
    # A check has read it, and remembers the original date across a taint; without one, it is the date of now.
    previous = planned.previous if planned.owner_id is not None else image.date
    state = _apply(run, target, image, None, replace(planned, previous=previous))
    run.has_arrived(planned.inputs.resource)
    return state


def update(run: Run, old: State, planned: State) -> State:
    """Move the date in place."""
    target = context.target_of(run, planned.inputs, old.region)
    claim = replace(_claim(target, old), date=planned.scheduled)
    run.claims.hold(claim)
    image = _wait_until_usable(run, target, old.image_id, old)
    run.claims.hold(replace(claim, owner_id=image.owner_id))
    return _apply(run, target, image, old, replace(planned, previous=old.previous))


def _claim(target: Target, state: State) -> Claim:
    return Claim(target, state.image_id, state.inputs.resource, state.owner_id, date=state.scheduled)


def _wait_until_usable(run: Run, target: Target, image_id: str, old: State | None = None) -> Image:
    """The image, once it can be given a date: waits for a pending one, and refuses what never will be."""
    deadline = monotonic() + settings().pending_seconds
    image = ec2.read_image(target, image_id, MAX_AGE)
    if image is None and old is not None and rules.is_settling(old, ec2.now(), _settle()):
        return _last_seen(old)
    not_there_until = monotonic() + _NOT_THERE_YET
    while image is None and monotonic() < not_there_until:
        sleep(_SETTLE_FIRST)
        image = ec2.read_image(target, image_id, 0)
    while image is not None and image.state == "pending" and monotonic() < deadline:
        run.warn_once(f"{image_id} in {target.region} is pending: waiting for it to become available")
        sleep(max(0.0, min(_PENDING_EVERY, deadline - monotonic())))
        image = ec2.read_image(target, image_id, 0)
    refusal = rules.image_refusal(image, image_id, target.region, None)
    if refusal is None and image is not None:
        refusal = rules.image_refusal(image, image_id, target.region, ec2.caller_account(target))
    if refusal is not None:
        raise refusal.error(refusal.sentence)
    if image is None or image.state == "pending":
        raise RequestRefused(
            f"{image_id} in {target.region} is still pending after {settings().pending_seconds:g} seconds: "
            "run pulumi up again when it is available"
        )
    return image


def _last_seen(old: State) -> Image:
    """The image as the last run left it, while EC2 may not show it for a write of a moment ago."""
    created = old.creation_date or ec2.now()
    return Image(
        old.image_id, old.image_name or "", old.region, old.owner_id or "", created, deprecation_time=old.live
    )


def _apply(run: Run, target: Target, image: Image, old: State | None, planned: State) -> State:
    """Make the date what it should be; returns where it then stands."""
    wanted, now = planned.inputs.schedule, ec2.now()
    if isinstance(wanted, Unknown):
        raise InvalidInput(f"{image.id}: the date has to be known")
    when = rules.date_for(wanted, old, image, now, first=old is None)
    action = rules.on_update(old, image, wanted, when, now, _settle())
    if isinstance(action, rules.Refusal):
        raise action.error(action.sentence)
    state = replace(
        _with_image(planned, image),
        live=when,
        scheduled=when,
        applied=old.applied if old else None,
        given_up=None,
    )
    if isinstance(action, rules.GiveUp):
        run.warn(action.because)
        return replace(state, live=image.date, given_up=when)
    if isinstance(action, rules.Enable):
        ec2.enable(target, image.id, action.when)
        return replace(state, applied=rules.record_write(old, image, now, _settle()))
    return state


def _with_image(state: State, image: Image) -> State:
    return replace(state, image_name=image.name, owner_id=image.owner_id, creation_date=image.creation_date)


def read(run: Run, old: State) -> State | None:
    """The image as it is now; None when it is gone."""
    target = context.target_of(run, old.inputs, old.region)
    image = _read_settled(run, target, old)
    if image is None or image.state in GONE_STATES:
        run.warn(
            f"{old.image_id} in {old.region} is deregistered: its resource leaves the state"
            if image
            else f"{old.image_id} is not found in {old.region}: its resource leaves the state"
        )
        return None
    live = image.date
    now = ec2.now()
    if rules.is_settling(old, now, _settle()) and live != old.scheduled and rules.may_be_stale(old, live):
        live = old.live  # still spreading when the waiting was over: our own write is the better answer
    return replace(
        _with_image(old, image),
        live=live,
        scheduled=old.scheduled or live,
        previous=old.previous if old.owner_id is not None else live,
        given_up=rules.still_given_up(old, image, now) if live == old.live else None,
    )


def _look(target: Target, old: State, max_age: float) -> Image | None:
    """The image, or None when EC2 does not show it. Only its owner can tell that it is gone.

    Raises:
        WrongAccount: EC2 does not show it, and the credentials are of another account.
    """
    image = look_twice(target, old.image_id, max_age)
    if image is None:
        account = ec2.caller_account(target)
        if old.owner_id not in (None, account):
            raise WrongAccount(
                f"{old.image_id} in {old.region} belongs to account {old.owner_id}, and account {account} of "
                f"{target.identity.label} does not see whether it is gone: use the owner's credentials"
            )
    return image


def _read_settled(run: Run, target: Target, old: State) -> Image | None:
    """The image, read again for a while when a write of ours may not be visible yet."""
    image = _look(target, old, _READ_AGE)
    wait = _SETTLE_FIRST
    while rules.is_settling(old, ec2.now(), _settle()):
        if image is not None and (image.date == old.scheduled or not rules.may_be_stale(old, image.date)):
            break
        run.warn_once(
            f"{old.image_id} in {target.region}: EC2 does not show the date that was set a moment ago; waiting up to "
            f"{settings().settle_seconds:g} seconds after the change"
        )
        sleep(wait)
        wait = min(wait * 2, _SETTLE_EVERY)
        image = ec2.read_image(target, old.image_id, 0)
    return image


def delete(run: Run, old: State) -> None:
    """Cancel the date that this resource set, restore the original one, or leave somebody else's alone."""
    target = context.target_of(run, old.inputs, old.region)
    holder = run.claims.holder(_claim(target, old))
    if holder is not None:
        _hand_over(run, target, old, holder)
        return
    where = f"{old.image_id} in {old.region}"
    image = _look(target, old, _DELETE_AGE)
    moving = run.is_moving(old.image_id, old.region, old.inputs.resource)
    action = rules.on_delete(old, image, ec2.now(), _settle(), moving=moving)
    if isinstance(action, rules.Keep):
        if action.because:
            run.warn(action.because)
        return
    gone = text_or_none(image.date if image else old.scheduled)
    try:
        if isinstance(action, rules.Enable):
            ec2.enable(target, old.image_id, action.when)
            run.warn(f"{where}: {gone} is replaced by {text_or_none(action.when)}, its original date")
        else:
            ec2.disable(target, old.image_id)
            run.warn(f"{where}: the date {gone} is canceled")
    except ImageNotFound:
        return  # gone is what was wanted


def _hand_over(run: Run, target: Target, old: State, holder: Claim) -> None:
    """Leave the image to another resource of this update, with the date that this one asks for."""
    where = f"{old.image_id} in {old.region}"
    if holder.resource != old.inputs.resource:  # else it is replaced by itself, as after a taint
        run.warn(f"{where} keeps its date: the resource {holder.resource!r} of this update has taken it over")
    if old.inputs.on_destroy == "restore" and not holder.carried_over and old.previous != old.live:
        # The engine gives a new resource nothing of the old one's state; an alias would.
        run.warn(
            f"{where}: its original date, {text_or_none(old.previous) or 'none'}, is not carried over to "
            f"{holder.resource!r}, which will restore {text_or_none(old.live)}"
        )
    if not holder.carried_over or holder.date is None or holder.date == old.scheduled:
        # A new holder sets its date itself. When the engine skips its create (--continue-on-error), ours is what is left.
        return
    # A reverted rename: the holder's state says its own date, and EC2 has the one that this resource set.
    image = _look(target, old, _DELETE_AGE)
    if image is None or image.date != old.scheduled:
        return
    refusal = rules.date_refusal(image, At(holder.date), holder.date, ec2.now())
    if refusal is None:
        ec2.enable(target, old.image_id, holder.date)
        run.warn(
            f"{where}: {text_or_none(old.scheduled)} is replaced by {text_or_none(holder.date)}, which {holder.resource!r} asks for"
        )
    else:
        run.warn(
            f"{where} keeps {text_or_none(old.scheduled)}, and {holder.resource!r} asks for "
            f"{text_or_none(holder.date)}: {refusal.sentence}; run `pulumi up --refresh`"
        )
