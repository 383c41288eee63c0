"""The CLI that `make setup` gets, as far as it is our own: which one is taken, and how programs run in it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.harness import Stack
from tests.support.running import Running
from tests.support.watch import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.harness import Cli

tool = importlib.import_module("tools.pulumi-cli.get")
Machine, Source = tool.Machine, tool.Source
BARE = Machine(on_path=False, official_cached=False, build_cached=False, has_go=False)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (replace(BARE, on_path=True, official_cached=True, build_cached=True), [Source.PATH]),
        (replace(BARE, official_cached=True, build_cached=True), [Source.OFFICIAL]),
        (replace(BARE, build_cached=True, has_go=True), [Source.BUILD]),
        (replace(BARE, has_go=True), [Source.OFFICIAL, Source.BUILD]),
        (BARE, [Source.OFFICIAL]),
    ],
)
def test_source_without_network_goes_first(machine: object, expected: list[object]) -> None:
    assert list(tool.sources(machine)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.245.0", True),
        ("3.300.1-alpha.1", True),
        ("v3.244.9", False),
        ("v3.99.0", False),
        ("v4.0.0", False),
        ("dev", False),
        ("", False),
    ],
)
def test_cli_is_new_enough_from_oldest_on(text: str, expected: bool) -> None:
    assert tool.newest().takes(text) is expected


@pytest.mark.parametrize(("text", "expected"), [("v3.245.0", True), ("v3.245.1", False), (None, False)])
def test_oldest_cli_is_taken_in_its_exact_version(text: str | None, expected: bool) -> None:
    assert tool.oldest().takes(text) is expected


class Shell:
    """A machine without network, with an empty cache, and on PATH only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.cache = folder / "cache" / "ami-deprecation" / "pulumi-cli"
        self.bin.mkdir()
        self._environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "XDG_CACHE_HOME": str(folder / "cache"),
            "https_proxy": "http://127.0.0.1:9",  # the discard port: nobody listens
        }

    def command(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def get(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(tool.__file__), *options]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_cli_on_path_is_used_with_its_language_host(shell: Shell) -> None:
    shell.command("pulumi", "echo v3.250.0")
    shell.command("pulumi-language-python", "")
    result = shell.get()
    assert result.stdout.strip() == str(shell.bin)
    assert result.stderr.strip() == f"Pulumi CLI v3.250.0, found on PATH: {shell.bin}"


def test_missing_cli_gives_one_sentence_with_fix(shell: Shell) -> None:
    shell.command("pulumi", "echo v3.100.0")
    shell.command("pulumi-language-python", "")
    result = shell.get()
    too_old, sentence = result.stderr.strip().splitlines()
    assert result.returncode == 1
    assert too_old == "The pulumi on PATH is v3.100.0; this needs Pulumi 3.245 or newer."
    assert sentence.startswith("No Pulumi CLI: the official release cannot be downloaded (")
    assert "without Go it cannot be built. Install Pulumi 3.245 or newer (https://" in sentence


def test_official_release_in_cache_is_taken_at_once(shell: Shell) -> None:
    folder = shell.cache / f"official-{version('pulumi')}" / "bin"
    folder.mkdir(parents=True)
    (folder / "pulumi").touch()
    assert shell.get().stdout.strip() == str(folder)


def test_failed_build_leaves_nothing_and_can_be_repeated(shell: Shell) -> None:
    write_output = 'while [ "$1" != -o ]; do shift; done; echo "$0" > "$2"; chmod +x "$2"'
    shell.command("go", f"{write_output}; echo one >&2; echo 'no such toolchain' >&2; exit 1")
    failed = shell.get()
    assert failed.returncode == 1
    assert "the build from the Go module failed (no such toolchain)" in failed.stderr
    assert not list(shell.cache.rglob("*pulumi*/pulumi"))

    shell.command("go", write_output)
    built = Path(shell.get().stdout.strip())
    assert sorted(file.name for file in built.glob("pulumi*")) == [
        "pulumi",
        "pulumi-language-python",
        "pulumi-resource-pulumi-python",
    ]

    shell.command("go", "exit 1")
    assert shell.get().stdout.strip() == str(built), "the second time nothing is built"


def test_build_gets_yaml_host_and_codegen_on_demand(shell: Shell) -> None:
    assert "Go" in shell.get("--codegen").stderr, "without it, a sentence"
    shell.command("go", 'while [ "$1" != -o ]; do shift; done; echo "$0 $3" > "$2"; chmod +x "$2"')
    plain, with_yaml = (Path(shell.get(*options).stdout.strip()) for options in ((), ("--yaml",)))
    codegen = Path(shell.get("--codegen").stdout.strip())
    assert not (plain / "pulumi-language-yaml").exists()
    assert "/cmd/pulumi-language-yaml" in (with_yaml / "pulumi-language-yaml").read_text()
    assert {file.name for file in with_yaml.iterdir()} > {file.name for file in plain.iterdir()}
    assert codegen.read_text().strip().endswith("./codegen")

    shell.command("go", "exit 1")
    assert shell.get("--yaml").stdout.strip() == str(with_yaml), "the second time nothing is built"
    assert shell.get("--codegen").stdout.strip() == str(codegen)


def test_released_cli_needs_no_other_yaml_host(shell: Shell) -> None:
    folder = shell.cache / f"official-{version('pulumi')}" / "bin"
    folder.mkdir(parents=True)
    (folder / "pulumi").touch()
    assert shell.get("--yaml").stdout.strip() == str(folder)


PROVIDER = """
    import sys
    import time
    from pathlib import Path

    from pulumi.dynamic import CreateResult, Resource, ResourceProvider


    class Provider(ResourceProvider):
        def create(self, props):
            if props["text"] == "refused":
                raise ValueError("the provider says no")
            if props["text"] == "slow":
                Path("creating").touch()
                while not Path("ending").exists():
                    time.sleep(0.02)
                time.sleep(1)  # a CLI that was interrupted before knows it by now
            return CreateResult("an-id", {**props, "python": sys.prefix})


    class Thing(Resource):
        def __init__(self, name, text):
            super().__init__(Provider(), name, {"text": text, "python": None})
"""


@pytest.fixture
def plain(cold_cli: Cli, tmp_path: Path) -> Stack:
    """A stack without an EC2, with a module `things` that has a dynamic resource."""
    stack = Stack.create(cold_cli, tmp_path, ec2=None)
    stack.program("", things=PROVIDER)
    return stack


def test_run_error_is_shown_and_deletes_nothing(plain: Stack) -> None:
    plain.program("from things import Thing\nThing('it', 'text')")
    plain.up()
    plain.program("import pulumi\nraise pulumi.RunError('the reason in plain words')")
    result = plain.up(check=False)
    assert result.code != 0
    assert "error: the reason in plain words\n" in result.output
    assert "Traceback" not in result.output
    assert "exit code" not in result.output
    assert [resource["id"] for resource in plain.resources("pulumi-python:dynamic:Resource")] == ["an-id"]


def test_other_errors_show_traceback(plain: Stack) -> None:
    plain.program("import os\nos.environ['NO_SUCH_THING']")
    result = plain.preview(check=False)
    assert result.code != 0
    assert f'{plain.project}/__main__.py", line 2' in result.output
    assert "KeyError: 'NO_SUCH_THING'" in result.output


def test_failed_provider_ends_program_silently(plain: Stack) -> None:
    plain.program(
        """
        import pulumi
        from things import Thing
        pulumi.export("python", Thing("it", "refused").python.apply(lambda p: p))
        """
    )
    result = plain.up(check=False)
    assert result.code != 0
    assert "ValueError: the provider says no" in result.output
    assert "KeyboardInterrupt" not in result.output
    assert "program_runner" not in result.output, "no traceback of the program beside the provider's"


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ("{virtualenv: 'an environment'}", "an environment"),
        ("{toolchain: uv}", ".venv"),
        ("{toolchain: poetry}", "of poetry"),
    ],
)
def test_program_and_provider_run_in_projects_environment(
    plain: Stack, tmp_path: Path, options: str, folder: str
) -> None:
    plain.program(
        """
        import sys
        import pulumi
        from things import Thing
        pulumi.export("program", sys.prefix)
        pulumi.export("provider", Thing("it", "text").python)
        """
    )
    named = plain.project / folder
    named.symlink_to(sys.prefix)
    (plain.project / "Pulumi.yaml").write_text(
        f"name: project\nruntime: {{name: python, options: {options}}}\n"
    )
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text(f"#!/bin/sh\n[ \"$*\" = 'env info --path' ] && echo '{plain.project}/of poetry'\n")
    poetry.chmod(0o755)
    plain.env["PATH"] = os.pathsep.join([str(poetry.parent), plain.environment()["PATH"]])
    plain.up()
    assert plain.outputs() == {"program": str(named), "provider": str(named)}


def test_preview_leaves_no_module_to_its_update(plain: Stack) -> None:
    plain.program(
        "import sys\nprint('seen before' if 'mark' in sys.modules else 'fresh')\nimport mark", mark=""
    )
    result = plain.run("up", "--yes")
    assert "fresh" in result.output
    assert "seen before" not in result.output


def test_program_gets_configuration_with_secrets_marked(plain: Stack) -> None:
    plain.run("config", "set", "--secret", "word", "xyzzy")
    plain.run("config", "set", "--path", "things.one.size", "3")
    plain.program(
        """
        import pulumi
        config = pulumi.Config()
        pulumi.export("size", config.require_object("things")["one"]["size"])
        pulumi.export("word", config.require_secret("word"))
        """
    )
    result = plain.up()
    assert plain.outputs()["size"] == 3
    assert "xyzzy" not in result.output
    assert "xyzzy" not in json.dumps(plain.state())


@pytest.mark.parametrize("end", [Running.interrupt, Running.kill])
def test_nothing_runs_on_after_interrupt_or_kill(plain: Stack, end: Callable[[Running], None]) -> None:
    plain.program("from things import Thing\nThing('it', 'slow')")
    with plain.start("up", "--yes", "--skip-preview") as running:
        wait_until((plain.project / "creating").exists, "the provider creates")
        end(running)
        (plain.project / "ending").touch()
        result = running.wait()
        assert result.code != 0
        assert "KeyboardInterrupt" not in result.output
        wait_until(lambda: not running.processes(), "no process is left")


def test_missing_virtualenv_names_command_that_creates_it(plain: Stack) -> None:
    (plain.project / "Pulumi.yaml").write_text(
        "name: project\nruntime:\n  name: python\n  options:\n    virtualenv: missing  # not made yet\n"
    )
    result = plain.preview(check=False)
    assert result.code != 0
    assert f"{plain.project}{os.sep}missing" in result.output
    assert "python3 -m venv" in result.output
