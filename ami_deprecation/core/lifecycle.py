"""Create, update, read and delete: read the image, let the rules decide, make at most one changing call."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

from .. import ec2, notes
from ..errors import ImageNotFound, InvalidInput, RequestRefused, WrongAccount
from ..image import GONE_STATES, Image
from ..settings import settings
from . import context, rules, state
from .check import MAX_AGE, claims
from .claims import Claim
from .inputs import InDays, Inputs, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ec2 import Target
    from .state import State

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


def create(given: Inputs, props: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Give the image its date, or adopt the date when the image has it already.

    Returns:
        The resource's id and its outputs.
    """
    region = str(given.region)
    target = context.target_of(given, region)
    image_id = str(given.image_id)
    claims.hold(Claim(target, image_id, given.resource, _text(props, state.OWNER_KEY)))
    image = _usable(target, image_id)
    # A check has read it, and remembers what was found before a taint; without one, it is what is there now.
    found = state.parse(props).previous if state.OWNER_KEY in props else image.date
    outs = _apply(target, image, None, given)
    return f"{region}/{image_id}", _outs(props, image, found, outs)


def update(old: State, given: Inputs, props: Mapping[str, object]) -> dict[str, object]:
    """Move the date in place; returns the outputs."""
    target = context.target_of(given, old.region)
    claims.hold(Claim(target, old.image_id, given.resource, old.owner_id))
    image = _usable(target, old.image_id, old)
    return _outs(props, image, old.previous, _apply(target, image, old, given))


def _text(props: Mapping[str, object], key: str) -> str | None:
    value = props.get(key)
    return value if isinstance(value, str) else None


def _usable(target: Target, image_id: str, old: State | None = None) -> Image:
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
        notes.once(f"{image_id} in {target.region} is pending: waiting for it to become available")
        sleep(max(0.0, min(_PENDING_EVERY, deadline - monotonic())))
        image = ec2.read_image(target, image_id, 0)
    refusal = rules.image_refusal(image, image_id, target.region, None)
    if refusal is None and image is not None:
        refusal = rules.image_refusal(image, image_id, target.region, ec2.owner_account(target))
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


def _apply(target: Target, image: Image, old: State | None, given: Inputs) -> dict[str, object]:
    """Make the date what it should be, and say where it stands."""
    wanted, now = given.schedule, ec2.now()
    if isinstance(wanted, Unknown):
        raise InvalidInput(f"{image.id}: the date has to be known")
    when = rules.resolve(wanted, created=image.creation_date, kept=rules.kept(old, wanted, image, now))
    if when is None:
        if not isinstance(wanted, InDays):
            raise InvalidInput(f"{image.id}: the date has to be known")
        when = rules.apply_in_days(wanted, image, now, first=old is None)
    action = rules.on_update(old, image, wanted, when, now, _settle())
    if isinstance(action, rules.Refusal):
        raise action.error(action.sentence)
    if isinstance(action, rules.GiveUp):
        notes.say(action.because)
        return state.ledger(
            live=image.date, scheduled=when, applied=old.applied if old else None, given_up=when
        )
    if isinstance(action, rules.Keep):
        return state.ledger(live=when, scheduled=when, applied=old.applied if old else None)
    ec2.enable(target, image.id, action.when)
    return state.ledger(live=when, scheduled=when, applied=rules.written(old, image, now, _settle()))


def _outs(
    props: Mapping[str, object], image: Image, found: datetime | None, ledger: Mapping[str, object]
) -> dict[str, object]:
    """The inputs as they came, what is known of the image, and where its date stands."""
    given = {key: value for key, value in props.items() if key not in state.OUTPUT_KEYS}
    return {**given, **state.facts(image, found), **ledger}


def read(old: State, props: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]] | None:
    """The image as it is now.

    Returns:
        Live inputs and outputs; None when the image is gone.
    """
    target = context.target_of(old.inputs, old.region)
    image = _settled(target, old)
    if image is None or image.state in GONE_STATES:
        return None
    live = image.date
    if (
        rules.is_settling(old, ec2.now(), _settle())
        and live != old.scheduled
        and rules.may_be_stale(old, live)
    ):
        live = old.live  # still spreading when the waiting was over: our own write is the better answer
    scheduled = old.scheduled or live
    outs = {key: value for key, value in props.items() if key not in (*state.OUTPUT_KEYS, *state.LEDGER_KEYS)}
    previous = old.previous if old.owner_id is not None else live
    outs.update(state.facts(image, previous))
    if scheduled is not None:
        given_up = rules.still_given_up(old, image, ec2.now()) if live == old.live else None
        outs.update(state.ledger(live=live, scheduled=scheduled, applied=old.applied, given_up=given_up))
    if "deprecate_at" in outs:
        outs["deprecate_at"] = state.text_or_none(live) or "none"
    live_inputs = {key: value for key, value in outs.items() if key not in state.OUTPUT_ONLY_KEYS}
    live_inputs[state.LIVE_KEY] = state.text_or_none(live) or "none"
    return live_inputs, state.present(outs)


def _look(target: Target, old: State, max_age: float) -> Image | None:
    """The image, or None when it is not shown: it is gone only when its owner asks, another account does not see it at all.

    Raises:
        WrongAccount: it is not shown, and another account asks.
    """
    image = ec2.read_image(target, old.image_id, max_age)
    if image is None:
        account = ec2.owner_account(target)
        if old.owner_id not in (None, account):
            raise WrongAccount(
                f"{old.image_id} in {old.region} belongs to account {old.owner_id}, and account {account} of "
                f"{target.identity.label} does not see whether it is gone: use the owner's credentials"
            )
    return image


def _settled(target: Target, old: State) -> Image | None:
    """The image, read again for a while when a write of ours may not be visible yet."""
    image = _look(target, old, _READ_AGE)
    wait = _SETTLE_FIRST
    while rules.is_settling(old, ec2.now(), _settle()):
        if image is not None and (image.date == old.scheduled or not rules.may_be_stale(old, image.date)):
            break
        notes.once(
            f"{old.image_id} in {target.region}: EC2 does not show the date that was set a moment ago; waiting up to "
            f"{settings().settle_seconds:g} seconds after the change"
        )
        sleep(wait)
        wait = min(wait * 2, _SETTLE_EVERY)
        image = ec2.read_image(target, old.image_id, 0)
    return image


def delete(old: State) -> None:
    """Cancel the date that this resource set, put back the one it found, or leave another's alone."""
    target = context.target_of(old.inputs, old.region)
    claim = Claim(target, old.image_id, old.inputs.resource, old.owner_id)
    holder = claims.holder(claim)
    if holder is not None:
        where = f"{old.image_id} in {old.region}"
        if holder.resource != old.inputs.resource:  # else it is replaced by itself, as after a taint
            notes.say(
                f"{where} keeps its date: the resource {holder.resource!r} of this update has taken it over"
            )
        if old.inputs.on_destroy == "restore" and not holder.carried_over and old.previous != old.live:
            # The engine gives a new resource nothing of the old one's state; an alias would.
            notes.say(
                f"{where}: the date that was found on it at first, {state.text_or_none(old.previous) or 'none'}, is not "
                f"carried over to {holder.resource!r}, which will restore {state.text_or_none(old.live)}"
            )
        return
    image = _look(target, old, _DELETE_AGE)
    action = rules.on_delete(old, image, ec2.now(), _settle())
    if isinstance(action, rules.Keep):
        if action.because:
            notes.say(action.because)
        return
    try:
        if isinstance(action, rules.Enable):
            ec2.enable(target, old.image_id, action.when)
        else:
            ec2.disable(target, old.image_id)
    except ImageNotFound:
        return  # gone is what was wanted
