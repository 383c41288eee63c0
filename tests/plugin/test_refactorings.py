"""A date is not lost by a rename, a taint, a replacement or a move, and none of them makes a changing call."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pulumi
import pytest

from ami_deprecation import AmiDeprecation
from tests.support.dates import EARLY, LATE, WAYS, text
from tests.support.program import dated, made

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine
    from tests.support.operation import Outcome


def renamed(engine: Engine, given: dict[str, object]) -> Outcome:
    return engine.up(made("site", **given))


def replaced(engine: Engine, given: dict[str, object]) -> Outcome:
    return engine.up(made(**given), replace=["web"])


def tainted(engine: Engine, given: dict[str, object]) -> Outcome:
    engine.taint("web")
    return engine.up(made(**given))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passed", [False, True], ids=["ahead", "passed"])
@pytest.mark.parametrize(
    ("how", "order"),
    # To the engine, a taint and --replace are the same.
    [(renamed, "create first"), (replaced, "create first"), (tainted, "delete first")],
)
def test_refactoring_keeps_date_without_call(  # a matrix
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
def test_delete_leaves_image_taken_over_and_says_so(
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


def test_alias_keeps_resource(engine: Engine, image: str) -> None:
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


def test_two_resources_can_swap_images(engine: Engine, ec2: LocalEC2, image: str) -> None:
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


def test_resource_moved_to_another_stack_keeps_date(
    make_engine: MakeEngine, ec2: LocalEC2, image: str
) -> None:
    first, second = make_engine(), make_engine()
    kept = pulumi.ResourceOptions(retain_on_delete=True)
    first.up(dated(image, EARLY, opts=kept))
    assert second.up(dated(image, EARLY)).mutations == []
    assert first.destroy().mutations == []
    assert ec2.image(image).deprecation_time == EARLY


def test_date_that_another_stack_cancels_is_drift(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    first, second = make_engine(), make_engine()
    first.up(dated(image, EARLY))
    assert second.up(dated(image, EARLY)).mutations == []
    assert first.destroy().mutations == ["DisableImageDeprecation"]
    assert second.preview(dated(image, EARLY)).operations == []
    assert second.up(dated(image, EARLY), refresh=True).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("refresh", [False, True])
def test_only_a_date_that_is_left_is_said_to_be_left(
    engine: Engine, ec2: LocalEC2, image: str, refresh: bool
) -> None:
    """A refresh shows the provider the state of the old name, which says whose date it is."""
    engine.up(dated(image, EARLY))
    renamed = engine.up(made("site", image_id=image, deprecate_at=EARLY), refresh=refresh)
    assert ("so removing 'site' leaves the date" in renamed.notes) is not refresh
    engine.destroy()
    assert ec2.image(image).deprecation_time == (None if refresh else EARLY)
