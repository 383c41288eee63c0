"""`ami-deprecation adopt`: what it writes takes dates over on the real engine, and EC2 is asked to change nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.cli_command import command, succeed
from tests.support.programs import TOKEN

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

NOW = datetime.now(timezone.utc)
BOTH = ("-r", "eu-west-1,us-east-1")


@pytest.fixture
def dated(ec2: LocalEC2) -> dict[str, str]:
    """Images with dates of every kind; resource name to image id."""
    ahead, past = NOW + timedelta(days=200, seconds=12), NOW - timedelta(days=20)
    ec2.add_image("without-a-date")
    ec2.add_image("theirs", account="210987654321", public=True)
    made = NOW - timedelta(days=100)
    return {
        "web-eu-west-1": ec2.add_image("web", created=made, deprecation_time=ahead),
        "web-us-east-1": ec2.add_image("web", created=made, deprecation_time=ahead, region="us-east-1"),
        "golden-base-linux-1.0": ec2.add_image(
            "golden base (linux)/1.0", created=made, deprecation_time=past
        ),
        "2026-01-01": ec2.add_image("2026-01-01", created=made, deprecation_time=ahead),
        "everybodys": ec2.add_image("everybodys", created=made, public=True),
    }


def adopted(stack: Stack) -> dict[str, str]:
    return {each["urn"].rpartition("::")[2]: each["outputs"]["image_id"] for each in stack.resources(TOKEN)}


def test_adopted_program_makes_no_changing_call(stack: Stack, ec2: LocalEC2, dated: dict[str, str]) -> None:
    stack.program(succeed(ec2, "adopt", *BOTH))
    assert "6 to create" in stack.preview().output, "with the stack itself"
    assert stack.up().mutations == []
    assert adopted(stack) == dated
    assert stack.up().calls == ()
    assert stack.preview("--refresh", "--expect-no-changes").code == 0


def test_adopted_configuration_makes_no_changing_call(
    root: Stack, ec2: LocalEC2, dated: dict[str, str]
) -> None:
    file = str(root.project / f"Pulumi.{root.name}.yaml")
    succeed(ec2, "adopt", "--format", "yaml", *BOTH, "-o", file, "--force")
    assert root.up().mutations == []
    assert adopted(root) == dated
    assert root.up().calls == ()


def test_adopted_date_can_be_moved_and_restored(stack: Stack, ec2: LocalEC2) -> None:
    original = NOW.replace(second=0, microsecond=0) + timedelta(days=200)
    image_id = ec2.add_image("web", deprecation_time=original)
    program = succeed(ec2, "adopt", "--on-destroy", "restore")
    stack.program(program)
    assert stack.up().mutations == []
    stack.program(program.replace(f"{original:%Y-%m-%dT%H:%M:00Z}", "2031-01-01"))
    assert stack.up().mutations == ["EnableImageDeprecation"]
    stack.destroy()
    assert ec2.image(image_id).deprecation_time == original


def test_filter_leaves_images_out(ec2: LocalEC2, dated: dict[str, str]) -> None:
    written = succeed(ec2, "adopt", "--name", "golden*")
    assert dated["golden-base-linux-1.0"] in written
    assert written.count("image_id=") == 1


def test_left_out_images_are_named_with_reason(ec2: LocalEC2) -> None:
    later = NOW + timedelta(days=9)
    web = ec2.add_image("web", deprecation_time=later)
    bare = [ec2.add_image(f"bare-{number}") for number in range(7)]
    off = ec2.add_image("off", deprecation_time=later, state="disabled")
    theirs = ec2.add_image("theirs", account="210987654321", deprecation_time=later)
    ec2.client(account="210987654321").modify_image_attribute(
        ImageId=theirs, LaunchPermission={"Add": [{"UserId": ec2.account}]}
    )
    result = command(ec2, "adopt")
    assert result.stdout.count("image_id=") == 1
    assert web in result.stdout
    count, without_date, disabled, shared = result.stderr.splitlines()
    assert count.endswith("1 image with a date in eu-west-1")
    assert without_date.startswith("ami-deprecation: left out, without a date: ami-")
    assert without_date.endswith(" and 2 more")
    assert sum(each in without_date for each in bare) == 5
    assert disabled == f"ami-deprecation: left out, disabled (--include-disabled): {off} (off)"
    assert "left out, not owned by this account" in shared
    assert shared.endswith(f": {theirs} (theirs)")
    assert off in succeed(ec2, "adopt", "--include-disabled")


def test_adopt_writes_role_it_reads_with(ec2: LocalEC2) -> None:
    theirs = ec2.add_image("web", account="210987654321", deprecation_time=NOW + timedelta(days=9))
    role = "arn:aws:iam::210987654321:role/images"
    written = succeed(ec2, "adopt", "--role-arn", role)
    assert f'image_id="{theirs}"' in written
    assert f'role_arn="{role}"' in written


def test_failing_region_writes_no_partial_program(ec2: LocalEC2, dated: dict[str, str]) -> None:
    del dated
    ec2.faults.add("DescribeImages", "denied", region="us-east-1", times=None)
    result = command(ec2, "adopt", *BOTH)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("ami-deprecation: us-east-1: ")
    assert result.stderr.count("\n") == 1


def test_adopt_without_images_says_so(ec2: LocalEC2) -> None:
    result = command(ec2, "adopt")
    assert result.returncode == 0
    assert result.stderr == "ami-deprecation: 0 images with a date in eu-west-1\n"
