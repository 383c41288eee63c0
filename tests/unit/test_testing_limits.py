"""EC2's token buckets, as LocalEC2 keeps them."""

from __future__ import annotations

import pytest

from ami_deprecation.testing import Limits
from ami_deprecation.testing.throttling import Buckets


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def burst(buckets: Buckets, action: str, tries: int = 1000) -> int:
    return sum(buckets.take("123456789012", "eu-west-1", action) for _ in range(tries))


@pytest.mark.parametrize(
    ("action", "at_once", "a_second"),
    [
        ("EnableImageDeprecation", 50, 5),
        ("DisableImageDeprecation", 50, 5),
        ("DescribeImages", 100, 20),
        ("DescribeImageReferences", 100, 20),
        ("DescribeInstances", 50, 10),
        ("ModifyImageAttribute", 100, 5),
    ],
)
def test_bucket_empties_and_fills_as_aws_publishes(action: str, at_once: int, a_second: int) -> None:
    seconds = Seconds()
    buckets = Buckets(Limits(), seconds)
    assert burst(buckets, action) == at_once
    seconds.now += 2
    assert burst(buckets, action) == 2 * a_second
    seconds.now += 3600
    assert burst(buckets, action) == at_once


def test_each_account_region_and_call_has_its_own_bucket() -> None:
    buckets = Buckets(Limits(mutating_tokens=1), Seconds())
    places = [
        (account, region, action) for account in "ab" for region in "xy" for action in ("Enable", "Disable")
    ]
    assert all(buckets.take(*place) for place in places)
    assert not any(buckets.take(*place) for place in places)


def test_other_callers_share_the_bucket() -> None:
    seconds = Seconds()
    buckets = Buckets(Limits(taken=0.5), seconds)
    assert burst(buckets, "EnableImageDeprecation") == 25
    seconds.now += 2
    assert burst(buckets, "EnableImageDeprecation") == 5
