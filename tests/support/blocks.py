"""The fenced blocks of Markdown pages, with what the page says about them to the tests."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PART = re.compile(
    r"^(?P<indent>[ ]*)(?P<fence>```+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=indent)(?P=fence)[ ]*$"
    r"|<!--\s*(?P<mark>test|image|run):(?P<words>.*?)-->",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block, or an invisible `<!-- run: … -->` or `<!-- image: … -->`, which readers do not see.

    Attributes:
        line: where it starts on the page, from 1.
        language: the word after the fence; `run` and `image` for the invisible ones.
        text: what is inside, without indentation.
        mark: what `<!-- test: … -->` before it says.
    """

    line: int
    language: str
    text: str
    mark: str = ""


@dataclass(frozen=True)
class Step:
    """A command, and the lines of output that the page shows below it."""

    command: str
    shown: tuple[str, ...] = ()


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    return list(_with_output(_blocks(page.read_text(encoding="utf-8"))))


def _with_output(parts: Iterable[Block]) -> Iterator[Block]:
    """Join commands and the `text` block right below them, which is the last one's output, to a `console` block."""
    commands: Block | None = None
    for block in parts:
        if commands is not None:
            last_line = commands.line + commands.text.count("\n") + 1
            if block.language == "text" and not block.mark and block.line == last_line + 2:
                typed = "".join(f"$ {step.command}\n" for step in steps(commands))
                yield Block(commands.line, "console", typed + block.text, commands.mark)
                commands = None
                continue
            yield commands
        commands = block if block.language in {"sh", "bash"} else None
        if commands is None:
            yield block
    if commands is not None:
        yield commands


def _blocks(text: str) -> Iterator[Block]:
    mark = ""
    for part in _PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["mark"] == "test":
            mark = part["words"].strip()
        elif part["mark"]:
            yield Block(line, part["mark"], part["words"].strip())
        else:
            yield Block(line, part["language"], textwrap.dedent(part["text"]), mark)
            mark = ""


def steps(block: Block) -> list[Step]:
    """The commands of a block: `$ command` and its output in a `console` block, else one command a line."""
    text = block.text.replace("\\\n", " ")
    if block.language == "console":
        typed = []
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            typed.append(Step(command, tuple(line for line in lines if line.strip())))
        return typed
    lines = [line.strip().removeprefix("$ ") for line in text.splitlines()]
    return [Step(line) for line in lines if line and not line.startswith("#")]


def words(text: str) -> tuple[list[str], dict[str, str]]:
    """`a b key=value` as its plain words and its keys; quotes hold blanks together."""
    plain, keys = [], {}
    for word in shlex.split(text):
        key, equals, value = word.partition("=")
        if equals:
            keys[key] = value
        else:
            plain.append(word)
    return plain, keys
