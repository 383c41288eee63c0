"""The tables of the reference pages say what the code says."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import yaml

from ami_deprecation import AmiDeprecation, AmiDeprecationPolicy
from ami_deprecation.core.inputs import DEFINITIONS
from ami_deprecation.doors import project
from ami_deprecation.settings import Settings
from tests.support import source
from tools import flow

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs" / "reference"
KEYS = {"images": project.IMAGE_KEYS, "policies": project.POLICY_KEYS}
RESOURCES: dict[str, type] = {"images": AmiDeprecation, "policies": AmiDeprecationPolicy}
#: What an entry needs beside the key of a row.
BESIDE: dict[str, dict[str, object]] = {
    "images": {"imageId": "ami-0123456789abcdef0", "deprecateAt": "2027-06-01"},
    "policies": {"name": "base-*", "keepNewest": 3, "regions": ["eu-west-1", "us-east-1"]},
}
#: What the example of one key needs instead.
INSTEAD: dict[str, dict[str, object]] = {"excludeRegions": {"regions": "all"}}


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, as their cells."""
    section = (REFERENCE / page).read_text().partition(heading)[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def plain(cell: str) -> str:
    return cell.strip("`")


@pytest.mark.parametrize("key", KEYS)
def test_configuration_table_has_every_key(key: str) -> None:
    rows = table("configuration.md", f"## `ami-deprecation:{key}`")
    assert sorted(plain(row[0]) for row in rows) == sorted(KEYS[key])


def test_configuration_table_is_made_of_the_definitions() -> None:
    rows = table("configuration.md", "## `ami-deprecation:images`")
    assert [(plain(row[0]), row[-1]) for row in rows] == [(each.camel, each.doc) for each in DEFINITIONS]


@pytest.mark.parametrize("key", KEYS)
def test_configuration_examples_are_accepted(key: str) -> None:
    for name, kind, _, example, _, _ in table("configuration.md", f"## `ami-deprecation:{key}`"):
        value = yaml.safe_load(plain(example))
        beside = {
            k: v
            for k, v in BESIDE[key].items()
            if not (plain(name).startswith("deprecate") and k == "deprecateAt")
        }
        getattr(project, key)({"entry": {**beside, **INSTEAD.get(plain(name), {}), plain(name): value}})
        assert (type(value) is int) is (kind == "number"), name


@pytest.mark.parametrize("key", KEYS)
def test_configuration_defaults_are_the_code_s(key: str) -> None:
    parameters = inspect.signature(RESOURCES[key]).parameters
    for name, _, default, *_ in table("configuration.md", f"## `ami-deprecation:{key}`"):
        of_code = parameters[KEYS[key][plain(name)]].default
        if of_code is inspect.Parameter.empty:
            assert default == "required", name
        elif of_code is not None:
            assert yaml.safe_load(plain(default)) == of_code, name


def test_resource_page_has_every_input_and_output() -> None:
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in table("resource.md", "# AmiDeprecation")))
    inputs = set(inspect.signature(AmiDeprecation).parameters) - {"resource_name", "opts"}
    outputs = set(inspect.get_annotations(AmiDeprecation))
    assert set(named) == inputs | outputs


def test_environment_table_has_every_setting() -> None:
    rows = {plain(row[0]): float(row[1]) for row in table("environment.md", "# Environment variables")}
    defaults = {name: field.default for name, field in Settings.__dataclass_fields__.items()}
    assert rows == {f"AMI_DEPRECATION_{name.upper()}": default for name, default in defaults.items()}


def literals() -> list[str]:
    """The texts of the package's code, with NUL where a value goes in."""
    texts = []
    for file in sorted((REPOSITORY / "ami_deprecation").rglob("*.py")):
        for node in ast.walk(source.parse(file)):
            if isinstance(node, ast.JoinedStr):
                texts.append(
                    "".join(
                        str(each.value) if isinstance(each, ast.Constant) else "\0" for each in node.values
                    )
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"%[sdg]", "\0", node.value))
    return texts


@pytest.mark.parametrize("heading", ["## Errors", "## Warnings and notes"])
def test_messages_page_has_messages_of_code(heading: str) -> None:
    of_code = literals()
    for shown, *_ in table("messages.md", heading):
        parts = [re.escape(part.strip()) for part in plain(shown).split("…") if part.strip()]
        pattern = re.compile(".*".join(parts), re.DOTALL)
        assert any(pattern.search(text) for text in of_code), shown


def test_picture_of_credentials_is_up_to_date() -> None:
    assert flow.FILE.read_text() == flow.draw()
