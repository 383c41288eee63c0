"""Switches the account's listing off in the plugin: what is left is asking for each image by its id."""

import sys

if "pulumi.dynamic" in sys.orig_argv:
    from ami_deprecation.ec2 import reader

    reader._LIST_AFTER = sys.maxsize  # noqa: SLF001  # a benchmark of this very choice
