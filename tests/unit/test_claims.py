"""Claims: which resources of an update stand for one image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ami_deprecation.core.claims import Claim, Claims
from ami_deprecation.ec2 import Identity, Target
from tests.support.samples import ACCOUNT, IMAGE_ID, REGION

OURS = Target(Identity(profile="ours"), REGION)
OTHERS = Target(Identity(profile="others"), REGION)
WEB = Claim(OURS, IMAGE_ID, "web", ACCOUNT)

SAME_IMAGE = [
    replace(WEB, resource="api"),
    replace(WEB, resource="api", owner_id=None),
    # An owner that is known on both sides decides, whoever asks.
    replace(WEB, resource="api", target=OTHERS),
]
#: The same id under other credentials may be another image: that is no duplicate, and no reason to cancel either.
DOUBTFUL = replace(WEB, resource="api", target=OTHERS, owner_id=None)
OTHER_IMAGE = [
    replace(WEB, resource="api", image_id="ami-00000000"),
    replace(WEB, resource="api", target=replace(OURS, region="eu-west-2")),
    replace(WEB, resource="api", owner_id="999999999999"),
]


@pytest.mark.parametrize("other", SAME_IMAGE)
def test_two_resources_on_one_image_conflict(other: Claim) -> None:
    claims = Claims()
    assert claims.declare(WEB) is None
    assert claims.declare(other) == WEB
    assert claims.declare(WEB) is None, "the one that came first goes on undisturbed"


@pytest.mark.parametrize("other", [*OTHER_IMAGE, DOUBTFUL])
def test_resources_on_different_images_do_not_conflict(other: Claim) -> None:
    claims = Claims()
    assert claims.declare(WEB) is None
    assert claims.declare(other) is None


def test_resource_can_be_checked_again() -> None:
    claims = Claims()
    for _ in range(3):
        assert claims.declare(WEB) is None
    assert claims.declare(replace(WEB, resource="api")) == WEB


@pytest.mark.parametrize("other", [*SAME_IMAGE, DOUBTFUL])
def test_held_image_has_a_holder(other: Claim) -> None:
    claims = Claims()
    assert claims.holder(WEB) is None
    claims.hold(other)
    assert claims.holder(WEB) == other


@pytest.mark.parametrize("other", OTHER_IMAGE)
def test_claim_on_other_image_has_no_holder(other: Claim) -> None:
    claims = Claims()
    claims.hold(other)
    assert claims.holder(WEB) is None


def test_declaring_does_not_hold() -> None:
    claims = Claims()
    claims.declare(WEB)
    assert claims.holder(WEB) is None


def test_concurrent_declares_have_one_winner() -> None:
    for _ in range(20):
        claims = Claims()
        with ThreadPoolExecutor(4) as pool:
            winners = list(
                pool.map(lambda name, claims=claims: claims.declare(replace(WEB, resource=name)), "abcdefgh")
            )
        assert winners.count(None) == 1
        assert len(set(winners)) == 2


def test_repeated_claim_takes_no_more_memory() -> None:
    claims = Claims()
    for _ in range(3):
        claims.hold(WEB)
    assert claims._held == {(REGION, IMAGE_ID): [WEB]}
