"""What a preview's digest means: which image, from which date to which, and what happens to it."""

from __future__ import annotations

import json

import pytest

from ami_deprecation.cli.comment import digests, preview
from ami_deprecation.cli.comment.preview import Action, Date
from ami_deprecation.cli.exits import CommandError, Exit
from ami_deprecation.doors import names
from tests.support.cli_digests import URN, digest, note, on, one, props, read, step, urn
from tests.support.cli_samples import NOW, ahead


def test_new_date_is_set() -> None:
    change = one(step("create", new=props(to=50)))
    assert (change.action, change.before, change.after) == (Action.SET, None, Date(ahead(50)))
    assert (change.image_id, change.image_name, change.region) == (
        "ami-00000000000000001",
        "web",
        "eu-west-1",
    )


def test_new_resource_adopts_same_date() -> None:
    assert one(step("create", new=props(to=50, original=50))).action is Action.ADOPTED


@pytest.mark.parametrize(("original", "action"), [(40, Action.LATER), (60, Action.EARLIER)])
def test_new_resource_moves_another_date(original: int, action: Action) -> None:
    change = one(step("create", new=props(to=50, original=original)))
    assert (change.action, change.before, change.after.when) == (action, ahead(original), ahead(50))


def test_new_days_show_date_as_of_now() -> None:
    change = one(step("create", new=props(deprecate_in_days=30)))
    assert change.action is Action.SET
    assert change.after == Date(ahead(30), in_days=30)


def test_new_days_keep_earlier_date_of_image() -> None:
    change = one(step("create", new=props(deprecate_in_days=30, original=20)))
    assert (change.action, change.after) == (Action.ADOPTED, Date(ahead(20)))


def test_days_after_unknown_creation_stay_days() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's mark in a digest
    change = one(step("create", new={"image_id": unknown, "region": "eu-west-1", "deprecate_after_days": 3}))
    assert (change.image_id, change.after, change.action) == (None, Date(after_days=3), Action.SET)


@pytest.mark.parametrize(("to", "action"), [(200, Action.LATER), (3, Action.EARLIER)])
def test_update_moves_date_from_one_on_image(to: int, action: Action) -> None:
    change = one(step("update", props(to=100), props(to=to)))
    assert (change.action, change.before, change.after.when) == (action, ahead(100), ahead(to))


def test_update_without_date_change_keeps_date() -> None:
    change = one(step("update", props(to=100), props(to=100, on_destroy="restore")))
    assert (change.action, change.remark) == (Action.KEPT, "only a setting changes")


def test_date_that_somebody_canceled_outside_is_set_again() -> None:
    change = one(step("update", props(ours=100, deprecate_at="none"), props(to=100)))
    assert (change.action, change.before) == (Action.SET, None)
    assert change.remark == "repairs a change made outside Pulumi"


@pytest.mark.parametrize(
    ("live", "action", "before"), [(30, Action.LATER, 30), (60, Action.KEPT, 60), (None, Action.SET, None)]
)
def test_date_changed_outside_is_where_change_begins(
    live: int | None, action: Action, before: int | None
) -> None:
    about = f"ami-00000000000000001 (web (2)) in eu-west-1 has {on(live) if live else 'no date'} (changed outside Pulumi): x"
    [change] = read(step("update", props(to=50), props(to=60)), diagnostics=[note(about)]).changes
    assert (change.action, change.before) == (action, ahead(before) if before else None)
    assert change.is_outside


@pytest.mark.parametrize("op", ["update", "replace"])
@pytest.mark.parametrize("more", [{"deprecate_in_days": 30}, {"deprecate_in_days": 40, "__once": True}])
def test_days_that_are_settled_keep_date(op: str, more: dict[str, object]) -> None:
    old = props(to=10, ours=10, deprecate_in_days=30.0)
    change = one(step(op, old, props() | {"on_destroy": "restore"} | more))
    assert (change.action, change.before, change.after) == (Action.KEPT, ahead(10), Date(ahead(10)))


def test_notice_after_a_date_of_another_kind_counts_from_now() -> None:
    notice = props(deprecate_in_days=5) | {"__once": True}
    change = one(step("update", props(to=100, ours=100, deprecate_at="2028-01-01T00:00:00Z"), notice))
    assert (change.action, change.after.in_days) == (Action.EARLIER, 5)


def test_passed_notice_changed_outside_is_given_anew() -> None:
    notice = props(deprecate_in_days=14) | {"__once": True}
    change = one(step("update", props(ours=-3, deprecate_in_days=14), notice))
    assert (change.action, change.after.in_days) == (Action.SET, 14)


def test_changed_days_count_from_now() -> None:
    change = one(step("update", props(to=10, ours=10, deprecate_in_days=30.0), props(deprecate_in_days=40)))
    assert (change.action, change.after) == (Action.LATER, Date(ahead(40), in_days=40))


def test_days_that_mean_the_same_date_keep_it() -> None:
    some_minutes_ago = 30 - 7 / (24 * 60)
    old = props(to=some_minutes_ago, ours=some_minutes_ago)
    assert one(step("update", old, props(deprecate_in_days=30))).action is Action.KEPT


def test_unknown_region_is_not_shown() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert one(step("create", new=props(to=50, region=unknown))).region == ""


def test_deleted_resource_cancels_date() -> None:
    change = one(step("delete", props(to=100, ours=100)))
    assert (change.action, change.before, change.after) == (Action.CANCELED, ahead(100), Date())


def test_passed_date_of_a_replaced_resource_may_stay() -> None:
    other = {"image_id": "ami-00000000000000002", "deprecation_time": on(90)}
    change = next(
        each
        for each in read(step("replace", props(to=-5, ours=-5), props(to=90) | other)).changes
        if not each.declared
    )
    assert (change.action, change.remark) == (Action.CANCELED, "past: with delete_before_replace it stays")


def test_deleted_resource_leaves_date_to_an_unchanged_one() -> None:
    left = step("delete", props(to=100, ours=100)) | {"urn": urn("old")}
    [change] = read(left, step("same", props(to=100, ours=100), props(to=100))).changes
    assert (change.action, change.after) == (Action.KEPT, Date(ahead(100)))
    assert change.remark == "the resource web has the image"


@pytest.mark.parametrize(
    ("holds", "action", "after"), [(50, Action.EARLIER, 50), (150, Action.LATER, 150), (-5, Action.KEPT, 100)]
)
def test_unchanged_holder_gets_its_own_date_back(holds: int, action: Action, after: int) -> None:
    left = step("delete", props(to=100, ours=100)) | {"urn": urn("old")}
    kept = step("same", new=props(to=holds)) | {"newState": {"outputs": props(to=holds, ours=holds)}}
    change = one(left, kept)
    assert (change.action, change.before, change.after) == (action, ahead(100), Date(ahead(after)))
    assert change.remark.startswith("the resource web has the image and asks for ")


def test_holder_of_another_s_date_changes_nothing() -> None:
    left = step("delete", props(to=100, ours=90)) | {"urn": urn("old")}
    change = one(left, step("same", new=props(to=50, ours=50)))
    assert (change.action, change.after) == (Action.KEPT, Date(ahead(100)))


def test_rename_that_goes_on_after_a_failure_keeps_new_date() -> None:
    then, later = {"__applied_at": "2026-11-01T00:00:00Z"}, {"__applied_at": "2026-11-02T00:00:00Z"}
    left = step("delete", props(to=100, ours=100) | then) | {"urn": urn("old")}
    holder = step("same", props(to=200, ours=200), props(to=200))
    holder["newState"] = {"inputs": props(to=200), "outputs": props(to=200, ours=200) | later}
    [change] = read(left, holder).changes
    assert (change.action, change.before) == (Action.KEPT, ahead(200))


def test_deleted_resource_with_restore_puts_date_back() -> None:
    change = one(step("delete", props(to=100, ours=100, original=200, on_destroy="restore")))
    assert (change.action, change.after) == (Action.RESTORED, Date(ahead(200)))


def test_passed_original_date_cannot_be_restored() -> None:
    change = one(step("delete", props(to=100, original=-5, on_destroy="restore")))
    assert (change.action, change.remark) == (
        Action.CANCELED,
        "its original date has passed and cannot be restored",
    )


@pytest.mark.parametrize(
    ("old", "state", "why"),
    [
        (props(to=100, ours=50), {}, "did not set it"),
        (props(to=100, ours=100, __adopted=True), {}, "was on the image already"),
        (props(to=100), {"retainOnDelete": True}, "retain_on_delete"),
        (props(to=100, original=100, on_destroy="restore"), {}, "original date"),
        (props(), {}, "has no date"),
    ],
)
def test_date_that_delete_leaves_alone_is_kept_and_why(
    old: dict[str, object], state: dict[str, object], why: str
) -> None:
    change = one(step("delete", old, beside=state))
    assert change.action is Action.KEPT
    assert why in change.remark


def test_resource_deleted_with_its_image_cancels_nothing() -> None:
    image = {"op": "delete", "urn": "urn:pulumi:prod::shop::aws:ec2/amiCopy:AmiCopy::copy"}
    change = one(image, step("delete", props(to=100), beside={"deletedWith": image["urn"]}))
    assert (change.action, change.remark) == (Action.KEPT, "it is deleted with its image (deleted_with)")


def test_replacement_of_image_is_two_rows() -> None:
    changes = read(step("replace", props("web-1", to=100), props("web-2", 2, to=100))).changes
    assert [(each.image_name, each.action) for each in changes] == [
        ("web-1", Action.CANCELED),
        ("web-2", Action.SET),
    ]


def test_replacement_on_same_image_keeps_date() -> None:
    replaced = step("replace", props(to=100), props(to=100)) | {"replaceReasons": ["role_arn", "__aws"]}
    change = one(replaced)
    assert (change.action, change.remark) == (Action.KEPT, "role_arn, opts.provider changes")


def test_renamed_resource_is_one_row_that_keeps_date() -> None:
    created = step("create", new=props(to=100, original=100), name="new-name")
    for steps in ([created, step("delete", props(to=100))], [step("delete", props(to=100)), created]):
        change = one(*steps)
        assert (change.action, change.remark) == (Action.KEPT, "the resource web is now new-name")


def test_renamed_resource_with_new_date_moves_it() -> None:
    created = step("create", new=props(to=50, original=100), name="new-name")
    assert one(step("delete", props(to=100)), created).action is Action.EARLIER


def test_same_id_in_another_region_is_another_row() -> None:
    created = step("create", new=props(to=100, region="us-east-1"), name="there")
    assert {change.action for change in read(step("delete", props(to=100)), created).changes} == {
        Action.CANCELED,
        Action.SET,
    }


def test_other_resources_are_ignored_and_unchanged_counted() -> None:
    bucket = {"op": "create", "urn": "urn:pulumi:prod::shop::aws:s3/bucket:Bucket::b", "newState": {}}
    known = step("same", props(to=1), props(to=1))
    child = {**known, "urn": urn("child", parent="ami-deprecation:index:AmiDeprecationPolicy$")}
    shown = read(bucket, step("refresh", props(to=9), props(to=8)), known, child)
    assert (shown.changes, shown.unchanged, shown.stack) == ((), 2, "shop/prod")


def test_order_of_steps_does_not_matter() -> None:
    steps = [step("create", new=props(f"web-{n}", n, to=50), name=f"r{n}") for n in (3, 1, 2)]
    assert read(*steps).changes == read(*reversed(steps)).changes


def test_provider_lines_become_notes_once_in_order() -> None:
    diagnostics = [
        note("b is public"),
        note("a has a date"),
        note("b is public"),
        {"message": "other", "severity": "info"},
    ]
    assert read(diagnostics=diagnostics).notes == ("a has a date", "b is public")


def test_policy_warnings_become_notes_and_others_do_not() -> None:
    ours = "urn:pulumi:prod::shop::ami-deprecation:index:AmiDeprecationPolicy::base"
    diagnostics = [
        {"urn": ours, "message": "warning: ami-1 is in use\n", "severity": "warning"},
        {"urn": ours, "message": "reading\n", "severity": "info"},
        {
            "urn": "urn:pulumi:prod::shop::aws:s3/bucket:Bucket::b",
            "message": "warning: x",
            "severity": "warning",
        },
    ]
    assert read(diagnostics=diagnostics).notes == ("ami-1 is in use",)


def test_errors_are_one_line_each() -> None:
    ours = (
        "error: pulumi-python:dynamic/ec2:AmiDeprecation resource 'web': property deprecate_at value "
        "{2020-01-01} has a problem: it is past\n"
    )
    traced = "error: Program failed with an unhandled exception:\nTraceback (most recent call last):\n  x\nKeyError: 'y'\n"
    diagnostics = [{"message": text, "severity": "error"} for text in (ours, traced, "error: plain\nmore")]
    assert read(diagnostics=diagnostics).errors == ("KeyError: 'y'", "plain more", "web: it is past")


def test_protected_resource_is_one_whole_error() -> None:
    refused = 'error: Preview failed: resource "web" cannot be deleted\nbecause it is protected.\n'
    diagnostics = [{"message": text, "severity": "error"} for text in (refused, "error: preview failed\n")]
    assert read(diagnostics=diagnostics).errors == (
        'resource "web" cannot be deleted because it is protected.',
    )
    assert read(diagnostics=diagnostics[1:]).errors == ("preview failed",), "better than none"


def test_secret_image_ids_are_distinguished_by_name() -> None:
    def secret(name: str) -> dict[str, object]:
        return {**props(name, to=100), "image_id": "[secret]"}

    replaced = read(step("replace", secret("web-1"), secret("web-2"))).changes
    assert [(each.image_name, each.action) for each in replaced] == [
        ("web-1", Action.CANCELED),
        ("web-2", Action.SET),
    ]
    kept = one(step("replace", secret("web-1"), secret("web-1")))
    assert (kept.action, kept.is_secret, kept.image_id) == (Action.KEPT, True, None)


@pytest.mark.parametrize(
    "text", [b"", b"  \n", b"Previewing update (prod):", b"[]", b"3", b"{}", b'{"steps": 3}']
)
def test_input_without_preview_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError, match="pulumi preview --json") as refused:
        digests.load(text)
    assert refused.value.code is Exit.USAGE


def test_streamed_preview_is_named() -> None:
    with pytest.raises(CommandError, match="PULUMI_ENABLE_STREAMING_JSON_PREVIEW"):
        digests.load('{"sequence":0,"timestamp":1}\n{"sequence":1}\n')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_shell_encodings_are_read(encoding: str) -> None:
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
def test_step_of_unknown_form_breaks_nothing(broken: object) -> None:
    assert read(broken, step("create", new=props(to=50), name="b")).changes


def test_date_in_digest_is_read_on_minute() -> None:
    assert one(step("create", new=props(deprecation_time=on(10)))).after.when == ahead(10)


def test_digest_is_read_between_other_lines() -> None:
    printed = json.dumps(digest(step("create", new=props(to=50))), indent=4)
    for text in (f"Policy pack 1 of 2\n{printed}\n", f"{printed}\ndone {{}}\n", f"{{}}\n{printed}\n{{}}\n"):
        assert digests.load(text) == json.loads(printed)


@pytest.mark.parametrize(
    "other",
    [{"diagnostics": [], "foo": 1}, {"steps": ["build"], "name": "a policy pack"}, {"changeSummary": "none"}],
)
def test_json_that_is_no_preview_does_not_count(other: dict[str, object]) -> None:
    printed, more = json.dumps(digest(step("create", new=props(to=50))), indent=4), json.dumps(other)
    for text in (f"{printed}\n{more}\n", f"{more}\n{printed}\n"):
        assert digests.load(text) == json.loads(printed)


def test_preview_that_fails_early_has_diagnostics_only() -> None:
    failed = {"diagnostics": [{"message": "error: no such stack", "severity": "error"}]}
    assert preview.read(digests.load(json.dumps(failed)), NOW).errors == ("no such stack",)


@pytest.mark.parametrize("between", ["\n", "", " "])
def test_last_of_two_digests_counts(between: str) -> None:
    one, two = (json.dumps(digest(step("create", new=props(to=days)))) for days in (50, 60))
    assert digests.load(f"{one}{between}{two}\n") == json.loads(two)


@pytest.mark.parametrize("between", ["\n", ""])
def test_previews_of_two_stacks_are_refused(between: str) -> None:
    one = json.dumps(digest(step("create", new=props(to=50))))
    two = one.replace("urn:pulumi:prod::shop::", "urn:pulumi:prod::bank::")
    with pytest.raises(CommandError, match="2 stacks, shop/prod and bank/prod: run") as refused:
        digests.load(f"{one}{between}{two}")
    assert refused.value.code is Exit.USAGE


def test_output_json_is_named() -> None:
    with pytest.raises(CommandError, match="--output json"):
        digests.load('{"resources": [{"urn": "x", "op": "create"}], "changeSummary": {}}')


def test_changes_are_ordered_by_their_dates() -> None:
    steps = [step("create", new=props(f"web-{n}", n, to=days), name=f"r{n}") for n, days in ((1, 90), (2, 5))]
    gone = step("delete", props("old", 3, to=30), name="old")
    assert [each.image_name for each in read(*steps, gone).changes] == ["web-2", "old", "web-1"]


def test_errors_that_repeat_another_are_left_out() -> None:
    texts = ("error: it is past", "error: web: it is past", "Resource monitor has terminated, shutting down")
    shown = read(diagnostics=[{"message": text, "severity": "error"} for text in texts])
    assert shown.errors == ("web: it is past",)


def test_skipped_checks_are_unchecked() -> None:
    skipped = "live checks in eu-west-1 were skipped: no credentials"
    assert read(diagnostics=[note(skipped), note("b is public")]).unchecked == (skipped,)


@pytest.mark.parametrize(
    ("made", "severity"),
    [
        ("eu-west-1 is left out, and 1 date of this policy there stays as it is: no", "warning"),
        ("error: x resource 'web' has a problem: ami-1 in eu-west-1 could not be checked: no", "error"),
        (
            "Traceback (most recent call last):\nX: eu-west-1 cannot be read, and its images keep their dates: no",
            "error",
        ),
    ],
)
def test_checks_that_did_not_happen_are_unchecked(made: str, severity: str) -> None:
    policy = "urn:pulumi:prod::shop::ami-deprecation:index:AmiDeprecationPolicy::base"
    told = {"urn": policy, "message": made, "severity": severity}
    left_out = {"urn": policy, "message": "ami-1 is left out of nothing", "severity": "warning"}
    [unchecked] = read(diagnostics=[told, left_out]).unchecked
    assert "eu-west-1" in unchecked


def test_native_resource_is_read_like_pythons() -> None:
    resource = f"{URN}{names.NATIVE_TYPE}::web"
    old, new = names.to_camel(props(to=50, ours=50)), names.to_camel(props(to=80))
    moved = {"op": "update", "urn": resource, "oldState": {"outputs": old}, "newState": {"inputs": new}}
    line = "ami-0a1b2c3d in eu-west-1 is odd"
    logged = {"urn": resource, "message": f"warning: ami-deprecation: {line}\n", "severity": "warning"}
    seen = read(moved, diagnostics=[logged])
    assert [change.action for change in seen.changes] == [Action.LATER]
    assert seen.notes == (line,)


def test_rule_of_an_explaining_policy_is_read() -> None:
    policy = "urn:pulumi:prod::shop::ami-deprecation:index:AmiDeprecationPolicy::base"
    line = "ami-00000000000000001 (web (linux)) in eu-west-1: 2027-03-06T00:00:00Z (keep_newest): it is the third newest"
    explained = {"urn": policy, "message": f"{line}\n", "severity": "info"}
    [change] = read(step("create", new=props(to=50)), diagnostics=[explained]).changes
    assert change.rule == "keep_newest: it is the third newest"
