"""Reads: how few DescribeImages calls a thousand images take."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ami_deprecation.testing import Limits
from benchmarks import lab
from benchmarks.outcome import Outcome, Table, Target

if TYPE_CHECKING:
    from benchmarks.lab import Timing

MOST_CALLS = 12
_HOW = (
    "EC2's own limits for reads are on. By ids: the same package with the account's listing switched off. The ratio "
    "is the median of the rounds, the rows show the last."
)
#: Changes are not what is measured here; reads keep to the package's own pacing.
ENV = {name: value for name, value in lab.UNPACED.items() if "CHANGES" in name} | lab.WRITE_STATE_ONCE
#: The same programs, with the account's listing switched off in the plugin (programs/by_ids/sitecustomize.py).
BY_IDS = {"PYTHONPATH": os.pathsep.join([str(lab.PROGRAMS / "by_ids"), os.environ.get("PYTHONPATH", "")])}
#: EC2's buckets for reads, none for changes.
READ_LIMITS = Limits(mutating_tokens=1e6, mutating_per_second=1e6)


def measure(*, quick: bool) -> Outcome:
    """Measure 1,000 images alone in their account, then among 20,000 others."""
    count, others, rounds = (50, 4000, 1) if quick else (1000, 20_000, 3)
    with lab.open_lab(READ_LIMITS) as place:
        stack = place.stack("dates", place.images(count), ENV)
        first = place.run(stack, *lab.PREVIEW_AND_UP)
        refresh = place.run(stack, *lab.REFRESH)
        again = place.run(stack, *lab.PREVIEW_AND_UP)
    alone = {"first preview and up": first, "refresh": refresh, "preview and up without changes": again}
    crowd = _crowd(count, others, rounds)
    rows = [_row(f"{name}, {count:,} images", timing) for name, timing in alone.items()]
    rows += [_row(f"{name}, {count:,} among {others:,} others", of[-1]) for name, of in crowd.items()]
    return Outcome(
        (
            Target.at_most(f"DescribeImages, first preview and up of {count:,}", _reads(first), MOST_CALLS),
            Target.at_most(f"DescribeImages, refresh of {count:,}", _reads(refresh), MOST_CALLS),
            Target.exactly(f"calls, {count:,} unchanged", len(again.calls), 0),
            *_crowd_targets(crowd),
        ),
        (
            Table(
                "What EC2 was asked",
                ("run", "DescribeImages", "refused", "all calls", "seconds"),
                tuple(rows),
            ),
        ),
        (_HOW,),
    )


def _reads(timing: Timing) -> int:
    return timing.actions["DescribeImages"]


def _row(name: str, timing: Timing) -> tuple[str, ...]:
    return name, str(_reads(timing)), str(timing.refused), str(len(timing.calls)), f"{timing.seconds:.1f}"


def _crowd(count: int, others: int, rounds: int) -> dict[str, list[Timing]]:
    """First previews in an account that has many more images than ours."""
    with lab.open_lab(READ_LIMITS) as place:
        place.images(others, "other")
        images = place.images(count)
        stacks = {
            "preview": place.stack("dates", images, ENV),
            "preview by ids": place.stack("dates", images, {**ENV, **BY_IDS}),
        }
        taken: dict[str, list[Timing]] = {name: [] for name in stacks}
        for number in range(rounds):
            for name in stacks if number % 2 == 0 else reversed(stacks):
                place.ec2.set_limits(READ_LIMITS)  # full again
                taken[name].append(place.run(stacks[name], "preview"))
    return taken


def _crowd_targets(crowd: dict[str, list[Timing]]) -> list[Target]:
    ratio = lab.median_ratio(*([t.seconds for t in crowd[name]] for name in ("preview", "preview by ids")))
    refused = sum(timing.refused for timing in crowd["preview"])
    return [
        Target.at_most("preview among many others, beside asking by ids", ratio, 1.05, "x"),
        Target.exactly("reads refused there", refused, 0),
    ]
