"""What EC2 allows, and what is done: decided from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import (
    AmiDeprecationError,
    Image,
    ImageNotFound,
    NotImageOwner,
    RequestRefused,
    dates,
)
from ami_deprecation.core import rules
from ami_deprecation.core.inputs import UNKNOWN, AfterDays, At, InDays, Inputs, Notice, Schedule
from tests.support.samples import (
    ACCOUNT,
    AUTUMN,
    CREATED,
    GONE_BY,
    IMAGE_ID,
    NOW,
    REGION,
    SUMMER,
    image,
    inputs,
    state,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ami_deprecation.core.rules import Refusal
    from ami_deprecation.core.state import State

MINUTE = timedelta(minutes=1)


def refusal(image: Image | None, when: datetime, wanted: Schedule | None = None) -> Refusal | None:
    return rules.date_refusal(image, wanted or At(when), when, NOW)


# What is wrong with an image.


@pytest.mark.parametrize("status", ["available", "pending", "disabled", "transient"])
def test_own_image_is_accepted_in_every_usable_state(status: str) -> None:
    assert rules.image_refusal(image(state=status), IMAGE_ID, REGION, ACCOUNT) is None
    assert rules.image_refusal(image(state=status), IMAGE_ID, REGION, None) is None


@pytest.mark.parametrize(
    ("seen", "error", "words"),
    [
        (None, ImageNotFound, "is not found in eu-west-1: check the image id"),
        (image(state="deregistered"), ImageNotFound, "is deregistered in eu-west-1: check the image id"),
        (image(state="failed"), RequestRefused, "in eu-west-1 is in state failed"),
        (image(state="error"), RequestRefused, "in eu-west-1 is in state error"),
        (image(state="invalid"), RequestRefused, "in eu-west-1 is in state invalid"),
        (
            image(owner_id="999999999999"),
            NotImageOwner,
            "is owned by account 999999999999 and the credentials are of account 123456789012",
        ),
    ],
)
def test_unusable_image_is_refused_with_reason(
    seen: Image | None, error: type[AmiDeprecationError], words: str
) -> None:
    refused = rules.image_refusal(seen, IMAGE_ID, REGION, ACCOUNT)
    assert refused is not None
    assert (refused.property, refused.error) == ("image_id", error)
    assert refused.sentence.startswith(IMAGE_ID)
    assert words in refused.sentence


def test_unknown_caller_is_not_refused() -> None:
    assert rules.image_refusal(image(owner_id="999999999999"), IMAGE_ID, REGION, None) is None


# What is wrong with a date.


def test_date_is_past_until_two_minutes_ahead() -> None:
    assert refusal(image(), NOW + 2 * MINUTE) is None
    refused = refusal(image(), NOW + MINUTE)
    assert refused is not None
    assert (refused.property, refused.error) == ("deprecate_at", RequestRefused)
    assert refused.sentence.startswith("2027-01-01T12:01:00Z is in the past or less than two minutes away")
    assert "EC2's clock: 2027-01-01T12:00:00Z" in refused.sentence
    assert "deprecate_in_days=0" in refused.sentence


def test_past_date_that_image_has_is_accepted() -> None:
    assert refusal(image(GONE_BY), GONE_BY) is None
    assert refusal(image(GONE_BY + timedelta(seconds=29)), GONE_BY) is None
    assert refusal(image(GONE_BY + MINUTE), GONE_BY) is not None
    assert refusal(None, GONE_BY) is not None


def test_ten_years_are_allowed_to_minute() -> None:
    last = datetime(2037, 1, 1, 12, tzinfo=timezone.utc)
    assert refusal(image(), last) is None
    assert refusal(None, last) is None
    for seen in (image(), None):
        refused = refusal(seen, last + MINUTE)
        assert refused is not None
        assert refused.sentence == (
            "2037-01-01T12:01:00Z is later than EC2 allows: ten years from now, so 2037-01-01T12:00:00Z at the latest; "
            "give an earlier date"
        )


def test_public_image_has_two_years_from_creation() -> None:
    last = datetime(2028, 6, 1, 10, 20, tzinfo=timezone.utc)
    assert refusal(image(public=True), last) is None
    refused = refusal(image(public=True), last + MINUTE)
    assert refused is not None
    assert refused.sentence.startswith("2028-06-01T10:21:00Z is later than EC2 allows for a public image")
    assert "so 2028-06-01T10:20:00Z at the latest" in refused.sentence
    assert "make the image private first" in refused.sentence
    assert refusal(image(public=False), last + MINUTE) is None


def test_old_public_image_takes_no_date() -> None:
    old = image(public=True, creation_date=NOW - timedelta(days=800))
    refused = refusal(old, SUMMER)
    assert refused is not None
    assert "two years from its creation" in refused.sentence


def test_public_images_date_moves_only_earlier() -> None:
    assert refusal(image(AUTUMN, public=True), SUMMER) is None
    assert refusal(image(SUMMER, public=True), SUMMER) is None
    assert refusal(image(SUMMER), AUTUMN) is None
    refused = refusal(image(SUMMER, public=True), AUTUMN)
    assert refused is not None
    assert refused.error is RequestRefused
    assert refused.sentence.startswith(
        "2027-09-01T00:00:00Z is later than 2027-06-01T00:00:00Z, the date that"
    )


@pytest.mark.parametrize(
    ("wanted", "named"),
    [(At(GONE_BY), "deprecate_at"), (AfterDays(1), "deprecate_after_days"), (InDays(1), "deprecate_in_days")],
)
def test_refusal_names_input_that_gave_date(wanted: Schedule, named: str) -> None:
    refused = refusal(image(), GONE_BY, wanted)
    assert refused is not None
    assert refused.property == named


def test_refused_sum_of_days_is_shown_with_its_parts() -> None:
    when = dates.after_days(CREATED, 30)
    refused = refusal(image(), when, AfterDays(30))
    assert refused is not None
    assert refused.sentence.startswith(
        "2026-06-01 plus 30 days is 2026-07-01T10:21:00Z, which is in the past"
    )


# Which date a schedule means.


def test_schedules_are_settled_without_a_clock() -> None:
    on_autumn = state(AUTUMN, inputs=inputs(InDays(1)))
    assert rules.settled_date(At(SUMMER), on_autumn) == SUMMER
    first_day = datetime(2026, 6, 2, 10, 21, tzinfo=timezone.utc)
    assert rules.settled_date(AfterDays(1), None, image()) == first_day
    assert rules.settled_date(AfterDays(1), on_autumn) == first_day
    assert rules.settled_date(AfterDays(1), None) is None
    assert rules.settled_date(InDays(1), on_autumn) == AUTUMN
    assert rules.settled_date(InDays(2), on_autumn) is None
    assert rules.settled_date(InDays(1), None) is None


IN_30_DAYS = NOW + timedelta(days=30)


@pytest.mark.parametrize(
    ("live", "first", "applied"),
    [
        (None, True, IN_30_DAYS),
        (None, False, IN_30_DAYS),
        # A new resource keeps an earlier date, also one that has passed; a later one gives way.
        (GONE_BY, True, GONE_BY),
        (IN_30_DAYS - MINUTE, True, IN_30_DAYS - MINUTE),
        (IN_30_DAYS, True, IN_30_DAYS),
        (IN_30_DAYS + MINUTE, True, IN_30_DAYS),
        # A changed number of days counts from now, but for a run that was cut off within the hour.
        (GONE_BY, False, IN_30_DAYS),
        (IN_30_DAYS - timedelta(hours=1) - MINUTE, False, IN_30_DAYS),
        (IN_30_DAYS - timedelta(hours=1), False, IN_30_DAYS - timedelta(hours=1)),
        (IN_30_DAYS - MINUTE, False, IN_30_DAYS - MINUTE),
        (IN_30_DAYS + MINUTE, False, IN_30_DAYS),
    ],
)
def test_in_days_is_resolved_once(live: datetime | None, first: bool, applied: datetime) -> None:
    assert rules.apply_in_days(InDays(30), live, NOW, first=first) == applied


def test_policy_notice_is_resolved_once() -> None:
    assert rules.apply_in_days(Notice(30), GONE_BY, NOW, first=False) == GONE_BY
    assert rules.apply_in_days(Notice(30), SUMMER, NOW, first=False) == IN_30_DAYS
    settled = state(SUMMER, inputs=inputs(Notice(30)))
    assert not rules.needs_update(settled, Notice(60))
    assert rules.needs_update(settled, InDays(30))


# Whether there is something to do.


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"image_id": "ami-00000000"}, "image_id"),
        ({"image_id": UNKNOWN}, "image_id"),
        ({"profile": "other"}, "profile"),
        ({"profile": UNKNOWN}, "profile"),
        ({"role_arn": "arn:aws:iam::123456789012:role/other"}, "role_arn"),
        ({"aws": {"assumeRoles": [{"roleArn": "other"}]}}, "__aws"),
        ({"aws": UNKNOWN}, "__aws"),
    ],
)
def test_new_image_or_identity_replaces(change: Mapping[str, object], key: str) -> None:
    assert rules.replacement_keys(state(), inputs(At(SUMMER), **change), REGION) == [key]


def test_new_region_replaces() -> None:
    assert rules.replacement_keys(state(), inputs(), "eu-west-2") == ["region"]
    assert rules.replacement_keys(state(), inputs(), UNKNOWN) == ["region"]


def test_dates_and_provider_settings_do_not_replace() -> None:
    assert rules.replacement_keys(state(), inputs(At(AUTUMN), on_destroy="restore"), REGION) == []
    with_provider = state(inputs=inputs(aws={"region": REGION, "assumeRoles": []}))
    for aws in ({"region": REGION, "assumeRoles": [], "allowedAccountIds": [ACCOUNT]},):
        assert rules.replacement_keys(with_provider, inputs(aws=aws), REGION) == []


WAS_MADE = dates.after_days(CREATED, 365)


@pytest.mark.parametrize(
    ("old", "wanted", "needed"),
    [
        (state(), At(SUMMER), False),
        (state(), At(AUTUMN), True),
        (state(), AfterDays(365), True),
        (state(), InDays(30), True),
        (state(live=None), At(SUMMER), True),
        (state(live=AUTUMN), At(SUMMER), True),
        (state(GONE_BY), At(GONE_BY), False),
        # A date that EC2 no longer takes is not tried again, another one is.
        (state(live=AUTUMN, given_up=SUMMER), At(SUMMER), False),
        (state(live=AUTUMN, given_up=SUMMER), At(NOW), True),
        # A date given by days is the one it once became.
        (state(WAS_MADE, inputs=inputs(AfterDays(365))), AfterDays(365), False),
        (state(WAS_MADE, inputs=inputs(AfterDays(365)), live=None), AfterDays(365), True),
        (state(WAS_MADE, inputs=inputs(AfterDays(365)), creation_date=None), AfterDays(365), True),
        (state(WAS_MADE, inputs=inputs(AfterDays(364))), AfterDays(365), True),
        (state(SUMMER, inputs=inputs(InDays(30))), InDays(30), False),
        (state(SUMMER, inputs=inputs(InDays(30)), live=AUTUMN), InDays(30), True),
        (state(SUMMER, inputs=inputs(InDays(30))), InDays(31), True),
        (state(None, inputs=inputs(InDays(30))), InDays(30), True),
    ],
)
def test_update_is_needed_when_state_and_program_differ(old: State, wanted: Schedule, needed: bool) -> None:
    assert rules.needs_update(old, wanted) is needed
    assert rules.has_changes(old, replace(old.inputs, schedule=wanted)) is needed


@pytest.mark.parametrize("given", [inputs(on_destroy="restore"), inputs(on_destroy=UNKNOWN)])
def test_new_on_destroy_is_change(given: Inputs) -> None:
    assert rules.has_changes(state(), given)
    assert not rules.has_changes(state(), inputs())


def test_unknown_date_is_change() -> None:
    assert rules.has_changes(state(), replace(inputs(), schedule=UNKNOWN))
