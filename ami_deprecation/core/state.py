"""What is known of a resource: a frozen, typed value, its one parser and its one writer. Pure.

Keys that the engine hides hold what the next run needs and a reader does not:

``__scheduled``
    the date that the program asks for. EC2 may show another one (drift).
``__applied_at``, ``__applied_over``
    when the date was last sent to EC2, and the date that EC2 had before. EC2 may show the old date for minutes. After
    several writes within these minutes there are several dates, separated by spaces.
``__given_up``
    a date that EC2 no longer accepts after a change outside Pulumi. It is not sent again.
``__adopted``
    true for a date that was on the image before the program asked for it. Removal leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from .. import dates
from ..errors import InvalidInput
from . import inputs, keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..image import Image
    from .inputs import Inputs, Unknown


@dataclass(frozen=True)
class Facts:
    """What EC2 says of an image and a reviewer wants to see."""

    image_name: str | None = None
    owner_id: str | None = None
    creation_date: datetime | None = None
    #: The date that the image had when this resource first saw it.
    previous: datetime | None = None


@dataclass(frozen=True)
class Applied:
    """A write: when we made it, and the dates that EC2 had before, a moment ago."""

    at: datetime
    over: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class State:
    """What is known of a resource from its last run."""

    inputs: Inputs
    #: The Region it is in, always known.
    region: str
    #: The date on the image as last seen, on the minute.
    live: datetime | None
    #: The date that the resource stands for.
    scheduled: datetime | None
    previous: datetime | None = None
    image_name: str | None = None
    owner_id: str | None = None
    creation_date: datetime | None = None
    applied: Applied | None = None
    given_up: datetime | None = None
    #: Whether the date was on the image before the program asked for it, so that no run of ours has set it.
    adopted: bool = False

    @property
    def image_id(self) -> str:
        return str(self.inputs.image_id)

    @property
    def drifted(self) -> bool:
        """Whether the image was last seen with another date than the one that the resource stands for."""
        return self.live != self.scheduled and self.given_up is None

    @property
    def facts(self) -> Facts:
        return Facts(self.image_name, self.owner_id, self.creation_date, self.previous)


@dataclass(frozen=True)
class Plan:
    """What a check knows of a resource: the program's inputs in their normal form, and what will become of the image."""

    inputs: Inputs
    #: UNKNOWN while the image is, None when it was not read.
    facts: Facts | Unknown | None
    #: The date that the image will have: UNKNOWN while a value that it depends on is, None when it is counted at ``up``.
    date: datetime | Unknown | None
    #: The program's date, if it was changed outside Pulumi and EC2 no longer accepts it: the image keeps its own.
    given_up: datetime | None = None
    #: What the last run left, for a date that the program leaves alone (``ignore_changes``); else None.
    left_alone: State | None = None


def facts_of(image: Image, previous: datetime | None) -> Facts:
    """The facts of an image that was read, with the date that this resource first saw on it."""
    return Facts(image.name, image.owner_id, image.creation_date, previous)


def parse(outs: Mapping[str, object], resource_id: str | None = None) -> State:
    """Read a state: old outputs, or old inputs, which have fewer keys.

    Raises:
        InvalidInput: a date, the image or the Region in it cannot be read.
    """
    scheduled = _date(outs, keys.SCHEDULED_KEY) or _date(outs, keys.LIVE_KEY)
    # A refresh writes the live date over the program's own: the inputs are the program's.
    own = {"deprecate_at": text_or_none(scheduled)} if "deprecate_at" in outs and scheduled else {}
    given, problems = inputs.parse({**outs, **own})
    for each in problems:
        if each.property in ("image_id", "region") and outs.get(each.property) is not None:
            raise _unreadable(outs, each.property, outs[each.property], "cannot be used")
    region = given.region
    if not isinstance(region, str):
        region = (resource_id or "").partition("/")[0]
    applied_at = _date(outs, keys.APPLIED_AT_KEY, exact=True)
    return State(
        inputs=given,
        region=region,
        live=_date(outs, keys.LIVE_KEY),
        scheduled=scheduled,
        previous=_date(outs, keys.PREVIOUS_KEY),
        image_name=_text(outs, keys.NAME_KEY),
        owner_id=_text(outs, keys.OWNER_KEY),
        creation_date=_date(outs, keys.CREATED_KEY, exact=True),
        applied=None if applied_at is None else Applied(applied_at, _dates(outs, keys.APPLIED_OVER_KEY)),
        given_up=_date(outs, keys.GIVEN_UP_KEY),
        adopted=outs.get(keys.ADOPTED_KEY) is True,
    )


def _text(outs: Mapping[str, object], key: str) -> str | None:
    value = outs.get(key)
    return value if isinstance(value, str) else None


def _date(outs: Mapping[str, object], key: str, *, exact: bool = False) -> datetime | None:
    text = _text(outs, key)
    return None if text is None or text == keys.NO_DATE else _read_date(outs, key, text, exact=exact)


def _dates(outs: Mapping[str, object], key: str) -> tuple[datetime, ...]:
    return tuple(_read_date(outs, key, text) for text in (_text(outs, key) or "").split())


def _read_date(outs: Mapping[str, object], key: str, text: str, *, exact: bool = False) -> datetime:
    try:
        return dates.parse_ec2(text) if exact else dates.parse(text)
    except (InvalidInput, ValueError):
        raise _unreadable(outs, key, text, "is not a date") from None


def _unreadable(outs: Mapping[str, object], key: str, value: object, why: str) -> InvalidInput:
    return InvalidInput(
        f"the state of {outs.get(keys.RESOURCE_KEY) or outs.get('image_id')!r} has {key}={value!r}, which {why}: restore "
        "the state from a backup, or run `pulumi state delete` and then `pulumi up`",
        image_id=_text(outs, "image_id"),
    )


def text_or_none(when: datetime | None) -> str | None:
    """The text of a date, None without one."""
    return None if when is None else dates.to_text(when)


def outputs(state: State) -> dict[str, object]:
    """Write a state: the outputs that the engine keeps."""
    return _present({**_input_props(state), **_facts(state.facts), **_bookkeeping(state)})


def refreshed(state: State) -> tuple[dict[str, object], dict[str, object]]:
    """Write what a refresh read: inputs and outputs, with the live date where the program gave one.

    The engine shows the difference between these inputs and the program's as drift.
    """
    live = text_or_none(state.live) or keys.NO_DATE
    own = {"deprecate_at": live} if isinstance(state.inputs.schedule, inputs.At) else {}
    outs = outputs(state) | own
    hidden = (*keys.OUTPUT_KEYS, keys.APPLIED_AT_KEY, keys.APPLIED_OVER_KEY, keys.ADOPTED_KEY)
    shown = {key: value for key, value in outs.items() if key not in hidden} | _present(_facts(state.facts))
    if isinstance(state.inputs.schedule, inputs.InDays) and state.live == state.scheduled:
        # As the check before the first apply left them: the engine would show the date as an addition.
        shown.pop(keys.SCHEDULED_KEY, None)
        return shown, outs
    return shown | {keys.LIVE_KEY: live}, outs


def planned(plan: Plan) -> dict[str, object]:
    """Write a check's plan: the inputs that the engine stores, compares and shows."""
    if plan.left_alone is not None:
        return _planned_alone(plan.inputs, plan.left_alone)
    facts = plan.facts
    # Left out, unknown facts would look as if they were taken away.
    shown = (
        dict.fromkeys((keys.NAME_KEY, keys.OWNER_KEY, keys.CREATED_KEY), inputs.UNKNOWN)
        if isinstance(facts, inputs.Unknown)
        else _facts(facts or Facts())
    )
    when = dates.to_text(plan.date) if isinstance(plan.date, datetime) else plan.date
    counted = isinstance(plan.inputs.schedule, inputs.InDays)
    settled = {keys.SCHEDULED_KEY: when} if counted and isinstance(when, str) else {}
    # Hidden, for the comment: the engine shows the program's date beside the one that stays.
    given_up = {keys.GIVEN_UP_KEY: text_or_none(plan.given_up)}
    return _present({**inputs.to_props(plan.inputs), **shown, keys.LIVE_KEY: when, **settled, **given_up})


def _planned_alone(given: inputs.Inputs, old: State) -> dict[str, object]:
    """A plan that leaves the date alone: in the form of a refresh, so that the next check sees no change either."""
    live = (text_or_none(old.live) or keys.NO_DATE) if old.scheduled else None
    own = {"deprecate_at": live} if isinstance(given.schedule, inputs.At) else {}
    props = {**inputs.to_props(replace(given, region=old.region)), **own, **_facts(old.facts)}
    return _present({**props, keys.LIVE_KEY: live, keys.SCHEDULED_KEY: text_or_none(old.scheduled)})


def without_left_alone_date(
    olds: Mapping[str, object], news: Mapping[str, object]
) -> dict[str, object] | None:
    """The program's inputs when ``ignore_changes`` has put the date of the last run into them; else None.

    After a refresh, that is the live date or "none": the date that the resource stands for takes its place.
    """
    if any(olds.get(key) != news.get(key) for key in keys.SCHEDULE_KEYS):
        return None
    ours, live = olds.get(keys.SCHEDULED_KEY), olds.get(keys.LIVE_KEY)
    refreshed_to = olds.get("deprecate_at")
    is_theirs = refreshed_to is not None and refreshed_to == live and ours not in (None, live)
    if not is_theirs and news.get(keys.IGNORED_KEY) is not True:
        return None
    return {**news, "deprecate_at": ours} if is_theirs else dict(news)


def _input_props(state: State) -> dict[str, object]:
    return inputs.to_props(replace(state.inputs, region=state.region))


def _facts(facts: Facts) -> dict[str, object]:
    created = facts.creation_date
    return {
        keys.NAME_KEY: facts.image_name,
        keys.OWNER_KEY: facts.owner_id,
        keys.CREATED_KEY: None if created is None else dates.to_exact_text(created),
        keys.PREVIOUS_KEY: text_or_none(facts.previous),
    }


def _bookkeeping(state: State) -> dict[str, object]:
    """The keys that say where the date stands."""
    if state.scheduled is None:
        return {}
    applied = state.applied
    return {
        keys.LIVE_KEY: text_or_none(state.live),
        keys.SCHEDULED_KEY: dates.to_text(state.scheduled),
        keys.APPLIED_AT_KEY: None if applied is None else dates.to_exact_text(applied.at),
        keys.APPLIED_OVER_KEY: " ".join(map(dates.to_text, applied.over)) or None if applied else None,
        keys.GIVEN_UP_KEY: text_or_none(state.given_up),
        keys.ADOPTED_KEY: state.adopted or None,
    }


def _present(values: Mapping[str, object]) -> dict[str, object]:
    """Without absent values: the engine drops them anyway."""
    return {key: value for key, value in values.items() if value is not None}
