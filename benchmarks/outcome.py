"""What a section of the benchmarks found: tables, and targets that are met or missed."""

from __future__ import annotations

from dataclasses import dataclass, field

_ROUND_ABOVE = 10


@dataclass(frozen=True)
class Table:
    """One table. Every row has as many cells as there are columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Target:
    """One number that was promised, and what was measured.

    Attributes:
        what: the number, in words.
        measured: as measured, with its unit.
        promised: the bound, with its unit.
        met: whether it holds.
    """

    what: str
    measured: str
    promised: str
    met: bool

    @classmethod
    def at_most(cls, what: str, measured: float, bound: float, unit: str = "") -> Target:
        """A number that may not be more than a bound."""
        return cls(what, _text(measured, unit), f"≤ {_text(bound, unit)}", measured <= bound)

    @classmethod
    def exactly(cls, what: str, measured: object, expected: object) -> Target:
        """A value that has to be this one."""
        return cls(what, str(measured), str(expected), measured == expected)


@dataclass(frozen=True)
class Outcome:
    """What one section found. `notes` are sentences that a reader of the tables needs."""

    targets: tuple[Target, ...]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def markdown(self) -> str:
        """The outcome as Markdown, a blank line before and after each block."""
        blocks = []
        if self.targets:
            rows = [(t.what, t.measured, t.promised, "met" if t.met else "**missed**") for t in self.targets]
            blocks.append(_markdown(("target", "measured", "promised", ""), rows))
        for table in self.tables:
            blocks += [f"{table.title}:", _markdown(table.columns, table.rows)]
        blocks += self.notes
        return "\n\n".join(blocks)


def _markdown(columns: tuple[str, ...], rows: object) -> str:
    lines = [columns, tuple("---" for _ in columns), *_rows(rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _rows(rows: object) -> list[tuple[str, ...]]:
    return [tuple(row) for row in rows] if isinstance(rows, (list, tuple)) else []


def _text(number: float, unit: str) -> str:
    if isinstance(number, int):
        shown = f"{number:,}"
    else:
        shown = f"{number:.2f}" if number < _ROUND_ABOVE else f"{number:.1f}"
    return shown + ("" if unit == "x" else f" {unit}".rstrip())
