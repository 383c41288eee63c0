"""The project without code, as `pulumi new` makes it from template/."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import yaml

from tests.support.harness import REPOSITORY, Stack

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

TEMPLATE = REPOSITORY / "template"


def test_template_becomes_a_project(cold_cli: Cli, ec2: LocalEC2, tmp_path: Path) -> None:
    project, backend = tmp_path / "dates", tmp_path / "state"
    project.mkdir()
    backend.mkdir()
    stack = Stack(cold_cli, project, backend, ec2, "prod", region=None)
    image_id = ec2.add_image("web", region="us-east-1")
    # The packages are there already, so the folder is not empty.
    (project / "venv").symlink_to(sys.prefix)
    stack.run("new", str(TEMPLATE), "--yes", "--generate-only", "--force")
    stack.run("stack", "init", "prod")
    stack.run("config", "set", "aws:region", "us-east-1")
    quickstart = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text())["template"]["quickstart"]
    commands = [line.strip() for line in quickstart.splitlines() if line.strip().startswith("pulumi ")]
    for command in commands:
        stack.run(*command.replace("ami-0123456789abcdef0", image_id).split()[1:])
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert stack.outputs()["deprecations"]["web"]["deprecationTime"] == "2027-06-01T00:00:00Z"


def test_template_holds_the_root_program() -> None:
    template, root = ((folder / "__main__.py").read_text() for folder in (TEMPLATE, REPOSITORY))
    assert template.partition("\n")[2] == root.partition("\n")[2]


def test_template_keeps_the_stack_file_in_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_bytes((TEMPLATE / ".gitignore").read_bytes())
    for name in ("Pulumi.prod.yaml", f"venv{os.sep}pyvenv.cfg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    added = subprocess.run(["git", "add", "--dry-run", "."], cwd=tmp_path, check=True, capture_output=True)
    assert b"Pulumi.prod.yaml" in added.stdout
    assert b"venv" not in added.stdout
