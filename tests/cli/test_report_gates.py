"""What each gate of a report matches, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.cli.report import gates, rows
from ami_deprecation.image import Scan
from tests.support.cli_samples import NOW, ahead, image, row

if TYPE_CHECKING:
    from ami_deprecation.image import Severity

LIMITS: dict[Severity, int] = {"critical": 7, "high": 30}


def scanned(due: float | None = None, state: str = "available", **fixes: float) -> rows.Row:
    since: dict[Severity, object] = {}
    for severity, days in fixes.items():
        since[severity] = ahead(-days)  # type: ignore[index]  # a keyword is text
    return row(
        replace(image(due=due, state=state), scan=Scan("critical", NOW, since))  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (scanned(critical=8), "a critical fix for 8 days (allowed: 7)"),
        (scanned(due=5, high=31), "a high fix for 31 days (allowed: 30)"),
        (
            scanned(critical=8, high=40),
            "a critical fix for 8 days (allowed: 7) and a high fix for 40 days (allowed: 30)",
        ),
    ],
)
def test_fix_that_waits_too_long_is_named(made: rows.Row, match: str) -> None:
    gate = gates.unpatched([made], NOW, LIMITS)
    assert gate.sentences == [f"ami-00000000000000001 (web) in eu-west-1 has been waiting for {match}"]


@pytest.mark.parametrize(
    "made",
    [
        scanned(critical=7),
        scanned(medium=400),
        scanned(),
        scanned(due=-1, critical=90),
        scanned(state="disabled", critical=90),
    ],
)
def test_patched_or_retired_image_passes(made: rows.Row) -> None:
    gate = gates.unpatched([made], NOW, LIMITS)
    assert gate.sentences == [
        "--fail-unpatched passed: no fix has been available for longer than allowed (days: critical 7, high 30)"
    ]


def test_image_without_scan_is_counted_as_unknown() -> None:
    gate = gates.unpatched([row(image()), scanned()], NOW, LIMITS)
    assert gate.matches == []
    assert gate.sentences[-1] == "no scan data for 1 of 2 images: they may be vulnerable"


def test_image_without_date_is_named() -> None:
    made = [row(image("a")), row(image("b", due=3)), row(image("c", state="disabled"))]
    assert gates.without_date(made).matches == [
        "ami-00000000000000001 (a) in eu-west-1 has no deprecation date"
    ]
    assert gates.without_date(made[1:]).sentences == [
        "--fail-without-date passed: every image has a deprecation date"
    ]


def test_many_matches_are_counted() -> None:
    sentences = gates.without_date([row(image(number=n)) for n in range(166)]).sentences
    assert len(sentences) == 21
    assert sentences[-1] == "and 146 more"


def test_image_of_instances_is_in_use() -> None:
    used = rows.row(image(due=5), NOW, instances=3)
    gate = gates.within([used], NOW, timedelta(days=14), timedelta(days=90))
    assert gate.sentences == [
        "ami-00000000000000001 (web) in eu-west-1 is in use (3 instances) and will be deprecated on 2027-01-20"
    ]
