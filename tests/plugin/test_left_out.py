"""`--target`, `--exclude` and `--continue-on-error`: the engine leaves resources out, and no date is lost by it.

The same programs run on the real engine in tests/engine/test_order.py: these show that the mini engine does as it does.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from tests.support.dates import EARLY, LATE, text
from tests.support.operation import Limits
from tests.support.program import dated, made
from tests.support.promises import Item, Program

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine

OLD, NEW = Item("", 0).urn("web"), Item("", 0).urn("renamed")


def renamed(image: str, *, waits: bool = False) -> Program:
    return Program({"renamed": Item(image, 100, waits=waits)}, neighbor_fails=True if waits else None)


def test_skipped_name_keeps_date(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    skipped = engine.up(renamed(image, waits=True), check=False, limits=Limits(continue_on_error=True))
    assert (skipped.operations, skipped.mutations) == (["delete"], [])
    assert "the neighbor fails" in skipped.errors[0]
    assert "the resource 'renamed' is declared for it" in skipped.notes
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("limits", [Limits(targets=frozenset({OLD})), Limits(excludes=frozenset({NEW}))])
def test_left_out_name_keeps_date(engine: Engine, ec2: LocalEC2, image: str, limits: Limits) -> None:
    engine.up(dated(image, EARLY))
    limited = engine.up(renamed(image), limits=limits)
    assert (limited.operations, limited.mutations) == (["delete"], [])
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("limits", [Limits(targets=frozenset({NEW})), Limits(excludes=frozenset({OLD}))])
def test_left_out_delete_comes_later(engine: Engine, ec2: LocalEC2, image: str, limits: Limits) -> None:
    engine.up(dated(image, EARLY))
    limited = engine.up(renamed(image), limits=limits)
    assert (limited.operations, limited.mutations) == (["create"], [])
    later = engine.up(renamed(image))
    assert (later.operations, later.mutations) == (["delete"], [])
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("limits", [Limits(targets=frozenset({NEW})), Limits(excludes=frozenset({OLD}))])
def test_left_out_name_gets_its_date_back(engine: Engine, ec2: LocalEC2, image: str, limits: Limits) -> None:
    engine.up(dated(image, EARLY))
    before = copy.deepcopy(engine.state)
    engine.up(made("renamed", image_id=image, deprecate_at=LATE))
    engine.state[:0] = before  # another resource failed before the deletion of the old name
    limited = engine.up(dated(image, EARLY), limits=limits)
    assert f"{text(LATE)} is replaced by {text(EARLY)}, which 'web' asks for" in limited.notes
    assert ec2.image(image).deprecation_time == EARLY
