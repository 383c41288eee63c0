"""A soak: a fleet's policy that changes again and again, with faults on, and one plugin process that works for long."""

from __future__ import annotations

import json
import os
import statistics
import sys
from typing import TYPE_CHECKING, get_args

from ami_deprecation.testing import FaultKind
from benchmarks import fleet, lab, memory
from benchmarks.fleet import Fleet
from benchmarks.outcome import Outcome, Table, Target
from tests.support.harness import REGION
from tests.support.operation import NO_LIMITS, Entry, Operation
from tests.support.operation import Outcome as Steps
from tests.support.plugin import Launcher, Plugin
from tests.support.program import made, run

if TYPE_CHECKING:
    from benchmarks.lab import Lab
    from tests.support.harness import Stack
    from tests.support.running import Result

#: The embedded EC2 shows every write at once here, so there is nothing to wait for.
ENV = {**lab.UNPACED, **lab.WRITE_STATE_ONCE, "AMI_DEPRECATION_SETTLE_SECONDS": "0"}
#: What a retry mends, each on so many calls; and what it does not, which fails a run here and there.
RATE, DENIED_RATE = 0.01, 0.0005
NOT_MENDED = {"error", "hang", "denied", "expired", "expired-token", "clock-off"}
NOT_MENDED |= {"invalid-token", "invalid-client-token"}
#: A process fills its caches first; from this round on it should not grow.
WARM_ROUND = 5


def measure(*, quick: bool) -> Outcome:
    """Measure 20 rounds over 500 images in 3 Regions, then 20 in one process."""
    rounds, size = (3, 60) if quick else (20, 500)
    with lab.open_lab() as place:
        soak = _Soak(place, Fleet(place.ec2, size))
        for _ in range(rounds):
            soak.round()
        soak.last_round()
    with lab.open_lab() as place:
        resident = _one_process(place, size, rounds)
    warm = min(WARM_ROUND, rounds - 1)
    grown = resident[-1] / resident[warm]
    later, earlier = soak.peaks[-warm:], soak.peaks[:warm]
    for line in soak.wrong:
        print(line, file=sys.stderr)
    return Outcome(
        (
            Target.exactly(f"wrong dates of {size} images after {rounds} rounds", len(soak.wrong), 0),
            Target.exactly("changing calls of one more run with a refresh", soak.more_changes, 0),
            Target.at_most(
                f"the plugin's most memory in the last {warm} rounds, beside the first {warm}",
                statistics.mean(later) / statistics.mean(earlier),
                1.1,
                "x",
            ),
            Target.at_most(
                f"memory of one plugin process after {rounds} rounds of {size} dates, beside round {warm + 1}",
                grown,
                1.05,
                "x",
            ),
        ),
        (_table(soak, resident, size),),
        (_how(),),
    )


def _how() -> str:
    kinds = _mended()
    return (
        f"Each round: another policy; {len(fleet.REGIONS)} images go and as many come, as many dates are moved by hand and as many "
        f"canceled; an update, every second one with a refresh. {RATE * len(kinds):.0%} of all calls meet a fault that a retry "
        f"mends ({', '.join(kinds)}), and some are denied, which fails the update: the next one makes up for it."
    )


def _mended() -> list[FaultKind]:
    kinds: tuple[FaultKind, ...] = get_args(FaultKind)
    return [kind for kind in kinds if kind not in NOT_MENDED]


class _Soak:
    """The stack, its fleet, and what came of the rounds."""

    def __init__(self, place: Lab, images: Fleet) -> None:
        self.place, self.images = place, images
        self.stack = place.stack("policy", [], ENV)
        self.peaks: list[float] = []
        self.results: list[Result] = []
        self.wrong: list[str] = []
        self.more_changes = 0
        self.faults = 0

    def round(self) -> None:
        """Change something of everything, and run an update under faults."""
        self.images.change()
        _give_policy(self.stack, self.images.policy())
        playing = [
            self.place.ec2.faults.add("*", kind, times=None, rate=RATE, seconds=1) for kind in _mended()
        ]
        playing.append(self.place.ec2.faults.add("*", "denied", times=None, rate=DENIED_RATE))
        self.update(*lab.UP, *(["--refresh"] if len(self.results) % 2 else []))
        self.place.ec2.faults.clear()
        self.faults += sum(fault.played for fault in playing)

    def last_round(self) -> None:
        """No more faults: every date is right after one run, and another has nothing to do."""
        _give_policy(self.stack, fleet.LAST_POLICY)
        self.update(*lab.UP, "--refresh", check=True)
        self.wrong = self.images.wrong()
        more = self.stack.run(*lab.UP, "--refresh", timeout=lab.TIMEOUT_SECONDS)
        self.more_changes = len(more.mutations)

    def update(self, *arguments: str, check: bool = False) -> None:
        """Run one, and note the most memory that its plugin had."""
        with self.stack.start(*arguments) as running, memory.watched(running, self.peaks):
            result = running.wait(lab.TIMEOUT_SECONDS)
        if check and result.code != 0:
            raise SystemExit(str(result))
        self.results.append(result)


def _give_policy(stack: Stack, rules: dict[str, object]) -> None:
    given = {"name": "family-*", "group_by": "tag:Family", "regions": fleet.REGIONS, **rules}
    (stack.project / "policy.json").write_text(json.dumps(given))


def _one_process(place: Lab, size: int, rounds: int) -> list[float]:
    """The memory of one plugin process after each round in which all dates are moved and refreshed, in MiB."""
    images = place.images(size)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_", "AMI_"))}
    environment = kept | place.ec2.environment() | ENV | {"PULUMI_PROJECT": "project"}
    plugin = Plugin(Launcher(), environment, {"aws:region": REGION})
    state: list[Entry] = []
    resident: list[float] = []
    try:
        for number in range(rounds):
            date = lab.DATE.replace("-06-", f"-{number % 12 + 1:02}-")
            registrations = [
                each
                for image in images
                for each in run(made(image.name, image_id=image.id, deprecate_at=date), preview=False)
            ]
            outcome = Steps()
            Operation(plugin, state, outcome, False, frozenset(), NO_LIMITS, 4).run(
                registrations, refresh=number > 0, only_refresh=False
            )
            if not outcome.ok:
                raise SystemExit(str(outcome))
            resident.append(memory.mib(plugin.pid, "VmRSS"))
    finally:
        plugin.close()
    return resident


def _table(soak: _Soak, resident: list[float], size: int) -> Table:
    codes = [result.code for result in soak.results[:-1]]
    rows = (
        ("updates under faults", str(len(codes))),
        ("… that failed", str(sum(code != 0 for code in codes))),
        ("faults played", f"{soak.faults:,}"),
        ("calls to EC2", f"{sum(len(result.calls) for result in soak.results):,}"),
        ("changing calls", f"{sum(len(result.mutations) for result in soak.results):,}"),
        ("the plugin's most memory in a round, MiB", _range(soak.peaks)),
        (f"one process, {size} dates a round: memory after each, MiB", _range(resident)),
    )
    return Table("What happened", ("", ""), rows)


def _range(values: list[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}, the last {values[-1]:.0f}"
