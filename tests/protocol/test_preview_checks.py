"""What EC2 would refuse later is refused in the preview, in one plain sentence on the right property."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import AmiDeprecation
from tests.protocol.dates import EARLY, LATE, MIDDLE, NOW, ahead, text
from tests.protocol.program import dated, made, made_in_this_stack
from tests.protocol.watch import when

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.protocol.conftest import MakeEngine
    from tests.protocol.engine import Engine
    from tests.protocol.steps import Outcome

OTHER = "210987654321"
ABSENT = "ami-00000000000000abc"


@pytest.fixture
def image(ec2: LocalEC2) -> str:
    return ec2.add_image("web", created=NOW - timedelta(days=30))


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
    reason = refused(engine.preview(program, check=False), key)
    assert refused(engine.up(program, check=False), key) == reason
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
def test_a_malformed_image_id_is_refused_before_any_call(engine: Engine, image_id: str) -> None:
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


def test_an_image_that_is_not_in_the_region_is_refused_with_the_region(engine: Engine, ec2: LocalEC2) -> None:
    elsewhere = ec2.add_image("web", region="us-east-1")
    reason = refused_by_both(engine, dated(elsewhere, EARLY), "image_id")
    assert f"{elsewhere} is not found in eu-west-1" in reason
    assert "is it in another Region (set region)" in reason


@pytest.mark.parametrize("sharing", ["shared", "public"])
def test_an_image_of_another_account_is_refused_with_both_accounts(
    engine: Engine, ec2: LocalEC2, sharing: str
) -> None:
    theirs = ec2.add_image(
        "theirs", account=OTHER, public=sharing == "public"
    )  # as Amazon's and the Marketplace's are
    if sharing == "shared":
        ec2.share(theirs, ec2.account)
    reason = refused_by_both(engine, dated(theirs, EARLY), "image_id")
    assert f"owned by account {OTHER}" in reason
    assert f"of account {ec2.account}" in reason


@pytest.mark.parametrize("state", ["failed", "error", "invalid", "deregistered"])
def test_an_image_that_will_never_be_usable_is_refused_with_its_state(
    engine: Engine, ec2: LocalEC2, image: str, state: str
) -> None:
    ec2.set_state(image, state)
    assert state in refused_by_both(engine, dated(image, EARLY), "image_id")


def test_a_pending_image_is_allowed_and_create_waits_for_it(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    ec2.set_state(image, "pending")
    assert engine.preview(dated(image, EARLY)).operations == ["create"]
    mark = ec2.mark()
    with when(lambda: ec2.calls_since(mark, "DescribeImages"), lambda: ec2.set_state(image, "available")):
        up = engine.up(dated(image, EARLY))
    assert up.mutations == ["EnableImageDeprecation"]
    assert f"{image} in eu-west-1 is pending" in up.notes


def test_the_wait_for_a_pending_image_is_bounded(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_PENDING_SECONDS="0.2")
    ec2.set_state(image, "pending")
    up = engine.up(dated(image, EARLY), check=False)
    assert up.mutations == []
    assert "still pending after 0.2 seconds" in up.sentence
    assert up.seconds < 5


# The date.


def test_a_past_date_is_refused_with_the_clock_that_judged_it(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    ec2.advance(timedelta(days=1))  # EC2's clock is ahead of this machine's
    near = ahead(0.5)
    reason = refused_by_both(engine, dated(image, near), "deprecate_at")
    assert f"{text(near)} is past" in reason
    assert f"by EC2's clock it is {NOW + timedelta(days=1):%Y-%m-%dT}" in reason


def test_less_than_two_minutes_ahead_counts_as_past(engine: Engine, ec2: LocalEC2, image: str) -> None:
    at = ahead(minutes=10).replace(second=0)
    ec2.set_time(at - timedelta(seconds=119))
    assert "less than two minutes ahead" in refused_by_both(engine, dated(image, at), "deprecate_at")
    ec2.set_time(at - timedelta(seconds=121))
    assert engine.up(dated(image, at)).mutations == ["EnableImageDeprecation"]


def test_a_date_changed_into_the_past_is_refused(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    assert "is past" in refused_by_both(engine, dated(image, ahead(-1)), "deprecate_at")


def test_a_past_date_on_an_image_that_is_made_in_the_same_stack_is_refused(
    engine: Engine, image: str
) -> None:
    def program() -> None:
        AmiDeprecation("web", image_id=made_in_this_stack(image), deprecate_at=ahead(-1))

    preview = engine.preview(program, check=False)
    assert "is past" in refused(preview, "deprecate_at")
    assert preview.actions == []


def test_days_after_a_creation_too_long_ago_are_refused_with_the_sum(engine: Engine, image: str) -> None:
    reason = refused_by_both(engine, made(image_id=image, deprecate_after_days=7), "deprecate_after_days")
    assert f"{NOW - timedelta(days=30):%Y-%m-%d} plus 7 days is {text(ahead(-23))}" in reason


WAYS = {"deprecate_at": EARLY, "deprecate_after_days": 130, "deprecate_in_days": 100}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("then", ["nothing", "refresh", "on_destroy"])
def test_a_date_that_has_passed_stays_quiet(
    engine: Engine, ec2: LocalEC2, image: str, way: str, then: str
) -> None:
    given = {"image_id": image, way: WAYS[way]}
    engine.up(made(**given))
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
    assert abs(ec2.image(image).deprecation_time - EARLY) <= timedelta(minutes=2)  # type: ignore[operator]


@pytest.mark.parametrize("way", ["deprecate_at", "deprecate_after_days", "deprecate_in_days"])
def test_a_past_date_that_the_image_has_is_adopted(
    engine: Engine, ec2: LocalEC2, image: str, way: str
) -> None:
    past = ahead(-10)
    ec2.set_deprecation_time(image, past)
    given = {"deprecate_at": past, "deprecate_after_days": 20, "deprecate_in_days": 0}[way]
    program = made(image_id=image, **{way: given})
    assert engine.preview(program).mutations == []
    assert engine.up(program).mutations == []
    assert engine.outputs("web")["deprecation_time"] == text(past)
    again = engine.up(program)
    assert (again.operations, again.actions) == ([], [])


def test_a_date_later_than_ten_years_is_refused_with_the_latest(engine: Engine, image: str) -> None:
    reason = refused_by_both(engine, dated(image, ahead(3660)), "deprecate_at")
    assert "ten years from now" in reason
    assert f"{NOW.year + 10}-" in reason
    assert engine.up(dated(image, ahead(3640))).ok


def test_a_public_image_later_than_two_years_from_creation_is_refused_with_the_latest(
    engine: Engine, ec2: LocalEC2
) -> None:
    created = (NOW - timedelta(days=30)).replace(hour=12, minute=0)
    public = ec2.add_image("web", created=created, public=True)
    reason = refused_by_both(engine, dated(public, ahead(720)), "deprecate_at")
    assert "public image, two years from its creation" in reason
    assert f"{created.year + 2}-" in reason
    assert "make the image private first" in reason


def test_a_public_images_date_is_not_moved_later_and_the_reason_is_given(
    engine: Engine, ec2: LocalEC2
) -> None:
    public = ec2.add_image("web", public=True)
    ec2.set_deprecation_time(public, EARLY)
    reason = refused_by_both(engine, dated(public, LATE), "deprecate_at")
    assert text(EARLY) in reason  # type: ignore[operator]
    assert "only earlier" in reason
    engine.up(dated(public, EARLY))
    assert "only earlier" in refused_by_both(engine, dated(public, LATE), "deprecate_at")


@pytest.mark.parametrize("key", ["image_id", "region", "deprecate_at"])
def test_a_change_of_image_region_or_date_is_checked_too(engine: Engine, image: str, key: str) -> None:
    good = {"image_id": image, "deprecate_at": EARLY, "region": "eu-west-1"}
    engine.up(made(**good))
    bad = {"image_id": ABSENT, "region": "us-east-1", "deprecate_at": ahead(5000)}
    refused_by_both(engine, made(**(good | {key: bad[key]})), "image_id" if key == "region" else key)


# What a reviewer is told.


def test_the_date_that_will_be_replaced_is_told_in_one_line(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    ec2.set_deprecation_time(image, LATE)
    preview = engine.preview(dated(image, EARLY))
    [line] = preview.printed
    assert image in line
    assert text(LATE) in line  # type: ignore[operator]
    assert text(EARLY) in line  # type: ignore[operator]
    assert preview.inputs["web"]["previous_deprecation_time"] == text(LATE)
    assert preview.mutations == []
    assert ec2.image(image).deprecation_time == LATE


@pytest.mark.parametrize("refresh", [False, True])
def test_a_preview_never_changes_anything(engine: Engine, ec2: LocalEC2, image: str, refresh: bool) -> None:
    other, gone = ec2.add_image("other"), ec2.add_image("gone")

    def before() -> None:
        AmiDeprecation("moved", image_id=image, deprecate_at=EARLY)
        AmiDeprecation("replaced", image_id=other, deprecate_at=EARLY)
        AmiDeprecation("removed", image_id=gone, deprecate_at=EARLY)

    def after() -> None:
        AmiDeprecation("moved", image_id=image, deprecate_at=LATE)
        AmiDeprecation("replaced", image_id=ec2.add_image("new"), deprecate_at=EARLY)

    engine.up(before)
    state, dates = engine.export(), [each.deprecation_time for each in ec2.images()]
    preview = engine.preview(after, refresh=refresh)
    assert {"update", "create-replacement", "delete-replaced", "delete"} <= set(preview.operations)
    assert preview.mutations == []
    assert [each.deprecation_time for each in ec2.images()[:3]] == dates[:3]
    assert engine.export() == state


def test_a_preview_shows_both_dates_of_a_change(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    preview = engine.preview(dated(image, LATE))
    both = (text(EARLY), text(LATE))
    assert preview.shown == {"web": {"deprecate_at": both, "deprecation_time": both}}


def test_days_after_creation_preview_the_computed_date_and_later_runs_need_no_call(
    engine: Engine, image: str
) -> None:
    program = made(image_id=image, deprecate_after_days=130)
    preview = engine.preview(program)
    assert preview.inputs["web"]["deprecation_time"] == text(EARLY)
    engine.up(program)
    again = engine.preview(program)
    assert again.inputs["web"]["deprecation_time"] == text(EARLY)
    assert (again.operations, again.actions) == ([], [])


@pytest.mark.parametrize("why", ["no credentials", "denied", "wrong"])
def test_without_a_read_permission_formats_are_checked_and_it_is_said_once(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, why: str
) -> None:
    engine = make_engine()
    if why == "no credentials":
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            engine.environment.pop(key)
    else:
        kind = "denied" if why == "denied" else "invalid-client-token"
        ec2.faults.add("*", kind, times=None)  # type: ignore[arg-type]  # a literal of the two

    def program() -> None:
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY)
        AmiDeprecation("two", image_id=ABSENT, deprecate_at=MIDDLE)

    preview = engine.preview(program)
    assert preview.operations == ["create", "create"]
    [line] = preview.printed
    assert "were left out" in line
    assert "eu-west-1" in line
    for bad in (dated("ami-1", EARLY), dated(image, "2030")):
        assert engine.preview(bad, check=False).failures


def test_two_resources_for_one_image_and_region_are_refused_by_name(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    ec2.add_image("web", image_id=image, region="us-east-1")

    def program() -> None:
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY)
        AmiDeprecation("elsewhere", image_id=image, deprecate_at=EARLY, region="us-east-1")
        AmiDeprecation("again", image_id=image, deprecate_at=LATE, region="eu-west-1")

    for outcome in (engine.preview(program, check=False), engine.up(program, check=False)):
        [failure] = outcome.failures
        assert "'web'" in failure
        assert "'again'" in failure
        assert image in failure
        assert "elsewhere" not in failure
    engine.up(dated(image, EARLY))
    [failure] = engine.preview(program, check=False).failures
    assert "'web'" in failure
    assert "'again'" in failure
