"""``ami-deprecation comment``: a preview as the comment of a pull request."""

from __future__ import annotations

import os
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import options, output
from ..exits import EXIT_CODES, CommandError, Exit
from . import digests, markdown, preview
from .warnings import Limits, warnings_of

if TYPE_CHECKING:
    from datetime import timedelta

#: The project's name in its Pulumi.yaml.
_PROJECT = re.compile(r"^name:[ \t]*[\"']?(?P<name>[A-Za-z0-9_.-]+)", re.MULTILINE)

EPILOG = f"""\b
Examples:
  pulumi preview --json --show-sames | ami-deprecation comment > comment.md
  ami-deprecation comment preview.json --many 50 --notice 14d
  ami-deprecation comment preview.json --stderr preview.log --fail-on unchecked -o comment.md
  head -n 1 comment.md                the hidden line by which a job finds its comment again

The first line is an HTML comment that names the project and the stack and never changes. On the next push,
find the pull request's comment that starts with this line and replace its text. --key sets another name. A
preview that failed before it started names neither: Pulumi.yaml in this folder and PULUMI_STACK are used then.

Warnings come first: dates that have passed or are nearer than --notice, dates that cannot be set again, more
changed images than --many, and every message of the provider (a public image's limits, images in use, a date
that will be replaced). The rest is folded. Other resources are left out.

Without --show-sames, the preview leaves out unchanged resources. The comment then cannot know that an unchanged
resource has the image of a deleted one, and announces a cancellation that does not happen.

A preview that failed still gives a comment, with the reason on top. If the input is not a preview at all, the
comment says what came instead (--stderr: why), and the exit code is 2.

{EXIT_CODES}"""


@click.command("comment", epilog=EPILOG, short_help="Turn a preview into a pull-request comment.")
@click.argument("file", default="-", metavar="[PREVIEW.JSON]")
@click.option(
    "--many",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Warn when more images change than this.",
)
@options.duration("--notice", default="7d", text="Warn of dates nearer than this: 7d, 2w, 36h.")
@click.option(
    "--fail-on",
    type=click.Choice(("unchecked",)),
    help="Exit with 3 if a live check did not happen or a Region was left out: such a preview does not show what "
    "EC2 would refuse.",
)
@click.option(
    "--stderr",
    metavar="FILE",
    help="What the preview printed to stderr: shown if it failed before it printed any JSON.",
)
@click.option("--key", metavar="TEXT", help="The name in the hidden first line, instead of project/stack.")
@click.option(
    "--longest",
    type=click.IntRange(1000),
    default=markdown.LONGEST,
    show_default=True,
    metavar="CHARACTERS",
    help="The limit of the comment; GitHub accepts 65,536 characters.",
)
@options.output
def comment(  # noqa: PLR0913  # one argument an option
    *,
    file: str,
    stderr: str | None,
    many: int,
    notice: timedelta,
    fail_on: str | None,
    key: str | None,
    longest: int,
    path: str | None,
) -> Exit:
    """Write a pull-request comment, as Markdown, from the output of `pulumi preview --json --show-sames`.

    PREVIEW.JSON is a file, or - for stdin (the default). The command calls neither AWS nor Pulumi.
    """
    text = _read(file)
    now = datetime.now(timezone.utc)
    try:
        shown = preview.read(digests.load(text), now)
    except CommandError as error:
        stack = _stack_here()
        # Of an input that is no preview, Pulumi's own words are the reason.
        reason = (not isinstance(error, digests.SeveralStacks) and _end_of(stderr)) or str(error)
        output.write(markdown.failure(stack if key is None else key, stack, reason, longest), path)
        raise
    warnings = warnings_of(shown, now, Limits(notice=notice, many=many))
    key = (shown.stack or _stack_here()) if key is None else key
    output.write(markdown.comment(shown, warnings, now, key=key, longest=longest), path)
    if fail_on is not None and shown.unchecked:
        for each in shown.unchecked:
            click.echo(f"ami-deprecation: {each}", err=True)
        return Exit.GATE
    return Exit.OK


def _read(file: str) -> bytes:
    if file == "-":
        if sys.stdin.isatty():
            raise CommandError(
                "stdin is a terminal: pipe `pulumi preview --json --show-sames` into this command, or name a file"
            )
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}") from None


def _end_of(stderr: str | None) -> str:
    return "" if stderr is None else click.unstyle(_read(stderr).decode(errors="replace")).strip()


def _stack_here() -> str:
    """``project/stack`` of this folder and of PULUMI_STACK: a preview that did not start does not name them."""
    *qualifiers, stack = os.environ.get("PULUMI_STACK", "").split("/")
    project = qualifiers[1] if len(qualifiers) > 1 else _project_here()
    return f"{project}/{stack}" if project and stack else ""


def _project_here() -> str:
    for name in ("Pulumi.yaml", "Pulumi.yml"):
        if Path(name).is_file():
            match = _PROJECT.search(Path(name).read_text(encoding="utf-8", errors="replace"))
            return match["name"] if match else ""
    return ""
