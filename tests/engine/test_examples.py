"""The examples that need nothing but images, on the real engine; their READMEs are followed to the letter."""

from __future__ import annotations

import json
import re
import runpy
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.examples import CREATED, DATE, EXAMPLES, example, follow

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.conftest import MakeStack


def test_every_example_is_its_own_project() -> None:
    projects = sorted(file.parent for file in EXAMPLES.glob("*/Pulumi.yaml"))
    assert {"aws-provider", "existing-image", "packer-manifest", "same-stack"} <= {p.name for p in projects}
    for project in projects:
        assert (project / "README.md").is_file()
        packages = [project / name for name in ("requirements.txt", "package.json")]
        assert "ami-deprecation" in "".join(file.read_text() for file in packages if file.exists())
        assert len((project / "README.md").read_text().splitlines()) <= 80, f"{project}: more than a screen"


def test_index_lists_every_example() -> None:
    listed = set(re.findall(r"\]\(([\w-]+)\)", (EXAMPLES / "README.md").read_text()))
    assert listed == {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}


def test_existing_image_gets_date_of_configuration(make_stack: MakeStack, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("web-2026-07-01", image_id="ami-0123456789abcdef0", created=CREATED)
    stack = example(make_stack, "existing-image")
    follow(stack, "existing-image")
    assert ec2.image(image_id).deprecation_time == DATE


def test_yaml_gets_date_of_configuration(make_stack: MakeStack, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("web-2026-07-01", image_id="ami-0123456789abcdef0", created=CREATED)
    stack = example(make_stack, "yaml")
    follow(stack, "yaml")
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

    def test_images_keep_their_dates_when_next_build_comes(
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
            ("{}", "not a file of Packer's manifest post-processor (KeyError: 'last_run_uuid')"),
            (
                manifest_of("amazon-ebs", "ami-0123456789abcdef0"),
                "the artifact_id of build 'web' is 'ami-0123456789abcdef0', not like eu-west-1:ami-",
            ),
            (manifest_of("docker", "Container"), "its last run, run-2, made no AMI: run packer build first"),
        ],
        ids=["another file", "another artifact", "no image"],
    )
    def test_unknown_format_is_one_sentence(self, tmp_path: Path, text: str, sentence: str) -> None:
        """Which the program shows as its README says."""
        file = tmp_path / "packer-manifest.json"
        file.write_text(text)
        last_run = runpy.run_path(str(EXAMPLES / "packer-manifest" / "manifest.py"))["last_run"]
        with pytest.raises(ValueError, match=f"^packer-manifest.json: {re.escape(sentence)}") as raised:
            last_run(file)
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_artifact_tells_images_apart(self, tmp_path: Path, encoding: str) -> None:
        one, two = "ami-0aaaaaaaaaaaaaaa1", "ami-0aaaaaaaaaaaaaaa2"
        builds = [
            ("vm", "vmware-iso", f"eu-west-1:{one}"),  # the artifact of the post-processor amazon-import
            ("web", "amazon-ebs", f"eu-west-1:{two},us-east-1:{two}"),
            ("web", "amazon-ebs", f"eu-west-1:{two},us-east-1:{two}"),
            ("web", "amazon-ebs", f"eu-west-1:{one[:-1]}3"),
            ("data", "amazon-ebsvolume", "eu-west-1:vol-0123456789abcdef0"),
            ("none", "file", None),
        ]
        keys = ("name", "builder_type", "artifact_id")
        made = [dict(zip(keys, each, strict=True)) | {"packer_run_uuid": "run-2"} for each in builds]
        file = tmp_path / "packer-manifest.json"
        file.write_text(json.dumps({"builds": made, "last_run_uuid": "run-2"}), encoding=encoding)
        last_run = runpy.run_path(str(EXAMPLES / "packer-manifest" / "manifest.py"))["last_run"]
        assert [tuple(each) for each in last_run(file)] == [
            ("vm", "eu-west-1", one),
            ("web", "eu-west-1", two),
            ("web", "us-east-1", two),
            ("web-2", "eu-west-1", f"{one[:-1]}3"),
        ]

    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 1, 2), (0, 3, 1, 2)])
    def test_names_of_images_are_unique_and_stable(self, tmp_path: Path, order: tuple[int, ...]) -> None:
        images = [f"ami-0aaaaaaaaaaaaaaa{number}" for number in range(4)]
        builds = list(zip(["web", "web", "web", "web-2"], images, strict=True))
        made = [
            {"name": builds[n][0], "artifact_id": f"eu-west-1:{builds[n][1]}", "packer_run_uuid": "run-2"}
            for n in order
        ]
        file = tmp_path / "packer-manifest.json"
        file.write_text(json.dumps({"builds": made, "last_run_uuid": "run-2"}))
        last_run = runpy.run_path(str(EXAMPLES / "packer-manifest" / "manifest.py"))["last_run"]
        names = {image.image_id: image.build for image in last_run(file)}
        assert names == dict(zip(images, ["web", "web-3", "web-4", "web-2"], strict=True))

    def test_undecodable_manifest_is_one_sentence(self, tmp_path: Path) -> None:
        file = tmp_path / "packer-manifest.json"
        file.write_bytes(b'{"builds": "\xff\xfe\xfa"}')
        last_run = runpy.run_path(str(EXAMPLES / "packer-manifest" / "manifest.py"))["last_run"]
        with pytest.raises(ValueError, match=r"^packer-manifest\.json: not a file of Packer's") as raised:
            last_run(file)
        assert "\n" not in str(raised.value)
