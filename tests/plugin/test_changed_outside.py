"""A date that was changed outside Pulumi is named before it is replaced, and stays when only other inputs change."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pulumi
import pytest

from ami_deprecation.cli.comment import preview
from ami_deprecation.cli.comment.preview import CHANGING
from tests.plugin.test_preview_names import digest
from tests.support.dates import EARLY, LATE, MIDDLE, NOW, WAYS, text
from tests.support.program import dated, made
from tests.support.whole_life import role

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.cli.comment.preview import Change
    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine


@pytest.mark.parametrize("theirs", [None, MIDDLE], ids=["canceled", "moved"])
def test_replaced_outside_date_is_named(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None
) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, theirs)
    sentence = f"has {text(theirs) or 'no date'} (changed outside Pulumi): {text(LATE)} replaces it"
    for outcome in (engine.preview(dated(image, LATE)), engine.up(dated(image, LATE))):
        [line] = outcome.printed
        assert line.startswith(f"ami-deprecation: {image} (web) in eu-west-1 {sentence}")
    assert ec2.image(image).deprecation_time == LATE


def test_outside_date_that_is_wanted_makes_no_call(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, LATE)
    assert "(changed outside Pulumi): the date it should have" in engine.preview(dated(image, LATE)).notes
    assert engine.up(dated(image, LATE)).mutations == []


def test_outside_date_seen_at_up_only_is_logged(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, MIDDLE)
    ec2.faults.add("DescribeImages", "denied")
    up = engine.up(dated(image, LATE))
    assert f"has {text(MIDDLE)} (changed outside Pulumi): {text(LATE)} replaces it" in up.notes


def test_lag_is_no_outside_change(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS="60")
    ec2.faults.lag(reads=2)
    engine.up(dated(image, EARLY))
    assert "outside" not in engine.preview(dated(image, LATE)).notes


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("theirs", [None, MIDDLE], ids=["canceled", "moved"])
def test_another_input_leaves_outside_date(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None, way: str
) -> None:
    given = {"image_id": image, way: WAYS[way]}
    engine.up(made(**given))
    ours = ec2.image(image).deprecation_time
    ec2.set_deprecation_time(image, theirs)
    up = engine.up(made(**given, on_destroy="restore"))
    assert (up.operations, up.mutations) == (["update"], [])
    assert f"has {text(theirs) or 'no date'} (changed outside Pulumi) and keeps it in this update" in up.notes
    assert ec2.image(image).deprecation_time == theirs
    assert engine.outputs("web").get("deprecation_time") == text(theirs)
    # The drift is visible now, and the next update repairs it.
    assert engine.preview(made(**given, on_destroy="restore")).operations == ["update"]
    assert engine.up(made(**given, on_destroy="restore")).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == ours


@pytest.mark.parametrize("settle_seconds", ["0", "120"])
@pytest.mark.parametrize("shape", ["deregistered", "not found"])
def test_changed_date_of_deregistered_image_names_way_out(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, shape: str, settle_seconds: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS=settle_seconds)
    engine.up(dated(image, EARLY))
    ec2.set_state(image, "deregistered") if shape == "deregistered" else ec2.remove_image(image)
    preview = engine.preview(dated(image, LATE), check=False)
    assert "remove it from the program" in "".join((*preview.failures, preview.notes))
    up = engine.up(dated(image, LATE), check=False)
    assert not up.ok
    assert "remove it from the program" in "".join((*up.failures, *up.errors))


def test_date_that_moves_with_clock_gets_one_hint(engine: Engine, ec2: LocalEC2, image: str) -> None:
    other = ec2.add_image("other")

    def program(start: datetime) -> Callable[[], None]:
        def body() -> None:
            for name, image_id in (("web", image), ("other", other)):
                made(name, image_id=image_id, deprecate_at=start + timedelta(days=90))()

        return body

    start = datetime.now(timezone.utc)
    assert "deprecate_in_days" not in engine.up(program(start)).notes
    ec2.advance(timedelta(hours=5))
    preview = engine.preview(program(start + timedelta(hours=5)))
    [hint] = [line for line in preview.printed if "deprecate_in_days=90 is counted once" in line]
    assert "deprecate_at is 90 days from now, as it was in the last run" in hint
    assert "deprecate_in_days" not in engine.preview(program(start + timedelta(hours=1))).notes


IGNORED = pulumi.ResourceOptions(ignore_changes=["deprecate_at"])


def ignore_date(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    """A transformation adds the option where the resource does not see it."""
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, IGNORED))


@pytest.mark.parametrize("theirs", [None, LATE], ids=["canceled", "moved"])
@pytest.mark.parametrize("way", ["option", "option, refreshed", "transformation, refreshed"])
def test_ignored_outside_date_never_becomes_ours(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None, way: str
) -> None:
    hidden = pulumi.ResourceOptions(transformations=[ignore_date])
    opts = hidden if way.startswith("transformation") else IGNORED
    engine.up(dated(image, EARLY, opts=opts))
    ec2.set_deprecation_time(image, theirs)
    if way.endswith("refreshed"):
        engine.refresh()
    for on_destroy in ("restore", "cancel"):
        program = dated(image, EARLY, on_destroy=on_destroy, opts=opts)
        assert engine.preview(program).operations == ["update"]
        assert engine.up(program).actions == []
        again = engine.up(program)
        assert (again.operations, again.actions) == ([], [])
    assert engine.outputs("web")["__scheduled"] == text(EARLY)
    assert engine.destroy().mutations == []
    assert ec2.image(image).deprecation_time == theirs


def test_ignored_date_shows_outside_change_in_refresh(engine: Engine, ec2: LocalEC2, image: str) -> None:
    program = dated(image, EARLY, opts=IGNORED)
    engine.up(program)
    for theirs in (LATE, MIDDLE):
        ec2.set_deprecation_time(image, theirs)
        assert engine.refresh().operations == ["refresh-update"]
        assert engine.refresh().operations == ["refresh"]
        assert engine.up(program).operations == []


def test_outside_date_taken_into_program_is_not_ours(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY, on_destroy="restore"))
    ec2.set_deprecation_time(image, LATE)
    engine.up(dated(image, LATE, on_destroy="restore"))
    assert engine.destroy().mutations == []
    assert ec2.image(image).deprecation_time == LATE


def test_ignored_date_still_moves_with_another_image(engine: Engine, ec2: LocalEC2, image: str) -> None:
    other = ec2.add_image("other")
    engine.up(dated(image, EARLY, opts=IGNORED))
    ec2.set_deprecation_time(image, None)
    engine.refresh()
    engine.up(dated(other, EARLY, opts=IGNORED))
    assert ec2.image(other).deprecation_time == EARLY


def comment_on(engine: Engine, program: Callable[[], object]) -> list[Change]:
    """The comment's rows that announce a call to EC2."""
    before = {entry.name: entry for entry in copy.deepcopy(engine.state)}
    changes = preview.read(digest(before, engine.preview(program)), NOW).changes
    return [each for each in changes if each.action in CHANGING]


@pytest.mark.parametrize("theirs", [None, MIDDLE], ids=["canceled", "moved"])
@pytest.mark.parametrize("refreshed", [False, True])
def test_ignored_date_survives_another_role(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None, refreshed: bool
) -> None:
    engine.up(dated(image, EARLY, opts=IGNORED))
    ec2.set_deprecation_time(image, theirs)
    if refreshed:
        engine.refresh()
    program = dated(image, EARLY, role_arn=role(ec2.account), opts=IGNORED)
    announced, up = comment_on(engine, program), engine.up(program)
    assert (announced, up.mutations, "replaces it" in up.notes) == ([], [], False)
    assert engine.destroy().mutations == []
    assert ec2.image(image).deprecation_time == theirs


@pytest.mark.parametrize("theirs", [None, LATE], ids=["canceled", "moved"])
@pytest.mark.parametrize("way", ["deprecate_at", "deprecate_in_days"])
def test_comment_leaves_ignored_date(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None, way: str
) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=[way])
    engine.up(made(image_id=image, **{way: WAYS[way]}, opts=opts))
    ec2.set_deprecation_time(image, theirs)
    engine.refresh()
    program = made(image_id=image, **{way: WAYS[way]}, on_destroy="restore", opts=opts)
    assert comment_on(engine, program) == []
    up = engine.up(program)
    assert up.mutations == []
    assert (
        f"has {text(theirs) or 'no date'} (changed outside Pulumi): the program ignores changes" in up.notes
    )


def test_ignored_days_survive_refresh_and_another_role(engine: Engine, ec2: LocalEC2, image: str) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["deprecate_in_days"])
    engine.up(made(image_id=image, deprecate_in_days=100, opts=opts))
    ec2.set_deprecation_time(image, LATE)
    engine.refresh()
    program = made(image_id=image, deprecate_in_days=100, role_arn=role(ec2.account), opts=opts)
    assert engine.up(program).mutations == []
    assert ec2.image(image).deprecation_time == LATE


def test_lost_original_is_named_under_ignore_changes(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, EARLY)
    program = dated(image, LATE, on_destroy="restore", opts=IGNORED)
    engine.up(program)
    ec2.set_time(EARLY + timedelta(days=1))
    assert f"its original date, {text(EARLY)}, has passed" in engine.preview(program, refresh=True).notes


def star(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    return pulumi.ResourceTransformationResult(
        args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=["*"]))
    )


@pytest.mark.parametrize("hidden", [ignore_date, star])
@pytest.mark.parametrize("change", ["nothing", "role_arn"])
def test_date_left_before_stays_under_a_transformation(
    engine: Engine, ec2: LocalEC2, image: str, hidden: object, change: str
) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, MIDDLE)
    engine.up(dated(image, EARLY, on_destroy="restore"))
    opts = pulumi.ResourceOptions(transformations=[hidden])  # type: ignore[list-item]  # one of the two above
    given = {"role_arn": role(ec2.account)} if change == "role_arn" else {}
    assert engine.up(dated(image, LATE, on_destroy="restore", opts=opts, **given)).mutations == []
    assert ec2.image(image).deprecation_time == MIDDLE


def test_preview_after_a_date_was_left_names_it(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, MIDDLE)
    program = dated(image, EARLY, on_destroy="restore")
    engine.up(program)
    assert (
        f"has {text(MIDDLE)} (changed outside Pulumi): {text(EARLY)} replaces it"
        in engine.preview(program).notes
    )


def test_refreshed_preview_of_an_image_that_went_names_program(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    engine.up(dated(image, EARLY))
    ec2.deregister_image(image)
    [failure] = engine.preview(dated(image, EARLY), refresh=True, check=False).failures
    assert "remove it from the program" in failure


def test_role_does_not_overwrite_a_cancellation_of_a_moment_ago(
    make_engine: MakeEngine, ec2: LocalEC2, image: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS="120")
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, None)
    assert engine.up(dated(image, EARLY, role_arn=role(ec2.account))).mutations == []


def test_refresh_of_untouched_days_changes_no_input(engine: Engine, image: str) -> None:
    engine.up(made(image_id=image, deprecate_in_days=30))
    before = copy.deepcopy(engine.entry("web").inputs)
    assert engine.refresh().operations == ["refresh"]
    assert engine.entry("web").inputs == before


def test_ignoring_another_way_does_not_ignore_the_date(engine: Engine, ec2: LocalEC2, image: str) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["deprecate_in_days"])
    engine.up(dated(image, EARLY, opts=opts))
    engine.up(dated(image, LATE, opts=opts))
    assert ec2.image(image).deprecation_time == LATE
