"""What stands around the docs' pictures: a terminal's colours and window, and a pull request's comment."""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme

#: The window's colours: ground, text, and the sixteen of a terminal.
TERMINAL = TerminalTheme(
    (24, 22, 33),
    (222, 220, 232),
    [
        (58, 54, 74),
        (240, 113, 120),
        (140, 200, 120),
        (232, 190, 96),
        (120, 160, 250),
        (198, 140, 240),
        (96, 200, 212),
        (222, 220, 232),
    ],
    [
        (128, 122, 150),
        (255, 140, 146),
        (164, 224, 144),
        (246, 210, 128),
        (150, 184, 255),
        (216, 170, 255),
        (128, 222, 232),
        (255, 255, 255),
    ],
)
#: rich's own frame without its fonts, which a browser would fetch from a network.
FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
COMMENT_PAGE = """\
<!doctype html><meta charset="utf-8"><style>
body {{ margin: 24px; background: #fff; color: #1f2328; font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif }}
article {{ width: 1060px; border: 1px solid #d1d9e0; border-radius: 6px; overflow: hidden }}
header {{ padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; color: #59636e }}
header b {{ color: #1f2328 }}
main {{ padding: 4px 16px 16px }}
h3 {{ font-size: 18px; margin: 14px 0 }}
table {{ border-collapse: collapse; margin: 12px 0 }}
th, td {{ border: 1px solid #d1d9e0; padding: 6px 12px; text-align: left; vertical-align: top }}
code, td:nth-child(2), td:nth-child(3), td:nth-child(4) {{ white-space: nowrap }}
tr:nth-child(even) td {{ background: #f6f8fa }}
code {{ font: 12px ui-monospace, "DejaVu Sans Mono", monospace; background: #818b981f; border-radius: 6px; padding: 2px 5px }}
</style>
<article><header><b>github-actions</b> bot commented now · edited</header><main>{}</main></article>
"""
