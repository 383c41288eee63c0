"""Where an image stands in a report, and what makes the gate say no."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ami_deprecation.cli.report.rows import State, is_due, is_in_use, ordered
from ami_deprecation.ec2.listing import Reference
from tests.support.cli_samples import NOW, image, row

TEMPLATE = Reference("ec2:LaunchTemplate", "arn:aws:ec2:eu-west-1:123456789012:launch-template/lt-1")
TWO_WEEKS = timedelta(days=14)
QUARTER = timedelta(days=90)


@pytest.mark.parametrize(
    ("due", "state", "expected", "days"),
    [
        (None, "available", State.NONE, None),
        (10.5, "available", State.SCHEDULED, 10),
        (0.5, "available", State.SCHEDULED, 0),
        (0, "available", State.DEPRECATED, 0),
        (-0.5, "available", State.DEPRECATED, 0),
        (-3.5, "available", State.DEPRECATED, -3),
        (10, "disabled", State.DISABLED, 10),
        (None, "disabled", State.DISABLED, None),
        (10, "pending", State.SCHEDULED, 10),
    ],
)
def test_state_and_days_follow_from_date(
    due: float | None, state: str, expected: State, days: int | None
) -> None:
    made = row(image(due=due, state=state))
    assert (made.state, made.days_left) == (expected, days)


def test_next_date_comes_first_and_images_without_one_last() -> None:
    made = [row(image(name, due=due)) for name, due in [("c", None), ("b", 9), ("a", None), ("d", -9)]]
    assert [each.image.name for each in ordered(made)] == ["d", "b", "a", "c"]


@pytest.mark.parametrize(
    ("due", "state", "expected"),
    [
        (13, "available", True),
        (15, "available", False),
        (-400, "available", True),
        (None, "available", False),
        (13, "disabled", False),
    ],
)
def test_due_includes_passed_dates_and_no_disabled_image(
    due: float | None, state: str, expected: bool
) -> None:
    assert is_due(row(image(due=due, state=state)), NOW, TWO_WEEKS) is expected


def test_reference_or_recent_launch_is_use() -> None:
    assert is_in_use(row(image(), TEMPLATE), NOW, QUARTER)
    assert is_in_use(row(image(launched=89)), NOW, QUARTER)
    assert not is_in_use(row(image(launched=91)), NOW, QUARTER)
    assert not is_in_use(row(image(), known=True), NOW, QUARTER)


def test_record_has_exactly_documented_keys() -> None:
    assert row(image("web-1", number=255, due=10, launched=2), TEMPLATE).record() == {
        "name": "web-1",
        "image_id": "ami-000000000000000ff",
        "region": "eu-west-1",
        "owner_id": "123456789012",
        "created": "2026-10-07T12:00:00Z",
        "deprecation_time": "2027-01-25T12:00:00Z",
        "days_left": 10,
        "state": "scheduled",
        "last_launched": "2027-01-13T12:00:00Z",
        "public": False,
        "used_by": [{"resource_type": TEMPLATE.resource_type, "arn": TEMPLATE.arn}],
        "highest_severity": None,
        "oldest_fix_severity": None,
        "oldest_fix_since": None,
        "instances": None,
    }
    assert row(image()).record()["used_by"] is None
