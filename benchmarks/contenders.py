"""What sets deprecation dates: this package, and what a user would pick instead."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from benchmarks import lab
from benchmarks.lab import Timing
from tests.support.harness import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.lab import Lab, Wanted
    from tests.support.harness import Stack

SCRIPTS = Path(__file__).with_name("peers")


class Contender(Protocol):
    """One way to date images."""

    @property
    def name(self) -> str:
        """As the tables call it."""

    def run(self, images: Sequence[Wanted], *, limited: bool) -> Timing:
        """Give each image its date, as a user would; the same images again are a rerun."""


@dataclass
class Package:
    """This package: `pulumi up`, with the preview before it."""

    place: Lab
    name: str = "`pulumi up` with this package"
    _stacks: dict[str, Stack] = field(default_factory=dict)

    def run(self, images: Sequence[Wanted], *, limited: bool) -> Timing:
        """An update of the images' own stack; without EC2's limits, without the package's own too."""
        key = images[0].id
        if key not in self._stacks:
            self._stacks[key] = self.place.stack("dates", images, {})
        stack = self._stacks[key]
        stack.env = {} if limited else dict(lab.UNPACED)
        return self.place.run(stack, *lab.PREVIEW_AND_UP, "--continue-on-error", check=False)


@dataclass(frozen=True)
class Peer:
    """A command of something else."""

    name: str
    place: Lab
    #: From an empty folder, a file with an image id a line, and the date.
    command: Callable[[Path, Path, str], Sequence[str | Path]]

    def run(self, images: Sequence[Wanted], *, limited: bool) -> Timing:  # noqa: ARG002  # it is the same to a peer
        """The command, with the embedded EC2 in its environment."""
        with tempfile.TemporaryDirectory(dir=self.place.folder) as name:
            folder = Path(name)
            ids = folder / "ids"
            ids.write_text("".join(f"{image.id}\n" for image in images))
            command = self.command(folder, ids, images[0].date)
            kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
            mark, cpu, began = self.place.ec2.mark(), lab.children_cpu_seconds(), time.monotonic()
            done = subprocess.run(
                command,
                env=kept | self.place.ec2.environment(region=REGION),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=lab.TIMEOUT_SECONDS,
            )
            seconds = time.monotonic() - began
        calls = tuple(self.place.ec2.calls_since(mark))
        used = lab.children_cpu_seconds() - cpu
        return Timing(seconds, used, done.returncode, calls, done.stdout + done.stderr)


def contenders(place: Lab, tools: Path) -> list[Contender]:
    """All of them, this package last. `tools` is the folder of peer_tools."""

    def custodian(folder: Path, _ids: Path, date: str) -> Sequence[str | Path]:
        filters = [{"type": "value", "key": "Name", "op": "glob", "value": "date-me-*"}]
        action = {"type": "set-deprecation", "date": date}
        policy = {"name": "dates", "resource": "aws.ami", "filters": filters, "actions": [action]}
        (folder / "policy.json").write_text(json.dumps({"policies": [policy]}))
        (folder / "out").mkdir()
        flags = ["--region", REGION, "--cache-period", "0", "--output-dir", "out"]
        return [tools / "custodian", "run", *flags, "policy.json"]

    def shell(loop: str) -> Callable[[Path, Path, str], Sequence[str | Path]]:
        def command(_folder: Path, ids: Path, date: str) -> Sequence[str | Path]:
            call = f"{shlex.quote(str(tools / 'aws'))} ec2 enable-image-deprecation --deprecate-at {date} --image-id"
            return ["bash", "-ec", loop.format(call=call, ids=shlex.quote(str(ids)))]

        return command

    def boto3(script: str) -> Callable[[Path, Path, str], Sequence[str | Path]]:
        return lambda _folder, ids, date: [tools / "python", SCRIPTS / script, date, ids]

    return [
        Peer("Cloud Custodian, `set-deprecation`", place, custodian),
        Peer("`aws` CLI in a loop", place, shell("while read -r id; do {call} $id; done < {ids}")),
        Peer("`aws` CLI, `xargs -P 4`", place, shell("xargs -P 4 -n 1 {call} < {ids}")),
        Peer("boto3 in a loop", place, boto3("boto3_loop.py")),
        Peer("boto3, 4 threads, adaptive retries", place, boto3("boto3_threads.py")),
        Package(place),
    ]
