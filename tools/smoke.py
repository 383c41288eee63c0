"""The wheel in an empty environment, with the oldest or the newest dependencies that it allows.

    .venv/bin/python tools/smoke.py oldest|newest [WHEEL]

makes a virtual environment, installs the wheel with its extras, and lets that environment's Python run the public
names, the command line and a Pulumi program against LocalEC2. Without a wheel it builds one.
"""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
UV = Path(sys.prefix, "bin", "uv")
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
EXTRAS = "aws,cli,testing"
NAMED = ("boto3", "pulumi", "pulumi-aws", "moto", "click")

PROGRAM = """
import sys, tempfile
from datetime import datetime, timezone
from pathlib import Path
from pulumi import automation
import ami_deprecation
from ami_deprecation.testing import LocalEC2

assert all(getattr(ami_deprecation, name) is not None for name in ami_deprecation.__all__)
with LocalEC2() as ec2, tempfile.TemporaryDirectory() as folder:
    image_id = ec2.add_image("web")

    def program():
        ami_deprecation.AmiDeprecation("web", image_id=image_id, deprecate_at="2030-06-01")

    project = automation.ProjectSettings(
        "smoke",
        automation.ProjectRuntimeInfo("python", {"virtualenv": sys.prefix}),
    )
    environment = {
        **ec2.environment(region="eu-west-1"),
        "PULUMI_BACKEND_URL": Path(folder).as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "smoke",
    }
    options = automation.LocalWorkspaceOptions(work_dir=folder, project_settings=project, env_vars=environment)
    stack = automation.create_stack("smoke", project_name="smoke", program=program, opts=options)
    stack.preview()
    assert ec2.mutations() == []
    stack.up()
    assert ec2.image(image_id).deprecation_time == datetime(2030, 6, 1, tzinfo=timezone.utc)
    mark = ec2.mark()
    stack.up()
    assert ec2.calls_since(mark) == []
    stack.destroy()
    assert ec2.image(image_id).deprecation_time is None
"""
REPORT = """
import os, subprocess, sys
from ami_deprecation import Scan
from ami_deprecation.testing import LocalEC2

with LocalEC2() as ec2:
    ec2.add_image("web", scan=Scan("critical"))
    command = [sys.executable, "-m", "ami_deprecation", "report", "--region", "eu-west-1", "--format", "json"]
    done = subprocess.run(command, env=os.environ | ec2.environment(), capture_output=True, text=True, check=True)
    assert "web" in done.stdout
    assert "critical" in done.stdout, done.stdout  # a field that the oldest botocore does not know
"""


def run(*command: str | Path, folder: Path = REPOSITORY, **environment: str) -> None:
    """Run a command; its failure ends this process."""
    done = subprocess.run(command, env=os.environ | environment, cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def built(folder: Path) -> Path:
    """A wheel of this checkout."""
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def required(wheel: Path) -> list[str]:
    """What the wheel asks for, without its marks: only requirements that uv is given can be had at their oldest."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    return [text.partition(";")[0] for text in metadata.get_all("Requires-Dist", [])]


def main(which: str, wheel: Path | None) -> None:
    """Install and try."""
    engine = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "pulumi-cli" / "get.py"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder:
        venv = Path(folder, "venv")
        python = venv / "bin" / "python"
        wheel = wheel.resolve() if wheel else built(Path(folder))
        run(UV, "venv", "--quiet", "--python", sys.executable, venv)
        run(
            *(UV, "pip", "install", "--quiet", "--python", python),
            *(
                "--resolution",
                RESOLUTIONS[which],
                f"ami-deprecation[{EXTRAS}] @ {wheel.as_uri()}",
                *required(wheel),
            ),
        )
        path = os.pathsep.join([engine, str(venv / "bin"), os.environ["PATH"]])
        for source in (PROGRAM, REPORT):
            # Not in the checkout, whose package Python would import instead of the wheel's.
            run(python, "-c", source, folder=Path(folder), PATH=path, VIRTUAL_ENV=str(venv))
        versions = subprocess.run(
            [UV, "pip", "freeze", "--python", python], capture_output=True, text=True, check=True
        ).stdout
        shown = [line for line in versions.splitlines() if line.partition("==")[0] in NAMED]
        print(f"The wheel works with the {which} dependencies: {', '.join(shown)}")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3} or sys.argv[1] not in RESOLUTIONS:
        sys.exit("usage: smoke.py oldest|newest [WHEEL]")
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else None)  # noqa: PLR2004  # the wheel is given
