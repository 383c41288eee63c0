"""Names in the tests and tools: short test names, and no identifier that means something else in every file."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path

from tests.support import source

ROOT = Path(__file__).parents[2]
TREES = {
    path.relative_to(ROOT): source.parse(path)
    for path in chain.from_iterable(
        (ROOT / folder).rglob("*.py") for folder in ("tests", "benchmarks", "tools")
    )
}
LONGEST = 59
VAGUE = {"found", "said"}


def test_test_names_are_below_60_letters() -> None:
    assert [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and len(node.name) > LONGEST
    ] == []


def test_identifiers_are_specific() -> None:
    assert [
        f"{path}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.arg | ast.FunctionDef) and identifier(node) in VAGUE
    ] == []


def identifier(node: ast.Name | ast.arg | ast.FunctionDef) -> str:
    """The name that a node reads or binds."""
    if isinstance(node, ast.Name):
        return node.id
    return node.arg if isinstance(node, ast.arg) else node.name
