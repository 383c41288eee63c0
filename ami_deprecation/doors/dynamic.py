"""The door of the dynamic provider: the engine's props in, the core's values on, the SDK's answers out."""

from __future__ import annotations

import os
from functools import cache
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

from ..core import inputs, targets
from . import names, process, quirks, verbs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.run import Run


@cache
def _run() -> Run:
    """What this process remembers: the provider object may have no attributes, and one process serves one update.

    Made once: the SDK calls ``configure`` under a lock before any other verb.
    """
    return process.start_run(process.engine_address())


def configure(req: ConfigureRequest) -> None:
    """Take the default aws provider's configuration from the stack."""
    _run().configure(lambda: targets.read_stack_config(req.config.get, os.environ))
    quirks.show_errors_as_sentences()


def check(olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
    """Bring inputs into their normal form, and refuse what EC2 would refuse."""
    props, problems = verbs.check(_run(), _values(olds), _values(news))
    return CheckResult(
        {key: pulumi.UNKNOWN if value is inputs.UNKNOWN else value for key, value in props.items()},
        [CheckFailure(problem.property, problem.sentence) for problem in problems],
    )


def diff(id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
    """Another image, Region or identity is a replacement; another date is an update."""
    change = verbs.diff(
        _run(),
        id_,
        _values(olds),
        _values(news),
        ignored=names.in_python(quirks.ignored_properties()),
        moves=names.is_camel(olds),
    )
    if change.replaces:
        # Create first: a delete that comes first would cancel a date that may have passed.
        return DiffResult(changes=True, replaces=list(change.replaces), delete_before_replace=False)
    return DiffResult(changes=change.changes)


def create(props: dict[str, Any]) -> CreateResult:
    """Give the image its date, or adopt the date when the image has it."""
    return CreateResult(*verbs.create(_run(), _values(props)))


def update(id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
    """Move the date in place."""
    return UpdateResult(verbs.update(_run(), id_, _values(olds), _values(news)))


def read(id_: str, props: dict[str, Any]) -> ReadResult:
    """The date on the image now; an empty id when the image is gone."""
    live = verbs.read(_run(), id_, _values(props))
    if live is None:
        return ReadResult("", {})
    live_inputs, outs = live
    return ReadResult(id_, outs, live_inputs)


def delete(id_: str, props: dict[str, Any]) -> None:
    """Cancel the date that this resource set, or put back the one it found."""
    urn = quirks.urn()
    verbs.delete(_run(), id_, _values(props), None if urn is None else names.resource_of(urn))


def _values(props: Mapping[str, Any]) -> dict[str, object]:
    """Props without the SDK's own key, its unknowns as ours, under Python's names whoever wrote them."""
    return names.to_python(
        {
            # Most values are texts, which need no search.
            key: inputs.UNKNOWN if not isinstance(value, str) and pulumi.contains_unknowns(value) else value
            for key, value in props.items()
            if key != "__provider"
        }
    )
