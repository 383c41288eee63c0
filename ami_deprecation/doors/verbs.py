"""What both providers answer the engine: properties under Python's names in, the core's values on, properties out.

An unknown value is the core's UNKNOWN on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core import check as core_check
from ..core import inputs, keys, lifecycle, rules, state
from ..errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.inputs import Problem
    from ..core.run import Run
    from ..core.state import State

Props = dict[str, object]


@dataclass(frozen=True)
class Change:
    """What a diff found."""

    changes: bool
    #: The inputs that make another resource of it.
    replaces: tuple[str, ...] = ()


def check(
    run: Run, olds: Mapping[str, object], news: Mapping[str, object]
) -> tuple[Props, Sequence[Problem]]:
    """Bring inputs into their normal form, and refuse what EC2 would refuse."""
    alone = state.without_left_alone_date(olds, news) if olds else None
    given, problems = inputs.parse(news if alone is None else alone)
    checked = core_check.Checked(None, tuple(problems))
    if not problems:
        try:
            known = state.parse(olds) if olds else None
            checked = core_check.check(run, known, given, leaves_date=alone is not None)
        except InvalidInput as wrong:  # the state cannot be read
            checked = core_check.Checked(None, (inputs.Problem("", str(wrong)),))
    return dict(news) if checked.plan is None else state.planned(checked.plan), checked.problems


def diff(
    run: Run,
    id_: str,
    olds: Mapping[str, object],
    news: Mapping[str, object],
    *,
    ignored: Sequence[str] = (),
    moves: bool = False,
) -> Change:
    """Another image, Region or identity is a replacement; another date is an update.

    Args:
        run: what this process remembers.
        id_: the resource's.
        olds: its outputs.
        news: its checked inputs.
        ignored: the properties whose changes the program ignores, under Python's names.
        moves: the other provider has written the outputs. They are written anew, and as an image is known by its Region
            and id, other credentials do not make another resource of it.
    """
    old, asked = state.parse(olds, id_), state.parse(news, id_)
    new = asked.inputs
    if moves:
        same = replace(old.inputs, profile=new.profile, role_arn=new.role_arn, aws=new.aws)
        old = replace(old, inputs=same)
    run.know(replace(old, inputs=replace(old.inputs, resource=new.resource)))
    replaces = rules.replacement_keys(old, new, new.region or old.region)
    if new.image_id != old.image_id:
        # The state may have another name than the check's inputs: an alias renames without an update.
        run.moves_on(old.image_id, old.region, new.resource, before=old.inputs.resource)
    if _ignores_date(ignored, old, new) and (new.image_id, new.region or old.region) == (
        old.image_id,
        old.region,
    ):
        run.leave_alone(old.image_id, old.region, new.resource)
        run.remember(old.image_id, old.region, old)  # for the second check of a replacement
    if not replaces and run.leaves_alone(old.image_id, old.region, new.resource):
        changes = moves or new.on_destroy != old.inputs.on_destroy
        if changes:
            core_check.note_left_date(run, old)
        return Change(changes)
    if asked.live != asked.scheduled:
        # Inputs that an earlier refresh wrote, with the date that it read: the next refresh compares with them.
        return Change(moves or asked.live != old.live)
    if not run.leaves_alone(old.image_id, old.region, new.resource):
        # A refresh puts the live date in place of the program's, and the engine shows the difference.
        was_left = old.drifted and olds.get("deprecate_at") not in (
            None,
            olds.get(keys.LIVE_KEY),
            keys.NO_DATE,
        )
        core_check.warn_of_change(run, old, asked, was_left=was_left)
    return Change(moves or bool(replaces) or rules.has_changes(old, new), tuple(replaces))


def _ignores_date(ignored: Sequence[str], old: State, new: inputs.Inputs) -> bool:
    """Whether the program leaves the date to others: it may ignore another way to give one than the one that it uses."""
    in_force = {
        rules.property_of(each)
        for each in (old.inputs.schedule, new.schedule)
        if not isinstance(each, inputs.Unknown)
    }
    return not in_force.isdisjoint(ignored) or "*" in ignored


def create(run: Run, props: Mapping[str, object], patience: float | None = None) -> tuple[str, Props]:
    """Give the image its date, or adopt the date when the image has it; returns the id and the outputs."""
    made = lifecycle.create(run, state.parse(props), patience)
    return id_of(made), state.outputs(made)


def update(
    run: Run,
    id_: str,
    olds: Mapping[str, object],
    news: Mapping[str, object],
    patience: float | None = None,
) -> Props:
    """Move the date in place; returns the outputs."""
    return state.outputs(lifecycle.update(run, state.parse(olds, id_), state.parse(news), patience))


def read(run: Run, id_: str, props: Mapping[str, object]) -> tuple[Props, Props] | None:
    """The inputs and outputs as EC2 has them now; None when the image is gone."""
    live = lifecycle.read(run, state.parse(props, id_))
    return None if live is None else state.refreshed(live)


def delete(run: Run, id_: str, props: Mapping[str, object], resource: str | None) -> None:
    """Cancel the date that this resource set, or put back the one it found.

    Args:
        run: what this process remembers.
        id_: the resource's.
        props: its outputs.
        resource: its name now, None when it is not known. The outputs have the one from before an alias, which changes nothing else.
    """
    old = state.parse(props, id_)
    if resource is not None:
        old = replace(old, inputs=replace(old.inputs, resource=resource))
    lifecycle.delete(run, old)


def id_of(known: State) -> str:
    """A resource's id."""
    return f"{known.region}/{known.image_id}"
