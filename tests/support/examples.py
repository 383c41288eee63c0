"""An example as a stack, and its README followed to the letter."""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tests.support import blocks
from tests.support.aws_stand_in import locate
from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from tests.conftest import MakeStack
    from tests.support.blocks import Step
    from tests.support.harness import Stack

EXAMPLES = REPOSITORY / "examples"
#: When the images of the READMEs were made, and the date that they get there.
CREATED = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
DATE = datetime(2028, 6, 1, tzinfo=timezone.utc)


def told(example: str) -> list[Step]:
    """What an example's README types and shows."""
    page = blocks.blocks(EXAMPLES / example / "README.md")
    return [step for block in page if block.language == "console" for step in blocks.steps(block)]


def follow(stack: Stack, example: str) -> None:
    """Type the commands of an example's README into its project, and find what it promises in the output."""
    follow_steps(stack, told(example))


def follow_steps(stack: Stack, steps: list[Step], *, fails: bool = False) -> None:
    for step in steps:
        assert step.command.startswith("pulumi ")
        result = stack.run(*shlex.split(step.command)[1:], check=False)
        failure_promised = fails or any("error:" in line for line in step.shown)
        assert (result.code != 0) == failure_promised, str(result)
        shown = [plain(line) for line in result.output.splitlines()]
        for line in step.shown:
            assert plain(line) in shown, f"{line!r} is not in the output\n{result}"


def plain(line: str) -> str:
    """A line without what differs from run to run: durations, the list of changed inputs, spacing."""
    return " ".join(re.sub(r"\(\d+(\.\d+)?s\)|\[diff: [^\]]*\]", "", line).split())


def example(make_stack: MakeStack, name: str) -> Stack:
    stack = make_stack(EXAMPLES / name)
    program = stack.project / "__main__.py"
    uses_aws = program.exists() and "pulumi_aws" in program.read_text()
    return locate.use(stack) if uses_aws else stack
