"""The command: which sections, and where their outcome goes."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import lab, report
from benchmarks.sections import floor, growth, limits, peers, reads, soak

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.outcome import Outcome

SECTIONS: dict[str, Callable[..., Outcome]] = {
    "floor": floor.measure,
    "reads": reads.measure,
    "limits": limits.measure,
    "peers": peers.measure,
    "growth": growth.measure,
    "soak": soak.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the sections; 0 also when a target is missed, which the tables say."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", choices=[[], *SECTIONS], metavar="section", help=", ".join(SECTIONS)
    )
    parser.add_argument("--quick", action="store_true", help="small numbers, printed and not written")
    options = parser.parse_args(arguments)
    lab.bytecode_allowed()
    for name in options.sections or SECTIONS:
        began = time.monotonic()
        outcome = SECTIONS[name](quick=options.quick)
        seconds = time.monotonic() - began
        print(f"\n## {name} ({seconds:.0f} s)\n\n{outcome.markdown()}", flush=True)
        if not options.quick:
            report.write(name, outcome, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
