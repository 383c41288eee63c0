"""An image: its date on the minute, and whether that has come."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from ami_deprecation import Image
from tests.support.samples import ACCOUNT, CREATED, GONE_BY, IMAGE_ID, NOW, REGION, SUMMER, image


def test_date_with_seconds_is_compared_on_minute() -> None:
    assert image(SUMMER + timedelta(seconds=29)).date == SUMMER
    assert image(SUMMER - timedelta(seconds=30)).date == SUMMER
    assert image(SUMMER + timedelta(seconds=30)).date == SUMMER + timedelta(minutes=1)
    assert image(None).date is None


def test_image_is_deprecated_from_its_date() -> None:
    assert image(NOW).is_deprecated(NOW)
    assert image(NOW).is_deprecated(NOW + timedelta(days=1))
    assert not image(NOW).is_deprecated(NOW - timedelta(seconds=1))
    assert not image(None).is_deprecated(NOW)


def test_is_deprecated_defaults_to_now() -> None:
    assert image(CREATED.replace(year=2001)).is_deprecated()
    assert not image(GONE_BY.replace(year=9000)).is_deprecated()


def test_minimal_image_is_accepted() -> None:
    plain = Image(id=IMAGE_ID, name="", region=REGION, owner_id=ACCOUNT, creation_date=CREATED)
    assert (plain.state, plain.public, plain.tags, plain.deprecation_time) == ("available", False, {}, None)


def test_image_is_frozen() -> None:
    plain = image()
    with pytest.raises(FrozenInstanceError):
        plain.name = "other"  # type: ignore[misc]  # what is tried
    with pytest.raises(TypeError):
        plain.tags["a"] = "b"  # type: ignore[index]  # likewise
