"""Digests of previews as the engine writes them, built step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_deprecation import dates
from ami_deprecation.cli.comment import preview
from ami_deprecation.doors import names
from tests.support.cli_samples import NOW, ahead

if TYPE_CHECKING:
    from ami_deprecation.cli.comment.preview import Change, Preview

URN = "urn:pulumi:prod::shop::"
STACK = {"op": "same", "urn": f"{URN}pulumi:pulumi:Stack::shop-prod"}


def on(days: float) -> str:
    """A date that many days ahead, as it stands in a digest."""
    return dates.to_text(ahead(days))


def urn(name: str, parent: str = "") -> str:
    return f"{URN}{parent}{names.DYNAMIC_TYPE}::{name}"


def props(name: str = "web", number: int = 1, **more: object) -> dict[str, object]:
    """Inputs after a check, or outputs. ``to`` and ``original`` are days from now."""
    to, original, ours = more.pop("to", None), more.pop("original", None), more.pop("ours", None)
    dates = {"deprecation_time": to, "previous_deprecation_time": original, "__scheduled": ours}
    return {
        "image_id": f"ami-{number:017x}",
        "image_name": name,
        "region": "eu-west-1",
        "owner_id": "123456789012",
        "on_destroy": "cancel",
        "__resource": name,
        **{key: on(days) for key, days in dates.items() if isinstance(days, (int, float))},
        **more,
    }


def step(
    op: str,
    old: object = None,
    new: object = None,
    name: str = "web",
    beside: dict[str, object] | None = None,
) -> dict[str, object]:
    """One step; what is `beside` the old state's outputs is of the engine's own."""
    made: dict[str, object] = {"op": op, "urn": urn(name)}
    if old is not None:
        made["oldState"] = {"outputs": old, "inputs": old} | (beside or {})
    if new is not None:
        made["newState"] = {"inputs": new}
    return made


def note(sentence: str) -> dict[str, object]:
    return {"message": f"ami-deprecation: {sentence}\n\n", "severity": "info"}


def digest(*steps: object, diagnostics: object = None) -> dict[str, object]:
    return {"steps": [STACK, *steps], "diagnostics": diagnostics, "changeSummary": {"same": 1}}


def read(*steps: object, diagnostics: object = None) -> Preview:
    return preview.read(digest(*steps, diagnostics=diagnostics), NOW)


def one(*steps: object) -> Change:
    """The only change of these steps."""
    [change] = read(*steps).changes
    return change
