"""The examples, each its own project, on the real engine; their READMEs are followed to the letter."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.engine.aws_stand_in import locate
from tests.engine.aws_stand_in.plugin import KINDS, changes
from tests.engine.harness import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.engine.conftest import MakeStack
    from tests.engine.harness import Cli, Stack

EXAMPLES = REPOSITORY / "examples"
CREATED = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
DATE = datetime(2028, 6, 1, tzinfo=timezone.utc)
TOKEN = "pulumi-python:dynamic/ec2:AmiDeprecation"


@dataclass(frozen=True)
class Step:
    """A command of a README, and the lines that it promises."""

    command: str
    promised: tuple[str, ...]


def steps(readme: Path) -> list[Step]:
    """The `console` blocks: `$ command`, then some lines of its output in their order."""
    blocks = re.findall(r"^```console\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)
    found: list[Step] = []
    for part in re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        found.append(Step(command, tuple(line for line in lines if line.strip())))
    return found


def follow(stack: Stack, example: str) -> None:
    """Type the commands of an example's README into its project, and find what it promises in the output."""
    follow_steps(stack, steps(EXAMPLES / example / "README.md"))


def follow_steps(stack: Stack, told: list[Step], *, fails: bool = False) -> None:
    for step in told:
        assert step.command.startswith("pulumi ")
        result = stack.run(*shlex.split(step.command)[1:], check=False)
        failure_promised = fails or any("error:" in line for line in step.promised)
        assert (result.code != 0) == failure_promised, str(result)
        shown = [plain(line) for line in result.output.splitlines()]
        for line in step.promised:
            assert plain(line) in shown, f"{line!r} is not in the output\n{result}"


def plain(line: str) -> str:
    """A line without what differs from run to run: durations, the list of changed inputs, spacing."""
    return " ".join(re.sub(r"\(\d+(\.\d+)?s\)|\[diff: [^\]]*\]", "", line).split())


def example(make_stack: MakeStack, name: str) -> Stack:
    stack = make_stack(EXAMPLES / name)
    uses_aws = "pulumi_aws" in (stack.project / "__main__.py").read_text()
    return locate.use(stack) if uses_aws else stack


def test_every_example_is_a_project_of_its_own() -> None:
    projects = sorted(file.parent for file in EXAMPLES.glob("*/Pulumi.yaml"))
    assert {"aws-provider", "existing-image", "packer-manifest", "same-stack"} <= {p.name for p in projects}
    for project in projects:
        assert (project / "README.md").is_file()
        assert "ami-deprecation" in (project / "requirements.txt").read_text()
        assert len((project / "README.md").read_text().splitlines()) <= 60, f"{project}: more than a screen"


def test_an_existing_image_gets_the_date_of_the_configuration(make_stack: MakeStack, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("web-2026-07-01", image_id="ami-0123456789abcdef0", created=CREATED)
    stack = example(make_stack, "existing-image")
    follow(stack, "existing-image")
    assert ec2.image(image_id).deprecation_time == DATE


def manifest_of(builder: str, artifact: str) -> str:
    """What Packer writes for a run of one build, after a run that another one made."""
    builds = [
        {"name": "web", "builder_type": builder, "artifact_id": artifact, "packer_run_uuid": run}
        for run in ("run-1", "run-2")
    ]
    return json.dumps({"builds": builds, "last_run_uuid": "run-2"})


class TestPackerManifest:
    IMAGES = (
        ("ami-0bbbbbbbbbbbbbbb1", "eu-west-1"),
        ("ami-0bbbbbbbbbbbbbbb2", "us-east-1"),
        ("ami-0ccccccccccccccc1", "eu-west-1"),
    )

    def test_every_image_of_the_last_run_gets_a_date_and_keeps_it_when_the_next_build_comes(
        self, make_stack: MakeStack, ec2: LocalEC2
    ) -> None:
        for image_id, region in self.IMAGES:
            ec2.add_image("built", image_id=image_id, region=region, created=CREATED)
        next_build = ec2.add_image("next", created=CREATED)
        stack = example(make_stack, "packer-manifest")
        follow(stack, "packer-manifest")

        half_a_year = datetime(2026, 12, 28, 12, tzinfo=timezone.utc)
        dates = {
            image_id: ec2.image(image_id, region=region).deprecation_time for image_id, region in self.IMAGES
        }
        assert dates == dict.fromkeys((image_id for image_id, _ in self.IMAGES), half_a_year)

        stack.run("config", "rm", "manifest")
        manifest = manifest_of("amazon-ebs", f"eu-west-1:{next_build}")
        (stack.project / "packer-manifest.json").write_text(manifest)
        mark = ec2.mark()
        assert stack.up().mutations == ["EnableImageDeprecation"]
        assert [call.image_ids for call in ec2.mutations(mark)] == [(next_build,)]

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("{}", "it is no file of Packer's manifest post-processor (KeyError: 'last_run_uuid')"),
            (
                manifest_of("amazon-ebs", "ami-0123456789abcdef0"),
                "the artifact_id of build 'web' is 'ami-0123456789abcdef0', not like eu-west-1:ami-",
            ),
            (manifest_of("docker", "Container"), "its last run, run-2, made no AMI: run packer build first"),
        ],
        ids=["another file", "another artifact", "no image"],
    )
    def test_another_format_is_one_sentence(self, make_stack: MakeStack, text: str, sentence: str) -> None:
        stack = example(make_stack, "packer-manifest")
        (stack.project / "packer-manifest.json").write_text(text)
        result = stack.preview(check=False)
        assert result.code != 0
        assert f"error: packer-manifest.json: {sentence}" in result.output
        assert "Traceback" not in result.output
        assert result.calls == ()


class TestSameStack:
    def test_the_date_goes_with_its_image_through_refresh_replacement_and_destroy(
        self, make_stack: MakeStack, ec2: LocalEC2
    ) -> None:
        for image_id in ("ami-0aaaaaaaaaaaaaaa1", "ami-0aaaaaaaaaaaaaaa2"):
            ec2.add_image("golden", image_id=image_id, region="us-east-1", created=CREATED)
        stack = example(make_stack, "same-stack")
        told = steps(EXAMPLES / "same-stack" / "README.md")

        # The image does not exist yet: the preview shows both and has nothing against a date on an unknown image.
        follow_steps(stack, told[:4])
        first = stack.outputs()["imageId"]
        assert ec2.image(first).deprecation_time == a_year_after(ec2, first)

        # A refresh reads the date into AmiCopy; the update after it must not cancel what it did not ask for.
        assert stack.up("--refresh").mutations == []

        mark = ec2.mark()
        follow_steps(stack, told[4:])
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

    def test_the_stand_in_would_cancel_a_date_that_the_program_does_not_ask_for(self) -> None:
        """As the real plugin does. Were it not so, the update after a refresh would prove nothing."""
        state = {"name": "base", "deprecationTime": "2028-06-01T00:00:00.000Z"}
        kind = KINDS["aws:ec2/amiCopy:AmiCopy"]
        assert changes(kind, state, {"name": "base"}, []) == ["deprecationTime"]
        assert changes(kind, state, {"name": "base"}, ["deprecationTime"]) == []

    def test_with_mocks_the_date_is_declared_for_the_copy(self) -> None:
        """In a process of its own: mocks are for the whole of one."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_program.py"]
        done = subprocess.run(
            command, cwd=EXAMPLES / "same-stack", capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout


def a_year_after(ec2: LocalEC2, image_id: str) -> datetime:
    """The date that `deprecate_after_days=365` means, on the minute."""
    when = ec2.image(image_id).creation_date + timedelta(days=365, seconds=30)
    return when.replace(second=0, microsecond=0)


class TestAwsProvider:
    def test_each_image_is_found_in_the_region_of_its_provider(
        self, make_stack: MakeStack, ec2: LocalEC2
    ) -> None:
        here = ec2.add_image("web", image_id="ami-0123456789abcdef0", created=CREATED)
        there = ec2.add_image("web", image_id="ami-0fedcba9876543210", created=CREATED, region="us-east-1")
        stack = example(make_stack, "aws-provider")
        follow(stack, "aws-provider")
        assert ec2.image(here).deprecation_time == DATE
        assert ec2.image(there, region="us-east-1").deprecation_time == DATE

        # A preview knows only the settings that were given; the others must not make the Region look new.
        again = stack.preview("--expect-no-changes")
        assert again.calls == ()

    def test_the_role_of_a_provider_is_assumed(self, make_stack: MakeStack, ec2: LocalEC2) -> None:
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

    def test_a_provider_that_carries_keys_is_refused_in_a_sentence_that_does_not_show_them(
        self, stack: Stack
    ) -> None:
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
        assert "opts.provider carries an access_key and a secret_key" in result.output
        assert "Traceback" not in result.output
        assert "AKIAKEY" not in result.output
        assert "SECRET-KEY" not in result.output

    def test_a_provider_of_another_package_is_refused_in_a_sentence(
        self, stack: Stack, tmp_path: Path
    ) -> None:
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
    def pack(self, cli: Cli, tmp_path: Path) -> Path:
        """The pack as the engine at hand can start it."""
        folder = tmp_path / "pack"
        shutil.copytree(
            EXAMPLES / "policy-pack", folder, ignore=shutil.ignore_patterns("venv", "__pycache__")
        )
        (folder / "venv").symlink_to(sys.prefix)
        if not (cli.folder / "pulumi-analyzer-policy-python").exists():
            # An engine without Pulumi's own way to start a Python pack: what stands for that is two lines, as there,
            # found by the name of a runtime that has no language host.
            project = folder / "PulumiPolicy.yaml"
            project.write_text(project.read_text().replace("name: python\n", "name: python-pack\n"))
            starter = tmp_path / "pulumi-analyzer-policy-python-pack"
            starter.write_text(f'#!/bin/sh\nexec {sys.prefix}/bin/python -u -m pulumi.policy "$1" "$2"\n')
            starter.chmod(0o755)
        return folder

    def test_a_launch_from_a_deprecated_image_is_refused_before_anything_is_made(
        self, stack: Stack, ec2: LocalEC2, pack: Path
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
        stack.env["PATH"] = os.pathsep.join([str(pack.parent), stack.env["PATH"]])

        stack.config({"aws:region": "eu-west-1", "project:imageId": old})
        told = steps(EXAMPLES / "policy-pack" / "README.md")
        here = [Step(step.command.replace("path/to/policy-pack", str(pack)), step.promised) for step in told]
        follow_steps(stack, here, fails=True)
        refused = stack.up("--policy-pack", str(pack), check=False)
        assert refused.code != 0
        assert refused.mutations == []

        stack.config({"aws:region": "eu-west-1", "project:imageId": new})
        passed = stack.up("--policy-pack", str(pack))
        assert sorted(passed.mutations) == ["CreateLaunchTemplate", "RunInstances"]
