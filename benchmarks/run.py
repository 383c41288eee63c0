"""Speed, beside a provider that does nothing and beside what else sets AMI deprecation dates: `make bench`.

python benchmarks/run.py                    all sections; writes the tables of benchmarks/README.md
python benchmarks/run.py floor reads        only these, and only their tables
python benchmarks/run.py --quick            small numbers, printed and not written: does it still run?
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.main import main

if __name__ == "__main__":
    raise SystemExit(main())
