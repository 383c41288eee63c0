"""What is published: the archives, what they hold, and the wheel alone in a clean environment at work."""

from __future__ import annotations

import ast
import email
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import ami_deprecation
from tests.support.blocks import blocks
from tests.support.docs_runner import NOT_RUN, Reader
from tests.support.harness import REPOSITORY, Stack, StrangersCli
from tests.support.yaml_programs import date, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

UV = str(Path(sys.prefix, "bin", "uv"))
WORKFLOW = REPOSITORY / ".github" / "workflows" / "release.yml"
VERSION = ami_deprecation.__version__
#: The repository, as its forge names it.
NAME = "ami-deprecation/ami-deprecation"


#: uv trusts what the machine trusts, as in the Makefile.
SYSTEM_CERTIFICATES = {"UV_SYSTEM_CERTS": "1"}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=SYSTEM_CERTIFICATES | os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def done(*command: str) -> str:
    finished = run(*command)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@dataclass(frozen=True)
class Dist:
    """What `make dist` puts into dist/."""

    wheel: Path
    sdist: Path

    def contents(self) -> dict[str, bytes]:
        """The wheel's files."""
        return unpacked(self.wheel)

    def metadata(self) -> Message:
        """The wheel's METADATA."""
        text = self.contents()[f"ami_deprecation-{VERSION}.dist-info/METADATA"].decode()
        return email.message_from_string(text)


def unpacked(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder for all workers of a test run: the first that needs it fills it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make(folder)
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    """Built as `make dist` does, but beside the checkout."""

    def build(folder: Path) -> None:
        assert done("make", "--dry-run", "--silent", "dist").endswith("uv build\n"), (
            "as below, without a folder"
        )
        done(UV, "build", "--quiet", "--out-dir", str(folder))

    folder = shared(tmp_path_factory, "dist", build)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Dist(wheel, sdist)


@pytest.fixture(scope="module")
def clean(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what it requires, in the locked versions, and nothing else."""

    def install(environment: Path) -> None:
        done(UV, "venv", "--quiet", "--python", sys.executable, str(environment))
        lock = str(REPOSITORY / "requirements-dev.lock")
        python = str(environment / "bin" / "python")
        done(UV, "pip", "install", "--quiet", "--python", python, "--constraint", lock, str(dist.wheel))

    return shared(tmp_path_factory, "clean", install)


class TestTheArchives:
    def test_wheel_has_types_license_and_templates_but_no_tests(self, dist: Dist) -> None:
        names = set(dist.contents())
        package = {
            str(file.relative_to(REPOSITORY))
            for file in (REPOSITORY / "ami_deprecation").rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        }
        information = f"ami_deprecation-{VERSION}.dist-info"
        assert names == package | {
            f"{information}/{name}"
            for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
        }
        assert "ami_deprecation/py.typed" in names
        assert [name for name in names if "templates/" in name], "the HTML report's"

    def test_source_archive_builds_same_wheel(self, dist: Dist, tmp_path: Path) -> None:
        # `uv build` makes its wheel from the source archive; this one is made from the checkout.
        done(UV, "build", "--quiet", "--wheel", "--out-dir", str(tmp_path))
        (direct,) = tmp_path.glob("*.whl")
        assert direct.name == dist.wheel.name
        assert unpacked(direct) == dist.contents()

    def test_source_archive_has_tests_and_nothing_private(self, dist: Dist) -> None:
        with tarfile.open(dist.sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert {
            "PKG-INFO",
            "pyproject.toml",
            "README.md",
            "CHANGELOG.md",
            "LICENSE",
            "tests/engine/test_release.py",
            "examples/existing-image/__main__.py",
        } <= names
        assert not [name for name in names if re.search(r"\.venv|__pycache__|\.pyc$|/\.pulumi/", name)]

    def test_wheel_metadata_is_complete(self, dist: Dist) -> None:
        metadata = dist.metadata()
        assert (metadata["Name"], metadata["Version"]) == ("ami-deprecation", VERSION)
        assert metadata["Requires-Python"] == ">=3.10"
        assert metadata["License-Expression"] == "Apache-2.0"
        assert "Typing :: Typed" in metadata.get_all("Classifier", [])
        assert metadata["Description-Content-Type"] == "text/markdown"

        requirements = [text.partition(";") for text in metadata.get_all("Requires-Dist", [])]
        named = [(re.split(r"[<>=\[ ]", text)[0], marker.strip()) for text, _, marker in requirements]
        assert sorted(name for name, marker in named if not marker) == ["boto3", "pulumi"]
        assert set(metadata.get_all("Provides-Extra", [])) == {"aws", "cli", "testing"}

    def test_index_shows_readme_with_absolute_links(self, dist: Dist) -> None:
        shown = dist.metadata().get_payload()
        assert isinstance(shown, str)
        targets = re.findall(r'\]\(([^)]+)\)|src(?:set)?="([^"]+)"', shown)
        assert len(targets) > 20
        assert [each for each in targets if not "".join(each).startswith("https://")] == []
        relative = re.sub(
            rf"https://(github|raw\.githubusercontent)\.com/{NAME}/(blob/main|main)/", "", shown
        )
        assert relative == (REPOSITORY / "README.md").read_text()

    def test_address_is_the_same_everywhere(self, dist: Dist) -> None:
        urls = dict(text.split(", ") for text in dist.metadata().get_all("Project-URL", []))
        assert urls["Source"] == f"https://github.com/{NAME}"
        assert all(url.startswith(urls["Source"]) for url in urls.values())
        assert f"repo_url: {urls['Source']}\n" in (REPOSITORY / "mkdocs.yml").read_text()
        assert f"pulumi new {urls['Source']}/tree/main/template" in (REPOSITORY / "README.md").read_text()

    def test_version_has_one_source(self, dist: Dist) -> None:
        holders = [
            file
            for file in (*(REPOSITORY / "ami_deprecation").rglob("*.py"), REPOSITORY / "pyproject.toml")
            if re.search(rf"[\"']v?{re.escape(VERSION)}[\"']", file.read_text())
        ]
        assert holders == [REPOSITORY / "ami_deprecation" / "_version.py"]
        assert VERSION in dist.wheel.name
        assert VERSION in dist.sdist.name

    def test_changelog_has_this_version_and_its_date(self) -> None:
        changelog = (REPOSITORY / "CHANGELOG.md").read_text()
        assert re.search(rf"^## \[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)


class TestTheWheelAlone:
    def test_wheel_runs_readme_program_on_engine(
        self, clean: Path, cold_cli: Cli, ec2: LocalEC2, tmp_path: Path
    ) -> None:
        program = next(block.text for block in blocks(REPOSITORY / "README.md") if block.language == "python")
        (image_id,) = set(re.findall(r"ami-[0-9a-f]{8,17}", program))
        ec2.add_image("web", image_id=image_id)
        stack = Stack.create(cold_cli, tmp_path, ec2)
        project = yaml.safe_load((stack.project / "Pulumi.yaml").read_text())
        project["runtime"]["options"]["virtualenv"] = str(clean)
        (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        stack.program(
            f"{program}\n"
            "import ami_deprecation, pulumi, sys\n"
            "pulumi.export('package', ami_deprecation.__file__)\n"
            "pulumi.export('prefix', sys.prefix)\n"
        )
        assert stack.up().mutations == ["EnableImageDeprecation"]
        assert ec2.image(image_id).deprecation_time is not None
        assert stack.outputs()["prefix"] == str(clean)
        assert stack.outputs()["package"].startswith(f"{clean}/")
        assert stack.destroy().mutations == ["DisableImageDeprecation"]
        assert ec2.image(image_id).deprecation_time is None

    @pytest.mark.parametrize("page", ["README.md", "docs/quick-start.md"])
    def test_page_works_in_an_empty_home(
        self, page: str, clean: Path, cold_cli: Cli, ec2: LocalEC2, tmp_path: Path
    ) -> None:
        stranger = StrangersCli(cold_cli.folder, tmp_path / "home", virtualenv=clean)
        Reader(stranger, ec2, tmp_path, NOT_RUN).follow(REPOSITORY / page)

    def test_command_line_names_its_missing_extra(self, clean: Path) -> None:
        result = run(str(clean / "bin" / "ami-deprecation"), "report")
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.endswith("pip install 'ami-deprecation[cli]'\n")
        assert result.stderr.count("\n") == 1
        assert run(str(clean / "bin" / "python"), "-m", "ami_deprecation").stderr == result.stderr

    def test_embedded_ec2_names_its_missing_extra(self, clean: Path) -> None:
        result = run(str(clean / "bin" / "python"), "-m", "ami_deprecation.testing")
        assert result.returncode != 0
        assert result.stderr.splitlines()[-1].endswith("pip install 'ami-deprecation[testing]'")

    def test_every_public_name_is_there(self, clean: Path) -> None:
        names = "import ami_deprecation as a; print([n for n in a.__all__ if getattr(a, n) is None])"
        shown = done(str(clean / "bin" / "python"), "-c", f"{names}; print(a.__all__)").splitlines()
        assert shown == ["[]", str(ami_deprecation.__all__)]


def test_plugin_folder_needs_only_its_requirements(
    dist: Dist, cold_cli: Cli, ec2: LocalEC2, tmp_path: Path
) -> None:
    plugin = Path(shutil.copytree(REPOSITORY / "plugin", tmp_path / "plugin"))
    environment = tmp_path / "environment"
    done(UV, "venv", "--quiet", "--python", sys.executable, str(environment))
    stack = Stack.create(cold_cli, tmp_path, ec2)
    stack.env["VIRTUAL_ENV"] = str(environment)
    stack.config({"ami-deprecation:region": "eu-west-1"})
    write(stack, {"web": date(ec2.add_image("web"), deprecateInDays=30)}, provider=plugin)
    assert "has no Pulumi SDK" in stack.up(check=False).output, "it is empty"

    install = (UV, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"))
    constraints = ("--constraint", str(REPOSITORY / "requirements-dev.lock"))
    links = ("--find-links", str(dist.wheel.parent))
    done(*install, *constraints, *links, "--requirement", str(plugin / "requirements.txt"))
    assert stack.up().mutations == ["EnableImageDeprecation"]


class TestTheWorkflow:
    @staticmethod
    def jobs() -> dict[str, dict[str, object]]:
        jobs: dict[str, dict[str, object]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
        return jobs

    def test_release_workflow_matches_its_schema(self) -> None:
        schema = ("--builtin-schema", "vendor.github-workflows")
        done(str(Path(sys.prefix, "bin", "check-jsonschema")), *schema, str(WORKFLOW))

    def test_only_publishing_gets_token_and_runs_after_tests(self) -> None:
        jobs = self.jobs()
        publish = jobs.pop("publish")
        assert publish["permissions"] == {"id-token": "write"}
        assert publish["environment"] == "pypi"
        assert publish["needs"] == "build"
        assert "pypa/gh-action-pypi-publish" in str(publish["steps"])
        assert "id-token" not in str(jobs)
        assert "secrets." not in WORKFLOW.read_text()
        build = str(jobs["build"]["steps"])
        order = [build.index(each) for each in (".ci/run", "make dist", "tools/smoke.py", "upload-artifact")]
        assert order == sorted(order)

    def check_tag(self, folder: Path, tag: str, repository: str) -> subprocess.CompletedProcess[str]:
        """Run the step that looks at a tag, as in this repository."""
        steps = self.jobs()["build"]["steps"]
        assert isinstance(steps, list)
        (script,) = [step["run"] for step in steps if "tag" in step.get("name", "").lower()]
        (folder / "python").symlink_to(sys.executable)
        return run(
            *("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script),
            TAG=tag,
            PATH=f"{folder}{os.pathsep}{os.environ['PATH']}",
            GITHUB_SERVER_URL="https://github.com",
            GITHUB_REPOSITORY=repository,
        )

    @pytest.mark.parametrize(("tag", "code"), [(f"v{VERSION}", 0), ("v999.0.0", 1), (VERSION, 1)])
    def test_tag_that_is_not_version_stops_release(self, tag: str, code: int, tmp_path: Path) -> None:
        checked = self.check_tag(tmp_path, tag, NAME)
        assert checked.returncode == code, checked.stdout + checked.stderr
        assert checked.stdout.startswith("::error::The tag is") == bool(code)

    def test_other_repository_than_named_stops_release(self, tmp_path: Path) -> None:
        checked = self.check_tag(tmp_path, f"v{VERSION}", "somebody/fork")
        assert checked.returncode == 1
        assert checked.stdout.startswith("::error::This repository is https://github.com/somebody/fork; ")


def test_contributing_gives_every_dependency_reason() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    project = (REPOSITORY / "pyproject.toml").read_text()
    lists = re.findall(
        r"^(?:dependencies|aws|cli|testing|dev|docs) = (\[.*?[\n\"]\])$", project, re.MULTILINE | re.DOTALL
    )
    packages = {re.split(r"[<>=\[ ]", text)[0] for each in lists for text in ast.literal_eval(each)}
    assert packages >= {"pulumi", "moto", "ruff", "mkdocs-material"}
    assert not {name for name in packages if f"`{name}" not in text}
