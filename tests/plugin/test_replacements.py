"""A resource that is replaced on its own image, or that an alias renames: what was decided once stays."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING

import pulumi
import pytest

from ami_deprecation import AmiDeprecation
from ami_deprecation.cli.comment import preview as comment
from ami_deprecation.cli.comment.preview import Action
from ami_deprecation.doors import declared
from tests.plugin.test_preview_names import digest
from tests.support.dates import EARLY, LATE, NOW, text
from tests.support.program import made

if TYPE_CHECKING:
    from datetime import datetime

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine

DAY = timedelta(days=1)


def role(ec2: LocalEC2) -> str:
    return f"arn:aws:iam::{ec2.account}:role/dates"


@pytest.mark.parametrize("changed_to", [NOW + 40 * DAY, None])
def test_counted_days_survive_another_role(
    engine: Engine, ec2: LocalEC2, image: str, changed_to: datetime | None
) -> None:
    engine.up(made(image_id=image, deprecate_in_days=100))
    ours = ec2.image(image).deprecation_time
    ec2.set_time(NOW + 10 * DAY)
    ec2.set_deprecation_time(image, changed_to)
    before = {entry.name: entry for entry in engine.state}
    program = made(image_id=image, deprecate_in_days=100, role_arn=role(ec2))
    [change] = comment.read(digest(before, engine.preview(program)), NOW + 10 * DAY).changes
    assert change.action is (Action.SET if changed_to is None else Action.LATER)
    assert change.after.when == ours
    assert engine.up(program).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == ours
    assert engine.up(program).operations == []


def test_lost_passed_date_is_given_up_under_another_role(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(made(image_id=image, deprecate_at=EARLY))
    ec2.set_time(EARLY + DAY)
    ec2.set_deprecation_time(image, LATE)
    program = made(image_id=image, deprecate_at=EARLY, role_arn=role(ec2))
    replaced = engine.up(program)
    assert (replaced.mutations, ec2.image(image).deprecation_time) == ([], LATE)
    assert "cannot be set again" in replaced.notes
    assert engine.up(program).operations == []


@pytest.mark.parametrize("theirs", [None, LATE])
def test_preview_of_a_taint_names_date_on_the_image(
    engine: Engine, ec2: LocalEC2, image: str, theirs: datetime | None
) -> None:
    program = made(image_id=image, deprecate_at=EARLY)
    engine.up(program)
    ec2.set_deprecation_time(image, theirs)
    engine.taint("web")
    before = {entry.name: entry for entry in engine.state}
    [change] = comment.read(digest(before, engine.preview(program)), NOW).changes
    assert (change.before, change.after.when, change.is_outside) == (theirs, EARLY, True)
    assert len(engine.up(program).mutations) == 1


def test_changed_days_count_anew_under_another_role(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(made(image_id=image, deprecate_in_days=20))
    program = made(image_id=image, deprecate_in_days=100, role_arn=role(ec2))
    before = {entry.name: entry for entry in copy.deepcopy(engine.state)}
    [change] = comment.read(digest(before, engine.preview(program)), NOW).changes
    assert (change.action, change.after.in_days) == (Action.LATER, 100)
    before_it = ec2.image(image).deprecation_time
    engine.up(program)
    after_it = ec2.image(image).deprecation_time
    assert before_it is not None
    assert after_it is not None
    assert after_it - before_it >= 80 * DAY


def test_preview_after_a_date_was_left_alone_promises_no_repair(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    engine.up(made(image_id=image, deprecate_at=EARLY))
    ec2.set_deprecation_time(image, LATE)
    program = made(image_id=image, deprecate_at=EARLY, on_destroy="restore")
    assert "keeps it in this update" in engine.up(program).notes
    ec2.set_time(EARLY + DAY)
    before = {entry.name: entry for entry in engine.state}
    shown = engine.preview(program)
    assert "cannot be set again" in shown.notes
    [change] = comment.read(digest(before, shown), EARLY + DAY).changes
    assert (change.action, change.remark) == (Action.KEPT, f"EC2 no longer accepts {text(EARLY)}")
    assert engine.up(program).mutations == []
    assert engine.up(program).operations == []


@pytest.mark.parametrize("how", ["renamed before", "renamed now", "taint"])
def test_passed_dates_survive_swap_that_nobody_declared(
    engine: Engine, ec2: LocalEC2, image: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared, "tell", lambda *_: None)  # as in YAML, TypeScript and so on
    other = ec2.add_image("api", created=NOW - 30 * DAY)

    def program(one: str, two: str, ending: str = "") -> None:
        for name, image_id in (("web", one), ("api", two)):
            options = pulumi.ResourceOptions(delete_before_replace=True, aliases=[pulumi.Alias(name=name)])
            AmiDeprecation(name + ending, image_id=image_id, deprecate_at=EARLY, opts=options)

    ending = "" if how == "taint" else "-2"
    engine.up(lambda: program(image, other))
    if how == "renamed before":
        engine.up(lambda: program(image, other, ending))
    ec2.set_time(EARLY + DAY)
    if how == "taint":
        engine.taint("web")
    swapped = engine.up(lambda: program(other, image, ending))
    assert swapped.mutations == []
    assert {each.deprecation_time for each in ec2.images()} == {EARLY}


def test_refresh_reads_passed_date_twice_before_it_is_gone(engine: Engine, ec2: LocalEC2, image: str) -> None:
    program = made(image_id=image, deprecate_at=EARLY)
    engine.up(program)
    ec2.set_time(EARLY + DAY)
    ec2.faults.add("DescribeImages", "lacks-date", image_id=image)
    engine.refresh()
    assert engine.outputs("web")["deprecation_time"] == text(EARLY)
    ec2.set_deprecation_time(image, None)
    engine.refresh()
    assert "deprecation_time" not in engine.outputs("web")


@pytest.mark.parametrize("order", [1, -1])
def test_swap_counts_days_of_each_resource_anew(
    engine: Engine, ec2: LocalEC2, image: str, order: int
) -> None:
    other = ec2.add_image("api", created=NOW - 30 * DAY)

    def program(*images: str) -> None:
        for name, image_id in list(zip(("web", "api"), images, strict=True))[::order]:
            AmiDeprecation(name, image_id=image_id, deprecate_in_days=200)

    engine.up(lambda: program(image, other))
    ec2.set_deprecation_time(image, NOW + 150 * DAY)
    engine.up(lambda: program(other, image))
    assert (
        ec2.image(image).deprecation_time == NOW + 150 * DAY
    )  # a resource that is new to it keeps an earlier date
