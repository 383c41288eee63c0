"""Where images, ticks and today stand on a line of time."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.cli.report.timeline import Span, bar, span, ticks
from tests.support.cli_samples import NOW, ahead, image, row


def test_timeline_spans_first_image_to_last_date() -> None:
    over = span([row(image(age=100, due=50)), row(image(age=300, due=200))], NOW)
    assert over == Span(ahead(-330), ahead(230))


def test_distant_date_does_not_squeeze_others() -> None:
    over = span([row(image(age=5000, due=3650))], NOW)
    assert over == Span(ahead(-3 * 365 - 30), ahead(2 * 365 + 30))


def test_empty_timeline_still_shows_today() -> None:
    for rows in ([], [row(image(age=0))], [row(image(age=400, due=-300))]):
        assert 0 < span(rows, NOW).at(NOW) < 100


def test_bar_spans_creation_to_date_then_to_today() -> None:
    over = Span(ahead(-100), ahead(100))
    due = bar(row(image(age=50, due=50)), over, NOW)
    assert (due.start, due.width, due.after, due.is_cut_right) == (25, 50, 0, False)
    past = bar(row(image(age=50, due=-20)), over, NOW)
    assert (past.start, past.width, past.end, past.after) == (25, 15, 40, 10)
    endless = bar(row(image(age=50)), over, NOW)
    assert (endless.start, endless.end, endless.after) == (25, 50, 0)


def test_bar_of_one_day_is_visible_beside_today() -> None:
    new = bar(row(image(age=1)), Span(ahead(-900), ahead(700)), NOW)
    assert (new.end, new.width) == (56.25, 1.2)


def test_bar_beyond_timeline_is_cut_and_marked() -> None:
    cut = bar(row(image(age=500, due=500)), Span(ahead(-100), ahead(100)), NOW)
    assert (cut.start, cut.end, cut.is_cut_left, cut.is_cut_right) == (0, 100, True, True)


@given(st.integers(0, 4000), st.one_of(st.none(), st.integers(-3000, 3650)))
def test_everything_stays_on_timeline(age: int, due: int | None) -> None:
    made = row(image(age=age, due=None if due is None else max(due, -age)))
    over = span([made], NOW)
    life = bar(made, over, NOW)
    assert 0 <= life.start <= life.end <= 100
    assert life.width > 0
    assert 0 <= life.after <= 100 - life.end
    marks = ticks(over, NOW)
    assert 1 <= len(marks) <= 6
    assert all(0 <= mark.x <= 100 for mark in marks)


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ((2025, 1, 20), (2028, 12, 1), ["2026", "", "2028"]),
        ((2026, 3, 20), (2027, 12, 1), ["Jul 2026", "", "Jul"]),
        ((2026, 11, 20), (2027, 4, 10), ["Dec 2026", "2027", "Feb", "Mar", "Apr"]),
    ],
)
def test_ticks_are_first_of_months_clear_of_today_and_edge(
    start: tuple[int, int, int], end: tuple[int, int, int], labels: list[str]
) -> None:
    over = Span(datetime(*start, tzinfo=timezone.utc), datetime(*end, tzinfo=timezone.utc))
    assert [mark.label for mark in ticks(over, NOW)] == labels
