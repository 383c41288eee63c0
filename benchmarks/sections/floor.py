"""Beside a provider that does nothing: what the package adds to Pulumi's own time, state and start."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks import lab
from benchmarks.outcome import Outcome, Table, Target

if TYPE_CHECKING:
    from benchmarks.lab import Lab, Program, Timing

COMMANDS = {
    "`up` from nothing": lab.PREVIEW_AND_UP,
    "`up` without changes": lab.PREVIEW_AND_UP,
    "`refresh`": lab.REFRESH,
}
BOUNDS = {"`up` from nothing": 1.3, "`up` without changes": 1.1}

_HOW = (
    "No limits are on, and the package's own pacing is set out of the way; ratios are medians of the ratios of "
    "runs that followed each other."
)

_IMPORT = """
import time
import pulumi
began = time.perf_counter()
import ami_deprecation
print(1000 * (time.perf_counter() - began))
import sys
print("boto3" in sys.modules or "botocore" in sys.modules)
"""

_CONSTRUCT = """
import sys
import pulumi

made = []

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        made.append(args.name)
        return f"{args.name}-id", args.inputs
    def call(self, args):
        return {}

pulumi.runtime.set_mocks(Mocks())
from ami_deprecation import AmiDeprecation

@pulumi.runtime.test
def construct():
    for number in range(int(sys.argv[1])):
        AmiDeprecation(f"image-{number}", image_id=f"ami-{number:017x}", deprecate_after_days=365)

construct()
print(len(made))
"""


def measure(*, quick: bool) -> Outcome:
    """Measure 200 resources, five rounds; of each, the two sides one after the other."""
    count, rounds = (20, 1) if quick else (200, 5)
    with lab.open_lab() as place:
        rows, ratios = _rounds(place, count, rounds)
        size = _bytes(place, count)
    refreshes = _refresh_many(100 if quick else 1000, 1 if quick else 5)
    start, imports_boto3 = _import_milliseconds(3 if quick else 15)
    constructed = _construct(100 if quick else 3000)
    targets = [
        *(Target.at_most(f"{name}, {count} resources", ratios[name], BOUNDS[name], "x") for name in BOUNDS),
        refreshes[0],
        Target.at_most("bytes of state a resource", size["dates"] / size["floor"], 1.5, "x"),
        Target.at_most("`import ami_deprecation` after `import pulumi`", start, 30.0, "ms"),
        Target.exactly("… imports boto3", measured=imports_boto3, expected=False),
        Target.exactly("resources that one program constructs", constructed, 100 if quick else 3000),
    ]
    columns = ("median of seconds", "does nothing", "AmiDeprecation", "ratio", "ratio of processor time")
    state = f"A resource takes {size['floor']:,.0f} bytes of state there and {size['dates']:,.0f} here."
    return Outcome(
        tuple(targets),
        (Table(f"{count} resources, {rounds} rounds", columns, (*rows, refreshes[1])),),
        (f"{state} {_HOW}",),
    )


def _rounds(place: Lab, count: int, rounds: int) -> tuple[list[tuple[str, ...]], dict[str, float]]:
    taken: dict[str, dict[Program, list[Timing]]] = {
        name: {side: [] for side in lab.SIDES} for name in COMMANDS
    }
    for number in range(rounds):
        place.ec2.reset()  # each round's images are alone in their account
        images = place.images(count, f"round{number}")
        stacks = {side: place.stack(side, images, lab.UNPACED) for side in lab.SIDES}
        for name, command in COMMANDS.items():
            for side in lab.SIDES if number % 2 == 0 else reversed(lab.SIDES):
                taken[name][side].append(place.run(stacks[side], *command))
    ratios = {name: _ratio(of) for name, of in taken.items()}
    return [_row(name, of) for name, of in taken.items()], ratios


def _ratio(of: dict[Program, list[Timing]]) -> float:
    return lab.median_ratio([t.seconds for t in of["dates"]], [t.seconds for t in of["floor"]])


def _row(name: str, of: dict[Program, list[Timing]]) -> tuple[str, ...]:
    seconds = {side: statistics.median(t.seconds for t in of[side]) for side in lab.SIDES}
    cpu = lab.median_ratio([t.cpu_seconds for t in of["dates"]], [t.cpu_seconds for t in of["floor"]])
    return name, f"{seconds['floor']:.1f}", f"{seconds['dates']:.1f}", f"{_ratio(of):.2f}", f"{cpu:.2f}"


def _bytes(place: Lab, count: int) -> dict[Program, float]:
    """The mean size of a resource in the state file, of the last round's two stacks."""
    sizes: dict[Program, float] = {}
    for side in lab.SIDES:
        stack = next(s for s in reversed(place.stacks) if s.project.parent.name.startswith(side))
        own = [r for r in stack.resources() if r["type"] != "pulumi:pulumi:Stack"]
        sizes[side] = sum(len(json.dumps(r)) for r in own) / count
    return sizes


def _refresh_many(count: int, rounds: int) -> tuple[Target, tuple[str, ...]]:
    name = f"`refresh` of {count:,}"
    taken: dict[Program, list[Timing]] = {side: [] for side in lab.SIDES}
    with lab.open_lab() as place:
        images = place.images(count)
        env = {**lab.UNPACED, **lab.WRITE_STATE_ONCE}
        stacks = {side: place.stack(side, images, env) for side in lab.SIDES}
        for side in lab.SIDES:
            place.run(stacks[side], *lab.UP)
        for number in range(rounds):
            for side in lab.SIDES if number % 2 == 0 else reversed(lab.SIDES):
                taken[side].append(place.run(stacks[side], *lab.REFRESH))
    return Target.at_most(name, _ratio(taken), 1.5, "x"), _row(name, taken)


def _import_milliseconds(times: int) -> tuple[float, bool]:
    answers = [_python(_IMPORT).split() for _ in range(times + 1)][1:]  # the first one compiles
    return statistics.median(float(ms) for ms, _ in answers), any(b == "True" for _, b in answers)


def _construct(count: int) -> int:
    return int(_python(_CONSTRUCT, str(count)))


def _python(source: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", source, *arguments], check=True, capture_output=True, text=True
    ).stdout
