"""What a preview names and what `up` calls are the same, over random programs, outside changes and refreshes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_deprecation.cli.comment import preview
from ami_deprecation.cli.comment.preview import CHANGING, Action
from ami_deprecation.doors import names
from tests.plugin.conftest import forget_images
from tests.support import model
from tests.support.dates import ahead
from tests.support.model import Place, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.operation import Entry, Outcome

NAMES = ("one", "two", "three")
wishes = st.fixed_dictionaries(
    {
        "way": st.sampled_from(["deprecate_at", "deprecate_after_days", "deprecate_in_days"]),
        "days": st.sampled_from([100, 200]),
        "on_destroy": st.sampled_from(["cancel", "restore"]),
        "role": st.booleans(),
        "delete_first": st.just(False),
    }
)
#: Which resource has which image, if any, and what it says of it.
programs = st.tuples(st.permutations(range(3)), st.tuples(*[st.none() | wishes] * 3))
#: For each image: nothing happens to it, or it gets this date (0: none) from somebody else.
hands = st.tuples(*[st.sampled_from([None, None, 0, 50, 150, 250])] * 3)
OPERATIONS = {
    "create": "create",
    "update": "update",
    "create-replacement": "replace",
    "delete": "delete",
    "same": "same",
}


def digest(before: Mapping[str, Entry], outcome: Outcome) -> dict[str, object]:
    """The outcome of a preview as the CLI's JSON has it, with ``--show-sames``."""
    steps = []
    for operation, name in outcome.steps:
        if operation not in OPERATIONS:
            continue
        old, new = before.get(name), outcome.inputs.get(name)
        step: dict[str, object] = {
            "op": OPERATIONS[operation],
            "urn": f"urn:pulumi:test::project::{names.DYNAMIC_TYPE}::{name}",
        }
        if old is not None and operation != "create":
            step["oldState"] = {
                "inputs": old.inputs,
                "outputs": old.outputs,
                "retainOnDelete": old.retain_on_delete,
            }
        if name in outcome.replace_reasons:
            step["replaceReasons"] = outcome.replace_reasons[name]
        if new is not None and operation != "delete":
            step["newState"] = {"inputs": new}
        steps.append(step)
    printed = [{"message": line, "severity": "info"} for line in outcome.printed]
    return {"steps": steps, "diagnostics": printed, "changeSummary": {}}


@settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=programs, second=programs, outside=hands, is_refreshed=st.booleans(), earlier=hands)
def test_preview_names_images_that_up_changes(  # one argument a thing that varies
    make_engine: MakeEngine,
    ec2: LocalEC2,
    first: tuple[list[int], tuple[model.Wish | None, ...]],
    second: tuple[list[int], tuple[model.Wish | None, ...]],
    outside: tuple[int | None, ...],
    is_refreshed: bool,
    earlier: tuple[int | None, ...],
) -> None:
    forget_images(ec2)
    engine = make_engine()
    ids = [ec2.add_image(f"image-{number}", created=ahead(-model.AGE)) for number in range(3)]

    def specs(drawn: tuple[list[int], tuple[model.Wish | None, ...]]) -> dict[str, Spec]:
        numbers, wanted = drawn
        return {
            name: Spec(Place(ids[number], "eu-west-1"), **wish)
            for name, number, wish in zip(NAMES, numbers, wanted, strict=True)
            if wish is not None
        }

    def change(dates: tuple[int | None, ...]) -> set[str]:
        changed = {image: days for image, days in zip(ids, dates, strict=True) if days is not None}
        for image, days in changed.items():
            ec2.set_deprecation_time(image, ahead(days) if days else None)
        return set(changed)

    change(earlier)
    engine.up(model.program(specs(first)))
    unseen = change(outside)
    if is_refreshed:
        engine.refresh()
        unseen = set()
    before = {entry.name: entry for entry in engine.state}
    planned = specs(second)
    shown = engine.preview(model.program(planned))
    changes = preview.read(digest(before, shown), datetime.now(timezone.utc)).changes
    up = engine.up(model.program(planned))
    # A plain preview does not read the image of a resource that goes.
    unread = unseen - {spec.place.image_id for spec in planned.values()}
    named = {
        str(each.image_id): "DisableImageDeprecation"
        if each.action is Action.CANCELED
        else "EnableImageDeprecation"
        for each in changes
        if each.action in CHANGING and each.image_id not in unread
    }
    called = {
        image: call.action
        for call in up.calls
        if call.mutates
        for image in call.image_ids
        if image not in unread
    }
    assert named == called, f"{changes}\n{up}"
