"""The behavior table in the docs: every row names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8")
#: Situation -> the names in the row's last cell.
ROWS = {
    cells[0].strip(): re.findall(r"`(test_\w+)`", cells[-1])
    for line in TABLE.splitlines()
    if line.startswith("| ") and (cells := line.strip("|").split("|"))[-1].strip() != "tests"
}


def defined() -> set[str]:
    """Every test function's name."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)}


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 20
    assert [situation for situation, tests in ROWS.items() if not tests] == []


def test_every_named_test_exists() -> None:
    names = defined()
    assert {name for tests in ROWS.values() for name in tests if name not in names} == set()
