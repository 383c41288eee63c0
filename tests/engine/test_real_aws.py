"""examples/real-aws: the check that anybody can run on an account, here with LocalEC2 as the account."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.harness import REGION, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

CHECK = REPOSITORY / "examples" / "real-aws" / "check.py"


def check(ec2: LocalEC2, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CHECK), *arguments],
        env=environment | ec2.environment(region=REGION),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def pair(ec2: LocalEC2) -> list[str]:
    """An image to copy and one of another account, as options."""
    source = ec2.add_image("source")
    foreign = ec2.add_image("foreign", account="999999999999", public=True)
    return ["--source", source, "--foreign", foreign, "--yes"]


def test_check_finds_no_difference_and_leaves_nothing(ec2: LocalEC2, cli: Cli) -> None:
    options = pair(ec2)
    before = [image.image_id for image in ec2.images()]
    done = check(ec2, cli.environment(), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DIFFERENT" not in done.stdout
    assert done.stdout.count("as said ") == 6
    assert done.stdout.splitlines()[-1] == "0 differences"
    assert [image.image_id for image in ec2.images() if image.state != "deregistered"] == before


def test_check_names_a_difference_and_leaves_nothing(ec2: LocalEC2, tmp_path: Path) -> None:
    options = pair(ec2)
    before = [image.image_id for image in ec2.images()]
    ec2.faults.add("EnableImageDeprecation", code="OperationNotPermitted", image_id=options[3])
    without_pulumi = {"PATH": str(tmp_path), "HOME": str(tmp_path), "LANG": os.environ.get("LANG", "C.UTF-8")}
    done = check(ec2, without_pulumi, *options)
    assert done.returncode == 1, done.stdout + done.stderr
    difference = "14. an image of another account: EC2 OperationNotPermitted; LocalEC2 AuthFailure"
    assert done.stdout.splitlines()[-2:] == ["1 difference", f"  {difference}"]
    assert [image.image_id for image in ec2.images() if image.state != "deregistered"] == before


def test_check_asks_before_it_copies(ec2: LocalEC2, cli: Cli) -> None:
    assert check(ec2, cli.environment(), *pair(ec2)[:-1]).returncode == 2
    assert ec2.calls == []
