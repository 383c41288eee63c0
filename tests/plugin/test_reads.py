"""How few calls reading many images takes, over EC2's wire."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.testing import LocalEC2
from tests.support import gateways
from tests.support.gateways import HERE, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ami_deprecation import Image

    Read = Callable[[str], Image | None]

MINUTES = 300.0


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEC2]:
    with LocalEC2() as server:
        for name, value in server.environment(region=REGION).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def read() -> Read:
    """Read an image as a process does that has read none before."""
    gateway = gateways.gateway()
    return lambda image_id: gateway.read_image(HERE, image_id, MINUTES)


def calls(ec2: LocalEC2) -> int:
    return len(ec2.calls_since(0, "DescribeImages"))


def test_thousand_images_take_two_reads_by_id_and_one_page(ec2: LocalEC2, read: Read) -> None:
    for image_id in ec2.add_images(1000):
        image = read(image_id)
        assert image is not None
        assert image.id == image_id
    assert calls(ec2) == 3


def test_small_stack_in_large_account_lists_nothing(ec2: LocalEC2, read: Read) -> None:
    ec2.add_images(1500, "other")
    for image_id in ec2.add_images(2):
        assert read(image_id)
    assert [call.image_ids != () for call in ec2.calls] == [True, True]


def test_large_account_is_listed_gradually_and_once(ec2: LocalEC2, read: Read) -> None:
    ec2.add_images(6000, "other")
    for image_id in ec2.add_images(200):
        assert read(image_id)
    pages = [number for number, call in enumerate(ec2.calls) if not call.image_ids]
    assert pages[:3] == [2, 3, 4]  # as many at once as nearly every account has
    gaps = {later - earlier for earlier, later in itertools.pairwise(pages[2:])}
    assert gaps == {11}  # then one for every ten calls by id
    assert len(pages) == 7
    assert calls(ec2) < 60


def test_image_missing_from_listing_is_read_by_id(ec2: LocalEC2, read: Read) -> None:
    mine = ec2.add_images(5)
    theirs = ec2.add_image("theirs", account="210987654321", public=True)
    assert all(read(image_id) for image_id in mine)
    assert read(theirs)
    assert read("ami-00000000000000000") is None
    assert ec2.calls[-2].image_ids == (theirs,)


def test_refused_token_ends_listing_and_loses_no_image(ec2: LocalEC2, read: Read) -> None:
    ec2.add_images(5000, "other")
    ids = ec2.add_images(60)
    assert all(read(image_id) for image_id in ids[:5])
    ec2.expire_tokens()
    assert all(read(image_id) for image_id in ids[5:])
    assert [call.error_code for call in ec2.calls if call.error_code] == ["InvalidNextToken"]


def test_write_invalidates_earlier_read(ec2: LocalEC2) -> None:
    gateway, image_id = gateways.gateway(), ec2.add_image()
    when = datetime(2035, 1, 1, tzinfo=timezone.utc)
    before = gateway.read_image(HERE, image_id, MINUTES)
    gateway.enable(HERE, image_id, when)
    after = gateway.read_image(HERE, image_id, MINUTES)
    assert (before and before.date, after and after.date) == (None, when)
