"""What EC2 would refuse later is refused in the preview, in one plain sentence on the right property."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import AmiDeprecation
from tests.plugin.conftest import OTHER
from tests.support.dates import EARLY, LATE, NOW, WAYS, ahead, text
from tests.support.program import dated, made, made_in_this_stack
from tests.support.watch import when

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine
    from tests.support.operation import Outcome

ABSENT = "ami-00000000000000abc"
#: It goes on between a preview and an update.
CLOCK = re.compile(r"EC2's clock: (\S+Z)")


def refused(outcome: Outcome, key: str) -> str:
    """The reason of the one failed check, which is on that property and in one line."""
    [failure] = outcome.failures
    assert outcome.errors == []
    assert outcome.mutations == []
    assert f"resource 'web': property {key} value " in failure
    reason = failure.partition("has a problem: ")[2]
    assert "\n" not in reason
    return reason


def refused_by_both(engine: Engine, program: Callable[[], object], key: str) -> str:
    """What preview says; an update says it too, before anything is changed."""
    before = engine.export()
    engine.ec2.set_time(
        engine.ec2.clock.now().replace(second=15)
    )  # no minute ends in between: sentences name them
    reason = refused(engine.preview(program, check=False), key)
    said_by_up = refused(engine.up(program, check=False), key)
    assert CLOCK.sub("", said_by_up) == CLOCK.sub("", reason)
    assert engine.export() == before
    return reason


# The id.


@pytest.mark.parametrize(
    "image_id",
    [
        "ami-123",
        "ami-123456789",
        "ami-0123456789abcdef",
        "ami-0123456789abcdef01",
        "ami-0123456789ABCDEF0",
        "AMI-0123456789abcdef0",
        "i-0123456789abcdef0",
        "ami-0123456789abcdeg0",
        " ami-0123456789abcdef0",
        "ami-0123456789abcdef0\n",
        "ami-",
        "",
        " ",
    ],
)
def test_malformed_image_id_is_refused_before_any_call(engine: Engine, image_id: str) -> None:
    preview = engine.preview(dated(image_id, EARLY), check=False)
    reason = refused(preview, "image_id")
    assert preview.actions == []
    assert repr(image_id) in reason
    assert "8 or 17" in reason


@pytest.mark.parametrize("image_id", ["ami-0123abcd", "ami-0123456789abcdef0"])
def test_image_ids_of_both_lengths_are_right(engine: Engine, ec2: LocalEC2, image_id: str) -> None:
    ec2.add_image("web", image_id=image_id)
    engine.up(dated(image_id, EARLY))
    assert ec2.image(image_id).deprecation_time == EARLY


def test_missing_image_is_refused_with_region(engine: Engine, ec2: LocalEC2) -> None:
    elsewhere = ec2.add_image("web", region="us-east-1")
    reason = refused_by_both(engine, dated(elsewhere, EARLY), "image_id")
    assert f"{elsewhere} is not found in eu-west-1" in reason
    assert "check the image id, the Region" in reason


@pytest.mark.parametrize("sharing", ["shared", "public"])
def test_foreign_image_is_refused_with_both_accounts(engine: Engine, ec2: LocalEC2, sharing: str) -> None:
    theirs = ec2.add_image(
        "theirs", account=OTHER, public=sharing == "public"
    )  # as Amazon's and the Marketplace's are
    if sharing == "shared":
        ec2.share(theirs, ec2.account)
    reason = refused_by_both(engine, dated(theirs, EARLY), "image_id")
    assert f"owned by account {OTHER}" in reason
    assert f"of account {ec2.account}" in reason


@pytest.mark.parametrize("state", ["failed", "error", "invalid", "deregistered"])
def test_unusable_image_is_refused_with_its_state(
    engine: Engine, ec2: LocalEC2, image: str, state: str
) -> None:
    ec2.set_state(image, state)
    assert state in refused_by_both(engine, dated(image, EARLY), "image_id")


def test_pending_image_passes_and_create_waits(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_state(image, "pending")
    assert engine.preview(dated(image, EARLY)).operations == ["create"]
    mark = ec2.mark()
    with when(lambda: ec2.calls_since(mark, "DescribeImages"), lambda: ec2.set_state(image, "available")):
        up = engine.up(dated(image, EARLY))
    assert up.mutations == ["EnableImageDeprecation"]
    assert f"{image} in eu-west-1 is pending" in up.notes


def test_wait_for_pending_image_is_bounded(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_PENDING_SECONDS="0.2")
    ec2.set_state(image, "pending")
    up = engine.up(dated(image, EARLY), check=False)
    assert up.mutations == []
    assert "still pending after 0.2 seconds" in up.sentence
    assert up.seconds < 30  # unset, the bound is 600


# The date.


def test_past_date_is_refused_with_ec2s_clock(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.advance(timedelta(days=1))  # EC2's clock is ahead of this machine's
    near = ahead(0.5)
    reason = refused_by_both(engine, dated(image, near), "deprecate_at")
    assert f"{text(near)} is in the past" in reason
    clock = CLOCK.search(reason)
    assert clock
    assert clock[1] > text(NOW + timedelta(days=1))  # type: ignore[operator]


def test_less_than_two_minutes_ahead_counts_as_past(engine: Engine, ec2: LocalEC2, image: str) -> None:
    at = ahead(minutes=10).replace(second=0)
    ec2.set_time(at - timedelta(seconds=119))
    assert "less than two minutes away" in refused_by_both(engine, dated(image, at), "deprecate_at")
    ec2.set_time(at - timedelta(minutes=8))  # EC2's clock goes on while the plugin works
    assert engine.up(dated(image, at)).mutations == ["EnableImageDeprecation"]


def test_date_changed_into_past_is_refused(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    assert "is in the past" in refused_by_both(engine, dated(image, ahead(-1)), "deprecate_at")


def test_past_date_on_image_of_same_stack_is_refused(engine: Engine, image: str) -> None:
    def program() -> None:
        AmiDeprecation("web", image_id=made_in_this_stack(image), deprecate_at=ahead(-1))

    preview = engine.preview(program, check=False)
    assert "is in the past" in refused(preview, "deprecate_at")
    assert preview.actions == []


def test_passed_days_after_creation_are_refused_with_sum(engine: Engine, image: str) -> None:
    reason = refused_by_both(engine, made(image_id=image, deprecate_after_days=7), "deprecate_after_days")
    assert f"{NOW - timedelta(days=30):%Y-%m-%d} plus 7 days is {text(ahead(-23))}" in reason


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("then", ["nothing", "refresh", "on_destroy"])
def test_date_that_has_passed_stays_quiet(
    engine: Engine, ec2: LocalEC2, image: str, way: str, then: str
) -> None:
    given = {"image_id": image, way: WAYS[way]}
    engine.up(made(**given))
    date = ec2.image(image).deprecation_time
    assert date is not None
    ec2.advance(timedelta(days=400))
    if then == "on_destroy":
        changed = engine.up(made(**given, on_destroy="restore"))
        assert (changed.operations, changed.mutations) == (["update"], [])
        given["on_destroy"] = "restore"
    for refresh in (False, then == "refresh"):
        for operation in (engine.preview, engine.up):
            again = operation(made(**given), refresh=refresh)
            assert set(again.operations) <= {"refresh"}
            assert again.mutations == []
            assert refresh or again.actions == []
    assert ec2.image(image).deprecation_time == date


@pytest.mark.parametrize("way", ["deprecate_at", "deprecate_after_days", "deprecate_in_days"])
def test_past_date_that_image_has_is_adopted(engine: Engine, ec2: LocalEC2, image: str, way: str) -> None:
    past = ahead(-10)
    ec2.set_deprecation_time(image, past)
    given = {"deprecate_at": past, "deprecate_after_days": 20, "deprecate_in_days": 0}[way]
    program = made(image_id=image, **{way: given})
    assert engine.preview(program).mutations == []
    assert engine.up(program).mutations == []
    assert engine.outputs("web")["deprecation_time"] == text(past)
    again = engine.up(program)
    assert (again.operations, again.actions) == ([], [])


def test_date_later_than_ten_years_is_refused_with_latest(engine: Engine, image: str) -> None:
    reason = refused_by_both(engine, dated(image, ahead(3660)), "deprecate_at")
    assert "ten years from now" in reason
    assert f"{NOW.year + 10}-" in reason
    assert engine.up(dated(image, ahead(3640))).ok


def test_date_beyond_two_years_of_public_image_is_refused(engine: Engine, ec2: LocalEC2) -> None:
    created = (NOW - timedelta(days=30)).replace(hour=12, minute=0)
    public = ec2.add_image("web", created=created, public=True)
    reason = refused_by_both(engine, dated(public, ahead(720)), "deprecate_at")
    assert "public image, two years from its creation" in reason
    assert f"{created.year + 2}-" in reason
    assert "make the image private first" in reason


def test_later_date_of_public_image_is_refused(engine: Engine, ec2: LocalEC2) -> None:
    public = ec2.add_image("web", public=True)
    ec2.set_deprecation_time(public, EARLY)
    reason = refused_by_both(engine, dated(public, LATE), "deprecate_at")
    assert text(EARLY) in reason  # type: ignore[operator]
    assert "only earlier" in reason
    engine.up(dated(public, EARLY))
    assert "only earlier" in refused_by_both(engine, dated(public, LATE), "deprecate_at")


@pytest.mark.parametrize("key", ["image_id", "region", "deprecate_at"])
def test_change_of_image_region_or_date_is_checked_too(engine: Engine, image: str, key: str) -> None:
    good = {"image_id": image, "deprecate_at": EARLY, "region": "eu-west-1"}
    engine.up(made(**good))
    bad = {"image_id": ABSENT, "region": "us-east-1", "deprecate_at": ahead(5000)}
    refused_by_both(engine, made(**(good | {key: bad[key]})), "image_id" if key == "region" else key)
