"""Beside a provider that does nothing: what the package adds to Pulumi's own time, state and start."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from ami_deprecation.provider import AmiDeprecationProvider
from benchmarks import lab
from benchmarks.outcome import Outcome, Table, Target
from tests.support.canaries import pickled
from tests.support.harness import REGION, REPOSITORY
from tests.support.plugin import Launcher, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab, Program, Timing, Wanted

_Answer = TypeVar("_Answer")

FROM_NOTHING, UNCHANGED, DESTROY = "`up` from nothing", "`up` without changes", "`destroy`"
COMMANDS = {
    FROM_NOTHING: lab.PREVIEW_AND_UP,
    UNCHANGED: lab.PREVIEW_AND_UP,
    "`refresh`": lab.REFRESH,
    DESTROY: lab.DESTROY,
}
BOUNDS = {FROM_NOTHING: 1.2, UNCHANGED: 1.05, DESTROY: 1.3}
ONE = {"`preview`": (lab.PREVIEW, 1.05), "`up`": (lab.UP, 1.15)}
#: What a resource took in an exported state beyond one of a provider that does nothing, before the redesign.
BYTES_BEFORE = 2630 - 1873

_HOW = (
    "No limits are on, and the package's own pacing is set out of the way; ratios are medians of the ratios of "
    "runs that followed each other."
)

_VERBS = ("Check, new", "Create", "Check, unchanged", "Diff, unchanged", "Read", "Delete")
_WHERE = (
    "The calls are timed one after the other, from the engine's side, in a plugin that has warmed up. `__provider` is the "
    "SDK's pickled reference to the provider's class. The file backend writes the whole state at each step, so bytes are time."
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

#: What a plugin does once, before its first image has its date, step by step.
_START = """
import sys, time
import pulumi.dynamic

began = time.perf_counter()

def lap(name):
    global began
    print(name, 1000 * (time.perf_counter() - began), sep=": ")
    began = time.perf_counter()

import ami_deprecation.provider
import ami_deprecation.doors.dynamic
lap("import the package's provider")
import botocore.session
lap("import botocore")
from ami_deprecation.ec2 import Identity, Target
from ami_deprecation.ec2.sessions import Sessions
sessions = Sessions(1, may_prompt=False)
here = Target(Identity(), "eu-west-1")
ec2 = sessions.ec2(here)
lap("make the EC2 client")
sts = sessions.sts(here)
lap("make the STS client")
ec2.describe_images(ImageIds=[sys.argv[1]])
sts.get_caller_identity()
lap("the first DescribeImages and GetCallerIdentity")
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
        exported = _exported(place)
        calls = _calls(place, 20 if quick else 200)
        start_up = _start_up(place, 1 if quick else 9)
    refreshes = _refresh_many(100 if quick else 1000, 1 if quick else 5)
    single = _single(1 if quick else 9)
    size = {side: sum(parts.values()) for side, parts in exported.items()}
    start, imports_boto3 = _import_milliseconds(3 if quick else 15)
    constructed = _construct(100 if quick else 3000)
    targets = [
        *(Target.at_most(f"{name}, {count} resources", ratios[name], BOUNDS[name], "x") for name in BOUNDS),
        refreshes[0],
        *(
            Target.at_most(f"{name} of one image", ratio, ONE[name][1], "x")
            for name, (_, ratio) in single.items()
        ),
        Target.at_most(
            "bytes of exported state beyond it, a resource", size["dates"] - size["floor"], BYTES_BEFORE
        ),
        Target.at_most("`import ami_deprecation` after `import pulumi`", start, 15.0, "ms"),
        Target.exactly("… imports boto3", measured=imports_boto3, expected=False),
        Target.exactly("resources that one program constructs", constructed, 100 if quick else 3000),
    ]
    columns = ("median of seconds", "does nothing", "AmiDeprecation", "ratio", "ratio of processor time")
    sides = ("does nothing", "AmiDeprecation")
    return Outcome(
        tuple(targets),
        (
            Table(f"{count} resources, {rounds} rounds", columns, (*rows, refreshes[1])),
            Table("One image", columns, tuple(row for row, _ in single.values())),
            Table(
                "What the first image of a process pays once, medians of milliseconds",
                ("step", "ms"),
                start_up,
            ),
            Table("Where the milliseconds of one image go, medians", ("call", *sides), calls),
            Table(
                "Where the bytes of one image go, in the exported state", ("part", *sides), _by_part(exported)
            ),
        ),
        (_HOW, _WHERE),
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


def _exported(place: Lab) -> dict[Program, dict[str, int]]:
    """Part -> bytes in the exported state, of one resource of each side."""
    sizes: dict[Program, dict[str, int]] = {}
    for side in lab.SIDES:
        stack = place.stack(side, place.images(1, "exported"), lab.UNPACED)
        place.run(stack, *lab.UP)
        [own] = [r for r in stack.resources() if r["type"] != "pulumi:pulumi:Stack" and r.get("custom")][-1:]
        sizes[side] = _parts(own)
    return sizes


def _parts(resource: dict[str, Any]) -> dict[str, int]:
    own = {key: value for key, value in resource.items() if key not in {"inputs", "outputs", "stackTrace"}}
    sizes = {
        "the engine's stack trace": len(_compact(resource.get("stackTrace", []))),
        "the engine's other fields": len(_compact(own)),
    }
    for part in ("inputs", "outputs"):
        for key, value in resource[part].items():
            kind = key if key == "__provider" else "bookkeeping" if key.startswith("__") else part
            name = f"{kind} in {part}" if kind != part else f"{part} that a user sees"
            sizes[name] = sizes.get(name, 0) + len(_compact({key: value}))
    return sizes


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _by_part(exported: dict[Program, dict[str, int]]) -> tuple[tuple[str, ...], ...]:
    parts = dict.fromkeys(part for side in lab.SIDES for part in exported[side])
    return tuple((part, *(f"{exported[side].get(part, 0):,}" for side in lab.SIDES)) for part in parts)


def _single(rounds: int) -> dict[str, tuple[tuple[str, ...], float]]:
    """The table's row and the ratio of each command, for a stack of one image."""
    taken: dict[str, dict[Program, list[Timing]]] = {name: {side: [] for side in lab.SIDES} for name in ONE}
    with lab.open_lab() as place:
        for number in range(rounds):
            for side in lab.SIDES if number % 2 == 0 else reversed(lab.SIDES):
                stack = place.stack(side, place.images(1, f"{side}-{number}"), lab.UNPACED)
                for name, (command, _) in ONE.items():
                    taken[name][side].append(place.run(stack, *command))
    return {name: (_row(name, of), _ratio(of)) for name, of in taken.items()}


def _start_up(place: Lab, rounds: int) -> tuple[tuple[str, ...], ...]:
    [image] = place.images(1, "start")
    environment = {**os.environ, **place.ec2.environment(REGION)}
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", _START, image.id],
            env=environment,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            name, _, milliseconds = line.rpartition(": ")
            taken.setdefault(name, []).append(float(milliseconds))
    return tuple((name, f"{statistics.median(each):.0f}") for name, each in taken.items())


def _calls(place: Lab, count: int) -> tuple[tuple[str, ...], ...]:
    """The milliseconds of each gRPC call on the plugin, and of EC2's own, one after the other."""
    images = place.images(count, "calls")
    taken = {side: _verbs(place, side, images) for side in lab.SIDES}
    rows = [(verb, *(f"{statistics.median(taken[side][verb]):.2f}" for side in lab.SIDES)) for verb in _VERBS]
    alone = _alone(place, images)
    return (*rows, *((f"{action} alone, through boto3", "", f"{ms:.2f}") for action, ms in alone.items()))


def _verbs(place: Lab, side: Program, images: list[Wanted]) -> dict[str, list[float]]:
    environment = {**os.environ, **place.ec2.environment(REGION), **lab.UNPACED}
    floor = str(lab.PROGRAMS / "floor")
    environment["PYTHONPATH"] = os.pathsep.join([floor, str(REPOSITORY)])
    sys.path.append(floor)  # a provider is pickled by its module's name
    mine = AmiDeprecationProvider() if side == "dates" else import_module("nothing").NothingProvider()
    provider = pickled(mine)
    plugin = Plugin(Launcher(), environment, {"aws:region": REGION})
    taken: dict[str, list[float]] = {verb: [] for verb in _VERBS}
    made: list[tuple[object, ...]] = []

    def timed(verb: str, call: Callable[..., _Answer], *arguments: object) -> _Answer:
        began = time.perf_counter()
        answer = call(*arguments)
        taken[verb].append(1000 * (time.perf_counter() - began))
        return answer

    for image in images:
        urn = f"urn:pulumi:test::project::pulumi-python:dynamic/ec2:AmiDeprecation::{image.name}"
        given = {"image_id": image.id, "deprecate_at": image.date, "region": REGION, "on_destroy": "cancel"}
        given |= {"__provider": provider, "__resource": image.name}
        inputs, _ = timed("Check, new", plugin.check, urn, None, given)
        id_, outputs = timed("Create", plugin.create, urn, inputs)
        outputs["__provider"] = provider
        again, _ = timed("Check, unchanged", plugin.check, urn, inputs, given)
        timed("Diff, unchanged", plugin.diff, urn, id_, inputs, outputs, again)
        timed("Read", plugin.read, urn, id_, inputs, outputs)
        made.append((urn, id_, inputs, outputs))
    plugin.close()
    # A destroy is another process, in which no check has claimed the images.
    plugin = Plugin(Launcher(), environment, {"aws:region": REGION})
    for each in made:
        timed("Delete", plugin.delete, *each)
    plugin.close()
    return taken


def _alone(place: Lab, images: list[Wanted]) -> dict[str, float]:
    taken: dict[str, list[float]] = {"EnableImageDeprecation": [], "DisableImageDeprecation": []}
    client = place.ec2.client()
    for image in images:
        for action, call in (
            ("EnableImageDeprecation", partial(client.enable_image_deprecation, DeprecateAt=image.date)),
            ("DisableImageDeprecation", client.disable_image_deprecation),
        ):
            began = time.perf_counter()
            call(ImageId=image.id)
            taken[action].append(1000 * (time.perf_counter() - began))
    return {action: statistics.median(each) for action, each in taken.items()}


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
    return Target.at_most(name, _ratio(taken), 1.25, "x"), _row(name, taken)


def _import_milliseconds(times: int) -> tuple[float, bool]:
    answers = [_python(_IMPORT).split() for _ in range(times + 1)][1:]  # the first one compiles
    return statistics.median(float(ms) for ms, _ in answers), any(b == "True" for _, b in answers)


def _construct(count: int) -> int:
    return int(_python(_CONSTRUCT, str(count)))


def _python(source: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", source, *arguments], check=True, capture_output=True, text=True
    ).stdout
