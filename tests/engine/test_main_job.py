"""The main job on the real engine: set, leave alone, move, see drift, repair, cancel."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.programs import TOKEN, declare, resource

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

JUNE = datetime(2028, 6, 1, tzinfo=timezone.utc)
JULY = datetime(2028, 7, 1, tzinfo=timezone.utc)
BY_HAND = datetime(2029, 1, 1, tzinfo=timezone.utc)


def test_set_move_and_cancel_take_one_call_each(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1", tags={"Team": "web"})
    before = ec2.image(image)

    declare(stack, resource("web", image, "deprecate_at='2028-06-01T00:00:00Z'"))
    assert stack.preview().mutations == []
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == JUNE

    declare(stack, resource("web", image, "deprecate_at=datetime.date(2028, 7, 1)"))
    preview = stack.preview("--diff")
    assert 'deprecation_time: "2028-06-01T00:00:00Z" => "2028-07-01T00:00:00Z"' in preview.output
    assert preview.mutations == []
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == JULY

    assert stack.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image) == before


def test_second_up_makes_no_call(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(
        stack,
        resource("at", image, "deprecate_at='2028-06-01T00:00:30Z'"),
        resource("after", ec2.add_image(name="web-2"), "deprecate_after_days=365"),
        resource("in", ec2.add_image(name="web-3"), "deprecate_in_days=30"),
    )
    stack.up()
    # The same instants, spelled differently.
    declare(
        stack,
        resource("at", image, "deprecate_at='2028-06-01T02:01:00+02:00'"),
        resource("after", ec2.images()[1].image_id, "deprecate_after_days=365"),
        resource("in", ec2.images()[2].image_id, "deprecate_in_days=30"),
    )
    again = stack.up("--expect-no-changes")
    assert again.actions == []
    assert ec2.image(image).deprecation_time == JUNE + timedelta(minutes=1)


def test_state_has_promised_type_id_and_keys(stack: Stack, ec2: LocalEC2) -> None:
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    image = ec2.add_image(name="web-1", created=created, deprecation_time=BY_HAND)
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    (held,) = stack.resources(TOKEN)
    assert held["id"] == f"eu-west-1/{image}"
    shown = {key: value for key, value in held["outputs"].items() if not key.startswith("__")}
    assert shown == {
        "image_id": image,
        "deprecate_at": "2028-06-01T00:00:00Z",
        "deprecation_time": "2028-06-01T00:00:00Z",
        "region": "eu-west-1",
        "on_destroy": "cancel",
        "image_name": "web-1",
        "owner_id": ec2.account,
        "creation_date": "2026-01-02T03:04:05Z",
        "previous_deprecation_time": "2029-01-01T00:00:00Z",
    }
    assert "testing" not in str(held)  # no credential


@pytest.mark.parametrize("by_hand", [BY_HAND, None], ids=["moved", "cancelled"])
def test_drift_is_shown_with_both_dates_and_repaired(
    stack: Stack, ec2: LocalEC2, by_hand: datetime | None
) -> None:
    stack.env["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"
    forms = ("deprecate_at='2028-06-01'", "deprecate_after_days=400", "deprecate_in_days=30")
    images = [ec2.add_image(name=f"web-{index}") for index, _ in enumerate(forms)]
    declare(stack, *(resource(f"r{index}", images[index], form) for index, form in enumerate(forms)))
    stack.up()
    ours = [ec2.image(image).deprecation_time for image in images]
    assert None not in ours

    for image in images:
        ec2.set_deprecation_time(image, by_hand)
    shown_date = f"{by_hand:%Y-%m-%dT%H:%M:00Z}" if by_hand else "none"
    shown = stack.preview("--refresh", "--diff")
    for date in ours:
        assert f'"{shown_date}" => "{date:%Y-%m-%dT%H:%M:00Z}"' in shown.output
    assert shown.mutations == []
    assert stack.preview("--refresh", "--expect-no-changes", check=False).code != 0

    stack.refresh()
    assert stack.up().mutations == ["EnableImageDeprecation"] * len(forms)
    assert [ec2.image(image).deprecation_time for image in images] == ours
    assert stack.preview("--refresh", "--expect-no-changes").mutations == []


def test_gone_image_leaves_state_and_disabled_one_stays(stack: Stack, ec2: LocalEC2) -> None:
    gone, disabled = ec2.add_image(name="gone"), ec2.add_image(name="disabled")
    declare(
        stack,
        resource("gone", gone, "deprecate_at='2028-06-01'"),
        resource("disabled", disabled, "deprecate_at='2028-06-01'"),
    )
    stack.env["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"
    stack.up()
    ec2.remove_image(gone)
    ec2.set_state(disabled, "disabled")
    stack.refresh()
    assert [each["id"] for each in stack.resources(TOKEN)] == [f"eu-west-1/{disabled}"]


def test_image_of_same_stack_previews_like_its_update(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    stack.program(f"""
        import pulumi
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider
        from ami_deprecation import AmiDeprecation

        class Maker(ResourceProvider):
            def create(self, props):
                return CreateResult({image!r}, {{"image_id": {image!r}}})

        class Made(Resource):
            image_id: pulumi.Output[str]
            def __init__(self, name):
                super().__init__(Maker(), name, {{"image_id": None}})

        AmiDeprecation("web", image_id=Made("image").image_id, deprecate_at="2028-06-01")
    """)
    stack.env["PULUMI_EXPERIMENTAL"] = "1"
    assert stack.preview("--save-plan=plan.json").actions == []
    assert stack.up("--plan=plan.json").mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == JUNE


def test_import_is_refused_with_alternative(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1", deprecation_time=JUNE)
    options = f"opts=pulumi.ResourceOptions(import_='eu-west-1/{image}')"
    declare(stack, resource("web", image, f"deprecate_at='2028-06-01', {options}"))
    refused = stack.up(check=False)
    assert "opts.import_ does not work for a dynamic resource: take it out" in refused.output
    assert "Traceback" not in refused.output
    assert refused.actions == []

    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    assert stack.up().mutations == []
    assert [each["id"] for each in stack.resources(TOKEN)] == [f"eu-west-1/{image}"]


def test_canary_sdk_cannot_import_dynamic_resource(stack: Stack, ec2: LocalEC2) -> None:
    """So an import is refused, and adoption takes its place: when this works, both can be thought over."""
    image = ec2.add_image(name="web-1", deprecation_time=JUNE)
    stack.program("import pulumi")
    failed = stack.run("import", TOKEN, "web", f"eu-west-1/{image}", "--yes", check=False)
    assert failed.code != 0
    assert "KeyError: '__provider'" in failed.output


def test_replacement_dates_new_image_first(stack: Stack, ec2: LocalEC2) -> None:
    old, new = ec2.add_image(name="web-1"), ec2.add_image(name="web-2")
    declare(stack, resource("web", old, "deprecate_at='2028-06-01'"))
    stack.up()
    declare(stack, resource("web", new, "deprecate_at='2028-06-01'"))
    assert "replace" in stack.preview().output
    assert stack.up().mutations == ["EnableImageDeprecation", "DisableImageDeprecation"]
    assert (ec2.image(old).deprecation_time, ec2.image(new).deprecation_time) == (None, JUNE)


def test_refused_check_ends_in_one_error(stack: Stack, ec2: LocalEC2) -> None:
    """Newer engines close their monitor before the program has ended: that is no second error."""
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2020-06-01'"))
    refused = stack.preview(check=False)
    assert refused.code != 0
    diagnostics = refused.output.partition("Diagnostics:")[2]
    assert diagnostics.count("error: ") == 1, refused.output
    assert "1 errored" in diagnostics, refused.output

    listed = json.loads(stack.run("preview", "--json", check=False).stdout)["diagnostics"]
    assert [entry["severity"] for entry in listed] == ["error"]


def test_user_agent_names_package_and_version(stack: Stack, ec2: LocalEC2) -> None:
    from ami_deprecation import __version__  # noqa: PLC0415  # only here

    declare(stack, resource("web", ec2.add_image(name="web-1"), "deprecate_at='2028-06-01'"))
    assert {f"ami-deprecation/{__version__}" in call.user_agent for call in stack.up().calls} == {True}
