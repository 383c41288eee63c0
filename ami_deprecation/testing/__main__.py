"""``python -m ami_deprecation.testing``: a LocalEC2 in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import sys
import threading

from . import LocalEC2


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ami_deprecation.testing",
        description="Run LocalEC2, an EC2 emulator with AMI deprecation. All data is lost when it stops.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port (default: a free one)")
    parser.add_argument(
        "--images", type=int, default=1, metavar="N", help="images to start with (default: 1)"
    )
    parser.add_argument("--region", default="eu-west-1", help="their region (default: %(default)s)")
    parser.add_argument("--limits", action="store_true", help="throttle as EC2 does")
    options = parser.parse_args(arguments)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            _serve(LocalEC2(limits=options.limits, host=options.host, port=options.port), options)
    except (OSError, KeyError) as error:
        detail = f"unknown region {error}" if isinstance(error, KeyError) else str(error)
        sys.stderr.write(f"{parser.prog}: {detail}\n")
        return 1
    return 0


def _serve(ec2: LocalEC2, options: argparse.Namespace) -> None:
    with ec2:
        ids = ec2.add_images(options.images, region=options.region) if options.images > 0 else []
        exports = ec2.environment(options.region)
        count = f"{len(ids)} image{'' if len(ids) == 1 else 's'}"
        lines = [
            f"EC2 and STS at {ec2.endpoint_url}, account {ec2.account}, {count} in {options.region}.",
            *(f"  {image_id}" for image_id in ids[:10]),
            *(["  ..."] if len(ids) > 10 else []),  # noqa: PLR2004  # enough to copy one from
            "To use it, paste this into a shell:",
            *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
            "Ctrl-C ends it.",
        ]
        for number in (signal.SIGINT, signal.SIGTERM):
            # A shell starts background jobs with SIGINT ignored; `kill` should end it as quietly.
            signal.signal(number, signal.default_int_handler)
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    raise SystemExit(main())
