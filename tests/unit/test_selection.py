"""The selection of a fleet: which images are due, when, and how the date is given as time goes by."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation import rules, schedule
from ami_deprecation.image import Image
from ami_deprecation.inputs import At, InDaysOnce
from ami_deprecation.selection import Due, Exclusion, GroupBy, Rules, changes, schedule_of, select

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def image(number: int, age: float = 0, **fields: object) -> Image:
    """An image made so many days before START."""
    plain = Image(f"ami-{number:017x}", f"web-{number}", "eu-west-1", "123456789012", START - age * DAY)
    return replace(plain, **fields)  # type: ignore[arg-type]  # a test's own fields


def dates(images: list[Image], given_rules: Rules) -> dict[str, datetime]:
    return {due.image.id: due.date for due in select(images, given_rules)}


@st.composite
def fleets(draw: st.DrawFn) -> list[Image]:
    """Images of a few families, many of one age, some in states that do not count."""
    ages = st.sampled_from([0, 0, 1, 2, 2.5, 10, 100, 400])
    states = st.sampled_from(["available"] * 6 + ["pending", "disabled", "failed"])
    found = []
    for number in range(draw(st.integers(0, 9))):
        family = draw(st.sampled_from(["a", "b", None]))
        tags = MappingProxyType({"Family": family} if family else {})
        found.append(image(number, draw(ages), state=draw(states), tags=tags))
    return found


some_rules = st.builds(
    Rules,
    keep_newest=st.integers(0, 11),
    grace_days=st.integers(0, 400),
    deprecate_after_days=st.none() | st.integers(0, 400),
    group_by=st.sampled_from([GroupBy(), GroupBy(tag="Family")]),
)


# Which images, and when.


def test_the_newest_have_no_date_and_each_other_is_due_after_the_image_that_pushed_it_out() -> None:
    fleet = [image(1, 40), image(2, 30), image(3, 20), image(4, 10)]
    assert dates(fleet, Rules(keep_newest=2, grace_days=30)) == {
        fleet[1].id: START - 10 * DAY + 30 * DAY,
        fleet[0].id: START - 20 * DAY + 30 * DAY,
    }


def test_with_nothing_kept_each_image_is_due_after_its_own_creation() -> None:
    fleet = [image(1, 40), image(2, 30)]
    assert dates(fleet, Rules(keep_newest=0, grace_days=7)) == {
        each.id: each.creation_date + 7 * DAY for each in fleet
    }


def test_by_age_alone_the_newest_is_due_too() -> None:
    assert dates([image(1, 5)], Rules(deprecate_after_days=365)) == {image(1).id: START + 360 * DAY}


def test_of_both_rules_the_earlier_date_counts_and_the_newest_are_safe_from_both() -> None:
    fleet = [image(1, 400), image(2, 100), image(3, 90)]
    both = Rules(keep_newest=1, grace_days=30, deprecate_after_days=110)
    assert dates(fleet, both) == {
        fleet[1].id: START + 10 * DAY - 70 * DAY,
        fleet[0].id: START - 290 * DAY,
    }


def test_images_of_one_creation_date_are_ordered_by_id() -> None:
    fleet = [image(3, 5, name="a"), image(1, 5, name="c"), image(2, 5, name="b")]
    assert list(dates(fleet, Rules(keep_newest=1))) == [image(2).id, image(3).id]


def test_a_date_is_on_the_minute_whatever_the_creation_date() -> None:
    odd = image(1, creation_date=START + timedelta(seconds=31, milliseconds=500))
    assert dates([odd], Rules(deprecate_after_days=1)) == {odd.id: START + DAY + timedelta(minutes=1)}


def test_images_without_the_tag_are_a_family_together() -> None:
    fleet = [image(1, 3), image(2, 2), image(3, 1, tags=MappingProxyType({"Family": "a"}))]
    grouped = Rules(keep_newest=1, group_by=GroupBy(tag="Family"))
    assert list(dates(fleet, grouped)) == [fleet[0].id]


@pytest.mark.parametrize("pattern", [r"^(.+)-\d", r"^[a-z]+"])
def test_a_family_can_be_a_part_of_the_name(pattern: str) -> None:
    fleet = [
        image(1, 4, name="web-1"),
        image(2, 3, name="db-1"),
        image(3, 2, name="web-2"),
        image(4, 1, name="9"),
    ]
    grouped = Rules(keep_newest=1, group_by=GroupBy(pattern=re.compile(pattern)))
    assert list(dates(fleet, grouped)) == [fleet[0].id]


@pytest.mark.parametrize("state", ["pending", "failed", "error", "invalid", "transient", "deregistered"])
def test_an_image_that_is_not_usable_neither_counts_nor_is_due(state: str) -> None:
    fleet = [image(1, 3), image(2, 2, state=state), image(3, 1, state=state)]
    assert dates(fleet, Rules(keep_newest=1)) == {}
    assert dates(fleet, Rules(keep_newest=0)).keys() == {fleet[0].id}


def test_a_disabled_image_keeps_the_date_it_has_and_does_not_count() -> None:
    dated = image(1, 3, state="disabled", deprecation_time=START)
    bare = image(2, 2.5, state="disabled")
    fleet = [dated, bare, image(3, 2), image(4, 1)]
    assert dates(fleet, Rules(keep_newest=2)).keys() == {dated.id}
    assert dates(fleet[:3], Rules(keep_newest=2)) == {}


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
def test_an_excluded_image_neither_counts_nor_is_due(exclusion: Exclusion) -> None:
    name = "web-x[2]y" if exclusion.name == "*-?[2]*" else "web-2"
    fleet = [image(1, 3), image(2, 2, name=name, tags=MappingProxyType({"Keep": "true"})), image(3, 1)]
    assert dates(fleet, Rules(keep_newest=1, exclude=(exclusion,))).keys() == {fleet[0].id}
    assert dates(fleet, Rules(keep_newest=2, exclude=(exclusion,))) == {}


def test_a_tag_with_another_value_excludes_nothing() -> None:
    fleet = [image(1, tags=MappingProxyType({"Keep": "false"}))]
    assert dates(fleet, Rules(keep_newest=0, exclude=(Exclusion(tag="Keep", tag_value="true"),)))


@given(fleets(), some_rules, st.randoms())
def test_the_order_of_the_listing_does_not_matter(
    fleet: list[Image], given_rules: Rules, random: object
) -> None:
    shuffled = list(fleet)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert select(shuffled, given_rules) == select(fleet, given_rules)


@given(fleets(), some_rules)
def test_the_answer_is_what_history_says(fleet: list[Image], given_rules: Rules) -> None:
    """Told forwards: whenever an image is made, the one that then is the (N+1)-th newest is pushed out."""
    expected: dict[str, datetime] = {}
    counted: dict[str | None, list[Image]] = {}
    for made in sorted(sorted(fleet, key=lambda i: i.id, reverse=True), key=lambda i: i.creation_date):
        if made.state != "available":
            continue
        group = counted.setdefault(given_rules.group_by.key(made), [])
        group.append(made)
        if len(group) > (given_rules.keep_newest or 0):
            pushed = group[-1 - (given_rules.keep_newest or 0)]
            due = [made.creation_date + given_rules.grace_days * DAY]
            if given_rules.deprecate_after_days is not None:
                due.append(pushed.creation_date + given_rules.deprecate_after_days * DAY)
            expected[pushed.id] = min(due)
    assert dates(fleet, given_rules) == expected


@given(fleets(), some_rules)
def test_another_new_image_moves_no_date_that_is_given(fleet: list[Image], given_rules: Rules) -> None:
    newer = image(99, -1)
    before = dates(fleet, given_rules)
    after = dates([*fleet, newer], given_rules)
    assert {key: after[key] for key in before} == before


@given(fleets(), some_rules, st.integers(0, 50))
def test_a_longer_grace_or_age_makes_no_date_earlier(
    fleet: list[Image], given_rules: Rules, more: int
) -> None:
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
def test_keeping_more_of_the_newest_dates_no_further_image_and_none_earlier(
    fleet: list[Image], given_rules: Rules, more: int
) -> None:
    before = dates(fleet, given_rules)
    after = dates(fleet, replace(given_rules, keep_newest=(given_rules.keep_newest or 0) + more))
    assert after.keys() <= before.keys()
    assert all(after[key] >= before[key] for key in after)


@given(fleets(), some_rules)
def test_one_family_does_not_touch_another(fleet: list[Image], given_rules: Rules) -> None:
    grouped = replace(given_rules, group_by=GroupBy(tag="Family"))
    alone = [each for each in fleet if each.tags.get("Family") == "a"]
    together = dates(fleet, grouped)
    assert dates(alone, grouped) == {each.id: together[each.id] for each in alone if each.id in together}


# How the date is given, as the clock moves.

NOTICE = 14


def due(date: datetime, **fields: object) -> Due:
    return Due(image(1, 900, **fields), date)


def test_a_date_far_enough_ahead_is_given_as_it_is() -> None:
    for live in (None, START - DAY, START + 400 * DAY):
        assert schedule_of(due(START + 14 * DAY, deprecation_time=live), START, NOTICE) == At(
            START + 14 * DAY
        )


@pytest.mark.parametrize("ahead", [-900, -1, 0, 13.99])
@pytest.mark.parametrize("live", [None, 20, 400])
def test_a_date_past_or_near_becomes_a_notice(ahead: float, live: int | None) -> None:
    later = None if live is None else START + live * DAY
    assert schedule_of(
        due(schedule.to_minute(START + ahead * DAY), deprecation_time=later), START, NOTICE
    ) == InDaysOnce(NOTICE)


@pytest.mark.parametrize("clock", [-900, -14, -1, -0.001, 0, 0.001, 1, 5000])
def test_an_image_that_has_its_date_keeps_it_before_on_and_after_the_day(clock: float) -> None:
    dated = due(START, deprecation_time=START)
    assert schedule_of(dated, START + clock * DAY, NOTICE) == At(START)
    assert not changes(dated.image, At(START), START + clock * DAY)


def test_a_date_that_moves_later_and_is_still_ahead_needs_no_notice() -> None:
    dated = due(START + 2 * DAY, deprecation_time=START + DAY)
    assert schedule_of(dated, START, NOTICE) == At(START + 2 * DAY)


def test_a_date_that_has_passed_is_not_brought_back_to_life_by_another_past_one() -> None:
    for moved in (-10, 10):
        passed = START - 100 * DAY
        wanted = schedule_of(due(passed + moved * DAY, deprecation_time=passed), START, NOTICE)
        assert wanted == InDaysOnce(NOTICE)
        assert not changes(image(1, deprecation_time=passed), wanted, START)
        assert apply(wanted, image(1, deprecation_time=passed), START) == passed


def test_a_public_image_keeps_an_earlier_date_for_ec2_moves_none_later() -> None:
    public = due(START + 300 * DAY, deprecation_time=START + 30 * DAY, public=True)
    assert schedule_of(public, START, NOTICE) == At(START + 30 * DAY)


def test_a_public_image_stays_inside_its_two_years() -> None:
    bare = Due(image(1, 100, public=True), START + 3000 * DAY)
    assert schedule_of(bare, START, NOTICE) == At(
        schedule.latest(START, created=bare.image.creation_date, public=True)
    )


def test_a_public_image_beyond_its_two_years_that_has_no_date_can_be_given_none() -> None:
    assert schedule_of(Due(image(1, 800, public=True), START), START, NOTICE) is None


@pytest.mark.parametrize(
    ("live", "counts"),
    [(None, True), (START + 15 * DAY, True), (START + 14 * DAY, False), (START - DAY, False)],
)
def test_a_notice_counts_as_a_change_only_for_an_image_without_an_earlier_date(
    live: datetime | None, counts: bool
) -> None:
    assert changes(image(1, deprecation_time=live), InDaysOnce(NOTICE), START) is counts


def apply(wanted: At | InDaysOnce | None, target: Image, now: datetime) -> datetime | None:
    """What an update makes of it."""
    if wanted is None:
        return target.date
    return wanted.when if isinstance(wanted, At) else rules.apply_in_days(wanted, target, now, first=False)


@dataclass
class Run:
    """One update: after so many hours, under which rules."""

    hours: float
    grace_days: int
    notice_days: int


hours = st.lists(st.sampled_from([0.01, 1, 24, 24 * 13, 24 * 14, 24 * 40]), min_size=1, max_size=6)


@given(
    hours,
    st.integers(-60, 60),
    st.integers(0, 30),
    st.none() | st.integers(-50, 90),
    st.booleans(),
)
def test_once_applied_every_later_run_is_quiet(
    later: list[float], ahead: int, notice_days: int, found: int | None, public: bool
) -> None:
    now = START
    date = START + ahead * DAY
    live = None if found is None else START + found * DAY
    public = public and live is not None  # EC2 gives every public image one
    one = image(1, 100, deprecation_time=live, public=public)
    wanted = schedule_of(Due(one, date), now, notice_days)
    assert wanted is not None
    one = replace(one, deprecation_time=apply(wanted, one, now))
    given_date = one.date
    if live is None:
        assert given_date is not None
        assert given_date >= schedule.in_days(now, notice_days)
    settled = schedule_of(Due(one, date), now, notice_days)
    # To the minute, a notice can end exactly on the computed date: then it is that date from now on.
    assert settled == wanted or given_date == date
    for passed in later:
        now += timedelta(hours=passed)
        assert schedule_of(Due(one, date), now, notice_days) == settled
        assert not changes(one, settled, now) if settled else True
        assert apply(settled, one, now) == given_date


@given(
    st.lists(
        st.builds(
            Run,
            hours=st.sampled_from([0.01, 24, 24 * 14, 24 * 40]),
            grace_days=st.integers(0, 60),
            notice_days=st.integers(0, 30),
        ),
        min_size=1,
        max_size=6,
    ),
    st.none() | st.integers(-50, 90),
)
def test_whatever_settings_change_an_image_deprecated_by_its_rules_stays_deprecated(
    runs: list[Run], found: int | None
) -> None:
    now = START
    one = image(1, 30, deprecation_time=None if found is None else START + found * DAY)
    for run in runs:
        now += timedelta(hours=run.hours)
        date = schedule.after_days(one.creation_date, run.grace_days)
        before = one.date
        one = replace(
            one, deprecation_time=apply(schedule_of(Due(one, date), now, run.notice_days), one, now)
        )
        assert one.date is not None
        if before is not None and before <= now and date <= now:
            assert one.date == before
        elif date >= schedule.in_days(now, run.notice_days) + timedelta(minutes=10):
            assert one.date == date
        else:
            assert one.date <= max(schedule.in_days(now, run.notice_days), date)
