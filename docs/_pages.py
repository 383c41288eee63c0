# ruff: noqa: INP001  # a hook is a file, not a module of a package
"""MkDocs hook: what the site's pages show beyond the Markdown that a reader of the repository sees.

A comment `<!-- site: KIND ARGUMENT -->` and the paragraph below it, which says in the repository where to look,
become on the site:

- `help report`: what `ami-deprecation report --help` prints.
- `api ami_deprecation.get_images`: the reference from the docstring; of several names, one after the other.
- `file examples/fleet/__main__.py`: that file.
- `page CHANGELOG.md`: the text of that file; it is the whole page.

A link to a file of the repository outside docs/ becomes a link to the repository's address.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

_REPOSITORY = Path(__file__).resolve().parent.parent
_PART = re.compile(r"^<!-- site: (help|api|file)(?: (.+?))? -->\n(?:.+\n?)+", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?!https?:|#|/)([^)\s#]+)")
_LANGUAGES = {".py": "python", ".yml": "yaml", ".yaml": "yaml", ".ts": "typescript"}


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """MkDocs calls this with each page's text."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))
    whole = re.search(r"<!-- site: page (\S+) -->", markdown)
    if whole:
        folder, markdown = posixpath.dirname(whole[1]), (_REPOSITORY / whole[1]).read_text(encoding="utf-8")
    markdown = _PART.sub(lambda part: _shown(part[1], part[2]), markdown)
    # Blocks of code are left alone.
    pieces = re.split(r"(^ *```.*?^ *```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    pieces[::2] = [
        _LINK.sub(lambda link: _address(link[1], folder, page, config), text) for text in pieces[::2]
    ]
    return "".join(pieces)


def _shown(kind: str, argument: str | None) -> str:
    if kind == "api":
        return "\n".join(_reference(name) for name in str(argument).split())
    if kind == "file":
        file = _REPOSITORY / str(argument)
        text = file.read_text(encoding="utf-8").rstrip()
        return f'```{_LANGUAGES[file.suffix]} title="{argument}"\n{text}\n```\n'
    command = [sys.executable, "-m", "ami_deprecation", *filter(None, [argument]), "--help"]
    environment = os.environ | {"COLUMNS": "90", "NO_COLOR": "1"}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return f"```text\n{shown.stdout.rstrip()}\n```\n"


def _reference(name: str) -> str:
    options = f"    options:\n      {_OPTIONS[name]}\n" if name in _OPTIONS else ""
    return f"::: {name}\n{options}"


def _address(target: str, folder: str, page: Page, config: MkDocsConfig) -> str:
    """A link as the site needs it: from the page, or to the repository when the site does not have the file."""
    path = posixpath.normpath(posixpath.join(folder, target))
    if path in _PAGES:
        path = _PAGES[path]
    if path.startswith("docs/"):
        return posixpath.relpath(path, posixpath.join("docs", posixpath.dirname(page.file.src_uri)))
    kind = "tree" if (_REPOSITORY / path).is_dir() else "blob"
    return f"{config.repo_url}/{kind}/main/{path}"


#: Files outside docs/ that the site has as a page.
_PAGES = {"CHANGELOG.md": "docs/changelog.md", "CONTRIBUTING.md": "docs/contributing.md"}
#: Options of the reference beside those of mkdocs.yml.
_OPTIONS = {"ami_deprecation.testing.LocalEC2": "inherited_members: true"}
