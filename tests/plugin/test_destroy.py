"""Deleting cancels the date that the resource set, and nothing of others; an image that is gone is no obstacle."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.dates import EARLY, LATE, MIDDLE, WAYS, text
from tests.support.program import dated, made
from tests.support.whole_life import role

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine


@pytest.mark.parametrize("theirs", [MIDDLE, LATE], ids=["middle", "late"])
@pytest.mark.parametrize("on_destroy", ["cancel", "restore"])
def test_foreign_date_is_left_alone_with_message(
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


def test_date_cancelled_outside_needs_no_call(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, None)
    destroyed = engine.destroy()
    assert (destroyed.mutations, destroyed.printed) == ([], [])


def test_refreshed_foreign_date_is_left_alone(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, LATE)
    engine.refresh()
    assert engine.destroy().mutations == []
    assert ec2.image(image).deprecation_time == LATE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("on_destroy", ["cancel", "restore"])
def test_adopted_date_stays_and_says_how_to_cancel(
    engine: Engine, ec2: LocalEC2, image: str, way: str, on_destroy: str
) -> None:
    ec2.set_deprecation_time(image, EARLY)
    engine.up(made(image_id=image, **{way: WAYS[way]}, on_destroy=on_destroy))
    engine.refresh()
    engine.up(made(image_id=image, **{way: WAYS[way]}, on_destroy="cancel"))
    destroyed = engine.destroy()
    assert destroyed.mutations == []
    command = f"aws ec2 disable-image-deprecation --region eu-west-1 --image-id {image}"
    assert f"keeps {text(EARLY)}, which was on the image already: to cancel it" in destroyed.notes
    assert command in destroyed.notes
    assert ec2.image(image).deprecation_time == EARLY


def test_adopted_date_stays_so_through_an_outside_change(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, EARLY)
    engine.up(dated(image, EARLY))
    ec2.set_deprecation_time(image, MIDDLE)
    assert "keeps it in this update" in engine.up(dated(image, EARLY, on_destroy="restore")).notes
    ec2.set_deprecation_time(image, EARLY)
    engine.up(dated(image, EARLY))
    assert engine.destroy().mutations == []


def test_delete_names_image_that_is_not_found(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.faults.add("DescribeImages", "lacks-image", image_id=image, times=None)
    assert f"{image} in eu-west-1 is not found, so no date is canceled" in engine.destroy().notes


def test_moved_adopted_date_is_canceled(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, EARLY)
    engine.up(dated(image, EARLY))
    engine.up(dated(image, MIDDLE))
    assert engine.destroy().mutations == ["DisableImageDeprecation"]


def test_date_of_replaced_half_is_not_adopted(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    assert engine.up(dated(image, EARLY, role_arn=role(ec2.account))).mutations == []
    assert engine.destroy().mutations == ["DisableImageDeprecation"]


def test_renamed_resource_leaves_date_at_removal(engine: Engine, ec2: LocalEC2, image: str) -> None:
    """The engine gives the new name nothing of the old one's state: what nobody knows, nobody cancels."""
    engine.up(dated(image, EARLY))
    renamed = engine.up(made("site", image_id=image, deprecate_at=EARLY))
    assert "so removing 'site' leaves the date" in renamed.notes
    assert engine.destroy().mutations == []
    assert ec2.image(image).deprecation_time == EARLY


def test_passed_original_date_is_named(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, EARLY)
    program = dated(image, LATE, on_destroy="restore")
    engine.up(program)
    ec2.advance(timedelta(days=150))
    lost = f"its original date, {text(EARLY)}, has passed and cannot be restored"
    preview = engine.preview(program, refresh=True)  # the read brings EC2's clock, which is ahead here
    assert (
        preview.notes == f"ami-deprecation: {image} (web) in eu-west-1: {lost}, so a removal cancels the date"
    )
    assert preview.operations == ["refresh"]
    assert f"the date {text(LATE)} is canceled; {lost}" in engine.destroy().notes


@pytest.mark.parametrize(
    ("original", "then", "left", "calls"),
    [
        ("none", 0, "none", ["DisableImageDeprecation"]),
        ("late", 0, "late", ["EnableImageDeprecation"]),
        ("late", 290, "late", ["EnableImageDeprecation"]),
        ("late", 310, "none", ["DisableImageDeprecation"]),
        ("same", 0, "same", []),
    ],
)
def test_restore_puts_back_date_that_is_still_ahead(  # a table
    engine: Engine, ec2: LocalEC2, image: str, original: str, then: int, left: str, calls: list[str]
) -> None:
    dates = {"none": None, "late": LATE, "same": EARLY}
    ec2.set_deprecation_time(image, dates[original])
    engine.up(dated(image, EARLY, on_destroy="restore"))
    engine.refresh()
    ec2.advance(timedelta(days=then))
    assert engine.destroy().mutations == calls
    assert ec2.image(image).deprecation_time == dates[left]


@pytest.mark.parametrize("on_destroy", ["cancel", "restore"])
def test_public_image_keeps_ec2s_date_and_destroy_says_so(
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
def test_deleting_date_of_image_that_is_gone_succeeds(
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
    assert destroyed.seconds < 30  # the wait that must not be is 120


@pytest.mark.parametrize("shape", [gone_deregistered, gone_empty, gone_not_found, gone_unavailable])
def test_refresh_drops_image_that_is_gone(
    engine: Engine, ec2: LocalEC2, image: str, shape: Callable[[LocalEC2, str], None]
) -> None:
    engine.up(dated(image, EARLY))
    shape(ec2, image)
    assert engine.refresh().operations == ["delete"]
    assert engine.state == []


def test_disabled_image_is_not_gone(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    ec2.set_state(image, "disabled")
    assert engine.refresh().operations == ["refresh"]
    assert engine.up(dated(image, LATE)).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == LATE
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
