# ruff: noqa: INP001  # a hook is a file, not a module of a package
"""MkDocs hook: what the pages of the reference take from the package itself when the site is built.

`<!-- help: report -->` becomes what `ami-deprecation report --help` prints, `<!-- keys: images -->` the table of a
configuration key's own keys, `<!-- variables -->` the table of the environment variables.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

from ami_deprecation import AmiDeprecation, AmiDeprecationPolicy
from ami_deprecation.doors import project
from ami_deprecation.settings import Settings

_TABLES = {
    "images": (project._IMAGE_KEYS, AmiDeprecation),  # noqa: SLF001
    "policies": (project._POLICY_KEYS, AmiDeprecationPolicy),  # noqa: SLF001
}


def on_page_markdown(markdown: str, **_: object) -> str:
    """MkDocs calls this with each page's text."""
    markdown = re.sub(r"<!-- help(?:: (\S+))? -->", lambda match: _help(match[1]), markdown)
    markdown = re.sub(r"<!-- keys: (\w+) -->", lambda match: _keys(match[1]), markdown)
    return re.sub(r"<!-- variables -->", lambda _: _variables(), markdown)


def _help(verb: str | None) -> str:
    command = [sys.executable, "-m", "ami_deprecation", *filter(None, [verb]), "--help"]
    environment = os.environ | {"COLUMNS": "90", "NO_COLOR": "1"}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return f"```text\n{shown.stdout.rstrip()}\n```"


def _keys(key: str) -> str:
    names, resource = _TABLES[key]
    sentences = _arguments(resource)
    rows = [f"| `{camel}` | {sentences[ours]} |" for camel, ours in names.items()]
    return "\n".join(["| Key | What it says |", "|---|---|", *rows])


def _arguments(resource: type) -> dict[str, str]:
    """The Args section of a constructor's docstring: name -> its sentences, with our names as the keys spell them."""
    section = (inspect.getdoc(vars(resource)["__init__"]) or "").partition("Args:\n")[2].partition("\n\n")[0]
    sentences = {}
    for entry in re.split(r"\n(?=    \w+: )", "\n" + section):
        name, colon, sentence = entry.strip().partition(": ")
        if colon:
            sentences[name] = _as_markdown(" ".join(sentence.split()))
    return sentences


def _as_markdown(sentence: str) -> str:
    camel = {ours: theirs for names, _ in _TABLES.values() for theirs, ours in names.items()}
    text = re.sub(r"``(.+?)``", lambda match: f"`{camel.get(match[1], match[1])}`", sentence)
    return text[:1].upper() + text[1:]


def _variables() -> str:
    source = inspect.getsource(Settings)
    rows = []
    comment = ""
    for line in source.splitlines():
        comment = re.fullmatch(r"\s*#: (.*)", line)
        value = re.fullmatch(r"\s*(\w+): float = (\S+)", line)
        if comment:
            comment = comment[1]
        elif value:
            rows.append(f"| `AMI_DEPRECATION_{value[1].upper()}` | {value[2]} | {comment} |")
    return "\n".join(["| Variable | Default | |", "|---|---|---|", *rows])
