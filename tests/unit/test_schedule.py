"""Dates: what a user may write, what it becomes, and how far EC2 goes."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone, tzinfo
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ami_deprecation import InvalidInput, dates

UTC = timezone.utc
JUNE = datetime(2027, 6, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hours(offset: float) -> tzinfo:
    return timezone(timedelta(hours=offset))


@pytest.mark.parametrize(
    ("spelling", "normal"),
    [
        ("2027-06-01T00:00:00Z", "2027-06-01T00:00:00Z"),
        ("2027-06-01t00:00:00z", "2027-06-01T00:00:00Z"),
        ("2027-06-01 00:00:00Z", "2027-06-01T00:00:00Z"),
        ("2027-06-01T02:00:00+02:00", "2027-06-01T00:00:00Z"),
        ("2027-05-31T19:30:00-04:30", "2027-06-01T00:00:00Z"),
        ("2027-06-01T00:00:00-00:00", "2027-06-01T00:00:00Z"),
        ("2027-06-01T00:00:29.999999999Z", "2027-06-01T00:00:00Z"),
        ("2027-06-01T00:00:30Z", "2027-06-01T00:01:00Z"),
        ("2027-06-01T00:01:30Z", "2027-06-01T00:02:00Z"),
        ("2027-12-31T23:59:30Z", "2028-01-01T00:00:00Z"),
        ("2028-02-29T23:59:59.5Z", "2028-03-01T00:00:00Z"),
        ("2027-06-01", "2027-06-01T00:00:00Z"),
        ("0999-06-01", "0999-06-01T00:00:00Z"),
        ("2028-06-01 00:00:00 +0000 UTC", "2028-06-01T00:00:00Z"),
        ("2028-06-01 02:00:00 +0200 CEST", "2028-06-01T00:00:00Z"),
        ("2028-06-01 02:00:00 +0200 +0200", "2028-06-01T00:00:00Z"),
        ("2028-05-31 18:59:45.5 -0500 EST", "2028-06-01T00:00:00Z"),
        (date(2027, 6, 1), "2027-06-01T00:00:00Z"),
        (JUNE, "2027-06-01T00:00:00Z"),
        (datetime(2027, 6, 1, 2, tzinfo=hours(2)), "2027-06-01T00:00:00Z"),
        (datetime(2027, 6, 1, 0, 0, 29, 999_999, tzinfo=UTC), "2027-06-01T00:00:00Z"),
        (datetime(2027, 6, 1, 0, 0, 30, tzinfo=UTC), "2027-06-01T00:01:00Z"),
    ],
)
def test_date_has_one_normal_form(spelling: object, normal: str) -> None:
    assert dates.to_text(dates.parse(spelling)) == normal


NO_ZONE = "has no time zone"
NO_RFC = "is not a date in RFC 3339"
NO_DAY = "is not a valid date and time"


@pytest.mark.parametrize(
    ("value", "named", "reason"),
    [
        ("2027-06-01T00:00:00", "'2027-06-01T00:00:00'", NO_ZONE),
        ("2027-06-01 00:00", "'2027-06-01 00:00'", NO_ZONE),
        ("2027-06-01t12:30:15.5", "'2027-06-01t12:30:15.5'", NO_ZONE),
        (datetime(2027, 6, 1), "2027-06-01T00:00:00", NO_ZONE),  # noqa: DTZ001  # what is refused
        ("2030", "'2030'", NO_RFC),
        ("10", "'10'", NO_RFC),
        ("1500000000", "'1500000000'", NO_RFC),
        ("06/01/2027", "'06/01/2027'", NO_RFC),
        ("2027-6-1", "'2027-6-1'", NO_RFC),
        ("2027-06", "'2027-06'", NO_RFC),
        ("20270601T000000Z", "'20270601T000000Z'", NO_RFC),
        ("2027-W22-2", "'2027-W22-2'", NO_RFC),
        ("2027-06-01T00:00Z", "'2027-06-01T00:00Z'", NO_RFC),
        ("2027-06-01T00:00:00+02", "'2027-06-01T00:00:00+02'", NO_RFC),
        ("2027-06-01T00:00:00 UTC", "'2027-06-01T00:00:00 UTC'", NO_RFC),
        ("2027-06-01T00:00:00.Z", "'2027-06-01T00:00:00.Z'", NO_RFC),
        ("2027-06-01Z", "'2027-06-01Z'", NO_RFC),
        ("2027-06-01T00:00:00Z\n", r"'2027-06-01T00:00:00Z\n'", NO_RFC),
        ("2027-06-01T00:00:00Z, about", "'2027-06-01T00:00:00Z, about'", NO_RFC),
        (" 2027-06-01", "' 2027-06-01'", NO_RFC),
        ("2027-06-01 ", "'2027-06-01 '", NO_RFC),
        ("\u0662\u0660\u0662\u0667-06-01", "'\u0662\u0660\u0662\u0667-06-01'", NO_RFC),  # Arabic-Indic
        ("\uff12\uff10\uff12\uff17-06-01", "'\uff12\uff10\uff12\uff17-06-01'", NO_RFC),  # full-width
        ("tomorrow", "'tomorrow'", NO_RFC),
        ("2027-02-30", "'2027-02-30'", NO_DAY),
        ("2027-02-29T00:00:00Z", "'2027-02-29T00:00:00Z'", NO_DAY),
        ("2027-13-01", "'2027-13-01'", NO_DAY),
        ("2027-00-01", "'2027-00-01'", NO_DAY),
        ("0000-01-01", "'0000-01-01'", NO_DAY),
        ("2027-06-01T24:00:00Z", "'2027-06-01T24:00:00Z'", NO_DAY),
        ("2027-06-01T23:60:00Z", "'2027-06-01T23:60:00Z'", NO_DAY),
        ("2016-12-31T23:59:60Z", "'2016-12-31T23:59:60Z'", NO_DAY),
        ("2027-06-01T00:00:61Z", "'2027-06-01T00:00:61Z'", NO_DAY),
        ("2027-06-01T00:00:00+24:00", "'2027-06-01T00:00:00+24:00'", NO_DAY),
        ("2027-06-01T00:00:00+02:60", "'2027-06-01T00:00:00+02:60'", NO_DAY),
        ("2027-02-30 00:00:00 +0000 UTC", "'2027-02-30 00:00:00 +0000 UTC'", NO_DAY),
        ("9999-12-31T23:59:45Z", "'9999-12-31T23:59:45Z'", NO_DAY),
        ("0001-01-01T00:00:00+01:00", "'0001-01-01T00:00:00+01:00'", NO_DAY),
        ("", "empty", "the text is empty"),
        (" \t ", "empty", "the text is empty"),
        (2030, "2030", "is not a date but a number"),
        (2030.0, "2030", "is not a date but a number"),
        (1.5e9, "1500000000", "is not a date but a number"),
        (1798761600.0, "1798761600", "is not a date but a number"),
        (math.nan, "nan", "is not a date but a number"),
        (True, "True", "is not a date but a boolean"),
        (False, "False", "is not a date but a boolean"),
        (None, "None", "is not a date but a NoneType"),
        (b"2027-06-01", "b'2027-06-01'", "is not a date but a bytes"),
        (["2027-06-01"], "['2027-06-01']", "is not a date but a list"),
        (timedelta(days=3), "datetime.timedelta(days=3)", "is not a date but a timedelta"),
    ],
)
def test_bad_date_is_refused_with_fix(value: object, named: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        dates.parse(value)
    sentence = str(caught.value)
    assert named in sentence
    assert reason in sentence
    assert sentence.endswith("write 2027-06-01T00:00:00Z, 2027-06-01T02:00:00+02:00 or 2027-06-01")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "edge",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=hours(1)),
        datetime.max.replace(tzinfo=hours(-1)),
    ],
)
def test_datetime_at_calendar_edge_is_refused(edge: datetime) -> None:
    with pytest.raises(InvalidInput, match="is not a valid date and time"):
        dates.parse(edge)


# An offset as RFC 3339 can write it: whole minutes, less than a day.
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Two days from the calendar's ends: an offset or the rounding must not lead out of it.
moments = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=offsets,
)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, datetime]:
    """Text that RFC 3339 or Go's time.String() may use for a moment, and the moment."""
    when = draw(moments)
    offset = when.strftime("%z")
    fraction = draw(st.sampled_from(["", f".{when.microsecond:06d}"]))
    if not fraction:
        when = when.replace(microsecond=0)
    day, clock = f"{when.year:04d}-{when:%m-%d}", f"{when:%H:%M:%S}{fraction}"
    if draw(st.booleans()):
        zone = draw(st.sampled_from(["UTC", "CEST", offset]))
        return f"{day} {clock} {offset} {zone}", when
    shown = draw(st.sampled_from(["Z", "z"])) if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return f"{day}{draw(st.sampled_from('Tt '))}{clock}{shown}", when


def whole_minutes(when: datetime) -> int:
    """The nearest minute, half up, counted from 1970: with fractions, and nothing of the package's own."""
    since = when - EPOCH
    seconds = Fraction(since.days * 86_400 + since.seconds) + Fraction(since.microseconds, 1_000_000)
    return math.floor(seconds / 60 + Fraction(1, 2))


@given(moments)
@example(datetime(2027, 6, 1, 0, 0, 30, tzinfo=UTC))
@example(datetime(2027, 6, 1, 0, 1, 30, tzinfo=UTC))
@example(datetime(2027, 6, 1, 0, 0, 29, 999_999, tzinfo=UTC))
@example(datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC))
def test_seconds_round_half_up_to_utc_minute(when: datetime) -> None:
    parsed = dates.parse(when)
    assert parsed == EPOCH + timedelta(minutes=whole_minutes(when))
    assert (parsed.second, parsed.microsecond, parsed.tzinfo) == (0, 0, UTC)


@given(spellings())
def test_text_is_parsed_to_its_instant(spelled: tuple[str, datetime]) -> None:
    text, when = spelled
    assert dates.parse(text) == dates.parse(when)


@given(st.one_of(moments, spellings().map(lambda spelled: spelled[0]), st.dates()))
def test_normal_form_is_stable(value: object) -> None:
    once = dates.parse(value)
    text = dates.to_text(once)
    assert dates.parse(text) == once
    assert dates.to_text(dates.parse(text)) == text


@given(moments, offsets)
def test_two_offsets_of_one_instant_are_one_date(when: datetime, offset: timezone) -> None:
    assert dates.to_text(dates.parse(when)) == dates.to_text(dates.parse(when.astimezone(offset)))


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="0123456789-+:.TtZz UC", max_size=35),
        st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?[Zz+-].*)?"),
        st.floats(),
        st.integers(),
        st.booleans(),
        st.none(),
        st.binary(),
        st.datetimes(),
        st.datetimes(timezones=offsets),
        st.dates(),
        st.lists(st.text()),
    )
)
def test_any_date_is_utc_minute_or_sentence(value: object) -> None:
    try:
        parsed = dates.parse(value)
    except InvalidInput:
        return
    assert (parsed.second, parsed.microsecond, parsed.tzinfo) == (0, 0, UTC)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2025-05-01T00:00:00.000Z", datetime(2025, 5, 1, tzinfo=UTC)),
        ("2024-04-29T00:43:52.000Z", datetime(2024, 4, 29, 0, 43, 52, tzinfo=UTC)),
        ("2024-04-29T00:43:52Z", datetime(2024, 4, 29, 0, 43, 52, tzinfo=UTC)),
    ],
)
def test_ec2_dates_keep_their_seconds(text: str, when: datetime) -> None:
    assert dates.parse_ec2(text) == when


def test_creation_date_is_shown_to_second() -> None:
    assert dates.to_exact_text(datetime(2026, 6, 1, 12, 20, 30, tzinfo=hours(2))) == "2026-06-01T10:20:30Z"


def test_less_than_two_minutes_ahead_is_past() -> None:
    now = datetime(2027, 1, 1, 12, 0, 30, tzinfo=UTC)
    assert dates.is_past(now - timedelta(days=1), now)
    assert dates.is_past(now + timedelta(minutes=2) - timedelta(microseconds=1), now)
    assert not dates.is_past(now + timedelta(minutes=2), now)


@given(moments)
def test_soonest_minute_is_first_that_is_not_past(now: datetime) -> None:
    soonest = dates.soonest(now)
    assert dates.to_minute(soonest) == soonest
    assert not dates.is_past(soonest, now)
    assert dates.is_past(soonest - timedelta(minutes=1), now)


def test_days_after_creation_are_of_24_hours() -> None:
    created = datetime(2026, 6, 1, 10, 20, 45, tzinfo=UTC)
    assert dates.after_days(created, 0) == datetime(2026, 6, 1, 10, 21, tzinfo=UTC)
    assert dates.after_days(created, 365) == datetime(2027, 6, 1, 10, 21, tzinfo=UTC)


def test_zero_days_are_soonest_date() -> None:
    now = datetime(2027, 1, 1, 12, 0, 30, tzinfo=UTC)
    assert dates.in_days(now, 0) == datetime(2027, 1, 1, 12, 3, tzinfo=UTC)
    assert dates.in_days(now, 30) == datetime(2027, 1, 31, 12, 1, tzinfo=UTC)


@given(moments, st.integers(0, dates.MAX_DAYS))
def test_in_days_never_gives_past_date(now: datetime, days: int) -> None:
    assume(now.year < 9999 - 101)
    when = dates.in_days(now, days)
    assert not dates.is_past(when, now)
    assert abs(when - (now + timedelta(days=days))) <= (
        timedelta(seconds=30) if days else dates.MIN_AHEAD + timedelta(minutes=1)
    )


def test_private_image_may_have_date_in_ten_years() -> None:
    now = datetime(2027, 1, 1, 12, 0, 30, tzinfo=UTC)
    assert dates.latest(now, created=EPOCH, public=False) == datetime(2037, 1, 1, 12, tzinfo=UTC)


def test_public_image_takes_two_years_from_creation() -> None:
    created = datetime(2026, 6, 1, 10, 20, 45, tzinfo=UTC)
    assert dates.latest(JUNE, created=created, public=True) == datetime(2028, 6, 1, 10, 20, tzinfo=UTC)


def test_years_from_29_february_end_on_1_march() -> None:
    leap_day = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert dates.latest(leap_day, created=leap_day, public=False) == datetime(2038, 3, 1, 12, tzinfo=UTC)
    assert dates.latest(leap_day, created=leap_day, public=True) == datetime(2030, 3, 1, 12, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=offsets))  # noqa: DTZ001
def test_ten_year_limit_allows_3650_days(now: datetime) -> None:
    assert dates.latest(now, created=now, public=False) > now + timedelta(days=3650)
    assert dates.latest(now, created=now, public=True) >= now + timedelta(days=729)
