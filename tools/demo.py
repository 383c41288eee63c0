"""The story that `make demo` tells: this repository's own project on a real Pulumi and an embedded EC2.

All output under a `$` line is what the CLI printed, without its empty lines and progress dots. Each step
checks that it made the EC2 calls that the story says; the first that did not ends the demo with exit code 1.
Everything happens in a temporary folder, and the embedded EC2 ends with this process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from rich.console import Console
from rich.text import Text

from ami_deprecation.testing import LocalEC2
from tests.support.harness import REGION, REPOSITORY, Cli, Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.running import Result

ENABLE = "EnableImageDeprecation"
DISABLE = "DisableImageDeprecation"

console = Console(highlight=False, soft_wrap=True)


class UnexpectedError(Exception):
    """A step did something else than the story says; the message says what."""


class Story:
    """One image, one stack, and what is said about them."""

    def __init__(self, stack: Stack, ec2: LocalEC2) -> None:
        self.stack = stack
        self.ec2 = ec2
        self.image_id = ec2.add_image("web-server-2026-01")
        self.steps = 0

    def say(self, sentence: str) -> None:
        """Begin a step."""
        self.steps += 1
        console.print(f"\n[bold]{self.steps}. {sentence}[/bold]")

    def configure(self, date: str) -> None:
        """Write the stack's configuration as the user would, and show it."""
        config = {
            "aws:region": REGION,
            "ami-deprecation:images": {"web": {"imageId": self.image_id, "deprecateAt": date}},
        }
        self.stack.config(config)
        console.print(Text(f"Pulumi.{self.stack.name}.yaml:", "cyan"))
        console.print(Text(indented(yaml.safe_dump({"config": config}, sort_keys=False)), "dim"))

    def pulumi(self, command: str, *shown: str, changes: Sequence[str] = (), quiet: bool = False) -> None:
        """Run a command, and show it, its output and its EC2 calls.

        Args:
            command: as the user types it, without `pulumi`.
            shown: texts that its output must have.
            changes: the changing EC2 calls that it must make: these, in this order, and no others.
            quiet: it must make no EC2 call at all.
        """
        console.print(Text(f"$ pulumi {command}", "cyan"))
        colour = ["--color=always"] if console.is_terminal else []
        result = self.stack.run(*command.split(), *colour, check=False)
        printed = Text.from_ansi(result.output)
        for line in printed.split():
            if line.plain.strip() and not line.plain.startswith("@ "):
                console.print(Text("  ") + line)
        console.print(Text(f"EC2 calls: {counted(result.actions)}", "green"))
        verify(result, printed.plain, shown, changes, quiet=quiet)

    def look(self, expected: str | None) -> None:
        """Show the image as EC2 has it, which must be available, with the expected day as its date."""
        image = self.ec2.image(self.image_id)
        day = f"{image.deprecation_time:%Y-%m-%d}" if image.deprecation_time else None
        date = f"deprecated on {day}" if day else "no date"
        console.print(Text(f"EC2 has:   {self.image_id}, {image.state}, {date}", "green"))
        if (image.state, day) != ("available", expected):
            raise UnexpectedError(f"the image should be available with the date {expected}")


def tell(story: Story) -> None:
    """From nothing to nothing."""
    year = datetime.now(timezone.utc).year
    first, moved, outside = f"{year + 1}-06-01", f"{year + 1}-09-01", f"{year + 2}-01-01"

    story.say("An image in EC2 gets a date in reviewed configuration")
    story.configure(first)

    story.say("The pull request shows what would happen, and changes nothing")
    story.pulumi("preview", "2 to create")
    story.look(None)

    story.say("Merged: the date is set")
    story.pulumi("up --yes --skip-preview", first, changes=[ENABLE])
    story.look(first)

    story.say("A second run asks EC2 nothing")
    story.pulumi("up --yes --skip-preview", "unchanged", quiet=True)

    story.say("The date moves: the preview shows both")
    story.configure(moved)
    story.pulumi("preview --diff", first, moved)
    story.look(first)

    story.say("It is moved in place, with one call and no moment without a date")
    story.pulumi("up --yes --skip-preview", moved, changes=[ENABLE])
    story.look(moved)

    story.say("Somebody sets another date by hand, and a preview with a refresh shows it")
    console.print(
        Text(
            f"$ aws ec2 enable-image-deprecation --image-id {story.image_id} --deprecate-at {outside}", "cyan"
        )
    )
    story.ec2.client("ec2", region=REGION).enable_image_deprecation(
        ImageId=story.image_id, DeprecateAt=datetime.fromisoformat(outside).replace(tzinfo=timezone.utc)
    )
    story.pulumi("preview --refresh --diff", outside, moved)
    story.look(outside)

    story.say("The next run repairs it")
    story.pulumi("up --refresh --yes --skip-preview", changes=[ENABLE])
    story.look(moved)

    story.say("The stack goes: the date is canceled, the image stays")
    story.pulumi("destroy --yes --skip-preview", "deleted", changes=[DISABLE])
    story.look(None)


def verify(
    result: Result, printed: str, shown: Sequence[str], changes: Sequence[str], *, quiet: bool
) -> None:
    """Raise UnexpectedError unless a command did what the story says of it."""
    command = "pulumi " + " ".join(result.command)
    if result.code != 0:
        raise UnexpectedError(f"{command} ended with exit code {result.code}")
    missing = [text for text in shown if text not in printed]
    if missing:
        raise UnexpectedError(f"{command} did not show {' and '.join(missing)}")
    if result.mutations != list(changes):
        raise UnexpectedError(
            f"{command} should change EC2 by {counted(changes)}, and did by {counted(result.mutations)}"
        )
    if quiet and result.actions:
        raise UnexpectedError(f"{command} should make no EC2 call, and made {counted(result.actions)}")


def counted(actions: Sequence[str]) -> str:
    """`2 DescribeImages, EnableImageDeprecation`, in the order in which each was first made."""
    each = {action: actions.count(action) for action in actions}
    return ", ".join(f"{n} {a}" if n > 1 else a for a, n in each.items()) or "none"


def indented(text: str) -> str:
    """The text two blanks to the right, without its last newline."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def engine() -> Path:
    """The folder of the CLI that `make setup` got."""
    tool = REPOSITORY / "tools" / "pulumi-cli" / "get.py"
    done = subprocess.run([sys.executable, tool], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)  # it has said why
    return Path(done.stdout.strip())


def main() -> int:
    """Tell the story; 1 when it went otherwise."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ami-deprecation-demo-") as folder, LocalEC2() as ec2:
        cli = Cli(engine(), Path(folder, "pulumi-home"))
        try:
            tell(Story(Stack.create(cli, Path(folder), ec2, REPOSITORY, name="demo"), ec2))
        except UnexpectedError as error:
            console.print(Text(f"The demo went wrong: {error}.", "red"))
            return 1
        except KeyboardInterrupt:
            return 130
    console.print(f"\nAll as expected, in {time.monotonic() - began:.0f} s. No AWS account was involved.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
