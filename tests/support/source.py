"""The package's source as Python reads it."""

from __future__ import annotations

import ast
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def parse(path: Path) -> ast.Module:
    """Parse a file.

    Without a collection on the way: what it closes may set the recursion limit, as hypothesis does, and CPython 3.11 then
    fails with "AST constructor recursion depth mismatch".
    """
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()
