"""What a policy does not cancel: dates that a wrong answer hides, and more dates than a typo may cost."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from ami_deprecation import AmiDeprecationPolicy, RequestRefused
from tests.plugin.conftest import OTHER, REGION
from tests.support import gateways
from tests.support.dates import NOW
from tests.support.fleets import DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from ami_deprecation.testing.faults import FaultKind
    from tests.support.engine import Engine

US = "us-east-1"


pytestmark = pytest.mark.usefixtures("program_reaches_ec2")


def policy(**changed: Any) -> Callable[[], object]:
    arguments: dict[str, Any] = {"name": "base-*", "keep_newest": 1, "grace_days": 30, **changed}
    return lambda: AmiDeprecationPolicy("base", **arguments)


def fleet(ec2: LocalEC2, count: int, region: str = REGION) -> list[str]:
    """Images base-0 to base-N, the newest last; each but the newest is due under ``policy``."""
    return [
        ec2.add_image(f"base-{number}", created=NOW - (count - number) * DAY, region=region)
        for number in range(count)
    ]


def dates(ec2: LocalEC2, ids: list[str]) -> list[datetime | None]:
    return [ec2.image(image_id).deprecation_time for image_id in ids]


def refused(engine: Engine, program: Callable[[], object]) -> str:
    with pytest.raises(RequestRefused) as raised:
        engine.preview(program)
    return str(raised.value)


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        ("lacks-image", 0),  # with a date
        ("lacks-image", 2),  # the newest: without it, base-1 would be the newest and lose its date
        ("lacks-date", 0),  # it would get another notice
    ],
)
def test_one_wrong_answer_changes_nothing(
    engine: Engine, ec2: LocalEC2, fault: FaultKind, number: int
) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy(notice_days=25))
    given = dates(ec2, ids)
    ec2.set_time(NOW + 20 * DAY)
    ec2.faults.add("DescribeImages", fault, image_id=ids[number])
    outcome = engine.up(policy(notice_days=25))
    assert (outcome.operations, dates(ec2, ids)) == ([], given)


def test_image_that_listings_lack_keeps_its_date(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy())
    given = dates(ec2, ids)
    ec2.faults.add("DescribeImages", "lacks-image", image_id=ids[0], times=2)
    outcome = engine.up(policy())
    assert (outcome.operations, dates(ec2, ids)) == ([], given)


def test_just_dated_image_that_no_answer_shows_stays(
    engine: Engine, ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMI_DEPRECATION_SETTLE_SECONDS", "60")  # for the program, which is this process
    gateways.forget()
    ids = fleet(ec2, 3)
    engine.up(policy())
    given = dates(ec2, ids)
    ec2.faults.add("DescribeImages", "lacks-image", image_id=ids[0], times=None)
    outcome = engine.up(policy())
    assert (outcome.operations, dates(ec2, ids)) == ([], given)
    assert f"{ids[0]} in {REGION} is not found, but was dated a moment ago" in outcome.notes


@pytest.mark.parametrize("number", [0, 2])
def test_image_without_creation_date_cancels_nothing(engine: Engine, ec2: LocalEC2, number: int) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy())
    given = dates(ec2, ids)
    ec2.faults.add("DescribeImages", "lacks-creation-date", image_id=ids[number], times=None)
    outcome = engine.up(policy())
    assert (outcome.operations, dates(ec2, ids)) == ([], given)


@pytest.mark.parametrize("state", ["disabled", "pending", "failed", "error", "invalid"])
def test_unusable_image_keeps_its_date(engine: Engine, ec2: LocalEC2, state: str) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy())
    given = dates(ec2, ids)
    ec2.set_state(ids[1], state)
    ec2.deregister_image(ids[2])  # base-1 is the newest again
    outcome = engine.up(policy(allow_empty=True))
    # base-0 is the newest that can be used.
    assert outcome.mutations == ["DisableImageDeprecation"]
    assert dates(ec2, ids[:2]) == [None, given[1]]
    assert engine.up(policy()).operations == []


def test_images_of_another_account_do_not_count_as_gone(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy())
    ec2.set_time(NOW + 100 * DAY)  # the dates have passed
    given = dates(ec2, ids)
    sentence = refused(engine, policy(role_arn=f"arn:aws:iam::{OTHER}:role/dates"))
    assert "all 2 dates that this policy set would be canceled" in sentence
    assert dates(ec2, ids) == given


def test_image_in_use_keeps_the_date_that_an_answer_lacks(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy(in_use="skip"))
    given = dates(ec2, ids)
    ec2.add_reference(ids[0], "ssm:Parameter", f"arn:aws:ssm:{REGION}:{ec2.account}:parameter/base")
    ec2.faults.add("DescribeImages", "lacks-date", image_id=ids[0])
    assert engine.up(policy(in_use="skip")).mutations == []
    assert dates(ec2, ids) == given


def renamed(**changed: Any) -> Callable[[], object]:
    arguments: dict[str, Any] = {"name": "base-*", "keep_newest": 1, "grace_days": 30, **changed}
    alias = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="base")])
    return lambda: AmiDeprecationPolicy("fleet", **arguments, opts=alias)


def test_policy_that_an_alias_renames_keeps_its_guards(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 4)
    engine.up(policy())
    ec2.set_state(ids[2], "disabled")
    ec2.deregister_image(ids.pop())
    engine.up(policy())
    given = dates(ec2, ids)
    with pytest.raises(RequestRefused, match="would be canceled"):
        engine.preview(renamed(name="bsae-*"))
    ec2.faults.add("DescribeImages", "lacks-image", image_id=ids[0])
    assert engine.up(renamed()).mutations == []
    assert dates(ec2, ids) == given
    assert engine.up(renamed()).operations == []


def test_typo_in_name_is_refused(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 3)
    engine.up(policy())
    sentence = refused(engine, policy(name="bsae-*"))
    assert sentence.startswith(
        f"policy 'base': no image in {REGION} matches: all 2 dates that this policy set would be canceled: "
    )
    assert f"{ids[0]} (base-0) in {REGION}" in sentence
    assert "set allow_empty to true for this run" in sentence
    allowed = engine.up(policy(name="bsae-*", allow_empty=True))
    assert allowed.mutations == ["DisableImageDeprecation"] * 2


def test_permission_that_is_not_needed_is_named(engine: Engine, ec2: LocalEC2, warned: list[str]) -> None:
    fleet(ec2, 3)
    engine.up(policy())
    assert warned == []
    engine.up(policy(allow_empty=True))
    assert [line for line in warned if "allow_empty is not needed in this run" in line]
    warned.clear()
    engine.up(policy(name="bsae-*", allow_empty=True))
    assert not [line for line in warned if "allow_empty" in line]


def test_larger_keep_newest_is_refused(engine: Engine, ec2: LocalEC2) -> None:
    fleet(ec2, 8)
    engine.up(policy())
    assert "no image is due: all 7 dates" in refused(engine, policy(keep_newest=20))
    assert "too many dates at once: 4 of 7 dates" in refused(engine, policy(keep_newest=5))
    assert engine.up(policy(keep_newest=4)).mutations.count("DisableImageDeprecation") == 3


def test_removed_region_is_named(engine: Engine, ec2: LocalEC2) -> None:
    fleet(ec2, 3)
    fleet(ec2, 6, US)
    engine.up(policy(regions=[REGION, US]))
    sentence = refused(engine, policy(regions=[REGION]))
    assert "5 of 7 dates" in sentence
    assert f"(5 in {US}, which is no longer among its Regions)" in sentence
    removed = engine.up(policy(regions=[REGION], allow_empty=True))
    assert removed.mutations == ["DisableImageDeprecation"] * 5


@pytest.mark.parametrize("how", ["denied", "disabled"])
def test_barred_region_leaves_the_guards_on(engine: Engine, ec2: LocalEC2, how: str) -> None:
    ec2.set_enabled_regions([REGION, US])
    fleet(ec2, 6)
    fleet(ec2, 11, US)
    engine.up(policy(regions="all"))
    if how == "denied":
        ec2.faults.add("DescribeImages", "denied", region=US, times=None)
    else:
        ec2.set_enabled_regions([REGION])
    assert "all 5 dates" in refused(engine, policy(regions="all", name="bsae-*"))
    ec2.set_enabled_regions(None)


@pytest.mark.parametrize("change", [{"name": "web-*"}, {"regions": [US]}])
def test_selection_that_moves_elsewhere_is_refused(
    engine: Engine, ec2: LocalEC2, change: dict[str, object]
) -> None:
    fleet(ec2, 4)
    fleet(ec2, 4, US)
    for number in range(3):
        ec2.add_image(f"web-{number}", created=NOW - (9 - number) * DAY)
    engine.up(policy())
    assert "only other images are due: all 3 dates that this policy set" in refused(engine, policy(**change))


def test_deregistered_images_are_no_part_of_the_half(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 9)
    engine.up(policy())
    for image_id in ids[:4]:
        ec2.deregister_image(image_id)
    ec2.advance(DAY)
    assert "all 4 dates" in refused(engine, policy(name="bsae-*"))


def test_date_that_stays_is_no_cancellation(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 4)
    ec2.set_deprecation_time(ids[0], NOW + 27 * DAY)  # what the policy gives, and somebody else gave before
    engine.up(policy())
    ec2.set_deprecation_time(ids[1], NOW + 300 * DAY)
    engine.preview(policy(exclude=["base-0", "base-1"], max_changes=0))


def test_image_excluded_by_id_needs_no_permission(engine: Engine, ec2: LocalEC2) -> None:
    first, second = fleet(ec2, 2)
    engine.up(policy())
    assert engine.up(policy(exclude=[first])).mutations == ["DisableImageDeprecation"]
    assert dates(ec2, [first, second]) == [None, None]


def test_image_of_an_impossible_date_is_named(engine: Engine, ec2: LocalEC2, warned: list[str]) -> None:
    fleet(ec2, 3)
    odd = ec2.add_image("base-odd", created=datetime(9999, 12, 30, tzinfo=timezone.utc))
    engine.up(policy())
    assert [line for line in warned if odd in line and "cannot be judged" in line]


def test_odd_image_of_a_region_cancels_none_elsewhere(engine: Engine, ec2: LocalEC2) -> None:
    fleet(ec2, 4)
    there = fleet(ec2, 4, US)
    rules = policy(regions=[REGION, US], whole_releases=True)
    engine.up(rules)
    ec2.faults.add("DescribeImages", "lacks-creation-date", image_id=there[3], region=US, times=None)
    assert engine.up(rules).operations == []


def test_odd_image_moves_no_date(engine: Engine, ec2: LocalEC2) -> None:
    ids = [ec2.add_image(f"base-{number}", created=NOW - age * DAY) for number, age in enumerate((90, 80, 5))]
    engine.up(policy())
    ec2.set_time(NOW + 20 * DAY)  # the first one has passed
    ec2.faults.add("DescribeImages", "lacks-creation-date", image_id=ids[1], times=None)
    assert engine.up(policy()).operations == []


@pytest.mark.parametrize("how", ["disabled", "deregistered"])
def test_image_that_goes_revives_no_other(engine: Engine, ec2: LocalEC2, how: str) -> None:
    ids = [ec2.add_image(f"base-{number}", created=NOW - age * DAY) for number, age in enumerate((90, 80, 5))]
    engine.up(policy())
    [passed] = dates(ec2, ids[:1])
    ec2.set_time(NOW + 20 * DAY)
    if how == "disabled":
        ec2.set_state(ids[1], "disabled")
    else:
        ec2.deregister_image(ids[1])
    engine.up(policy())
    assert dates(ec2, ids[:1]) == [passed]
    assert engine.up(policy()).operations == []


def test_max_changes_counts_cancellations(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 5)
    engine.up(policy())
    sentence = refused(engine, policy(keep_newest=3, max_changes=3))
    assert (
        "2 images would be dated or re-dated and 2 dates would be canceled, more than max_changes=3: "
        in sentence
    )
    assert f"{ids[2]} (base-2) in {REGION}" in sentence
    assert engine.up(policy(keep_newest=3, max_changes=4)).mutations.count("DisableImageDeprecation") == 2


def test_deregistered_images_are_not_cancellations(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 7)
    engine.up(policy())
    for image_id in ids[:6]:
        ec2.deregister_image(image_id)
    ec2.advance(DAY / 24)  # its clock stands still: under load, the writes could count as of a moment ago
    outcome = engine.up(policy(max_changes=0))
    assert (outcome.operations, outcome.mutations) == (["delete"] * 6, [])


def test_policies_of_similar_names_keep_apart(engine: Engine, ec2: LocalEC2) -> None:
    fleet(ec2, 6)

    def both() -> None:
        AmiDeprecationPolicy("web", name="base-*", keep_newest=1, exclude=["base-0"], regions=[REGION])
        AmiDeprecationPolicy("web-base", name="base-0", keep_newest=0, regions=[REGION])

    engine.up(both)
    assert len(engine.state) == 5
    assert engine.up(both).operations == []


def test_policy_restores_earlier_dates(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, 3)
    ec2.set_deprecation_time(ids[0], NOW + 300 * DAY)
    engine.up(policy(on_destroy="restore"))
    assert dates(ec2, ids)[0] == NOW + 28 * DAY
    engine.destroy()
    assert dates(ec2, ids) == [NOW + 300 * DAY, None, None]
