"""Where the measuring is done: one embedded EC2, real Pulumi stacks on a local file backend, and a stopwatch."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ami_deprecation.testing import Limits, LocalEC2
from tests.support.harness import REGION, REPOSITORY, Cli, Stack
from tests.support.native import use_provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ami_deprecation.testing import Call
    from tests.support.running import Result

PROGRAMS = Path(__file__).with_name("programs")
TIMEOUT_SECONDS = 1200
DATE = f"{datetime.now(timezone.utc).year + 3}-06-01T00:00:00Z"

#: The package's own pacing out of the way, for what is measured on an EC2 without limits.
UNPACED = {
    f"AMI_DEPRECATION_{name}": "1000000"
    for name in ("CHANGES_BURST", "CHANGES_PER_SECOND", "READS_BURST", "READS_PER_SECOND")
}
#: The file backend writes all of its state at each step, so its time grows with the square of the resources.
#: Where that would hide what is measured, both sides write it once, at the end.
WRITE_STATE_ONCE = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}

Program = Literal["dates", "floor", "native", "policy"]
#: The two that are compared.
SIDES: tuple[Program, Program] = ("floor", "dates")

PREVIEW_AND_UP = ("up", "--yes")
UP = ("up", "--yes", "--skip-preview")
REFRESH = ("refresh", "--yes", "--skip-preview")
PREVIEW = ("preview",)
DESTROY = ("destroy", "--yes", "--skip-preview")


@dataclass(frozen=True)
class Wanted:
    """An image as a program gets it."""

    name: str
    id: str
    date: str = DATE
    region: str = REGION


@dataclass(frozen=True)
class Timing:
    """One command: its wall clock, the processor time of all it started, and what it asked of EC2."""

    seconds: float
    cpu_seconds: float
    code: int
    calls: tuple[Call, ...]
    output: str

    @property
    def actions(self) -> Counter[str]:
        """The calls by name."""
        return Counter(call.action for call in self.calls)

    @property
    def refused(self) -> int:
        """The calls that EC2 refused for their rate."""
        return sum(call.error_code == "RequestLimitExceeded" for call in self.calls)


@dataclass
class Lab:
    """One section's place to work."""

    cli: Cli
    ec2: LocalEC2
    folder: Path
    stacks: list[Stack] = field(default_factory=list)

    def images(self, count: int, name: str = "image", *, region: str = REGION) -> list[Wanted]:
        """Make so many images, a year old and without a date."""
        created = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=365)
        ids = self.ec2.add_images(count, name, region=region, created=created)
        return [Wanted(f"{name}-{n:05}", each, region=region) for n, each in enumerate(ids)]

    def stack(self, program: Program, images: Sequence[Wanted], env: Mapping[str, str]) -> Stack:
        """Make a stack of one of the programs, for these images."""
        folder = self.folder / f"{program}-{len(self.stacks)}"
        folder.mkdir()
        stack = Stack.create(self.cli, folder, self.ec2)
        for file in (PROGRAMS / program).glob("*.py"):
            shutil.copy(file, stack.project)
        if program == "native":
            use_provider(stack)
        stack.env.update(env)
        self.stacks.append(stack)
        give(stack, images)
        return stack

    def run(self, stack: Stack, *arguments: str, check: bool = True) -> Timing:
        """Time one Pulumi command."""
        before = children_cpu_seconds()
        result = stack.run(*arguments, check=check, timeout=TIMEOUT_SECONDS)
        return timing(result, children_cpu_seconds() - before)


def timing(result: Result, cpu_seconds: float) -> Timing:
    """What came of a command."""
    return Timing(result.seconds, cpu_seconds, result.code, result.calls, result.output)


def give(stack: Stack, images: Iterable[Wanted]) -> None:
    """Write what the stack's program declares next."""
    listed = [{"name": i.name, "id": i.id, "date": i.date, "region": i.region} for i in images]
    (stack.project / "images.json").write_text(json.dumps(listed))


def children_cpu_seconds() -> float:
    """Processor time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def open_lab(limits: Limits | None = None) -> Iterator[Lab]:
    """A lab with an empty EC2; nothing of it is left afterwards."""
    tool = REPOSITORY / "tools" / "pulumi-cli" / "get.py"
    done = subprocess.run([sys.executable, tool], stdout=subprocess.PIPE, text=True, check=True)
    with tempfile.TemporaryDirectory(prefix="ami-bench-") as name, LocalEC2(limits=limits or False) as ec2:
        folder = Path(name)
        home = folder / "pulumi-home"
        home.mkdir()
        yield Lab(Cli(Path(done.stdout.strip()), home), ec2, folder)


def median_ratio(ours: Sequence[float], floor: Sequence[float]) -> float:
    """The median of the ratios of runs that followed each other: what slows a machine down slows both."""
    return statistics.median(a / b for a, b in zip(ours, floor, strict=True))


def bytecode_allowed() -> None:
    """Let the commands keep compiled modules, as they do on a user's machine."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def dated(ec2: LocalEC2, images: Iterable[Wanted]) -> int:
    """How many of the images have the date that is wanted for them."""
    right = 0
    for image in images:
        live = ec2.image(image.id, region=image.region).deprecation_time
        right += live is not None and f"{live:%Y-%m-%dT%H:%M:%SZ}" == image.date
    return right
