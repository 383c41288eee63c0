"""Dates: parse, round, normal form and limits. Pure; the time of day is always an argument.

A date is an aware ``datetime`` in UTC on a whole minute inside, and ``YYYY-MM-DDTHH:MM:00Z`` outside.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from .errors import InvalidInput

#: A date nearer than this counts as past: the call has to reach EC2, whose clock may be ahead of ours.
MIN_AHEAD = timedelta(minutes=2)

#: No schedule reaches further (a hundred years), so that adding days cannot overflow a datetime.
MAX_DAYS = 36_525

_YEARS_AHEAD = 10
_PUBLIC_YEARS = 2

_DATE = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_TIME = r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?P<fraction>\.[0-9]+)?"
_RFC3339 = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}(?P<offset>[Zz]|[+-][0-9]{{2}}:[0-9]{{2}}))?")
# YAML's own timestamp, as Pulumi hands an unquoted date in a stack file to the program: Go's time.String().
_GO_TIME = re.compile(rf"{_DATE} {_TIME} (?P<offset>[+-][0-9]{{4}}) [A-Z0-9+-]+")
_NAIVE = re.compile(rf"{_DATE}[Tt ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?")

_HOW = "write 2027-06-01T00:00:00Z, 2027-06-01T02:00:00+02:00 or 2027-06-01"


def parse(value: object) -> datetime:
    """Read a date as a user writes it, rounded to the minute.

    Accepts RFC 3339 text with an offset, a bare date (midnight UTC), a ``datetime.date``, an aware
    ``datetime``, and the text that Pulumi makes of an unquoted YAML date.

    Raises:
        InvalidInput: for anything else, with a sentence that says what is wrong and how to write it.
    """
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InvalidInput(f"{value.isoformat()} has no time zone; {_HOW}")
        try:
            return to_minute(value)
        except OverflowError:
            raise InvalidInput(f"{value.isoformat()} is not a valid date and time; {_HOW}") from None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    if isinstance(value, bool) or not isinstance(value, str):
        shown = f"{value:.15g}" if isinstance(value, float) else repr(value)
        raise InvalidInput(f"{shown} is not a date but a {_kind(value)}; {_HOW}")
    return _parse_text(value)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


@lru_cache(maxsize=1024)  # a run without changes reads each date several times, and hardly does anything else
def _parse_text(text: str) -> datetime:
    if not text.strip():
        raise InvalidInput(f"the text is empty; {_HOW}")
    match = _RFC3339.fullmatch(text) or _GO_TIME.fullmatch(text)
    if match is None:
        if _NAIVE.fullmatch(text):
            raise InvalidInput(f"{text!r} has no time zone; {_HOW}")
        raise InvalidInput(f"{text!r} is not a date in RFC 3339; {_HOW}")
    clock = match["time"] or "00:00:00"
    offset = (match["offset"] or "Z").upper().replace("Z", "+0000").replace(":", "")
    fraction = (match["fraction"] or ".0")[:7]
    try:
        # A leap second passes strptime's own pattern; datetime then refuses it, as EC2 does.
        return to_minute(
            datetime.strptime(f"{match['date']} {clock}{fraction} {offset}", "%Y-%m-%d %H:%M:%S.%f %z")
        )
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text!r} is not a valid date and time; {_HOW}") from None


def parse_ec2(text: str) -> datetime:
    """Read a timestamp that EC2 answered (``2025-05-01T00:43:52.000Z``), seconds kept."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def to_minute(when: datetime) -> datetime:
    """Round to the nearest minute, half up, as EC2 does; the result is in UTC."""
    return (when.astimezone(timezone.utc) + timedelta(seconds=30)).replace(second=0, microsecond=0)


def to_text(when: datetime) -> str:
    """The one text form of a date: ``YYYY-MM-DDTHH:MM:00Z``."""
    # isoformat, because strftime's %Y has no leading zeros everywhere.
    return f"{to_minute(when).replace(tzinfo=None).isoformat()}Z"


def to_exact_text(when: datetime) -> str:
    """A timestamp that is not a date of ours (a creation date), to the second."""
    return f"{when.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def is_past(when: datetime, now: datetime) -> bool:
    """Whether a date is in the past, or too near to be set now."""
    return when < now + MIN_AHEAD


def soonest(now: datetime) -> datetime:
    """The first whole minute that EC2 is sure to accept."""
    earliest = now.astimezone(timezone.utc) + MIN_AHEAD
    whole = earliest.replace(second=0, microsecond=0)
    return whole if whole == earliest else whole + timedelta(minutes=1)


def after_days(start: datetime, days: int) -> datetime:
    """The date that many days of 24 hours after an image's creation.

    Raises:
        ValueError: it is beyond the calendar.
    """
    try:
        return to_minute(start + timedelta(days=days))
    except OverflowError:
        raise ValueError(f"{start.isoformat()} plus {days} days is beyond the calendar") from None


def in_days(now: datetime, days: int) -> datetime:
    """The date that many days from now; 0 is now, which means the soonest minute that EC2 accepts."""
    return max(to_minute(now + timedelta(days=days)), soonest(now))


def latest(now: datetime, *, created: datetime, public: bool) -> datetime:
    """The last whole minute that EC2 accepts: ten years from now, for a public image two from its creation.

    Whether EC2 counts ten years as 3,650 days or by the calendar is documented nowhere, so the later
    of the two is taken here, and EC2 decides about the days between. Its own dates on public images
    follow the calendar.
    """
    furthest = _add_years(now, _YEARS_AHEAD)
    if public:
        furthest = min(furthest, _add_years(created, _PUBLIC_YEARS))
    return furthest.astimezone(timezone.utc).replace(second=0, microsecond=0)


def _add_years(when: datetime, years: int) -> datetime:
    try:
        return when.replace(year=when.year + years)
    except ValueError:  # 29 February
        return when.replace(year=when.year + years, month=3, day=1)
