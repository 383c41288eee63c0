"""Beside what a user would pick instead, on the same embedded EC2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ami_deprecation.testing import Limits
from benchmarks import lab, peer_tools
from benchmarks.contenders import contenders
from benchmarks.outcome import Outcome, Table, Target

if TYPE_CHECKING:
    from benchmarks.contenders import Contender
    from benchmarks.lab import Lab, Timing

COLUMNS = ("", "seconds", "calls", "refused", "right dates", "exit code")
NAME = "date-me"


@dataclass(frozen=True)
class Result:
    """One contender's run, and how many images had the right date after it."""

    name: str
    timing: Timing
    right: int

    @property
    def row(self) -> tuple[str, ...]:
        """As the tables show it."""
        timing = self.timing
        numbers = (len(timing.calls), timing.refused, self.right, timing.code)
        return self.name, f"{timing.seconds:.1f}", *(str(number) for number in numbers)


def measure(*, quick: bool) -> Outcome:
    """Measure 200 new dates with each; again with all dates right; and with one image that EC2 refuses."""
    count = 12 if quick else 200
    tools = peer_tools.folder()
    fresh, again, refused = [], [], []
    with lab.open_lab() as place:
        for contender in contenders(place, tools):
            fresh.append(_fresh(place, contender, count))
            again.append(_again(place, contender, 12 if quick else 40))
            refused.append(_one_refused(place, contender, count))
    ours = fresh[-1]
    fewest = min(result.timing.refused for result in fresh[:-1])
    return Outcome(
        (
            Target.exactly("right dates, this package", ours.right, count),
            Target.at_most("refused calls, beside the fewest of a peer", ours.timing.refused, fewest),
            Target.exactly("right dates with one image refused", refused[-1].right, count - 1),
            Target.exactly("calls with all dates right", len(again[-1].timing.calls), 0),
        ),
        (
            _table(f"{count} new dates at EC2's limits", fresh),
            _table(f"{again[0].right} dates that are right already, without limits", again),
            _table(f"{count} new dates, one of them refused by EC2, without limits", refused),
        ),
    )


def _table(title: str, results: list[Result]) -> Table:
    return Table(title, COLUMNS, tuple(result.row for result in results))


def _fresh(place: Lab, contender: Contender, count: int) -> Result:
    place.ec2.reset()
    images = place.images(count, NAME)
    place.ec2.set_limits(Limits())
    timing = contender.run(images, limited=True)
    place.ec2.set_limits(None)
    return Result(contender.name, timing, lab.dated(place.ec2, images))


def _again(place: Lab, contender: Contender, count: int) -> Result:
    place.ec2.reset()
    images = place.images(count, NAME)
    contender.run(images, limited=False)
    timing = contender.run(images, limited=False)
    return Result(contender.name, timing, lab.dated(place.ec2, images))


def _one_refused(place: Lab, contender: Contender, count: int) -> Result:
    place.ec2.reset()
    images = place.images(count, NAME)
    stubborn = images[count // 2].id
    place.ec2.faults.add(
        "EnableImageDeprecation", code="OperationNotPermitted", image_id=stubborn, times=None
    )
    timing = contender.run(images, limited=False)
    place.ec2.faults.clear()
    return Result(contender.name, timing, lab.dated(place.ec2, images))
