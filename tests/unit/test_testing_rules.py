"""EC2's rules for dates, as LocalEC2 keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.testing import date_rules
from ami_deprecation.testing.wire import EC2Error

TIMES = st.datetimes(datetime(2007, 1, 1), datetime(2090, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(TIMES)
def test_rounding_goes_to_nearest_minute_and_half_goes_up(when: datetime) -> None:
    rounded = date_rules.to_minute(when)
    assert (rounded.second, rounded.microsecond) == (0, 0)
    assert -timedelta(seconds=30) < rounded - when <= timedelta(seconds=30)
    assert date_rules.to_minute(rounded) == rounded


@given(TIMES, st.integers(min_value=0, max_value=10))
def test_years_later_is_same_day(when: datetime, years: int) -> None:
    later = date_rules.years_after(when, years)
    assert later.year == when.year + years
    assert later.timetz() == when.timetz()
    assert (later.month, later.day) in {(when.month, when.day), (2, 28)}


def test_29_february_ends_on_28th() -> None:
    leap = datetime(2028, 2, 29, tzinfo=timezone.utc)
    assert date_rules.years_after(leap, 2) == datetime(2030, 2, 28, tzinfo=timezone.utc)


@given(TIMES, st.one_of(st.none(), TIMES))
def test_public_image_keeps_earlier_date_only(created: datetime, current: datetime | None) -> None:
    date = date_rules.public_date(created, current)
    assert date <= date_rules.years_after(created, 2)
    assert date == current or date == date_rules.years_after(created, 2)


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-13-01T00:00:00Z"])
def test_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(EC2Error) as error:
        date_rules.parse_time(text)
    assert error.value.code == "InvalidParameterValue"


def test_times_are_read_and_written_in_utc() -> None:
    when = date_rules.parse_time("2030-01-01T02:00:00+02:00")
    assert date_rules.format_time(when) == "2030-01-01T00:00:00.000Z"
