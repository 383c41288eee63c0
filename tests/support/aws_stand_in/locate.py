"""Which aws plugin the tests use: Pulumi's own when it is installed, else the stand-in beside this file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.harness import Stack

NAME = "pulumi-resource-aws"
STAND_IN = Path(__file__).parent


def folder() -> Path:
    """The folder that holds the plugin."""
    on_path = shutil.which(NAME)
    if on_path is not None:
        return Path(on_path).parent
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = sorted((home / "plugins").glob(f"resource-aws-v*/{NAME}"))
    return installed[-1].parent if installed else STAND_IN


def use(stack: Stack) -> Stack:
    """Let a stack's commands find the plugin, where the engine looks before it thinks of a download: on PATH."""
    path = stack.env.get("PATH") or stack.cli.environment()["PATH"]
    stack.env["PATH"] = os.pathsep.join([str(folder()), path])
    return stack
