"""The door of the dynamic provider: the engine's props in, the core's values on, the SDK's answers out."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from ..core import check as core_check
from ..core import inputs, lifecycle, rules, state
from ..core.run import Run, logger
from ..errors import InvalidInput
from . import quirks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.state import State

#: The provider object may have no attributes, and one process serves one update: its memory is here.
_run = Run()


class _PluginHandler(logging.Handler):
    """Shows log lines to the person who runs Pulumi: the engine shows what a plugin prints, without a resource's name."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(f"ami-deprecation: {record.getMessage()}\n")
        sys.stdout.flush()


def configure(req: ConfigureRequest) -> None:
    """Take the default aws provider's configuration from the stack."""
    if not any(isinstance(each, _PluginHandler) for each in logger.handlers):
        logger.addHandler(_PluginHandler())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    _run.configure(req.config.get)
    quirks.show_errors_as_sentences()


def check(olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
    """Bring inputs into their normal form, and refuse what EC2 would refuse."""
    old, new = _values(olds), _values(news)
    if old and _is_left_alone(old, new):
        return CheckResult(old, [])
    given, problems = inputs.parse(new)
    checked = core_check.Checked(None, tuple(problems))
    if not problems:
        try:
            checked = core_check.check(_run, state.parse(old) if old else None, given)
        except InvalidInput as wrong:  # the state cannot be read
            checked = core_check.Checked(None, (inputs.Problem("", str(wrong)),))
    props = new if checked.plan is None else state.planned(checked.plan)
    return CheckResult(
        {key: pulumi.UNKNOWN if value is inputs.UNKNOWN else value for key, value in props.items()},
        [CheckFailure(problem.property, problem.sentence) for problem in checked.problems],
    )


def _is_left_alone(olds: Mapping[str, object], news: Mapping[str, object]) -> bool:
    """Whether ``ignore_changes`` hands back the "none" that a refresh wrote for a canceled date."""
    given = {key: value for key, value in news.items() if value is not None}
    return given.get("deprecate_at") == "none" and all(olds.get(key) == value for key, value in given.items())


def diff(id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
    """Another image, Region or identity is a replacement; another date is an update."""
    old = state.parse(_values(olds), id_)
    asked = state.parse(_values(news), id_)
    if asked.live != asked.scheduled:
        # Inputs that an earlier refresh wrote, with the date that it read: the next refresh compares with them.
        return DiffResult(changes=asked.live != old.live)
    new = asked.inputs
    replaces = rules.replacement_keys(old, new, new.region or old.region)
    if replaces:
        # Create first: a delete that comes first would cancel a date that may have passed.
        return DiffResult(changes=True, replaces=replaces, delete_before_replace=False)
    return DiffResult(changes=rules.has_changes(old, new))


def create(props: dict[str, Any]) -> CreateResult:
    """Give the image its date, or adopt the date when the image has it."""
    made = lifecycle.create(_run, _planned(props))
    return CreateResult(f"{made.region}/{made.image_id}", state.outputs(made))


def update(id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
    """Move the date in place."""
    moved = lifecycle.update(_run, state.parse(_values(olds), id_), _planned(news))
    return UpdateResult(state.outputs(moved))


def read(id_: str, props: dict[str, Any]) -> ReadResult:
    """The date on the image now; an empty id when the image is gone."""
    live = lifecycle.read(_run, state.parse(_values(props), id_))
    if live is None:
        return ReadResult("", {})
    live_inputs, outs = state.refreshed(live)
    return ReadResult(id_, outs, live_inputs)


def delete(id_: str, props: dict[str, Any]) -> None:
    """Cancel the date that this resource set, or put back the one it found."""
    lifecycle.delete(_run, state.parse(_values(props), id_))


def _values(props: Mapping[str, Any]) -> dict[str, object]:
    """Props without the SDK's own key, its unknowns as ours."""
    return {
        # Most values are texts, which need no search.
        key: inputs.UNKNOWN if not isinstance(value, str) and pulumi.contains_unknowns(value) else value
        for key, value in props.items()
        if key != "__provider"
    }


def _planned(props: Mapping[str, Any]) -> State:
    """What the check made of the inputs.

    Raises:
        InvalidInput: the date is not known.
    """
    planned = state.parse(_values(props))
    if isinstance(planned.inputs.schedule, inputs.Unknown):
        raise InvalidInput(f"{planned.image_id}: the date has to be known")
    return planned
