"""Policies over several Regions, one of which does not answer, and over images that are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation import AmiDeprecationError, AmiDeprecationPolicy, get_images
from ami_deprecation.image import Scan
from tests.plugin.conftest import OTHER, REGION
from tests.support import gateways
from tests.support.fleets import DAY, NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine

US, WEST = "us-east-1", "us-west-2"


@pytest.fixture(autouse=True)
def clock(ec2: LocalEC2, program_reaches_ec2: None) -> None:  # noqa: ARG001  # it sets a time of its own
    """The fleets of this module are as old as they say."""
    ec2.set_time(NOW)


def policy(**changed: Any) -> Callable[[], object]:
    arguments: dict[str, Any] = {"name": "base-*", "keep_newest": 1, "grace_days": 30, **changed}
    return lambda: AmiDeprecationPolicy("base", **arguments)


def fleet(ec2: LocalEC2, region: str, *ages: int) -> list[str]:
    """Images base-0, base-1 and so on, of these ages in days; each but the newest is due under ``policy``."""
    return [
        ec2.add_image(f"base-{number}", created=NOW - age * DAY, region=region)
        for number, age in enumerate(ages)
    ]


def date(ec2: LocalEC2, image_id: str, region: str) -> datetime | None:
    return ec2.image(image_id, region=region).deprecation_time


def test_all_regions_are_enabled_ones_but_excluded(engine: Engine, ec2: LocalEC2) -> None:
    ec2.set_enabled_regions([REGION, US, WEST])
    [here, _] = fleet(ec2, REGION, 20, 10)
    [there, _] = fleet(ec2, US, 20, 10)
    [excluded, _] = fleet(ec2, WEST, 20, 10)
    engine.up(policy(regions="all", exclude_regions=[WEST]))
    assert date(ec2, here, REGION) == date(ec2, there, US) == NOW + 20 * DAY
    assert date(ec2, excluded, WEST) is None


def test_barred_region_is_named_and_left(engine: Engine, ec2: LocalEC2, warned: list[str]) -> None:
    ec2.set_enabled_regions([REGION, US])
    [here, newest] = fleet(ec2, REGION, 20, 10)
    [there, _] = fleet(ec2, US, 20, 10)
    engine.up(policy(regions="all"))
    ec2.faults.add("DescribeImages", "denied", region=US, times=None)
    ec2.deregister_image(newest)  # so that the other Region has something to do
    outcome = engine.up(policy(regions="all", allow_empty=True))
    assert outcome.mutations == ["DisableImageDeprecation"]
    assert (date(ec2, here, REGION), date(ec2, there, US)) == (None, NOW + 20 * DAY)
    [line] = [line for line in warned if US in line]
    assert line.startswith(f"{US} is left out, and 1 date of this policy there stays as it is: ")


@pytest.mark.parametrize("how", ["denied", "disabled"])
def test_strict_policy_leaves_no_region_out(
    engine: Engine, ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    ec2.set_enabled_regions([REGION, US])
    fleet(ec2, REGION, 20, 10)
    fleet(ec2, US, 20, 10)
    engine.up(policy(regions="all"))
    if how == "denied":
        ec2.faults.add("DescribeImages", "denied", region=US, times=None)
    else:
        ec2.set_enabled_regions([REGION])
    monkeypatch.setenv("AMI_DEPRECATION_STRICT", "1")
    gateways.forget()
    with pytest.raises(AmiDeprecationError, match=US):
        engine.preview(policy(regions="all"))


def test_region_that_is_down_is_an_error(engine: Engine, ec2: LocalEC2) -> None:
    ec2.set_enabled_regions([REGION, US])
    fleet(ec2, REGION, 20, 10)
    fleet(ec2, US, 20, 10)
    ec2.faults.add("DescribeImages", "unavailable", region=US, times=None)
    with pytest.raises(AmiDeprecationError, match=f"{US} cannot be read, and its images keep their dates"):
        engine.up(policy(regions="all"))


def test_whole_release_needs_every_region_to_answer(engine: Engine, ec2: LocalEC2) -> None:
    ids = fleet(ec2, REGION, 30, 20)
    fleet(ec2, US, 30, 20)
    rules = policy(regions=[REGION, US], whole_releases=True)
    engine.up(rules)
    given = [date(ec2, image_id, REGION) for image_id in ids]
    assert given == [NOW + 14 * DAY, None]
    # A third release, whole; but the other Region cannot tell.
    ec2.add_image("base-2", created=NOW - DAY)
    ec2.add_image("base-2", created=NOW - DAY, region=US)
    ec2.faults.add("DescribeImages", "unavailable", region=US, times=None)
    with pytest.raises(AmiDeprecationError, match=US):
        engine.up(rules)
    assert [date(ec2, image_id, REGION) for image_id in ids] == given


def test_large_fleet_is_one_bulk_read_a_region(
    engine: Engine, ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMI_DEPRECATION_RETRY_SECONDS", "60")
    regions = [REGION, US, WEST, "us-east-2"]
    ec2.set_enabled_regions(regions)
    waiting = Scan("high", NOW, {"high": NOW - DAY})
    for region in regions:
        ec2.add_images(750, "base", region=region, created=NOW - DAY, scan=waiting)
    engine.up(policy(regions=regions, keep_newest=None, grace_days=None, fix_days={"critical": 7}))
    read = [call.region for call in ec2.calls if call.action == "DescribeImages"]
    assert sorted(read) == sorted(regions)


def test_executable_users_select_shared_images(engine: Engine, ec2: LocalEC2) -> None:
    public = ec2.add_image("base-0", created=NOW - 20 * DAY, public=True)
    private = ec2.add_image("base-1", created=NOW - 20 * DAY)
    foreign = ec2.add_image("base-2", created=NOW - 20 * DAY, account=OTHER, public=True)
    assert [image.id for image in get_images(executable_users=["all"])] == [public]
    assert {image.id for image in get_images(owners=(), executable_users=["all"])} == {public, foreign}
    engine.up(policy(executable_users=["all"], keep_newest=0))
    assert date(ec2, public, REGION) is not None
    assert date(ec2, private, REGION) is None
