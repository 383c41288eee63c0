"""The two providers side by side: the dynamic one of Python programs, and the native one of every language."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

from benchmarks import lab
from benchmarks.outcome import Outcome, Table, Target

if TYPE_CHECKING:
    from benchmarks.lab import Lab, Program, Timing
    from tests.support.harness import Stack

COMMANDS = {
    "`up` from nothing": lab.PREVIEW_AND_UP,
    "`up` without changes": lab.PREVIEW_AND_UP,
    "`refresh`": lab.REFRESH,
    "`destroy`": lab.DESTROY,
}
#: In this order, and in the reverse in every second round.
DOORS: tuple[Program, ...] = ("floor", "dates", "native")
#: "No slower": two equal providers differ by this much from run to run.
BOUND = 1.05

_HOW = (
    "Both programs are in Python: the native provider's declares what its generated SDK would. No limits are on, and the "
    "package's own pacing is set out of the way. The ratio is native to dynamic, the median of the ratios of runs that "
    "followed each other."
)

Timings = dict[str, dict["Program", list["Timing"]]]


def measure(*, quick: bool) -> Outcome:
    """Measure 200 resources, five rounds; of each, the three programs one after the other."""
    count, rounds = (20, 1) if quick else (200, 5)
    with lab.open_lab() as place:
        taken, size = _rounds(place, count, rounds)
    targets = [
        Target.at_most(f"{name}, native to dynamic", _ratio(of), BOUND, "x") for name, of in taken.items()
    ]
    targets.append(
        Target.at_most(
            "bytes of state a resource, native to dynamic", size["native"] / size["dates"], 1.0, "x"
        )
    )
    columns = (
        "median of seconds",
        "does nothing",
        "dynamic",
        "native",
        "ratio",
        "ratio of processor time",
        "calls",
    )
    rows = tuple(_row(name, of) for name, of in taken.items())
    state = (
        f"A resource takes {size['floor']:,.0f} bytes of state with the provider that does nothing, {size['dates']:,.0f} with "
        f"the dynamic one and {size['native']:,.0f} with the native one."
    )
    return Outcome(
        tuple(targets), (Table(f"{count} resources, {rounds} rounds", columns, rows),), (f"{state} {_HOW}",)
    )


def _rounds(place: Lab, count: int, rounds: int) -> tuple[Timings, dict[Program, float]]:
    """What the commands took, and the mean size of a resource in the state."""
    size: dict[Program, float] = {}
    taken: Timings = {name: {door: [] for door in DOORS} for name in COMMANDS}
    for number in range(rounds):
        place.ec2.reset()  # each round's images are alone in their account
        stacks = {}
        for door in DOORS:  # images of their own, so that both set each date
            images = place.images(count, f"{door}-{number}")
            stacks[door] = place.stack(door, images, lab.UNPACED)
        for name, command in COMMANDS.items():
            for door in DOORS if number % 2 == 0 else reversed(DOORS):
                taken[name][door].append(place.run(stacks[door], *command))
            if command is lab.REFRESH:
                size = {door: _bytes(stack) / count for door, stack in stacks.items()}
    return taken, size


def _ratio(of: dict[Program, list[Timing]]) -> float:
    return lab.median_ratio([t.seconds for t in of["native"]], [t.seconds for t in of["dates"]])


def _row(name: str, of: dict[Program, list[Timing]]) -> tuple[str, ...]:
    seconds = [f"{statistics.median(t.seconds for t in of[door]):.1f}" for door in DOORS]
    cpu = lab.median_ratio([t.cpu_seconds for t in of["native"]], [t.cpu_seconds for t in of["dates"]])
    calls = f"{len(of['dates'][-1].calls)} / {len(of['native'][-1].calls)}"
    return (name, *seconds, f"{_ratio(of):.2f}", f"{cpu:.2f}", calls)


def _bytes(stack: Stack) -> int:
    return sum(len(json.dumps(each)) for each in stack.resources())
