"""``ami-deprecation comment``: a preview as the comment of a pull request."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import digests, options, preview, pull_request, writing
from .exits import TABLE, Exit, Stopped
from .remarks import Limits, remarks

if TYPE_CHECKING:
    from datetime import timedelta

EPILOG = f"""\b
Examples:
  pulumi preview --json | ami-deprecation comment > comment.md
  ami-deprecation comment preview.json --many 50 --notice 14d
  head -n 1 comment.md                the hidden line by which a job finds its comment again

The first line is an HTML comment that names project and stack and never changes: on the next push, look for
the pull request's comment that begins with it and replace that comment's text. --key puts another name there.

Warnings come first: dates that are past or nearer than --notice, dates that cannot be set again, more images
at once than --many, and every line of the provider's own (a public image's limits, images in use, a date
that will be replaced). Everything else is folded. What is not a deprecation date is left out.

A preview that failed is still shown, with its reason on top.

{TABLE}"""


@click.command("comment", epilog=EPILOG, short_help="A preview as a pull request's comment.")
@click.argument("file", default="-", metavar="[PREVIEW.JSON]")
@click.option(
    "--many",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Warn of more changed images than this.",
)
@options.duration("--notice", default="7d", text="Warn of a date nearer than this: 7d, 2w, 36h.")
@click.option("--key", metavar="TEXT", help="Instead of project/stack in the hidden first line.")
@click.option(
    "--longest",
    type=click.IntRange(1000),
    default=pull_request.LONGEST,
    show_default=True,
    metavar="CHARACTERS",
    help="Leave out what is over this; GitHub takes 65,536 characters.",
)
@options.output
def comment(
    *, file: str, many: int, notice: timedelta, key: str | None, longest: int, output: str | None
) -> Exit:
    """Write the Markdown of a pull-request comment from what `pulumi preview --json` printed.

    PREVIEW.JSON is a file, or - for stdin, which is the default. Nothing is asked of AWS or Pulumi.
    """
    now = datetime.now(timezone.utc)
    read = preview.read(digests.load(_text(file)), now)
    said = remarks(read, now, Limits(notice=notice, many=many))
    shown = pull_request.comment(read, said, now, key=read.stack if key is None else key, longest=longest)
    writing.write(shown, output)
    return Exit.OK


def _text(file: str) -> bytes:
    if file == "-":
        if sys.stdin.isatty():
            raise Stopped("nothing comes on stdin: pipe `pulumi preview --json` into it, or name a file")
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Stopped(f"{file}: {error.strerror or error}") from None
