"""The examples beside Pulumi's aws provider, on the real engine, with its plugin or the stand-in for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_stand_in import locate
from tests.support.aws_stand_in.plugin import KINDS, changes
from tests.support.blocks import Step
from tests.support.examples import CREATED, DATE, EXAMPLES, example, follow, follow_steps, told

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.conftest import MakeStack
    from tests.support.harness import Stack


class TestSameStack:
    def test_date_follows_its_image_through_its_life(self, make_stack: MakeStack, ec2: LocalEC2) -> None:
        for image_id in ("ami-0aaaaaaaaaaaaaaa1", "ami-0aaaaaaaaaaaaaaa2"):
            ec2.add_image("golden", image_id=image_id, region="us-east-1", created=CREATED)
        stack = example(make_stack, "same-stack")
        readme = told("same-stack")

        # The image does not exist yet: the preview shows both and has nothing against a date on an unknown image.
        follow_steps(stack, readme[:4])
        first = stack.outputs()["imageId"]
        assert ec2.image(first).deprecation_time == a_year_after(ec2, first)

        # A refresh reads the date into AmiCopy; the update after it must not cancel what it did not ask for.
        assert stack.up("--refresh").mutations == []

        mark = ec2.mark()
        follow_steps(stack, readme[4:])
        second = stack.outputs()["imageId"]
        assert second != first
        assert ec2.image(second).deprecation_time == a_year_after(ec2, second)
        assert ec2.image(first).state == "deregistered"
        changes = [(call.action, call.image_ids, call.error_code) for call in ec2.mutations(mark)]
        assert changes == [
            ("CopyImage", (), None),
            ("EnableImageDeprecation", (second,), None),
            ("DeregisterImage", (first,), None),
        ]

        assert stack.destroy().mutations == ["DeregisterImage"]

    def test_canary_aws_stand_in_cancels_an_undeclared_date(self) -> None:
        """As the real plugin does. Were it not so, the update after a refresh would prove nothing."""
        state = {"name": "base", "deprecationTime": "2028-06-01T00:00:00.000Z"}
        kind = KINDS["aws:ec2/amiCopy:AmiCopy"]
        assert changes(kind, state, {"name": "base"}, []) == ["deprecationTime"]
        assert changes(kind, state, {"name": "base"}, ["deprecationTime"]) == []

    def test_with_mocks_date_is_declared_for_copy(self) -> None:
        """In a process of its own: mocks are for the whole of one."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_program.py"]
        done = subprocess.run(
            command, cwd=EXAMPLES / "same-stack", capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout


def a_year_after(ec2: LocalEC2, image_id: str) -> datetime:
    """The date that `deprecate_after_days=365` means, on the minute."""
    when = ec2.image(image_id).creation_date + timedelta(days=365, seconds=30)
    return when.replace(second=0, microsecond=0)


class TestAwsProvider:
    def test_image_is_looked_up_in_its_providers_region(self, make_stack: MakeStack, ec2: LocalEC2) -> None:
        here = ec2.add_image("web", image_id="ami-0123456789abcdef0", created=CREATED)
        there = ec2.add_image("web", image_id="ami-0fedcba9876543210", created=CREATED, region="us-east-1")
        stack = example(make_stack, "aws-provider")
        follow(stack, "aws-provider")
        assert ec2.image(here).deprecation_time == DATE
        assert ec2.image(there, region="us-east-1").deprecation_time == DATE

        # A preview knows only the settings that were given; the others must not make the Region look new.
        again = stack.preview("--expect-no-changes")
        assert again.calls == ()

    def test_role_of_provider_is_assumed(self, make_stack: MakeStack, ec2: LocalEC2) -> None:
        other = "210987654321"
        image_id = ec2.add_image("web", account=other, created=CREATED)
        stack = example(make_stack, "aws-provider")
        stack.config(
            {
                "aws-provider:roleArn": f"arn:aws:iam::{other}:role/images",
                "aws-provider:images": {"eu-west-1": image_id},
                "aws-provider:deprecateAt": "2028-06-01",
            }
        )
        calls = stack.up().calls
        assert ec2.image(image_id).deprecation_time == DATE
        assert [call.account for call in calls if call.mutates] == [other]

    def test_provider_with_keys_is_refused_without_showing_them(self, stack: Stack) -> None:
        stack.program(
            """
            import pulumi
            import pulumi_aws as aws

            from ami_deprecation import AmiDeprecation

            keys = aws.Provider("keys", region="eu-west-1", access_key="AKIAKEY", secret_key="SECRET-KEY")
            AmiDeprecation(
                "web",
                image_id="ami-0123456789abcdef0",
                deprecate_at="2028-06-01",
                opts=pulumi.ResourceOptions(provider=keys),
            )
            """
        )
        result = locate.use(stack).preview(check=False)
        assert result.code != 0
        assert (
            "opts.provider has access_key and secret_key, which this resource does not take" in result.output
        )
        assert "Traceback" not in result.output
        assert "AKIAKEY" not in result.output
        assert "SECRET-KEY" not in result.output

    def test_provider_of_another_package_is_refused(self, stack: Stack, tmp_path: Path) -> None:
        stack.program(
            """
            import pulumi

            from ami_deprecation import AmiDeprecation

            AmiDeprecation(
                "web",
                image_id="ami-0123456789abcdef0",
                deprecate_at="2028-06-01",
                opts=pulumi.ResourceOptions(provider=pulumi.ProviderResource("other", "other", {})),
            )
            """
        )
        plugin = tmp_path / "pulumi-resource-other"
        plugin.write_text(f'#!/bin/sh\nexec {locate.STAND_IN}/{locate.NAME} "$@"\n')
        plugin.chmod(0o755)
        stack.env["PATH"] = os.pathsep.join([str(tmp_path), stack.cli.environment()["PATH"]])
        result = stack.preview(check=False)
        assert result.code != 0
        assert "opts.provider is a provider of 'other': give a pulumi_aws.Provider" in result.output
        assert "Traceback" not in result.output


class TestPolicyPack:
    @pytest.fixture
    def pack(self, tmp_path: Path) -> Path:
        """A copy of the pack, with the virtual environment that its README makes."""
        folder = tmp_path / "pack"
        shutil.copytree(
            EXAMPLES / "policy-pack", folder, ignore=shutil.ignore_patterns("venv", "__pycache__")
        )
        (folder / "venv").symlink_to(sys.prefix)
        return folder

    def test_launch_of_deprecated_image_is_refused_first(
        self, stack: Stack, ec2: LocalEC2, pack: Path, pytestconfig: pytest.Config
    ) -> None:
        old = ec2.add_image(
            "web-2025-01-07",
            image_id="ami-0123456789abcdef0",
            created=CREATED,
            deprecation_time=CREATED + timedelta(days=1),
        )
        new = ec2.add_image("web-2026-07-01", created=CREATED)
        stack.program(
            """
            import pulumi

            image_id = pulumi.Config().require("imageId")
            pulumi.CustomResource("aws:ec2/instance:Instance", "web", {"ami": image_id, "id": None, "arn": None})
            pulumi.CustomResource("aws:ec2/launchTemplate:LaunchTemplate", "web", {"imageId": image_id})
            """
        )
        locate.use(stack)

        stack.config({"aws:region": "eu-west-1", "project:imageId": old})
        older = pytestconfig.getoption("--oldest-cli")  # until 3.248 the engine shows a type with its file
        shown_type = "aws:ec2/instance:Instance" if older else "aws:ec2:Instance"
        here = [
            Step(
                step.command.replace("path/to/policy-pack", str(pack)),
                tuple(line.replace("aws:ec2:Instance", shown_type) for line in step.shown),
            )
            for step in told("policy-pack")
        ]
        follow_steps(stack, here, fails=True)
        refused = stack.up("--policy-pack", str(pack), check=False)
        assert refused.code != 0
        assert refused.mutations == []

        stack.config({"aws:region": "eu-west-1", "project:imageId": new})
        passed = stack.up("--policy-pack", str(pack))
        assert sorted(passed.mutations) == ["CreateLaunchTemplate", "RunInstances"]
