"""The token bucket: what EC2 allows, and what is done when it allows less."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.ec2.pacing import Breaker, Bucket


@dataclass
class Clock:
    """A clock that is moved by hand, in seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def bucket(burst: float = 50, per_second: float = 5) -> tuple[Bucket, Clock]:
    clock = Clock()
    return Bucket(burst, per_second, clock), clock


def test_burst_goes_out_at_once_and_rest_at_rate() -> None:
    ours, _ = bucket()
    waits = [ours.reserve() for _ in range(56)]
    assert waits[:50] == [0.0] * 50
    assert waits[50:] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.2])


def test_time_refills_bucket_to_burst() -> None:
    ours, clock = bucket()
    for _ in range(50):
        ours.reserve()
    clock.now = 2.0
    assert [ours.reserve() for _ in range(11)] == pytest.approx([0.0] * 10 + [0.2])
    clock.now = 10_000.0
    waits = [ours.reserve() for _ in range(51)]
    assert waits[49] == 0.0
    assert waits[50] == pytest.approx(0.2)


def test_refusal_empties_bucket_and_slows_refill() -> None:
    ours, clock = bucket()
    ours.refused()
    assert ours.reserve() == pytest.approx(1 / 3.5)
    clock.now = 100.0
    for _ in range(100):
        ours.refused()
    assert ours.reserve() == pytest.approx(1 / 0.5), "but never less than a tenth"


def test_refusal_does_not_cancel_debt() -> None:
    ours, _ = bucket(burst=1, per_second=1)
    ours.reserve()
    ours.reserve()
    ours.refused()
    assert ours.reserve() == pytest.approx(2 / 0.7)


def test_accepted_calls_restore_rate() -> None:
    ours, clock = bucket(burst=1, per_second=1)
    ours.refused()
    slow = ours.reserve()
    for _ in range(20):
        ours.accepted()
    clock.now = 1000.0
    ours.reserve()
    assert ours.reserve() == pytest.approx(1.0)
    assert slow > 1.0


# Calls that already wait for their turn keep it when the rate comes back, so `accepted` is not among these: four
# threads at most wait at a time.
steps = st.lists(st.sampled_from(["reserve", "refused"]) | st.floats(0.0, 5.0), max_size=100)


@given(st.integers(1, 20), st.floats(0.5, 20.0), steps)
def test_no_period_exceeds_ec2s_limit(burst: int, per_second: float, taken: list[str | float]) -> None:
    ours, clock = bucket(burst, per_second)
    calls: list[float] = []
    for step in taken:
        if isinstance(step, float):
            clock.now += step
        elif step == "reserve":
            calls.append(clock.now + ours.reserve())
        else:
            ours.refused()
    calls.sort()
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            allowed = burst + (calls[last] - calls[first]) * per_second
            assert last - first + 1 <= allowed + 1e-6


# An endpoint that cannot be reached.


@dataclass
class Endpoint:
    """A breaker and its clock."""

    now: float = 0.0

    def __post_init__(self) -> None:
        self.breaker: Breaker[str] = Breaker(clock=lambda: self.now)


def test_breaker_fails_calls_for_a_while_after_a_failure() -> None:
    endpoint = Endpoint()
    assert endpoint.breaker.cause() is None
    endpoint.breaker.failed("down", began=0.0)
    assert endpoint.breaker.cause() == "down"
    endpoint.now += 29
    assert endpoint.breaker.cause() == "down"


def test_breaker_lets_one_call_try_again() -> None:
    endpoint = Endpoint()
    endpoint.breaker.failed("down", began=0.0)
    endpoint.now += 31
    assert [endpoint.breaker.cause() for _ in range(3)] == [None, "down", "down"]
    endpoint.breaker.succeeded()
    assert endpoint.breaker.cause() is None


def test_breaker_stays_closed_when_another_call_got_through() -> None:
    endpoint = Endpoint(now=5.0)
    endpoint.breaker.succeeded()
    endpoint.breaker.failed("cut", began=3.0)
    assert endpoint.breaker.cause() is None
