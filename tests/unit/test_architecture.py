"""The house's arrow: who imports whom, and who may know Pulumi and botocore."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ami_deprecation
from tests.support import source

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(ami_deprecation.__file__).parent
PACKAGE = ROOT.name

#: Functions of values and an explicit now.
PURE = {
    "core.inputs",
    "core.keys",
    "core.rules",
    "core.state",
    "core.targets",
    "dates",
    "doors.project",
    "ec2.listing",
    "ec2.parse",
    "ec2.target",
    "errors",
    "fleet.arguments",
    "fleet.plan",
    "fleet.selection",
    "image",
}
#: What would make a module depend on more than its arguments.
IMPURE = {"asyncio", "logging", "os", "pathlib", "random", "socket", "subprocess", "sys", "threading", "time"}
#: The lowest layer: values that everybody may know.
VALUES = {"_collector", "_version", "dates", "errors", "image", "settings"}
#: What a program and the engine see. Nothing else knows these, or Pulumi.
SHELL = {"configured", "doors", "images", "policy", "provider", "resource"}
#: Entrances of their own, which nothing else needs.
ENTRANCES = {"__main__", "cli", "testing"}
#: What each part may import of the house, beside itself: all that is below it.
MAY_IMPORT = {
    **dict.fromkeys(VALUES, VALUES),
    "ec2": VALUES,
    "core": VALUES | {"ec2"},
    "fleet": VALUES | {"ec2", "core"},
    "doors": VALUES | {"ec2", "core", "fleet"},
    **dict.fromkeys(SHELL - {"doors"}, VALUES | {"ec2", "core", "fleet"} | SHELL),
    "cli": VALUES | {"ec2", "core", "fleet"} | SHELL | {"", "__main__"},
    # What EC2 does is told anew there: an error in our idea of it must not be in both.
    "testing": VALUES,
}


@dataclass(frozen=True)
class Module:
    """One file: `ec2.reader` for ami_deprecation/ec2/reader.py, and what it imports, also within functions."""

    name: str
    path: Path
    #: Absolute names: of this package's modules in full, of others as written.
    imports: frozenset[str]

    @property
    def part(self) -> str:
        return self.name.partition(".")[0]

    @property
    def own(self) -> set[str]:
        """Modules of this package, without its name."""
        return {name.partition(".")[2] for name in self.imports if name.startswith(f"{PACKAGE}.")}

    @property
    def parts(self) -> set[str]:
        return {name.partition(".")[0] for name in self.own}

    @property
    def others(self) -> set[str]:
        return {name.partition(".")[0] for name in self.imports} - {PACKAGE}


def modules() -> dict[str, Module]:
    """Every file of the package; the public names' has the name ''."""
    files = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        files[name] = Module(name, path, frozenset(imports(path)))
    return files


def imports(path: Path) -> Iterator[str]:
    """What a file imports when it runs."""
    package = [PACKAGE, *path.relative_to(ROOT).parent.parts]
    for node in running(source.parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield inner if is_module(inner) else module


def is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return name.startswith(f"{PACKAGE}.") and (path.with_suffix(".py").exists() or path.is_dir())


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only the type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        yield node
        yield from running(node)


HOUSE = modules().values()


def test_named_modules_exist() -> None:
    assert {each.name for each in HOUSE} >= PURE
    assert {each.part for each in HOUSE} == {*MAY_IMPORT, *ENTRANCES, ""}


def test_modules_have_no_import_cycle() -> None:
    graph = {each.name: each.own - {each.name} for each in HOUSE}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(f"imports go round: {' -> '.join(cycle.args[1])}")


def importers(of: set[str], but: set[str]) -> list[str]:
    """Modules that import one of these packages and may not."""
    return [each.name for each in HOUSE if each.others & of and each.part not in but]


def test_only_ec2_and_testing_import_botocore() -> None:
    assert importers(of={"boto3", "botocore"}, but={"ec2", "testing"}) == []
    assert importers(of={"moto"}, but={"testing"}) == []


def test_only_shell_imports_pulumi() -> None:
    assert importers(of={"pulumi"}, but=SHELL | {"cli"}) == []
    assert importers(of={"pulumi_aws"}, but=set()) == [], "an aws provider is known by its package"


def test_deciding_modules_are_pure() -> None:
    pure = [each for each in HOUSE if each.name in PURE]
    assert [each.name for each in pure if each.others & IMPURE] == []
    assert {each.name: each.own - PURE for each in pure if each.own - PURE} == {}


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_part_imports_only_what_is_below(part: str) -> None:
    allowed = MAY_IMPORT[part] | {part}
    assert [
        f"{each.name} imports {', '.join(sorted(each.parts - allowed))}"
        for each in HOUSE
        if each.part == part and each.parts - allowed
    ] == []


@pytest.mark.parametrize("name", ["ami_deprecation", "ami_deprecation.provider", "ami_deprecation.resource"])
def test_import_is_lazy(name: str) -> None:
    code = f"import {name}, sys; print(*sorted({{module.partition('.')[0] for module in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"ami_deprecation", "pulumi"} <= loaded
    assert not loaded & {"boto3", "botocore", "click", "jinja2", "moto", "pulumi_aws", "rich"}
