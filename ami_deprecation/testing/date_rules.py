"""EC2's rules for deprecation dates: pure functions of values and an explicit now.

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html and the API reference of
EnableImageDeprecation and DisableImageDeprecation. These pages give the rules but not the error
codes: a comment marks each code that is our choice.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ..image import BROKEN_STATES, GONE_STATES
from .wire import EC2Error

_MAX_YEARS = 10
_MAX_PUBLIC_YEARS = 2
_UNCHANGEABLE = GONE_STATES | BROKEN_STATES | {"pending", "transient"}


def parse_time(text: str) -> datetime:
    """Read a timestamp as the SDKs send it, such as ``2030-01-01T00:00:00Z``.

    Raises:
        EC2Error: it is not a timestamp. The code is our choice.
    """
    try:
        return read_time(text)
    except ValueError:
        raise EC2Error("InvalidParameterValue", f"Invalid value '{text}' for DeprecateAt.") from None


def read_time(text: str) -> datetime:
    """Read a time of an answer; without an offset it is in UTC.

    Raises:
        ValueError: it is not a time.
    """
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)


def format_time(when: datetime) -> str:
    """A time as DescribeImages writes it, ``2025-05-01T00:00:00.000Z``."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def to_minute(when: datetime) -> datetime:
    """Round to the nearest minute, half a minute up.

    "Nearest minute" is documented, half a minute is not: up is what Packer and Terraform expect.
    """
    return (when + timedelta(seconds=30)).replace(second=0, microsecond=0)


def years_after(when: datetime, years: int) -> datetime:
    """The same calendar day ``years`` later; 29 February becomes 28 February."""
    try:
        return when.replace(year=when.year + years)
    except ValueError:
        return when.replace(year=when.year + years, day=28)


def public_date(created: datetime, current: datetime | None) -> datetime:
    """The date that a public image has: two years after creation, or its own if that is earlier."""
    latest = years_after(created, _MAX_PUBLIC_YEARS)
    return latest if current is None else min(current, latest)


def check_state(image_id: str, state: str) -> None:
    """Raise when the attributes of an image in ``state`` cannot be changed.

    "Error codes for the EC2 API" names InvalidAMIID.Unavailable for such states. A disabled image
    passes: no page says that its date cannot be changed.
    """
    if state in _UNCHANGEABLE:
        raise EC2Error("InvalidAMIID.Unavailable", f"The image id '[{image_id}]' is no longer available")


def check_date(
    when: datetime, *, now: datetime, created: datetime, public: bool, current: datetime | None
) -> None:
    """Raise when EC2 would refuse ``when``, which is on a whole minute already.

    The codes are our choice: no public page or report names them.
    """
    if when <= now:
        raise EC2Error("InvalidParameterValue", "The deprecation date cannot be in the past.")
    if when > years_after(now, _MAX_YEARS):
        raise EC2Error("InvalidParameterValue", "The deprecation date cannot be more than 10 years from now.")
    if not public:
        return
    if when > years_after(created, _MAX_PUBLIC_YEARS):
        raise EC2Error(
            "OperationNotPermitted",
            "The deprecation date of a public AMI cannot be more than two years after its creation date.",
        )
    if current is not None and when > to_minute(current):
        raise EC2Error(
            "OperationNotPermitted", "The deprecation date of a public AMI cannot be moved to a later date."
        )


def check_cancel(*, public: bool, current: datetime | None) -> None:
    """Raise when EC2 would refuse to cancel. The code is our choice."""
    if public and current is not None:
        raise EC2Error("OperationNotPermitted", "The deprecation of a public AMI cannot be canceled.")
