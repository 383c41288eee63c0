"""No date is lost by a refactoring, and nothing of others is overwritten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pulumi
import pytest

from ami_deprecation import AmiDeprecation
from tests.protocol.dates import EARLY, LATE, MIDDLE, NOW, ahead, text
from tests.protocol.program import dated, made

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.protocol.conftest import MakeEngine
    from tests.protocol.engine import Engine
    from tests.protocol.steps import Outcome

WAYS = {"deprecate_at": EARLY, "deprecate_after_days": 130, "deprecate_in_days": 100}
OTHER = "210987654321"


@pytest.fixture
def image(ec2: LocalEC2) -> str:
    return ec2.add_image("web", created=NOW - timedelta(days=30))


# Refactorings.


def renamed(engine: Engine, given: dict[str, object]) -> Outcome:
    return engine.up(made("site", **given))


def replaced(engine: Engine, given: dict[str, object]) -> Outcome:
    return engine.up(made(**given), replace=["web"])


def tainted(engine: Engine, given: dict[str, object]) -> Outcome:
    engine.taint("web")
    return engine.up(made(**given))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passed", [False, True], ids=["ahead", "passed"])
@pytest.mark.parametrize("order", ["create first", "delete first"])
@pytest.mark.parametrize("how", [renamed, replaced, tainted])
def test_a_refactoring_keeps_the_date_without_a_changing_call(  # a matrix
    engine: Engine,
    ec2: LocalEC2,
    image: str,
    how: Callable[[Engine, dict[str, object]], Outcome],
    order: str,
    passed: bool,
    way: str,
) -> None:
    given: dict[str, object] = {"image_id": image, way: WAYS[way]}
    if order == "delete first":
        given["opts"] = pulumi.ResourceOptions(delete_before_replace=True)
    engine.up(made(**given))
    date = ec2.image(image).deprecation_time
    if passed:
        ec2.advance(timedelta(days=400))
    outcome = how(engine, given)
    assert outcome.mutations == []
    assert "same" not in dict(outcome.steps)
    assert ec2.image(image).deprecation_time == date
    assert len(engine.state) == 1
    [entry] = engine.state
    assert entry.outputs["deprecation_time"] == text(date)
    again = engine.up(made(entry.name, **given))
    assert (again.operations, again.actions) == ([], [])


@pytest.mark.parametrize("parallel", [0, 4])
def test_a_delete_leaves_an_image_that_another_resource_took_over_and_says_so(
    engine: Engine, ec2: LocalEC2, image: str, parallel: int
) -> None:
    engine.parallel = parallel
    engine.up(dated(image, EARLY))
    outcome = engine.up(made("site", image_id=image, deprecate_at=LATE))
    assert outcome.operations == ["create", "delete"]
    assert outcome.mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == LATE
    [line] = [line for line in outcome.printed if "keeps its date" in line]
    assert image in line
    assert "'site'" in line


def test_a_renamed_resource_with_an_alias_is_the_same_one(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    outcome = engine.up(
        made(
            "site",
            image_id=image,
            deprecate_at=EARLY,
            opts=pulumi.ResourceOptions(aliases=[pulumi.Alias("web")]),
        )
    )
    assert (outcome.operations, outcome.mutations) == ([], [])
    assert engine.names() == ["site"]


def test_two_resources_can_exchange_their_images(engine: Engine, ec2: LocalEC2, image: str) -> None:
    other = ec2.add_image("other")

    def program(one: str, two: str) -> Callable[[], None]:
        def body() -> None:
            AmiDeprecation("one", image_id=one, deprecate_at=EARLY)
            AmiDeprecation("two", image_id=two, deprecate_at=LATE)

        return body

    engine.up(program(image, other))
    engine.up(program(other, image))
    assert ec2.image(other).deprecation_time == EARLY
    assert ec2.image(image).deprecation_time == LATE
    again = engine.up(program(other, image))
    assert (again.operations, again.actions) == ([], [])


def test_a_resource_moved_to_another_stack_keeps_the_date(
    make_engine: MakeEngine, ec2: LocalEC2, image: str
) -> None:
    first, second = make_engine(), make_engine()
    kept = pulumi.ResourceOptions(retain_on_delete=True)
    first.up(dated(image, EARLY, opts=kept))
    assert second.up(dated(image, EARLY)).mutations == []
    assert first.destroy().mutations == []
    assert ec2.image(image).deprecation_time == EARLY


# Destroy.


@pytest.mark.parametrize("theirs", [MIDDLE, LATE], ids=["middle", "late"])
@pytest.mark.parametrize("on_destroy", ["cancel", "restore"])
def test_a_date_that_somebody_else_set_is_left_alone_and_said(
    engine: Engine, ec2: LocalEC2, image: str, theirs: object, on_destroy: str
) -> None:
    date = MIDDLE if theirs == MIDDLE else LATE
    engine.up(dated(image, EARLY, on_destroy=on_destroy))
    ec2.set_deprecation_time(image, date)
    destroyed = engine.destroy()
    assert destroyed.mutations == []
    assert ec2.image(image).deprecation_time == date
    [line] = destroyed.printed
    assert image in line
    assert text(date) in line  # type: ignore[operator]
    assert engine.state == []


def test_a_date_that_somebody_else_cancelled_needs_no_call(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, None)
    destroyed = engine.destroy()
    assert (destroyed.mutations, destroyed.printed) == ([], [])


def test_a_date_from_outside_that_a_refresh_has_seen_is_left_alone(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, LATE)
    engine.refresh()
    assert engine.destroy().mutations == []
    assert ec2.image(image).deprecation_time == LATE


def test_an_adopted_date_is_cancelled_by_default(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, EARLY)
    engine.up(dated(image, EARLY))
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None


@pytest.mark.parametrize(
    ("found", "then", "left", "calls"),
    [
        ("none", 0, "none", ["DisableImageDeprecation"]),
        ("late", 0, "late", ["EnableImageDeprecation"]),
        ("late", 290, "late", ["EnableImageDeprecation"]),
        ("late", 310, "none", ["DisableImageDeprecation"]),
        ("same", 0, "same", []),
    ],
)
def test_restore_puts_the_date_back_that_was_found_while_it_is_ahead(  # a table
    engine: Engine, ec2: LocalEC2, image: str, found: str, then: int, left: str, calls: list[str]
) -> None:
    dates = {"none": None, "late": LATE, "same": EARLY}
    ec2.set_deprecation_time(image, dates[found])
    engine.up(dated(image, EARLY, on_destroy="restore"))
    engine.refresh()
    ec2.advance(timedelta(days=then))
    assert engine.destroy().mutations == calls
    assert ec2.image(image).deprecation_time == dates[left]


@pytest.mark.parametrize("on_destroy", ["cancel", "restore"])
def test_a_public_image_keeps_ec2s_date_and_destroy_says_so(
    engine: Engine, ec2: LocalEC2, on_destroy: str
) -> None:
    public = ec2.add_image("web", public=True)
    engine.up(dated(public, EARLY, on_destroy=on_destroy))
    destroyed = engine.destroy()
    assert destroyed.mutations == []
    [line] = destroyed.printed
    assert f"{public} in eu-west-1 is public" in line
    assert text(EARLY) in line  # type: ignore[operator]
    assert ec2.image(public).deprecation_time == EARLY
    assert engine.state == []


def gone_deregistered(ec2: LocalEC2, image: str) -> None:
    ec2.set_state(image, "deregistered")


def gone_empty(ec2: LocalEC2, image: str) -> None:
    ec2.deregister_image(image)


def gone_not_found(ec2: LocalEC2, image: str) -> None:
    ec2.remove_image(image)


def gone_unavailable(ec2: LocalEC2, image: str) -> None:
    for action in ("DescribeImages", "DisableImageDeprecation"):
        ec2.faults.add(action, code="InvalidAMIID.Unavailable", image_id=image, times=None)


def gone_when_cancelled(ec2: LocalEC2, image: str) -> None:
    ec2.faults.add("DisableImageDeprecation", code="InvalidAMIID.NotFound", image_id=image, times=None)


@pytest.mark.parametrize("settle_seconds", ["0", "120"])
@pytest.mark.parametrize(
    "shape", [gone_deregistered, gone_empty, gone_not_found, gone_unavailable, gone_when_cancelled]
)
def test_deleting_the_date_of_an_image_that_is_gone_succeeds(
    make_engine: MakeEngine,
    ec2: LocalEC2,
    image: str,
    shape: Callable[[LocalEC2, str], None],
    settle_seconds: str,
) -> None:
    engine = make_engine(AMI_DEPRECATION_SETTLE_SECONDS=settle_seconds)
    engine.up(dated(image, EARLY))
    shape(ec2, image)
    destroyed = engine.destroy()
    assert engine.state == []
    assert destroyed.seconds < 5


@pytest.mark.parametrize("shape", [gone_deregistered, gone_empty, gone_not_found, gone_unavailable])
def test_refresh_drops_an_image_that_is_gone(
    engine: Engine, ec2: LocalEC2, image: str, shape: Callable[[LocalEC2, str], None]
) -> None:
    engine.up(dated(image, EARLY))
    shape(ec2, image)
    assert engine.refresh().operations == ["delete"]
    assert engine.state == []


def test_a_disabled_image_is_not_gone(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_state(image, "disabled")
    assert engine.refresh().operations == ["refresh"]
    assert engine.up(dated(image, LATE)).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == LATE
    assert engine.destroy().mutations == ["DisableImageDeprecation"]


# Two resources with one id.


def test_one_id_in_two_regions_is_two_images_that_never_touch_each_other(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    ec2.add_image("web", image_id=image, region="us-east-1")

    def program(*, here: object = EARLY, there: object = LATE) -> Callable[[], None]:
        def body() -> None:
            if here:
                made("here", image_id=image, deprecate_at=here)()
            if there:
                made("there", image_id=image, deprecate_at=there, region="us-east-1")()

        return body

    def dates() -> tuple[object, object]:
        return ec2.image(image).deprecation_time, ec2.image(image, region="us-east-1").deprecation_time

    engine.up(program())
    assert dates() == (EARLY, LATE)
    engine.up(program(here=MIDDLE))
    assert dates() == (MIDDLE, LATE)
    ec2.set_deprecation_time(image, EARLY)
    assert engine.up(program(here=MIDDLE), refresh=True).mutations == ["EnableImageDeprecation"]
    assert dates() == (MIDDLE, LATE)
    engine.up(program(here=None))
    assert dates() == (None, LATE)
    # Moved from one Region to the other, while the other's own resource goes: neither is the other's successor.
    engine.up(made("new", image_id=image, deprecate_at=EARLY))
    assert dates() == (EARLY, None)


def test_one_id_under_two_roles_is_judged_by_each_roles_account(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    def program() -> None:
        AmiDeprecation("owner", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "other", image_id=image, deprecate_at=LATE, role_arn=f"arn:aws:iam::{OTHER}:role/dates"
        )

    ec2.share(image, OTHER)
    [failure] = engine.preview(program, check=False).failures
    assert "'other'" in failure
    assert f"owned by account {ec2.account}" in failure
    assert "two resources" not in failure


def test_two_roles_of_one_account_are_one_image(engine: Engine, ec2: LocalEC2, image: str) -> None:
    def program() -> None:
        AmiDeprecation("one", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "two", image_id=image, deprecate_at=LATE, role_arn=f"arn:aws:iam::{ec2.account}:role/dates"
        )

    [failure] = engine.preview(program, check=False).failures
    assert "two resources" in failure


def test_two_accounts_in_one_stack_each_keep_to_their_images(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    theirs = ec2.add_image("theirs", account=OTHER)

    def program() -> None:
        AmiDeprecation("ours", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "theirs", image_id=theirs, deprecate_at=LATE, role_arn=f"arn:aws:iam::{OTHER}:role/dates"
        )

    engine.up(program)
    assert (ec2.image(image).deprecation_time, ec2.image(theirs).deprecation_time) == (EARLY, LATE)
    engine.refresh()
    engine.destroy()
    assert (ec2.image(image).deprecation_time, ec2.image(theirs).deprecation_time) == (None, None)


# Changes from outside. That a moved or cancelled date is shown and repaired: test_contract.py.


def test_a_date_pulled_in_by_making_the_image_public_is_shown_and_given_up_without_failing(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    far = ahead(1000)
    program = dated(image, far)
    engine.up(program)
    ec2.make_public(image)
    pulled_in = ec2.image(image).deprecation_time
    assert engine.refresh().operations == ["refresh-update"]
    assert engine.outputs("web")["deprecation_time"] == text(pulled_in)
    told = engine.preview(program)
    assert "public image" in told.notes
    up = engine.up(program)
    assert up.mutations == []
    assert "public image" in up.notes
    quiet_from_now_on(engine, program)
    assert ec2.image(image).deprecation_time == pulled_in


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("theirs", ["cancelled", "moved"])
def test_a_past_date_that_was_changed_outside_is_told_and_given_up_without_failing(
    engine: Engine, ec2: LocalEC2, image: str, theirs: str, way: str
) -> None:
    program = made(image_id=image, **{way: WAYS[way]})
    engine.up(program)
    ec2.advance(timedelta(days=400))
    date = None if theirs == "cancelled" else ahead(1000)
    ec2.set_deprecation_time(image, date)
    assert engine.refresh().operations == ["refresh-update"]
    assert "is past" in engine.preview(program).notes
    up = engine.up(program)
    assert up.mutations == []
    assert "cannot be put back" in up.notes
    quiet_from_now_on(engine, program)
    assert ec2.image(image).deprecation_time == date
    # A new wish is another matter.
    assert engine.up(dated(image, ahead(500))).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == ahead(500)


def test_a_date_that_comes_back_after_it_was_given_up_is_ours_again(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    program = dated(image, EARLY)
    engine.up(program)
    ec2.advance(timedelta(days=400))
    ec2.set_deprecation_time(image, None)
    engine.up(program, refresh=True)
    ec2.set_deprecation_time(image, EARLY)
    engine.up(program, refresh=True)
    assert engine.outputs("web")["deprecation_time"] == text(EARLY)
    quiet_from_now_on(engine, program)
    assert engine.destroy().mutations == ["DisableImageDeprecation"]


def quiet_from_now_on(engine: Engine, program: Callable[[], object]) -> None:
    for operation in (engine.preview, engine.up):
        again = operation(program)
        assert (again.operations, again.actions) == ([], []), str(again)
        again = operation(program, refresh=True)
        assert set(again.operations) <= {"refresh"}, str(again)
        assert again.mutations == []


def test_an_image_restored_from_the_recycle_bin_gets_its_date_again(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    program = dated(image, EARLY)
    engine.up(program)
    ec2.deregister_image(image)
    ec2.restore_image(image)
    assert ec2.image(image).deprecation_time is None
    assert engine.refresh().operations == ["refresh-update"]
    assert engine.up(program).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == EARLY
