"""The command line: ``ami-deprecation``, also ``python -m ami_deprecation``."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from ._collector import collect_rarely

#: What the ``[cli]`` extra brings.
_LIBRARIES = ("click", "jinja2", "rich")
_USAGE = 2


def main() -> None:
    """Run the command line with the process's arguments, and end the process with its exit code."""
    if any(find_spec(library) is None for library in _LIBRARIES):
        sys.stderr.write("The command line needs a few more packages: pip install 'ami-deprecation[cli]'\n")
        sys.exit(_USAGE)
    collect_rarely()
    from .cli.app import Interrupted, run  # noqa: PLC0415  # what it imports may not be there

    try:
        code = run(sys.argv[1:])
    except Interrupted as stopped:
        # Calls to EC2 may be under way in threads, which an ordinary exit would wait for.
        os._exit(stopped.code)
    sys.exit(code)


if __name__ == "__main__":
    main()
