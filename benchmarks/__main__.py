"""Speed, beside a provider that does nothing and beside other tools that set AMI deprecation dates: `make bench`.

python -m benchmarks                    all sections; writes the tables of benchmarks/README.md
python -m benchmarks floor reads        only these, and only their tables
python -m benchmarks --quick            small numbers, printed and not written: does it still run?
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import lab, report
from benchmarks.sections import doors, floor, growth, limits, peers, reads, soak

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.outcome import Outcome

SECTIONS: dict[str, Callable[..., Outcome]] = {
    "floor": floor.measure,
    "doors": doors.measure,
    "reads": reads.measure,
    "limits": limits.measure,
    "peers": peers.measure,
    "growth": growth.measure,
    "soak": soak.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the sections; 0 also when a target is missed, which the tables say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
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
