"""Writing text: where it goes, and how to keep it from being read as markup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import datetime, timedelta

#: Characters that Markdown or HTML would interpret.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#])")
#: A spreadsheet reads a cell that starts with one of these as a formula. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(text: str, path: str | None) -> None:
    """Write to a file, or to stdout.

    Raises:
        OSError: the file cannot be written.
    """
    if path is None or path == "-":
        click.echo(text, nl=False)
    else:
        Path(path).write_text(text, encoding="utf-8")


def length(time: timedelta) -> str:
    """Whole days, or hours below one day: ``3 days``, ``1 hour``."""
    days, hours = time.days, time.seconds // 3600
    if days:
        return f"{days} day{'s' if days != 1 else ''}"
    return f"{hours} hour{'s' if hours != 1 else ''}" if hours else "less than an hour"


def distance(when: datetime, now: datetime) -> str:
    """The time until or since a moment: ``in 3 days``, ``5 hours ago``."""
    return f"in {length(when - now)}" if when > now else f"{length(now - when)} ago"


def markdown(text: str) -> str:
    """Text that GitHub and GitLab show literally, also inside a table."""
    escaped = _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
    # The HTML comment keeps @name from mentioning a user.
    return escaped.replace("&", "&amp;").replace("@", "@<!-- -->")


def code(text: str) -> str:
    """A code span, also inside a table."""
    flat = " ".join(text.split()).replace("|", "\\|")
    ticks = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (ticks + 1)
    pad = " " if ticks else ""
    return f"{fence}{pad}{flat}{pad}{fence}" if flat else ""


def cell(text: str) -> str:
    """Text that a spreadsheet does not run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
