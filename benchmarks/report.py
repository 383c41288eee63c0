"""benchmarks/README.md: each section's outcome between two markers, with date and machine."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.outcome import Outcome

README = Path(__file__).with_name("README.md")


def write(section: str, outcome: Outcome, seconds: float) -> None:
    """Replace what stands between a section's markers.

    Raises:
        ValueError: the README has no such markers.
    """
    begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->"
    text = README.read_text(encoding="utf-8")
    before, marker, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (marker and closed):
        raise ValueError(f"{README.name} has no markers for the section {section}")
    when = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    line = f"*{when}, {_machine()}; the section took {seconds / 60:.1f} minutes.*"
    README.write_text(f"{before}{begin}\n{line}\n\n{outcome.markdown()}\n\n{end}{after}", encoding="utf-8")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[2]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, load {load:.1f} in the last 15 minutes, "
        f"{platform.system()}, Python {platform.python_version()}, pulumi {version('pulumi')}, boto3 {version('boto3')}"
    )
