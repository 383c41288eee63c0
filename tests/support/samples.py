"""Values that many unit tests begin with: an image, a state and what a program says, each in one call."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ami_deprecation import Image
from ami_deprecation.core.inputs import At, Inputs, Schedule
from ami_deprecation.core.state import Applied, State

IMAGE_ID = "ami-0123456789abcdef0"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2027, 1, 1, 12, tzinfo=timezone.utc)
CREATED = datetime(2026, 6, 1, 10, 20, 30, tzinfo=timezone.utc)
SUMMER = datetime(2027, 6, 1, tzinfo=timezone.utc)
AUTUMN = datetime(2027, 9, 1, tzinfo=timezone.utc)
GONE_BY = datetime(2026, 12, 1, tzinfo=timezone.utc)
SETTLE = timedelta(minutes=2)


def image(date: datetime | None = None, **changes: Any) -> Image:
    """An available, private image of our own."""
    facts: dict[str, Any] = {
        "id": IMAGE_ID,
        "name": "web",
        "region": REGION,
        "owner_id": ACCOUNT,
        "creation_date": CREATED,
        "deprecation_time": date,
    }
    return Image(**facts | changes)


def inputs(schedule: Schedule | None = None, **changes: Any) -> Inputs:
    """What a program says: by default, a date in summer."""
    return Inputs(**{"image_id": IMAGE_ID, "schedule": schedule or At(SUMMER)} | changes)


def state(scheduled: datetime | None = SUMMER, **changes: Any) -> State:
    """What the last run left: by default, our date on the image, written long ago."""
    facts: dict[str, Any] = {
        "inputs": inputs(At(scheduled) if scheduled else None),
        "region": REGION,
        "live": scheduled,
        "scheduled": scheduled,
        "creation_date": CREATED,
        "owner_id": ACCOUNT,
        "image_name": "web",
    }
    return State(**facts | changes)


def written(seconds_ago: float, over: datetime | None = None) -> Applied:
    """A write of ours."""
    return Applied(NOW - timedelta(seconds=seconds_ago), () if over is None else (over,))
