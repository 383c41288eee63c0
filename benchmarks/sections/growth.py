"""Growth: what 100, 300, 1,000 and 3,000 images take above a provider that does nothing."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import lab, peer_tools
from benchmarks.outcome import Outcome, Table, Target

if TYPE_CHECKING:
    from benchmarks.lab import Lab, Program, Timing
    from tests.support.harness import Stack

PLOT = Path(__file__).resolve().parents[1] / "growth.svg"
ENV = {**lab.UNPACED, **lab.WRITE_STATE_ONCE}
COMMANDS = {"up": lab.UP, "up without changes": lab.UP, "refresh": lab.REFRESH}
#: Beyond straight growth, for the noise of two differences.
SLACK = 1.3


@dataclass(frozen=True)
class Point:
    """One command at one size: seconds here, seconds of the floor, and the calls."""

    images: int
    command: str
    floor: Timing
    ours: Timing

    @property
    def above(self) -> float:
        """Seconds above the floor."""
        return self.ours.seconds - self.floor.seconds


def measure(*, quick: bool) -> Outcome:
    """Measure each size in an account of its own, the two sides one after the other."""
    sizes = (10, 30) if quick else (100, 300, 1000, 3000)
    points = [point for size in sizes for point in _points(size)]
    if not quick:
        _draw(points)
    rows = tuple(
        (
            point.command,
            f"{point.images:,}",
            f"{point.floor.seconds:.1f}",
            f"{point.ours.seconds:.1f}",
            f"{point.above:.1f}",
            f"{point.ours.cpu_seconds - point.floor.cpu_seconds:.1f}",
            str(point.ours.actions["DescribeImages"]),
            str(sum(call.mutates for call in point.ours.calls)),
        )
        for name in COMMANDS
        for point in points
        if point.command == name
    )
    columns = (
        "command",
        "images",
        "does nothing, s",
        "AmiDeprecation, s",
        "above, s",
        "above, s of processor time",
        "DescribeImages",
        "changing calls",
    )
    return Outcome(
        (_linear(points, sizes[-2], sizes[-1]),),
        (Table("Without limits; the state is written once at the end, on both sides", columns, rows),),
        () if quick else ("![Seconds above a provider that does nothing, and calls, by images](growth.svg)",),
    )


def _points(size: int) -> list[Point]:
    with lab.open_lab() as place:
        images = place.images(size)
        stacks = {side: place.stack(side, images, ENV) for side in lab.SIDES}
        return [_point(place, stacks, size, name) for name in COMMANDS]


def _point(place: Lab, stacks: dict[Program, Stack], size: int, name: str) -> Point:
    taken = {side: place.run(stacks[side], *COMMANDS[name]) for side in lab.SIDES}
    return Point(size, name, taken["floor"], taken["dates"])


def _linear(points: list[Point], smaller: int, larger: int) -> Target:
    """Whether an image of many takes more than one of fewer, in processor time, which neighbours disturb least."""
    used = {
        point.images: (point.ours.cpu_seconds - point.floor.cpu_seconds) / point.images
        for point in points
        if point.command == "up"
    }
    what = f"an image's share above the floor, `up` of {larger:,} beside {smaller:,}"
    return Target.at_most(what, used[larger] / used[smaller], SLACK, "x")


def _draw(points: list[Point]) -> None:
    """Let matplotlib, which is in the peers' environment, draw the plot."""
    data = [
        {
            "command": point.command,
            "images": point.images,
            "seconds": point.above,
            "reads": point.ours.actions["DescribeImages"],
            "changes": sum(call.mutates for call in point.ours.calls),
        }
        for point in points
    ]
    script = Path(__file__).resolve().parents[1] / "plot.py"
    subprocess.run(
        [peer_tools.folder() / "python", script, PLOT],
        input=json.dumps(data),
        text=True,
        check=True,
        timeout=300,
    )
