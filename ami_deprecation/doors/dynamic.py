"""What the provider does in the plugin's process: the engine's props in, typed values on, the SDK's answers out."""

from __future__ import annotations

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

from ..core import check as checks
from ..core import context, inputs, lifecycle, rules, state
from ..errors import InvalidInput
from . import quirks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.inputs import Inputs


def configure(req: ConfigureRequest) -> None:
    """Take the default aws provider's configuration from the stack."""
    context.configure(req.config.get)
    quirks.show_errors_as_sentences()


def check(_olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
    """Bring inputs into their normal form, and say what EC2 would refuse."""
    olds = _values(_olds)
    checked, problems = checks.check(olds or None, _values(news))
    return CheckResult(
        {key: pulumi.UNKNOWN if value is inputs.UNKNOWN else value for key, value in checked.items()},
        [CheckFailure(problem.property, problem.sentence) for problem in problems],
    )


def diff(_id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
    """Another image, Region or identity is a replacement; another date is an update."""
    old = state.parse(_values(_olds), _id)
    asked = state.parse(_values(_news), _id)
    if asked.live != asked.scheduled:
        # Inputs that an earlier refresh wrote, with the date that it saw: the next refresh compares with them.
        return DiffResult(changes=asked.live != old.live)
    new = asked.inputs
    replaces = rules.replaced(old, new, new.region or old.region)
    if replaces:
        # Create first: a delete that comes first would cancel a date that may have passed.
        return DiffResult(changes=True, replaces=replaces, delete_before_replace=False)
    return DiffResult(changes=rules.changed(old, new))


def create(props: dict[str, Any]) -> CreateResult:
    """Give the image its date, or adopt the date when the image has it."""
    return CreateResult(*lifecycle.create(_inputs(props), _values(props)))


def update(_id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
    """Move the date in place."""
    return UpdateResult(lifecycle.update(state.parse(_values(_olds), _id), _inputs(_news), _values(_news)))


def read(id_: str, props: dict[str, Any]) -> ReadResult:
    """The date on the image now; an empty id when the image is gone."""
    found = lifecycle.read(state.parse(_values(props), id_), _values(props))
    if found is None:
        return ReadResult("", {})
    live_inputs, outs = found
    return ReadResult(id_, outs, live_inputs)


def delete(_id: str, _props: dict[str, Any]) -> None:
    """Cancel the date that this resource set, or put back the one it found."""
    lifecycle.delete(state.parse(_values(_props), _id))


def _values(props: Mapping[str, Any]) -> dict[str, object]:
    """Props without the SDK's own key, its unknowns as ours."""
    return {
        # Most values are texts, which need no search.
        key: inputs.UNKNOWN if not isinstance(value, str) and pulumi.contains_unknowns(value) else value
        for key, value in props.items()
        if key != "__provider"
    }


def _inputs(props: Mapping[str, Any]) -> Inputs:
    """Inputs that check has already found good."""
    parsed, problems = inputs.parse(_values(props))
    if problems:
        raise InvalidInput(problems[0].sentence)
    return parsed
