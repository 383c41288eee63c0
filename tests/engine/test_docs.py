"""The README and the docs: what stands there works as it stands there. How a page is followed: docs_runner.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

import ami_deprecation
import ami_deprecation.testing
from ami_deprecation.cli.app import group
from tests.support.blocks import blocks, steps
from tests.support.docs_runner import NOT_RUN, Reader
from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_page_works_as_written(page: Path, cli: Cli, ec2: LocalEC2, tmp_path: Path) -> None:
    Reader(cli, ec2, tmp_path, NOT_RUN).follow(page)


def test_every_skipped_command_is_on_page() -> None:
    typed = [
        step.command
        for page in PAGES
        for block in blocks(page)
        if block.language in {"console", "sh", "bash"}
        for step in steps(block)
    ]
    assert [key for key in NOT_RUN if not any(command.startswith(key) for command in typed)] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```text\nsomething\n```\n", "page.md:1: this text block is neither run nor marked"),
        ("```console\n$ aws s3 ls\n```\n", "`aws s3 ls` is neither run nor listed in NOT_RUN"),
        ("```console\njust text\n```\n", "there is no command in this block"),
        ("\n\n```console\n$ python -c 'print(10)'\n1\n```\n", "page.md:3: '1' does not come"),
        ("```sh\npython -c 'raise SystemExit(3)'\n```\n", "ended with exit code 3"),
        ("<!-- test: exit=3 -->\n```sh\npython -c ''\n```\n", "ended with exit code 0"),
        ("<!-- test: changes=1 -->\n```sh\npython -c ''\n```\n", "EC2 calls: []"),
    ],
    ids=["no mark", "no test", "no command", "other output", "failure", "no failure", "no change"],
)
def test_broken_page_is_reported(text: str, complaint: str, cli: Cli, ec2: LocalEC2, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(AssertionError) as told:
        Reader(cli, ec2, tmp_path, NOT_RUN).follow(page)
    assert complaint in str(told.value)


def test_menu_has_every_page() -> None:
    def listed(part: object) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from listed(inner)

    settings = (REPOSITORY / "mkdocs.yml").read_text()
    menu = re.search(r"^nav:\n(?:  .*\n)+", settings, re.MULTILINE)  # only mkdocs knows the tags of the rest
    assert menu is not None
    assert sorted(listed(yaml.safe_load(menu[0]))) == sorted(
        str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")
    )


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target
    for file in re.findall(r"^<!-- site: (?:file|page) (\S+) -->$", text, re.MULTILINE):
        assert (REPOSITORY / file).is_file()


def pictures(page: Path) -> Iterator[tuple[str, str]]:
    """What a page shows: alternative text and file."""
    text = page.read_text()
    yield from re.findall(r"!\[(.*?)\]\((.+?)\)", text)
    for source, alternative in re.findall(r'<img src="(.+?)" alt="(.+?)"', text):
        yield alternative, source
    for source in re.findall(r'<source .*?srcset="(.+?)"', text):
        yield "the same in the other color scheme", source


def test_every_picture_is_used_and_has_alt_text() -> None:
    shown = [
        (alternative, (page.parent / target).resolve())
        for page in PAGES
        for alternative, target in pictures(page)
    ]
    assert {picture for _, picture in shown} == set((DOCS / "images").iterdir())
    assert all(len(alternative) > len("a picture") for alternative, _ in shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_commands_can_be_copied_without_a_prompt(page: Path) -> None:
    assert re.findall(r"^ *\$ .*", page.read_text(), re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_pages_hold_only_what_github_draws(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    marks = re.findall(
        r"--8<--|^:::.*|^!!!.*|^\?\?\?.*|^===.*|\{ ?[.:#]\w.*?\}|\{ ?\w+=.*?\}|^---$", text, re.MULTILINE
    )
    assert marks == []


def test_pictures_load_nothing_from_network() -> None:
    for picture in (DOCS / "images").glob("*.svg"):
        assert not re.search(r"url\(|@import|href=.http", re.sub(r"url\(#", "", picture.read_text()))


def test_reference_has_every_public_name() -> None:
    reference = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    for module in (ami_deprecation, ami_deprecation.testing):
        classes = [name for name in module.__all__ if callable(getattr(module, name))]
        missing = [name for name in classes if f" {module.__name__}.{name} " not in reference]
        assert missing == []


def test_reference_has_every_command() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text()
    assert re.findall(r"<!-- site: help (\S+) -->", page) == list(group.commands)
