"""Rules beside the newest and the age: fixes, images that are always kept, whole releases, families; and why."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ami_deprecation.fleet.selection import Exclusion, GroupBy, Rules, decide
from ami_deprecation.image import SEVERITIES, Scan
from tests.support.fleet_samples import DAY, START, image

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from ami_deprecation.fleet.selection import Decision
    from ami_deprecation.image import Image

FAMILY = GroupBy("tag", tag="Family")
REGIONS = ("eu-west-1", "us-east-1")
CLEAN = Scan(highest_severity="low", scanned_at=START)


def scanned(**since: float) -> Scan:
    """A scan with fixes available since so many days before START, by severity."""
    available = {severity: START - since[severity] * DAY for severity in SEVERITIES if severity in since}
    return Scan(
        highest_severity="critical", scanned_at=START, fix_available_since=MappingProxyType(available)
    )


def by_id(images: list[Image], rules: Rules, regions: tuple[str, ...] = REGIONS) -> dict[str, Decision]:
    return {f"{each.image.region}/{each.image.id}": each for each in decide(images, rules, regions)}


def dates(images: list[Image], rules: Rules, regions: tuple[str, ...] = REGIONS) -> dict[str, datetime]:
    return {key: each.date for key, each in by_id(images, rules, regions).items() if each.date is not None}


def only(target: Image, rules: Rules) -> Decision:
    [decision] = decide([target], rules)
    return decision


# Fixes.


def test_fix_makes_image_due_after_its_days() -> None:
    decision = only(image(1, 50, scan=scanned(critical=3)), Rules(fix_days={"critical": 7}))
    assert (decision.date, decision.rule) == (START + 4 * DAY, "fix_days")
    assert decision.because == "a fix for a critical finding has been available since 2025-12-29, plus 7 days"


def test_earliest_of_several_fixes_counts() -> None:
    rules = Rules(fix_days={"critical": 7, "high": 30})
    assert only(image(1, scan=scanned(critical=3, high=28)), rules).date == START + 2 * DAY
    assert only(image(1, scan=scanned(critical=3, high=1)), rules).date == START + 4 * DAY


def test_findings_without_fix_and_other_severities_do_not_count() -> None:
    rules = Rules(fix_days={"critical": 7})
    for scan in (CLEAN, scanned(), scanned(high=400)):
        decision = only(image(1, 900, scan=scan, deprecation_time=START), rules)
        assert (decision.date, decision.because) == (None, "no fix is waiting")


def test_other_rules_combine_with_fixes() -> None:
    rules = Rules(fix_days={"critical": 7}, deprecate_after_days=60)
    assert only(image(1, 50, scan=scanned(critical=3)), rules).rule == "fix_days"
    assert only(image(1, 58, scan=scanned(critical=3)), rules).date == START + 2 * DAY
    assert only(image(1, 58, scan=CLEAN), rules).rule == "deprecate_after_days"


def test_image_without_scan_keeps_its_date() -> None:
    rules = Rules(fix_days={"critical": 7}, deprecate_after_days=60)
    later, earlier = START + 90 * DAY, START + 5 * DAY
    assert only(image(1, 10), Rules(fix_days={"critical": 7})).date is None
    assert only(image(1, 10, deprecation_time=later), rules).date == START + 50 * DAY
    kept = only(image(1, 10, deprecation_time=earlier), rules)
    assert (kept.date, kept.rule, kept.leaves) == (earlier, "scan", True)
    assert only(image(1, 10), rules).date == START + 50 * DAY


def test_protected_image_is_kept_although_a_fix_waits() -> None:
    kept = only(image(1, 5, scan=scanned(critical=3)), Rules(fix_days={"critical": 7}, keep_at_least=1))
    assert (kept.date, kept.rule, kept.unpatched) == (None, "keep_at_least", True)
    assert "it is the newest, although a fix for a critical finding" in kept.because


# Images that are always kept.


def test_keep_at_least_protects_and_pushes_nobody_out() -> None:
    ages = (20, 40, 60, 300, 400, 500)
    fleet = [image(age, age) for age in ages]
    rules = Rules(deprecate_after_days=365, keep_at_least=2)
    assert dates(fleet, rules) == {
        f"eu-west-1/{image(age).id}": START + (365 - age) * DAY for age in ages if age > 40
    }


def test_larger_protection_counts() -> None:
    fleet = [image(number, 10 * number) for number in range(1, 6)]
    assert len(dates(fleet, Rules(keep_newest=1, keep_at_least=3))) == 2
    assert len(dates(fleet, Rules(keep_newest=3, keep_at_least=1))) == 2


# States.


@pytest.mark.parametrize("state", ["disabled", "pending", "failed", "error", "invalid", "transient"])
def test_decision_keeps_date_of_unusable_image(state: str) -> None:
    dated = image(1, 3, state=state, deprecation_time=START + DAY)
    decision = only(dated, Rules(keep_newest=1))
    assert (decision.date, decision.rule, decision.leaves) == (START + DAY, "state", True)
    assert only(image(1, 3, state=state), Rules(keep_newest=0)).date is None


# Whole releases.


def copies(name: str, *ages: float | None, **fields: object) -> list[Image]:
    """One image in several Regions, with its age in each; None where it is not."""
    return [
        image(abs(hash((name, region))) % 2**60, age, name=name, region=region, **fields)
        for region, age in zip(REGIONS, ages, strict=True)
        if age is not None
    ]


def names(images: list[Image], rules: Rules) -> set[tuple[str, str]]:
    return {
        (each.image.region, each.image.name)
        for each in decide(images, rules, REGIONS)
        if each.date is not None
    }


def test_half_copied_release_pushes_nothing_out() -> None:
    old, half = copies("web-1", 20, 19), copies("web-2", 1, None)
    rules = Rules(keep_newest=1, whole_releases=True)
    assert names([*old, *half], rules) == set()
    assert names([*old, *half], replace(rules, whole_releases=False)) == {("eu-west-1", "web-1")}
    complete = [*old, *copies("web-2", 1, 0)]
    assert names(complete, rules) == {(region, "web-1") for region in REGIONS}
    disabled = [*old, *half, *copies("web-2", None, 0, state="disabled")]
    assert names(disabled, rules) == set()


def test_release_is_placed_by_its_earliest_copy() -> None:
    # web-1 was copied to the second Region only after web-2 was created.
    fleet = [*copies("web-1", 20, 1), *copies("web-2", 10, 10)]
    given = decide(fleet, Rules(keep_newest=1, grace_days=30, whole_releases=True), REGIONS)
    assert {each.date for each in given if each.image.name == "web-1"} == {START + 20 * DAY}
    assert {each.date for each in given if each.image.name == "web-2"} == {None}


def test_release_can_be_a_version_in_the_name() -> None:
    version = GroupBy("name", pattern=re.compile(r"^(.+)-v([0-9]+)-"))
    rules = Rules(keep_newest=1, whole_releases=True, group_by=(version,))
    eu = [
        image(1, 9, name="web-v1-eu", region=REGIONS[0]),
        image(2, 5, name="web-v2-eu", region=REGIONS[0]),
    ]
    us = [
        image(3, 9, name="web-v1-us", region=REGIONS[1]),
        image(4, 4, name="web-v2-us", region=REGIONS[1]),
    ]
    assert names([*eu, *us], rules) == {(REGIONS[0], "web-v1-eu"), (REGIONS[1], "web-v1-us")}
    assert names([*eu, us[0]], rules) == set()


# Families.


@pytest.mark.parametrize(
    ("group", "fields"),
    [
        (GroupBy("architecture"), ({"architecture": "arm64"}, {"architecture": "x86_64"})),
        (
            GroupBy("watermark"),
            ({"watermarks": ("1:web", "2:a")}, {"watermarks": ("1:db",)}),
        ),
    ],
)
def test_families_by_field(group: GroupBy, fields: tuple[dict[str, object], dict[str, object]]) -> None:
    one, other = fields
    fleet = [image(1, 3, **one), image(2, 2, **other), image(3, 1, **one)]
    assert list(dates(fleet, Rules(keep_newest=1, group_by=(group,)))) == [f"eu-west-1/{image(1).id}"]


def test_families_by_several_keys() -> None:
    web = {"tags": MappingProxyType({"Family": "web"})}
    fleet = [image(1, 3, architecture="arm64", **web), image(2, 2, architecture="x86_64", **web)]
    assert dates(fleet, Rules(keep_newest=1, group_by=(FAMILY,)))
    assert not dates(fleet, Rules(keep_newest=1, group_by=(FAMILY, GroupBy("architecture"))))


# Why.


def test_every_image_has_a_reason() -> None:
    fleet = [
        image(1, 40, name="web-1"),
        image(2, 30, name="web-2"),
        image(3, 20, name="web-3"),
        image(4, 10, name="gold"),
    ]
    rules = Rules(keep_newest=1, grace_days=30, deprecate_after_days=50, exclude=(Exclusion(name="gold"),))
    assert [str(each).partition(": ")[2] for each in decide(fleet, rules)] == [
        "no date (exclude): it is excluded by gold",
        "no date (keep_newest): it is the newest",
        "2026-01-11T00:00:00Z (keep_newest): web-3 pushed it out on 2025-12-12, plus 30 days",
        "2026-01-01T00:00:00Z (keep_newest): web-2 pushed it out on 2025-12-02, plus 30 days",
    ]


# Properties.


@st.composite
def fleets(draw: st.DrawFn) -> list[Image]:
    """Images of a few families in two Regions, some with dates and scans, some in states that do not count."""
    ages = st.sampled_from([0, 0, 1, 2, 2.5, 10, 100, 400])
    states = st.sampled_from(["available"] * 6 + ["pending", "disabled", "failed"])
    scans = (
        st.none()
        | st.builds(scanned, critical=st.sampled_from([0, 5, 50]), high=st.sampled_from([0, 9]))
        | st.just(CLEAN)
    )
    live = st.none() | st.sampled_from([-50, -1, 3, 40]).map(lambda days: START + days * DAY)
    return [
        image(
            number,
            draw(ages),
            name=f"web-{draw(st.integers(0, 4))}",
            region=draw(st.sampled_from(REGIONS)),
            state=draw(states),
            deprecation_time=draw(live),
            scan=draw(scans),
            tags=MappingProxyType({"Family": draw(st.sampled_from("ab"))}),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


some_rules = st.builds(
    Rules,
    keep_newest=st.none() | st.integers(0, 4),
    grace_days=st.integers(0, 40),
    deprecate_after_days=st.none() | st.integers(0, 400),
    keep_at_least=st.integers(0, 3),
    fix_days=st.sampled_from([{}, {"critical": 7}, {"critical": 7, "high": 30}]),
    whole_releases=st.booleans(),
    group_by=st.sampled_from([(), (FAMILY,)]),
)


@given(fleets(), some_rules, st.randoms())
def test_order_of_answer_does_not_matter(fleet: list[Image], rules: Rules, order: random.Random) -> None:
    shuffled = list(fleet)
    order.shuffle(shuffled)
    assert by_id(shuffled, rules) == by_id(fleet, rules)


@given(fleets(), some_rules, st.sampled_from([-1, 0, 1.5, 5, 200]), st.sampled_from(REGIONS))
def test_added_image_brings_no_older_date_forward(
    fleet: list[Image], rules: Rules, age: float, region: str
) -> None:
    added = image(99, age, name="web-1", region=region, tags=MappingProxyType({"Family": "a"}), scan=CLEAN)
    if rules.whole_releases:  # a copy is not older than the copies of its release that exist
        copied = [each for each in fleet if rules.release(each) == rules.release(added)]
        assume(all(each.creation_date <= added.creation_date for each in copied))
    before, after = by_id(fleet, rules), by_id([*fleet, added], rules)

    def place(image: Image) -> datetime:
        """Where it stands in the order: a release stands where its earliest copy does."""
        copies = [each for each in [*fleet, added] if rules.release(each) == rules.release(image)]
        return min(each.creation_date for each in (copies if rules.whole_releases else [image]))

    for key, decision in before.items():
        date = after[key].date
        if date is None or date == decision.date:
            continue
        earlier = decision.date is None or date < decision.date
        assert not earlier or place(added) >= place(decision.image)


@given(fleets(), some_rules)
def test_missing_scan_never_moves_a_date(fleet: list[Image], rules: Rules) -> None:
    rules = replace(rules, fix_days={"critical": 7}, keep_at_least=0, keep_newest=None)
    unscanned = [replace(each, scan=None) for each in fleet]
    age_only = by_id(
        unscanned, replace(rules, fix_days={}, deprecate_after_days=rules.deprecate_after_days or 0)
    )
    for key, decision in by_id(unscanned, rules).items():
        live = decision.image.date
        if live is not None:
            assert decision.date is not None
            assert decision.date == live or decision.rule == "deprecate_after_days"
            assert decision.date <= live or decision.image.state == "disabled"
        elif decision.date is not None:
            assert decision.date == age_only[key].date


@given(fleets(), some_rules)
def test_keep_at_least_holds_in_each_family(fleet: list[Image], rules: Rules) -> None:
    rules = replace(rules, whole_releases=False)
    undated: dict[tuple[str, object], int] = {}
    for decision in by_id(fleet, rules).values():
        family = decision.image.region, rules.family(decision.image)
        if decision.image.state == "available":
            undated.setdefault(family, 0)
            undated[family] += decision.date is None
    usable = {
        family: sum(
            each.state == "available" and (each.region, rules.family(each)) == family for each in fleet
        )
        for family in undated
    }
    assert all(undated[family] >= min(rules.keep_at_least, usable[family]) for family in undated)


@given(fleets(), some_rules)
def test_image_with_date_in_other_state_never_loses_it(fleet: list[Image], rules: Rules) -> None:
    for decision in by_id(fleet, rules).values():
        if decision.image.state != "available" and decision.image.date is not None:
            assert decision.date is not None


def test_three_thousand_images_take_less_than_a_second() -> None:
    regions = ("eu-west-1", "eu-west-2", "us-east-1", "us-west-2")
    fleet = [
        image(
            number,
            number / 4,
            name=f"family-{number // 4 % 40}-{number // 4}",
            region=regions[number % 4],
            tags=MappingProxyType({"Family": f"family-{number // 4 % 40}"}),
            scan=scanned(critical=number % 90),
        )
        for number in range(3000)
    ]
    rules = Rules(
        keep_newest=3,
        deprecate_after_days=365,
        fix_days={"critical": 7},
        whole_releases=True,
        group_by=(FAMILY, GroupBy("name", pattern=re.compile(r"^(.+)-[0-9]+$"))),
        exclude=(Exclusion(name="*-golden"), Exclusion(tag="Keep")),
    )
    began = time.process_time()  # other processes do not count
    decisions = decide(fleet, rules, regions)
    assert time.process_time() - began < 1
    assert len(decisions) == 3000
    assert {each.rule for each in decisions} == {"keep_newest", "fix_days"}
