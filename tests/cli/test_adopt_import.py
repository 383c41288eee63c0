"""`ami-deprecation adopt --format import`: what it writes, `pulumi import --file` puts into a stack."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.support.cli_command import command, succeed
from tests.support.programs import TOKEN

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

NOW = datetime.now(timezone.utc).replace(second=0, microsecond=0)
BOTH = ("-r", "eu-west-1,us-east-1")


def test_imported_dates_are_this_stacks_own(stack: Stack, ec2: LocalEC2) -> None:
    ahead = ec2.add_image("web", deprecation_time=NOW + timedelta(days=200))
    past = ec2.add_image("old", deprecation_time=NOW - timedelta(days=20, seconds=12), region="us-east-1")
    ec2.add_image("without-a-date")
    stack.program(succeed(ec2, "adopt", *BOTH))
    file = str(stack.project / "import.json")
    succeed(ec2, "adopt", *BOTH, "--format", "import", "--output", file)

    imported = stack.run("import", "--file", file, "--yes", "--generate-code=false", "--protect=false")
    assert imported.calls == (), "no Read"
    assert {each["outputs"]["image_id"] for each in stack.resources(TOKEN)} == {ahead, past}
    assert stack.preview("--expect-no-changes").mutations == []
    assert stack.refresh("--expect-no-changes").mutations == []
    assert stack.up("--expect-no-changes").mutations == []
    assert stack.destroy().mutations == ["DisableImageDeprecation"] * 2
    assert [ec2.image(ahead).deprecation_time, ec2.image(past, region="us-east-1").deprecation_time] == [
        None,
        None,
    ]


def test_import_file_has_the_given_options(ec2: LocalEC2) -> None:
    theirs = ec2.add_image("web", account="210987654321", deprecation_time=NOW + timedelta(days=9))
    role = "arn:aws:iam::210987654321:role/images"
    options = ("--format", "import", "--role-arn", role, "--on-destroy", "restore")
    (python,) = json.loads(succeed(ec2, "adopt", *options))["resources"]
    (native,) = json.loads(succeed(ec2, "adopt", *options, "--native"))["resources"]
    assert python["id"] == native["id"] == f"eu-west-1/{theirs}"
    assert python["inputs"].items() >= {"role_arn": role, "on_destroy": "restore"}.items()
    assert native["type"] == "ami-deprecation:index:AmiDeprecation"
    assert native["inputs"].items() >= {"imageId": theirs, "roleArn": role, "onDestroy": "restore"}.items()
    assert not any("_" in key for key in native["outputs"] if not key.startswith("__"))
    assert "__provider" not in native["outputs"]


def test_native_is_for_an_import_only(ec2: LocalEC2) -> None:
    result = command(ec2, "adopt", "--native")
    assert result.returncode == 2
    assert result.stderr.startswith("ami-deprecation: --native requires --format import")
    assert result.stderr.count("\n") == 1
