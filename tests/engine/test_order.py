"""Whatever order the engine takes, a refactoring loses no date and sends no call that is not needed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.harness import Stack
from tests.support.programs import TOKEN, declare, resource, urn

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

PASSED = datetime(2026, 1, 1, tzinfo=timezone.utc)
AHEAD = datetime(2028, 6, 1, tzinfo=timezone.utc)
DELETE_FIRST = ", opts=pulumi.ResourceOptions(delete_before_replace=True)"


#: Resource name -> the date that its image has before, and how the program gives it.
FORMS: dict[str, tuple[datetime | None, str]] = {
    "ahead": (None, "deprecate_at='2028-06-01'"),
    "passed": (PASSED, "deprecate_at='2026-01-01'"),
    "in-days": (None, "deprecate_in_days=30"),
    "after-days": (None, "deprecate_after_days=400"),
}


@pytest.fixture
def images(stack: Stack, ec2: LocalEC2) -> dict[str, str]:
    """An image for each form, all dated by an `up`."""
    made = {name: ec2.add_image(name=name, deprecation_time=had) for name, (had, _) in FORMS.items()}
    declare(stack, *(resource(name, made[name], given) for name, (_, given) in FORMS.items()))
    stack.up()
    assert None not in dates(ec2)
    return made


def dates(ec2: LocalEC2) -> list[datetime | None]:
    return [image.deprecation_time for image in ec2.images()]


def rename(stack: Stack, ec2: LocalEC2) -> str:
    """An image whose resource `web` is up, and is called `renamed` in the program now."""
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    declare(stack, resource("renamed", image, "deprecate_at='2028-06-01'"))
    return image


def test_rename_without_alias_keeps_date(stack: Stack, ec2: LocalEC2, images: dict[str, str]) -> None:
    before = dates(ec2)
    declare(stack, *(resource(f"new-{name}", images[name], given) for name, (_, given) in FORMS.items()))
    renamed = stack.up()
    assert renamed.mutations == []
    assert "'new-ahead' of this update has taken it over" in renamed.output
    assert dates(ec2) == before
    assert len(stack.resources(TOKEN)) == len(FORMS)
    assert stack.up("--expect-no-changes").actions == []


@pytest.mark.parametrize(
    ("how", "options"), [("replace", ""), ("taint", DELETE_FIRST)], ids=["create-first", "delete-first"]
)
def test_forced_replacement_keeps_date(
    stack: Stack, ec2: LocalEC2, images: dict[str, str], how: str, options: str
) -> None:
    before = dates(ec2)
    declare(stack, *(resource(name, images[name], given + options) for name, (_, given) in FORMS.items()))
    urns = [urn(stack, name) for name in FORMS]
    if how == "taint":
        stack.run("state", "taint", *urns, "--yes")
        replaced = stack.up()
    else:
        replaced = stack.up(*(f"--replace={each}" for each in urns))
    assert f"+-{len(FORMS)} replaced" in replaced.output
    assert replaced.mutations == []
    assert dates(ec2) == before
    assert stack.up("--expect-no-changes").actions == []


def test_original_date_survives_role_change_but_not_taint(stack: Stack, ec2: LocalEC2) -> None:
    original = datetime(2027, 12, 1, tzinfo=timezone.utc)
    image = ec2.add_image(name="web-1", deprecation_time=original)
    role = f", role_arn='arn:aws:iam::{ec2.account}:role/images'"
    declare(stack, resource("web", image, "deprecate_at='2028-06-01', on_destroy='restore'"))
    stack.up()
    declare(stack, resource("web", image, "deprecate_at='2028-06-01', on_destroy='restore'" + role))
    replaced = stack.up()
    assert (replaced.mutations, "not carried over" in replaced.output) == ([], False)
    assert stack.resources(TOKEN)[0]["outputs"]["previous_deprecation_time"] == "2027-12-01T00:00:00Z"
    stack.run("state", "taint", urn(stack, "web"), "--yes")
    [step] = [each for each in stack.preview_json()["steps"] if each["op"] == "replace"]
    assert step["replaceReasons"] == ["id"]  # what the comment takes for a taint
    tainted = stack.up()
    assert tainted.mutations == []
    assert "2027-12-01T00:00:00Z, is not carried over to 'web'" in tainted.output
    assert ec2.image(image).deprecation_time == AHEAD


def test_destroy_with_run_program_cancels_after_an_alias(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    alias = ", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='web')])"
    declare(stack, resource("site", image, "deprecate_at='2028-06-01'" + alias))
    stack.up()
    assert stack.destroy("--run-program").mutations == ["DisableImageDeprecation"]


def test_destroy_with_run_program_cancels(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    assert stack.destroy("--run-program").mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None


def test_failed_rename_keeps_old_date(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    declare(stack, resource("renamed", image, "deprecate_at='2028-07-01'"))
    ec2.faults.add("EnableImageDeprecation", "denied", times=None)
    failed = stack.up("--continue-on-error", check=False)
    assert failed.code != 0
    assert ec2.image(image).deprecation_time == AHEAD
    ec2.faults.clear()
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == datetime(2028, 7, 1, tzinfo=timezone.utc)
    assert len(stack.resources(TOKEN)) == 1


def test_update_follows_its_reviewed_plan(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_in_days=30"))
    plan = str(stack.project / "plan.json")
    stack.preview("--save-plan", plan)
    ec2.advance(timedelta(hours=5))
    assert stack.up("--plan", plan).mutations == ["EnableImageDeprecation"]


FAILING = """
class Failing(pulumi.dynamic.ResourceProvider):
    def create(self, props):
        raise ValueError("the neighbor fails")


class Neighbor(pulumi.dynamic.Resource):
    pass


neighbor = Neighbor(Failing(), "neighbor", {})
"""


def test_skipped_rename_keeps_date(stack: Stack, ec2: LocalEC2) -> None:
    # The engine does not show the new name to the plugin; the program has told it.
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    options = ", opts=pulumi.ResourceOptions(depends_on=[neighbor])"
    declare(stack, FAILING, resource("renamed", image, "deprecate_at='2028-06-01'" + options))
    skipped = stack.up("--continue-on-error", check=False)
    assert skipped.code != 0
    assert skipped.mutations == []
    assert f"{image} in eu-west-1 keeps its date: the resource 'renamed' is declared for it" in skipped.output
    assert ec2.image(image).deprecation_time == AHEAD


def test_reverted_rename_ends_with_programs_date(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    old = resource("web", image, "deprecate_at='2028-06-01'")
    declare(stack, old)
    stack.up()
    # The new name is there when the neighbor fails, so the engine does not come to the deletion of the old one.
    options = ", opts=pulumi.ResourceOptions(depends_on=[renamed])"
    renamed = f"renamed = {resource('renamed', image, 'deprecate_at=' + repr('2028-07-01'))}"
    declare(stack, renamed, FAILING.replace('"neighbor", {})', '"neighbor", {}' + options + ")"))
    assert stack.up(check=False).code != 0
    assert len(stack.resources(TOKEN)) == 2
    declare(stack, old)
    reverted = stack.up()
    assert reverted.mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == AHEAD
    assert stack.up("--expect-no-changes").actions == []


@pytest.mark.parametrize("late", [False, True], ids=["declared", "not-yet-declared"])
def test_delete_first_swap_keeps_passed_dates(stack: Stack, ec2: LocalEC2, *, late: bool) -> None:
    """Also where the program cannot say yet who will have the image: the second id is an output of the first resource."""
    one, two = (ec2.add_image(name=name, deprecation_time=None) for name in ("web-1", "web-2"))
    date = "deprecate_at='2028-06-01'" + DELETE_FIRST
    declare(stack, resource("one", one, date), resource("two", two, date))
    stack.up()
    ec2.set_time(AHEAD + timedelta(days=1))
    second = resource("two", one, date)
    if late:
        second = second.replace(repr(one), f"one.deprecation_time.apply(lambda _: {one!r})")
    declare(stack, f"one = {resource('one', two, date)}", second)
    swapped = stack.up()
    assert swapped.mutations == []
    assert dates(ec2) == [AHEAD, AHEAD]


def test_targeted_rename_keeps_date(cold_cli: Cli, ec2: LocalEC2, tmp_path: Path) -> None:
    """The engine's own children, not forks: a plugin asks when the engine from which it descends started."""
    stack = Stack.create(cold_cli, tmp_path, ec2)
    image = rename(stack, ec2)
    old = urn(stack, "web")
    for name in ("renamed", "web"):
        assert stack.up("--target", old.removesuffix("web") + name).mutations == []
    assert [each["urn"].rpartition("::")[2] for each in stack.resources(TOKEN)] == ["renamed"]
    assert ec2.image(image).deprecation_time == AHEAD


def test_destroy_with_program_cancels_after_a_rename(cold_cli: Cli, ec2: LocalEC2, tmp_path: Path) -> None:
    """The engine's own children: a plugin sees in its command line that it is a destroy."""
    stack = Stack.create(cold_cli, tmp_path, ec2)
    rename(stack, ec2)
    assert stack.destroy("--run-program").mutations == ["DisableImageDeprecation"]


def test_refreshing_update_asks_anew_what_is_ignored(stack: Stack, ec2: LocalEC2) -> None:
    """The engine tells the diff of a refresh what the last run ignored."""
    image = ec2.add_image(name="web-1")
    ignored = ", opts=pulumi.ResourceOptions(ignore_changes=['deprecate_at'])"
    declare(stack, resource("web", image, "deprecate_at='2028-03-01'" + ignored))
    stack.up()
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    assert "1 to update" in stack.preview("--refresh").output
    assert stack.up("--refresh").mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == AHEAD


def test_excluded_rename_keeps_date(stack: Stack, ec2: LocalEC2) -> None:
    image = rename(stack, ec2)
    old = urn(stack, "web")
    assert stack.up("--exclude", old).mutations == []
    assert len(stack.resources(TOKEN)) == 2
    assert stack.up("--exclude", old.removesuffix("web") + "renamed").mutations == []
    assert [each["urn"].rpartition("::")[2] for each in stack.resources(TOKEN)] == ["renamed"]
    assert ec2.image(image).deprecation_time == AHEAD


def test_targeted_removal_and_destroy_cancel(stack: Stack, ec2: LocalEC2) -> None:
    image, other = ec2.add_image(name="web-1"), ec2.add_image(name="api-1")
    web = resource("web", image, "deprecate_at='2028-06-01'")
    declare(stack, web, resource("api", other, "deprecate_at='2028-06-01'"))
    stack.up()
    declare(stack, web)
    assert stack.up("--target", urn(stack, "api")).mutations == ["DisableImageDeprecation"]
    assert stack.destroy("--target", urn(stack, "web")).mutations == ["DisableImageDeprecation"]
    assert dates(ec2) == [None, None]


def test_rename_with_second_provider_keeps_date_on_engine(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    second = "second = pulumi.ProviderResource('pulumi-python', 'second', {})\n"
    options = ", opts=pulumi.ResourceOptions(provider=second)"
    renamed = resource("renamed", image, "deprecate_at='2028-06-01'" + options)
    declare(stack, second, renamed, resource("web", image, "deprecate_at='2028-07-01'"))
    refused = stack.preview(check=False)
    assert refused.code != 0
    assert "is given a date by two resources" in refused.output
    declare(stack, second, renamed)
    assert stack.up().mutations == []
    assert ec2.image(image).deprecation_time == AHEAD


def test_moved_state_hands_date_over(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="web-1")
    declare(stack, resource("web", image, "deprecate_at='2028-06-01'"))
    stack.up()
    stack.run("stack", "init", "other", "--no-select")
    stack.run("state", "move", "--yes", "--source", "test", "--dest", "other", urn(stack, "web"))
    assert stack.destroy().mutations == []
    assert stack.run("destroy", "--yes", "--stack", "other").mutations == ["DisableImageDeprecation"]
