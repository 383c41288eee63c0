"""Images of a fleet, for tests of the selection."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from ami_deprecation.image import Image

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def image(number: int, age: float = 0, **fields: object) -> Image:
    """An image made so many days before START."""
    plain = Image(f"ami-{number:017x}", f"web-{number}", "eu-west-1", "123456789012", START - age * DAY)
    return replace(plain, **fields)  # type: ignore[arg-type]  # a test's own fields
