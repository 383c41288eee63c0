"""The picture of the order in which credentials and Region are found: boxes from top to bottom, as SVG.

    .venv/bin/python -m tools.flow

writes docs/images/credentials.svg from ``REGION_ORDER``. `tests/unit/test_reference.py` compares the two.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from xml.sax.saxutils import escape

from ami_deprecation.core.targets import REGION_ORDER

FILE = Path(__file__).resolve().parents[1] / "docs" / "images" / "credentials.svg"
_WIDTH, _LEFT, _LINE, _GAP, _PAD = 760, 16, 22, 34, 14
_LETTERS = 82


def draw() -> str:
    """The whole picture."""
    parts, top = [], _LEFT
    for number, source in enumerate(REGION_ORDER, 1):
        lines = textwrap.wrap(f"{number}  {source.value.replace('`', '')}", _LETTERS)
        height = 2 * _PAD + _LINE * len(lines)
        parts.append(f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH - 2 * _LEFT}" height="{height}" rx="8"/>')
        for index, line in enumerate(lines):
            y = top + _PAD + _LINE * index + 16
            parts.append(f'<text x="{_LEFT + 18 + (24 if index else 0)}" y="{y}">{escape(line)}</text>')
        top += height
        if number < len(REGION_ORDER):
            parts.append(f'<path d="M{_WIDTH // 2} {top} v{_GAP - 8}" marker-end="url(#arrow)"/>')
            parts.append(f'<text class="note" x="{_WIDTH // 2 + 14}" y="{top + 21}">names none</text>')
            top += _GAP
    return _FRAME.format(width=_WIDTH, height=top + _LEFT, body="\n".join(parts))


_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t">
<title id="t">Where credentials and Region come from: the first of five places that names one</title>
<style>
svg {{ background: #fff; font: 15px system-ui, sans-serif; }}
rect {{ fill: #f4f0fb; stroke: #5e35b1; stroke-width: 1.5; }}
text {{ fill: #1f1633; }}
.note {{ font-size: 13px; fill: #5b5569; }}
path {{ stroke: #5e35b1; stroke-width: 1.5; }}
</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" fill="#5e35b1"/></marker></defs>
{body}
</svg>
"""


if __name__ == "__main__":
    FILE.write_text(draw())
