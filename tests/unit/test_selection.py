"""The selection of a fleet: which images are due, and when. How the date is given: test_selection_schedule.py."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.fleet.selection import Exclusion, GroupBy, Rules, decide
from tests.support.fleet_samples import DAY, START, image

if TYPE_CHECKING:
    from ami_deprecation.image import Image

FAMILY = GroupBy("tag", tag="Family")


def dates(images: list[Image], given_rules: Rules) -> dict[str, datetime]:
    return {each.image.id: each.date for each in decide(images, given_rules) if each.date is not None}


@st.composite
def fleets(draw: st.DrawFn) -> list[Image]:
    """Images of a few families, many of one age, some in states that do not count."""
    ages = st.sampled_from([0, 0, 1, 2, 2.5, 10, 100, 400])
    states = st.sampled_from(["available"] * 6 + ["pending", "disabled", "failed"])
    history = []
    for number in range(draw(st.integers(0, 9))):
        family = draw(st.sampled_from(["a", "b", None]))
        tags = MappingProxyType({"Family": family} if family else {})
        history.append(image(number, draw(ages), state=draw(states), tags=tags))
    return history


some_rules = st.builds(
    Rules,
    keep_newest=st.integers(0, 11),
    grace_days=st.integers(0, 400),
    deprecate_after_days=st.none() | st.integers(0, 400),
    group_by=st.sampled_from([(), (FAMILY,)]),
)


def test_image_is_due_after_one_that_pushed_it_out() -> None:
    fleet = [image(1, 40), image(2, 30), image(3, 20), image(4, 10)]
    assert dates(fleet, Rules(keep_newest=2, grace_days=30)) == {
        fleet[1].id: START - 10 * DAY + 30 * DAY,
        fleet[0].id: START - 20 * DAY + 30 * DAY,
    }


def test_keeping_none_counts_from_each_creation() -> None:
    fleet = [image(1, 40), image(2, 30)]
    assert dates(fleet, Rules(keep_newest=0, grace_days=7)) == {
        each.id: each.creation_date + 7 * DAY for each in fleet
    }


def test_by_age_alone_newest_is_due_too() -> None:
    assert dates([image(1, 5)], Rules(deprecate_after_days=365)) == {image(1).id: START + 360 * DAY}


def test_earlier_rule_wins_and_newest_are_exempt() -> None:
    fleet = [image(1, 400), image(2, 100), image(3, 90)]
    both = Rules(keep_newest=1, grace_days=30, deprecate_after_days=110)
    assert dates(fleet, both) == {
        fleet[1].id: START + 10 * DAY - 70 * DAY,
        fleet[0].id: START - 290 * DAY,
    }


def test_images_of_one_creation_date_are_ordered_by_id() -> None:
    fleet = [image(3, 5, name="a"), image(1, 5, name="c"), image(2, 5, name="b")]
    assert list(dates(fleet, Rules(keep_newest=1))) == [image(2).id, image(3).id]


def test_date_is_on_minute_for_any_creation_date() -> None:
    odd = image(1, creation_date=START + timedelta(seconds=31, milliseconds=500))
    assert dates([odd], Rules(deprecate_after_days=1)) == {odd.id: START + DAY + timedelta(minutes=1)}


def test_images_without_tag_are_family_together() -> None:
    fleet = [image(1, 3), image(2, 2), image(3, 1, tags=MappingProxyType({"Family": "a"}))]
    grouped = Rules(keep_newest=1, group_by=(FAMILY,))
    assert list(dates(fleet, grouped)) == [fleet[0].id]


@pytest.mark.parametrize("pattern", [r"^(.+)-\d", r"^[a-z]+"])
def test_family_can_be_part_of_name(pattern: str) -> None:
    fleet = [
        image(1, 4, name="web-1"),
        image(2, 3, name="db-1"),
        image(3, 2, name="web-2"),
        image(4, 1, name="9"),
    ]
    grouped = Rules(keep_newest=1, group_by=(GroupBy("name", pattern=re.compile(pattern)),))
    assert list(dates(fleet, grouped)) == [fleet[0].id]


@pytest.mark.parametrize("state", ["pending", "failed", "error", "invalid", "transient", "deregistered"])
def test_unusable_image_neither_counts_nor_is_due(state: str) -> None:
    fleet = [image(1, 3), image(2, 2, state=state), image(3, 1, state=state)]
    assert dates(fleet, Rules(keep_newest=1)) == {}
    assert dates(fleet, Rules(keep_newest=0)).keys() == {fleet[0].id}


def test_disabled_image_keeps_its_date_and_does_not_count() -> None:
    dated = image(1, 3, state="disabled", deprecation_time=START)
    bare = image(2, 2.5, state="disabled")
    fleet = [dated, bare, image(3, 2), image(4, 1)]
    assert dates(fleet, Rules(keep_newest=2)) == {dated.id: START - DAY}
    assert dates(fleet[:3], Rules(keep_newest=2)) == {dated.id: START}


@pytest.mark.parametrize(
    "exclusion",
    [
        Exclusion(image_id=image(2).id),
        Exclusion(name="web-2"),
        Exclusion(name="*-?[2]*"),
        Exclusion(tag="Keep"),
        Exclusion(tag="Keep", tag_value="tr*"),
    ],
)
def test_excluded_image_neither_counts_nor_is_due(exclusion: Exclusion) -> None:
    name = "web-x[2]y" if exclusion.name == "*-?[2]*" else "web-2"
    fleet = [image(1, 3), image(2, 2, name=name, tags=MappingProxyType({"Keep": "true"})), image(3, 1)]
    assert dates(fleet, Rules(keep_newest=1, exclude=(exclusion,))).keys() == {fleet[0].id}
    assert dates(fleet, Rules(keep_newest=2, exclude=(exclusion,))) == {}


def test_tag_with_another_value_excludes_nothing() -> None:
    fleet = [image(1, tags=MappingProxyType({"Keep": "false"}))]
    assert dates(fleet, Rules(keep_newest=0, exclude=(Exclusion(tag="Keep", tag_value="true"),)))


@given(fleets(), some_rules, st.randoms())
def test_order_of_listing_does_not_matter(fleet: list[Image], given_rules: Rules, random: object) -> None:
    shuffled = list(fleet)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(shuffled, given_rules) == decide(fleet, given_rules)


@given(fleets(), some_rules)
def test_selection_matches_its_history(fleet: list[Image], given_rules: Rules) -> None:
    """Told forwards: whenever an image is made, the one that then is the (N+1)-th newest is pushed out."""
    expected: dict[str, datetime] = {}
    counted: dict[tuple[str | None, ...], list[Image]] = {}
    for made in sorted(sorted(fleet, key=lambda i: i.id, reverse=True), key=lambda i: i.creation_date):
        if made.state != "available":
            continue
        group = counted.setdefault(given_rules.family(made), [])
        group.append(made)
        if len(group) > (given_rules.keep_newest or 0):
            pushed = group[-1 - (given_rules.keep_newest or 0)]
            due = [made.creation_date + given_rules.grace_days * DAY]
            if given_rules.deprecate_after_days is not None:
                due.append(pushed.creation_date + given_rules.deprecate_after_days * DAY)
            expected[pushed.id] = min(due)
    assert dates(fleet, given_rules) == expected


@given(fleets(), some_rules)
def test_new_image_moves_no_given_date(fleet: list[Image], given_rules: Rules) -> None:
    newer = image(99, -1)
    before = dates(fleet, given_rules)
    after = dates([*fleet, newer], given_rules)
    assert {key: after[key] for key in before} == before


@given(fleets(), some_rules, st.integers(0, 8))
def test_removed_image_brings_no_date_forward(fleet: list[Image], given_rules: Rules, number: int) -> None:
    before = dates(fleet, given_rules)
    gone = fleet[number % len(fleet)] if fleet else image(99)
    after = dates([each for each in fleet if each is not gone], given_rules)
    assert after.keys() <= before.keys() - {gone.id}
    for each in fleet:
        if each.id in after:
            assert after[each.id] >= before[each.id]
        if each.creation_date > gone.creation_date and each is not gone:
            assert after.get(each.id) == before.get(each.id)


@given(fleets(), some_rules, st.integers(0, 50))
def test_longer_grace_or_age_makes_no_date_earlier(fleet: list[Image], given_rules: Rules, more: int) -> None:
    before = dates(fleet, given_rules)
    age = given_rules.deprecate_after_days
    for later in (
        replace(given_rules, grace_days=given_rules.grace_days + more),
        replace(given_rules, deprecate_after_days=None if age is None else age + more),
    ):
        after = dates(fleet, later)
        assert after.keys() == before.keys()
        assert all(after[key] >= before[key] for key in before)


@given(fleets(), some_rules, st.integers(0, 4))
def test_keeping_more_dates_fewer_images_and_none_earlier(
    fleet: list[Image], given_rules: Rules, more: int
) -> None:
    before = dates(fleet, given_rules)
    after = dates(fleet, replace(given_rules, keep_newest=(given_rules.keep_newest or 0) + more))
    assert after.keys() <= before.keys()
    assert all(after[key] >= before[key] for key in after)


@given(fleets(), some_rules)
def test_families_are_independent(fleet: list[Image], given_rules: Rules) -> None:
    grouped = replace(given_rules, group_by=(FAMILY,))
    alone = [each for each in fleet if each.tags.get("Family") == "a"]
    together = dates(fleet, grouped)
    assert dates(alone, grouped) == {each.id: together[each.id] for each in alone if each.id in together}
