"""What a preview's digest means: which image, from which date to which, and what happens to it."""

from __future__ import annotations

import json

import pytest

from ami_deprecation.cli import digests
from ami_deprecation.cli.exits import Exit, Stopped
from ami_deprecation.cli.preview import Action, Date
from tests.support.cli_digests import digest, note, on, one, props, read, step, urn
from tests.support.cli_samples import ahead


def test_a_new_date_is_set() -> None:
    change = one(step("create", new=props(to=50)))
    assert (change.action, change.before, change.after) == (Action.SET, None, Date(ahead(50)))
    assert (change.image_id, change.image_name, change.region) == (
        "ami-00000000000000001",
        "web",
        "eu-west-1",
    )


def test_a_new_resource_that_finds_its_date_adopts_it() -> None:
    assert one(step("create", new=props(to=50, found=50))).action is Action.ADOPTED


@pytest.mark.parametrize(("found", "action"), [(40, Action.LATER), (60, Action.EARLIER)])
def test_a_new_resource_that_finds_another_date_moves_it(found: int, action: Action) -> None:
    change = one(step("create", new=props(to=50, found=found)))
    assert (change.action, change.before, change.after.when) == (action, ahead(found), ahead(50))


def test_a_new_in_n_days_is_told_with_the_date_it_would_have_now() -> None:
    change = one(step("create", new=props(deprecate_in_days=30)))
    assert change.action is Action.SET
    assert change.after == Date(ahead(30), in_days=30)


def test_a_new_in_n_days_keeps_an_earlier_date_that_the_image_has() -> None:
    change = one(step("create", new=props(deprecate_in_days=30, found=20)))
    assert (change.action, change.after) == (Action.ADOPTED, Date(ahead(20)))


def test_days_from_the_making_of_an_image_that_is_not_made_yet_stay_days() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's mark in a digest
    change = one(step("create", new={"image_id": unknown, "region": "eu-west-1", "deprecate_after_days": 3}))
    assert (change.image_id, change.after, change.action) == (None, Date(after_days=3), Action.SET)


@pytest.mark.parametrize(("to", "action"), [(200, Action.LATER), (3, Action.EARLIER)])
def test_an_update_moves_the_date_from_the_one_on_the_image(to: int, action: Action) -> None:
    change = one(step("update", props(to=100), props(to=to)))
    assert (change.action, change.before, change.after.when) == (action, ahead(100), ahead(to))


def test_an_update_that_changes_no_date_keeps_it() -> None:
    change = one(step("update", props(to=100), props(to=100, on_destroy="restore")))
    assert (change.action, change.remark) == (Action.KEPT, "only a setting changes")


def test_a_date_that_somebody_cancelled_outside_is_set_again() -> None:
    change = one(step("update", props(ours=100, deprecate_at="none"), props(to=100)))
    assert (change.action, change.before) == (Action.SET, None)
    assert change.remark == "puts back what was changed from outside"


def test_a_deleted_resource_cancels_its_date() -> None:
    change = one(step("delete", props(to=100, ours=100)))
    assert (change.action, change.before, change.after) == (Action.CANCELLED, ahead(100), Date())


def test_a_deleted_resource_that_restores_puts_the_found_date_back() -> None:
    change = one(step("delete", props(to=100, ours=100, found=200, on_destroy="restore")))
    assert (change.action, change.after) == (Action.RESTORED, Date(ahead(200)))


def test_a_found_date_that_has_passed_cannot_be_restored() -> None:
    assert one(step("delete", props(to=100, found=-5, on_destroy="restore"))).action is Action.CANCELLED


@pytest.mark.parametrize(
    ("old", "state", "why"),
    [
        (props(to=100, ours=50), {}, "did not set it"),
        (props(to=100), {"retainOnDelete": True}, "retain_on_delete"),
        (props(to=100, found=100, on_destroy="restore"), {}, "found on the image"),
        (props(), {}, "no date"),
    ],
)
def test_a_date_that_a_delete_leaves_alone_is_kept_and_why(
    old: dict[str, object], state: dict[str, object], why: str
) -> None:
    change = one(step("delete", old, beside=state))
    assert change.action is Action.KEPT
    assert why in change.remark


def test_a_resource_that_goes_with_its_image_cancels_nothing() -> None:
    image = {"op": "delete", "urn": "urn:pulumi:prod::shop::aws:ec2/amiCopy:AmiCopy::copy"}
    change = one(image, step("delete", props(to=100), beside={"deletedWith": image["urn"]}))
    assert (change.action, change.remark) == (Action.KEPT, "it is deleted with the image")


def test_a_replacement_by_another_image_is_two_images() -> None:
    changes = read(step("replace", props("web-1", to=100), props("web-2", 2, to=100))).changes
    assert [(each.image_name, each.action) for each in changes] == [
        ("web-1", Action.CANCELLED),
        ("web-2", Action.SET),
    ]


def test_a_replacement_on_the_same_image_keeps_its_date() -> None:
    replaced = step("replace", props(to=100), props(to=100)) | {"replaceReasons": ["role_arn", "__aws"]}
    change = one(replaced)
    assert (change.action, change.remark) == (Action.KEPT, "role_arn, opts.provider changes")


def test_a_renamed_resource_is_one_image_that_keeps_its_date() -> None:
    created = step("create", new=props(to=100, found=100), name="new-name")
    for steps in ([created, step("delete", props(to=100))], [step("delete", props(to=100)), created]):
        change = one(*steps)
        assert (change.action, change.remark) == (Action.KEPT, "the resource web is now new-name")


def test_a_renamed_resource_with_another_date_moves_it() -> None:
    created = step("create", new=props(to=50, found=100), name="new-name")
    assert one(step("delete", props(to=100)), created).action is Action.EARLIER


def test_the_same_id_in_another_region_is_another_image() -> None:
    created = step("create", new=props(to=100, region="us-east-1"), name="there")
    assert {change.action for change in read(step("delete", props(to=100)), created).changes} == {
        Action.CANCELLED,
        Action.SET,
    }


def test_other_resources_and_refreshes_are_left_out_and_what_stays_is_counted() -> None:
    bucket = {"op": "create", "urn": "urn:pulumi:prod::shop::aws:s3/bucket:Bucket::b", "newState": {}}
    known = step("same", props(to=1), props(to=1))
    child = {**known, "urn": urn("child", parent="ami-deprecation:index:AmiDeprecationPolicy$")}
    found = read(bucket, step("refresh", props(to=9), props(to=8)), known, child)
    assert (found.changes, found.unchanged, found.stack) == ((), 2, "shop/prod")


def test_the_order_of_the_steps_does_not_matter() -> None:
    steps = [step("create", new=props(f"web-{n}", n, to=50), name=f"r{n}") for n in (3, 1, 2)]
    assert read(*steps).changes == read(*reversed(steps)).changes


def test_the_providers_own_lines_are_notes_once_each_and_in_order() -> None:
    said = [
        note("b is public"),
        note("a has a date"),
        note("b is public"),
        {"message": "other", "severity": "info"},
    ]
    assert read(diagnostics=said).notes == ("a has a date", "b is public")


def test_what_a_policy_warns_of_is_a_note_and_what_others_warn_of_is_not() -> None:
    ours = "urn:pulumi:prod::shop::ami-deprecation:index:AmiDeprecationPolicy::base"
    said = [
        {"urn": ours, "message": "warning: ami-1 is in use\n", "severity": "warning"},
        {"urn": ours, "message": "reading\n", "severity": "info"},
        {
            "urn": "urn:pulumi:prod::shop::aws:s3/bucket:Bucket::b",
            "message": "warning: x",
            "severity": "warning",
        },
    ]
    assert read(diagnostics=said).notes == ("ami-1 is in use",)


def test_errors_are_one_line_each() -> None:
    ours = (
        "error: pulumi-python:dynamic/ec2:AmiDeprecation resource 'web': property deprecate_at value "
        "{2020-01-01} has a problem: it is past\n"
    )
    traced = "error: Program failed with an unhandled exception:\nTraceback (most recent call last):\n  x\nKeyError: 'y'\n"
    said = [{"message": text, "severity": "error"} for text in (ours, traced, "error: plain\nmore")]
    assert read(diagnostics=said).errors == ("KeyError: 'y'", "plain more", "web: it is past")


def test_a_protected_resource_is_told_whole_and_what_the_engine_says_last_is_no_second_error() -> None:
    refused = 'error: Preview failed: resource "web" cannot be deleted\nbecause it is protected.\n'
    said = [{"message": text, "severity": "error"} for text in (refused, "error: preview failed\n")]
    assert read(diagnostics=said).errors == ('resource "web" cannot be deleted because it is protected.',)
    assert read(diagnostics=said[1:]).errors == ("preview failed",), "better than none"


def test_images_whose_ids_are_secret_are_told_apart_by_their_names() -> None:
    def secret(name: str) -> dict[str, object]:
        return {**props(name, to=100), "image_id": "[secret]"}

    replaced = read(step("replace", secret("web-1"), secret("web-2"))).changes
    assert [(each.image_name, each.action) for each in replaced] == [
        ("web-1", Action.CANCELLED),
        ("web-2", Action.SET),
    ]
    kept = one(step("replace", secret("web-1"), secret("web-1")))
    assert (kept.action, kept.is_secret, kept.image_id) == (Action.KEPT, True, None)


@pytest.mark.parametrize(
    "text", [b"", b"  \n", b"Previewing update (prod):", b"[]", b"3", b"{}", b'{"steps": 3}']
)
def test_what_is_no_preview_is_refused_as_wrong_input(text: bytes) -> None:
    with pytest.raises(Stopped, match="pulumi preview --json") as refused:
        digests.load(text)
    assert refused.value.code is Exit.USAGE


def test_a_streamed_preview_is_named() -> None:
    with pytest.raises(Stopped, match="PULUMI_ENABLE_STREAMING_JSON_PREVIEW"):
        digests.load('{"sequence":0,"timestamp":1}\n{"sequence":1}\n')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_a_shell_wrote_in_its_own_encoding_is_read(encoding: str) -> None:
    text = json.dumps(digest(step("create", new=props("wéb", to=50))), ensure_ascii=False)
    assert digests.load(text.encode(encoding)) == json.loads(text)


@pytest.mark.parametrize(
    "broken",
    [
        {"op": "create", "urn": urn("a")},
        {"op": "update", "urn": urn("a"), "oldState": None, "newState": {"inputs": None}},
        {"op": "delete", "urn": urn("a"), "oldState": {"outputs": {"deprecation_time": 7}}},
        {
            "op": "create",
            "urn": urn("a"),
            "newState": {"inputs": {"image_id": {"secret": 1}, "deprecate_in_days": "x"}},
        },
        {"op": "create", "urn": "nonsense"},
        {"op": "create"},
        "text",
    ],
)
def test_a_step_of_an_unknown_form_breaks_nothing(broken: object) -> None:
    assert read(broken, step("create", new=props(to=50), name="b")).changes


def test_a_date_in_the_digest_is_read_on_the_minute() -> None:
    assert one(step("create", new=props(deprecation_time=on(10)))).after.when == ahead(10)
