"""Find or get a Pulumi CLI that can run this repository's Python programs.

    python tools/pulumi-cli/get.py [--oldest] [--yaml]
    python tools/pulumi-cli/get.py --codegen

prints the folder to put first on PATH and, on stderr, one line that says which CLI that is. In this order:
`pulumi` on PATH; the official release, through the SDK's own installer; where that cannot be downloaded, a
build from the CLI's Go module (go.mod beside this file) with the language host in `host/`. With `--oldest` it gets
the oldest CLI that the docs promise, and no other: `oldest/go.mod` names it. With `--yaml` the CLI runs YAML programs
too: Pulumi's releases do, and a build gets the language host of `yaml/go.mod`. `--codegen` prints the path of Pulumi's
code generation (`codegen/main.go`), built from the CLI's module. What it gets it keeps in the user's
cache folder by version, so that the next checkout has it at once. Each is made in a temporary folder and renamed:
an interrupted run leaves nothing half made, and two at once do no harm.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOST = HERE / "host"
YAML = HERE / "yaml"
CODEGEN = HERE / "codegen" / "main.go"
MODULE = "github.com/pulumi/pulumi/pkg/v3"
YAML_MODULE = "github.com/pulumi/pulumi-yaml"
YAML_HOST = "pulumi-language-yaml"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
DOWNLOAD_TIMEOUT_SECONDS = 15
NOT_COPIED = shutil.ignore_patterns("__pycache__")


class Source(Enum):
    """Where a CLI can come from, in the words that the user reads."""

    PATH = "found on PATH"
    OFFICIAL = "the official release"
    BUILD = "built from its Go module"


class UnavailableError(Exception):
    """A source has no CLI for us; the message says why, as half a sentence."""


@dataclass(frozen=True)
class Release:
    """A CLI to get, in the versions in which it can be had.

    Attributes:
        module: the folder with the Go module that builds it.
        official_version: of the official release.
        exact: whether a CLI on PATH has to have this version; else it has to be as new as the oldest one.
    """

    module: Path
    official_version: str
    exact: bool

    @property
    def module_version(self) -> str:
        """The version that its go.mod requires, such as `v3.245.0`."""
        return required_version(self.module, MODULE)

    @property
    def official_folder(self) -> Path:
        return cache_folder() / f"official-{self.official_version}"

    @property
    def built_binary(self) -> Path:
        return cache_folder() / f"built-{self.module_version}" / "pulumi"

    def takes(self, version: str | None) -> bool:
        """Whether a CLI with this version will do."""
        if version is None:
            return False
        return version.lstrip("v") == self.official_version if self.exact else new_enough(version)


def required_version(folder: Path, module: str) -> str:
    """The version of a module that the go.mod in a folder requires."""
    match = re.search(rf"^require {module} (v\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise SystemExit(f"{folder / 'go.mod'}: found no line 'require {module} v…'.")
    return match[1]


def newest() -> Release:
    """The CLI of everyday use. The official one has the SDK's version, because the two are released together."""
    return Release(HERE, installed_version("pulumi"), exact=False)


def oldest() -> Release:
    """The oldest CLI that the docs promise."""
    module = HERE / "oldest"
    return Release(module, Release(module, "", exact=True).module_version.lstrip("v"), exact=True)


@dataclass(frozen=True)
class Machine:
    """What decides where the CLI comes from.

    Attributes:
        on_path: `pulumi` on PATH, with its Python language host, will do.
        official_cached: the official release is in the cache.
        build_cached: so is a build of the version in go.mod.
        has_go: `go` is on PATH.
    """

    on_path: bool
    official_cached: bool
    build_cached: bool
    has_go: bool


def new_enough(version: str) -> bool:
    """Whether a CLI with this version (`v3.245.0`, also with a suffix) is one that the docs promise."""
    major, minor = major_and_minor(oldest().official_version)
    actual_major, actual_minor = major_and_minor(version)
    return actual_major == major and actual_minor >= minor


def major_and_minor(version: str) -> tuple[int, int]:
    """The first two numbers of a version; zeros for a text that is none."""
    match = re.match(r"v?(\d+)\.(\d+)\.", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def sources(machine: Machine) -> tuple[Source, ...]:
    """The sources to try, best first: one that needs no network where there is one."""
    if machine.on_path:
        return (Source.PATH,)
    if machine.official_cached:
        return (Source.OFFICIAL,)
    if machine.build_cached:
        return (Source.BUILD,)
    return (Source.OFFICIAL, Source.BUILD) if machine.has_go else (Source.OFFICIAL,)


def cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "ami-deprecation" / "pulumi-cli"


def path_version() -> str | None:
    if shutil.which("pulumi") is None or shutil.which("pulumi-language-python") is None:
        return None
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"}
    done = subprocess.run(["pulumi", "version"], capture_output=True, text=True, env=environment, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def from_path(_: Release) -> Path:
    command = shutil.which("pulumi")
    if command is None:
        raise UnavailableError("there is no pulumi on PATH")
    return Path(command).parent


def official(release: Release) -> Path:
    folder = release.official_folder
    if not folder.exists():
        # Imported here because it takes longer than all the rest of a run that needs no download.
        from pulumi.automation import PulumiCommand  # noqa: PLC0415
        from pulumi.automation.errors import InvalidVersionError  # noqa: PLC0415
        from semver import VersionInfo  # noqa: PLC0415  # the SDK brings it

        socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)  # the SDK sets none
        with tempfile.TemporaryDirectory(dir=made(cache_folder())) as temporary:
            try:
                version = VersionInfo.parse(release.official_version)
                PulumiCommand.install(root=f"{temporary}/official", version=version)
            except (OSError, subprocess.CalledProcessError, InvalidVersionError) as error:
                raise UnavailableError(f"the official release cannot be downloaded ({error})") from None
            keep(Path(temporary, "official"), folder)
    return folder / "bin"


def build(release: Release) -> Path:
    """Go's part is kept by its version alone, so that a change to our language host does not build it again."""
    binary = release.built_binary
    host = b"".join(file.read_bytes() for file in sorted(HOST.iterdir()) if file.is_file())
    folder = binary.parent / f"with-host-{hashlib.sha256(host).hexdigest()[:12]}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=made(binary.parent)) as temporary:
        if not binary.exists():
            compile_module(release, Path(temporary, "pulumi"))
            Path(temporary, "pulumi").replace(binary)
        # The engine takes plugins without a warning only from the folder in which its own file lies.
        assembled = Path(temporary, "assembled")
        shutil.copytree(HOST, assembled, ignore=NOT_COPIED)
        (assembled / "pulumi").hardlink_to(binary)
        keep(assembled, folder)
    return folder


def compile_module(release: Release, output: Path) -> None:
    version = release.module_version
    tell(f"Building Pulumi CLI {version} from its Go module; the first time this takes some minutes.")
    go_build(release.module, f"{MODULE}/cmd/pulumi", output, f"-X {VERSION_VARIABLE}={version}")


def go_build(folder: Path, package: str, output: Path, linker_flags: str = "") -> None:
    """Build a package of the Go module in a folder.

    Raises:
        UnavailableError: with the last thing that Go said.
    """
    flags = f"-s -w {linker_flags}".strip()
    command = ["go", "build", "-C", str(folder), "-trimpath", "-ldflags", flags, "-o", str(output), package]
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise UnavailableError("there is no go on PATH") from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UnavailableError(f"the build from the Go module failed ({reason})")


def with_yaml(cli: Path) -> Path:
    """The folder of the same CLI with a language host for YAML. Pulumi's releases have it; our build gets one."""
    if not (cli / "language_host.py").exists():
        return cli
    version = required_version(YAML, YAML_MODULE)
    folder = cli.parent / f"{cli.name}-yaml-{version}"
    if folder.exists():
        return folder
    host = cache_folder() / f"yaml-{version}" / YAML_HOST
    with tempfile.TemporaryDirectory(dir=made(cache_folder())) as temporary:
        if not host.exists():
            tell(f"Building the YAML language host {version} from its Go module; this takes a minute or two.")
            go_build(YAML, f"{YAML_MODULE}/cmd/{YAML_HOST}", Path(temporary, YAML_HOST))
            Path(temporary, YAML_HOST).replace(made(host.parent) / YAML_HOST)
        # The engine takes plugins without a warning only from the folder in which its own file lies.
        assembled = Path(temporary, "assembled")
        shutil.copytree(cli, assembled, ignore=NOT_COPIED, copy_function=os.link)
        (assembled / YAML_HOST).hardlink_to(host)
        keep(assembled, folder)
    return folder


def codegen() -> Path:
    """Pulumi's code generation as a program, built once for each content of its source and of go.mod."""
    sources = CODEGEN.read_bytes() + (HERE / "go.mod").read_bytes()
    program = cache_folder() / f"codegen-{hashlib.sha256(sources).hexdigest()[:12]}" / "codegen"
    if not program.exists():
        tell("Building Pulumi's code generation from its Go module; the first time this takes some minutes.")
        with tempfile.TemporaryDirectory(dir=made(cache_folder())) as temporary:
            go_build(HERE, "./codegen", Path(temporary, "codegen"))
            Path(temporary, "codegen").replace(made(program.parent) / "codegen")
    return program


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(finished: Path, folder: Path) -> None:
    """Move a finished folder to its place, unless another run has put the same there meanwhile."""
    try:
        finished.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def get(release: Release) -> Path:
    """The folder of a CLI that works, got from the first source that has one.

    Raises:
        SystemExit: with one sentence that says what was tried and the way out.
    """
    on_path = path_version()
    machine = Machine(
        on_path=release.takes(on_path),
        official_cached=(release.official_folder / "bin" / "pulumi").exists(),
        build_cached=release.built_binary.exists(),
        has_go=shutil.which("go") is not None,
    )
    oldest_version = ".".join(oldest().official_version.split(".")[:2])
    wanted = f"Pulumi {release.official_version}" if release.exact else f"Pulumi {oldest_version} or newer"
    if on_path is not None and not machine.on_path:
        tell(f"The pulumi on PATH is {on_path}; this needs {wanted}.")
    getters = {Source.PATH: from_path, Source.OFFICIAL: official, Source.BUILD: build}
    versions = {
        Source.PATH: on_path,
        Source.OFFICIAL: f"v{release.official_version}",
        Source.BUILD: release.module_version,
    }
    reasons = []
    for source in sources(machine):
        try:
            folder = getters[source](release)
        except UnavailableError as error:  # noqa: PERF203  # two rounds at most
            reasons.append(str(error))
        else:
            tell(f"Pulumi CLI {versions[source]}, {source.value}: {folder}")
            return folder
    if not machine.has_go:
        reasons.append("without Go it cannot be built")
    raise SystemExit(
        f"No Pulumi CLI: {' and '.join(reasons)}. Install {wanted} "
        "(https://www.pulumi.com/docs/install/) or Go (https://go.dev/doc/install), then run this again."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Find or get a Pulumi CLI; prints its folder.")
    parser.add_argument("--oldest", action="store_true", help="the oldest CLI that the docs promise")
    parser.add_argument("--yaml", action="store_true", help="with a language host for YAML")
    parser.add_argument("--codegen", action="store_true", help="the path of Pulumi's code generation instead")
    given = parser.parse_args()
    try:
        if given.codegen:
            print(codegen())
            return
        folder = get(oldest() if given.oldest else newest())
        print(with_yaml(folder) if given.yaml else folder)
    except UnavailableError as error:
        raise SystemExit(
            f"Not built: {error}. The tests of the generated SDKs and of YAML programs need Go (https://go.dev/doc/install)."
        ) from None


if __name__ == "__main__":
    main()
