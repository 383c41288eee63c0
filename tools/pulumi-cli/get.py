"""Find or get a Pulumi CLI that can run this repository's Python programs.

    python tools/pulumi-cli/get.py

prints the folder to put first on PATH and, on stderr, one line that says which CLI that is. In this order:
`pulumi` on PATH; the official release, through the SDK's own installer; where that cannot be downloaded, a
build from the CLI's Go module (go.mod beside this file) with the language host in `host/`. What it gets it
keeps in the user's cache folder by version, so that the next checkout has it at once. Each is made in a
temporary folder and renamed: an interrupted run leaves nothing half made, and two at once do no harm.
"""

from __future__ import annotations

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
OLDEST = (3, 216)  # the first whose refresh shows what a Python dynamic provider reads (ReadResult.inputs)
MODULE = "github.com/pulumi/pulumi/pkg/v3"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
DOWNLOAD_TIMEOUT_SECONDS = 15


class Source(Enum):
    """Where a CLI can come from, in the words that the user reads."""

    PATH = "found on PATH"
    OFFICIAL = "the official release"
    BUILD = "built from its Go module"


class UnavailableError(Exception):
    """A source has no CLI for us; the message says why, as half a sentence."""


@dataclass(frozen=True)
class Machine:
    """What decides where the CLI comes from.

    Attributes:
        path_version: what `pulumi version` says, None without a `pulumi` and its Python language host on PATH.
        official_cached: the official release of the SDK's version is in the cache.
        build_cached: so is a build of the version in go.mod.
        has_go: `go` is on PATH.
    """

    path_version: str | None
    official_cached: bool
    build_cached: bool
    has_go: bool


def new_enough(version: str) -> bool:
    """Whether a CLI with this version (`v3.245.0`, also with a suffix) has what this project needs."""
    match = re.match(r"v?(\d+)\.(\d+)\.", version)
    return match is not None and int(match[1]) == OLDEST[0] and int(match[2]) >= OLDEST[1]


def sources(machine: Machine) -> tuple[Source, ...]:
    """The sources to try, best first: one that needs no network where there is one."""
    if machine.path_version is not None and new_enough(machine.path_version):
        return (Source.PATH,)
    if machine.official_cached:
        return (Source.OFFICIAL,)
    if machine.build_cached:
        return (Source.BUILD,)
    return (Source.OFFICIAL, Source.BUILD) if machine.has_go else (Source.OFFICIAL,)


def cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "ami-deprecation" / "pulumi-cli"


def official_folder() -> Path:
    """Of the version that belongs to the installed SDK: the two are released together."""
    return cache_folder() / f"official-{installed_version('pulumi')}"


def module_version() -> str:
    match = re.search(rf"^require {MODULE} (v\S+)$", (HERE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise SystemExit(f"{HERE / 'go.mod'}: found no line 'require {MODULE} v…'.")
    return match[1]


def built_binary() -> Path:
    return cache_folder() / f"built-{module_version()}" / "pulumi"


def path_version() -> str | None:
    if shutil.which("pulumi") is None or shutil.which("pulumi-language-python") is None:
        return None
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"}
    found = subprocess.run(
        ["pulumi", "version"], capture_output=True, text=True, env=environment, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else None


def look() -> Machine:
    return Machine(
        path_version=path_version(),
        official_cached=(official_folder() / "bin" / "pulumi").exists(),
        build_cached=built_binary().exists(),
        has_go=shutil.which("go") is not None,
    )


def from_path() -> Path:
    command = shutil.which("pulumi")
    if command is None:
        raise UnavailableError("there is no pulumi on PATH")
    return Path(command).parent


def official() -> Path:
    folder = official_folder()
    if not folder.exists():
        # Imported here because it takes longer than all the rest of a run that needs no download.
        from pulumi.automation import PulumiCommand  # noqa: PLC0415
        from pulumi.automation.errors import InvalidVersionError  # noqa: PLC0415

        socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)  # the SDK sets none
        with tempfile.TemporaryDirectory(dir=made(cache_folder())) as temporary:
            try:
                PulumiCommand.install(root=f"{temporary}/official")
            except (OSError, subprocess.CalledProcessError, InvalidVersionError) as error:
                raise UnavailableError(f"the official release cannot be downloaded ({error})") from None
            keep(Path(temporary, "official"), folder)
    return folder / "bin"


def build() -> Path:
    """Go's part is kept by its version alone, so that a change to our language host does not build it again."""
    binary = built_binary()
    host = b"".join(file.read_bytes() for file in sorted(HOST.iterdir()) if file.is_file())
    folder = binary.parent / f"with-host-{hashlib.sha256(host).hexdigest()[:12]}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=made(binary.parent)) as temporary:
        if not binary.exists():
            compile_module(Path(temporary, "pulumi"))
            Path(temporary, "pulumi").replace(binary)
        # The engine takes plugins without a warning only from the folder in which its own file lies.
        assembled = Path(temporary, "assembled")
        shutil.copytree(HOST, assembled, ignore=shutil.ignore_patterns("__pycache__"))
        (assembled / "pulumi").hardlink_to(binary)
        keep(assembled, folder)
    return folder


def compile_module(output: Path) -> None:
    version = module_version()
    tell(f"Building Pulumi CLI {version} from its Go module; the first time this takes some minutes.")
    flags = f"-s -w -X {VERSION_VARIABLE}={version}"
    command = ["go", "build", "-C", str(HERE), "-trimpath", "-ldflags", flags, "-o", str(output)]
    done = subprocess.run([*command, f"{MODULE}/cmd/pulumi"], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UnavailableError(f"the build from the Go module failed ({reason})")


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


def get() -> Path:
    """The folder of a CLI that works, got from the first source that has one.

    Raises:
        SystemExit: with one sentence that says what was tried and the way out.
    """
    machine = look()
    if machine.path_version is not None and not new_enough(machine.path_version):
        tell(
            f"The pulumi on PATH is {machine.path_version}; this project needs {OLDEST[0]}.{OLDEST[1]} or newer."
        )
    getters = {Source.PATH: from_path, Source.OFFICIAL: official, Source.BUILD: build}
    reasons = []
    for source in sources(machine):
        try:
            folder = getters[source]()
        except UnavailableError as error:  # noqa: PERF203  # two rounds at most
            reasons.append(str(error))
        else:
            version = {
                Source.PATH: machine.path_version,
                Source.OFFICIAL: f"v{installed_version('pulumi')}",
                Source.BUILD: module_version(),
            }[source]
            tell(f"Pulumi CLI {version}, {source.value}: {folder}")
            return folder
    if not machine.has_go:
        reasons.append("without Go it cannot be built")
    raise SystemExit(
        f"No Pulumi CLI: {' and '.join(reasons)}. Install Pulumi {OLDEST[0]}.{OLDEST[1]} or newer "
        "(https://www.pulumi.com/docs/install/) or Go (https://go.dev/doc/install), then run this again."
    )


if __name__ == "__main__":
    print(get())
