"""``ami-deprecation comment``: a preview as the comment of a pull request."""

from __future__ import annotations

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

EPILOG = f"""\b
Examples:
  pulumi preview --json | ami-deprecation comment > comment.md
  ami-deprecation comment preview.json --many 50 --notice 14d
  head -n 1 comment.md                the hidden line by which a job finds its comment again

The first line is an HTML comment that names the project and the stack and never changes. On the next push,
find the pull request's comment that starts with this line and replace its text. --key sets another name.

Warnings come first: dates that have passed or are nearer than --notice, dates that cannot be set again, more
changed images than --many, and every message of the provider (a public image's limits, images in use, a date
that will be replaced). The rest is folded. Other resources are left out.

A preview that failed still gives a comment, with the reason on top.

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
def comment(
    *, file: str, many: int, notice: timedelta, key: str | None, longest: int, path: str | None
) -> Exit:
    """Write a pull-request comment, as Markdown, from the output of `pulumi preview --json`.

    PREVIEW.JSON is a file, or - for stdin (the default). The command calls neither AWS nor Pulumi.
    """
    now = datetime.now(timezone.utc)
    shown = preview.read(digests.load(_text(file)), now)
    warnings = warnings_of(shown, now, Limits(notice=notice, many=many))
    key = shown.stack if key is None else key
    output.write(markdown.comment(shown, warnings, now, key=key, longest=longest), path)
    return Exit.OK


def _text(file: str) -> bytes:
    if file == "-":
        if sys.stdin.isatty():
            raise CommandError(
                "stdin is a terminal: pipe `pulumi preview --json` into this command, or name a file"
            )
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}") from None
