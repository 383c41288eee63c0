"""The main job on the real engine: set, leave alone, move, see drift, repair, cancel."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tests.support.programs import TOKEN, declare, resource

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

JUNE = datetime(2028, 6, 1, tzinfo=timezone.utc)
JULY = datetime(2028, 7, 1, tzinfo=timezone.utc)
BY_HAND = datetime(2029, 1, 1, tzinfo=timezone.utc)


def test_main_job_takes_one_call_a_step(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(
        name="web-1", created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), tags={"Team": "web"}
    )
    before = ec2.image(image)

    declare(stack, resource("web", image, "deprecate_at='2028-06-01T00:00:00Z'"))
    assert stack.preview().mutations == []
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == JUNE
    (held,) = stack.resources(TOKEN)
    assert held["id"] == f"eu-west-1/{image}"
    assert {key: value for key, value in held["outputs"].items() if not key.startswith("__")} == {
        "image_id": image,
        "deprecate_at": "2028-06-01T00:00:00Z",
        "deprecation_time": "2028-06-01T00:00:00Z",
        "region": "eu-west-1",
        "on_destroy": "cancel",
        "image_name": "web-1",
        "owner_id": ec2.account,
        "creation_date": "2026-01-02T03:04:05Z",
    }
    assert "testing" not in str(held), "a credential of LocalEC2"

    declare(stack, resource("web", image, "deprecate_at='2028-06-01T02:00:00+02:00'"))
    assert stack.up("--expect-no-changes").actions == []

    declare(stack, resource("web", image, "deprecate_at=datetime.date(2028, 7, 1)"))
    preview = stack.preview("--diff")
    assert 'deprecation_time: "2028-06-01T00:00:00Z" => "2028-07-01T00:00:00Z"' in preview.output
    assert preview.mutations == []
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == JULY

    assert stack.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image) == before


def test_refresh_shows_drift_and_next_up_repairs_it(stack: Stack, ec2: LocalEC2) -> None:
    stack.env["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"
    forms = ("deprecate_at='2028-06-01'", "deprecate_after_days=400", "deprecate_in_days=30")
    images = [ec2.add_image(name=f"web-{index}") for index, _ in enumerate(forms)]
    declare(stack, *(resource(f"r{index}", images[index], form) for index, form in enumerate(forms)))
    stack.up()
    ours = [ec2.image(image).deprecation_time for image in images]
    assert None not in ours

    ec2.set_deprecation_time(images[0], None)
    for image in images[1:]:
        ec2.set_deprecation_time(image, BY_HAND)
    shown = stack.preview("--refresh", "--diff")
    for date, by_hand in zip(ours, ("none", "2029-01-01T00:00:00Z", "2029-01-01T00:00:00Z"), strict=True):
        assert f'"{by_hand}" => "{date:%Y-%m-%dT%H:%M:00Z}"' in shown.output
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
