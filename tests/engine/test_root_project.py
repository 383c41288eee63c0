"""The repository's own project: configuration in, dates out, mistakes in one sentence."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


def images(**entries: dict[str, object]) -> dict[str, object]:
    return {"aws:region": "eu-west-1", "ami-deprecation:images": entries}


def test_every_way_to_give_date_works_from_yaml(root: Stack, ec2: LocalEC2) -> None:
    made = dt.datetime(2026, 11, 1, tzinfo=dt.timezone.utc)
    names = ("text", "unquoted", "after", "elsewhere")
    regions = ("eu-west-1", "eu-west-1", "eu-west-1", "us-east-1")
    ids = {
        name: ec2.add_image(name=name, region=region, created=made)
        for name, region in zip(names, regions, strict=True)
    }
    root.config(
        images(
            text={"imageId": ids["text"], "deprecateAt": "2028-06-01", "onDestroy": "restore"},
            unquoted={"imageId": ids["unquoted"], "deprecateAt": dt.date(2028, 6, 1)},
            after={"imageId": ids["after"], "deprecateAfterDays": 365},
            elsewhere={"imageId": ids["elsewhere"], "deprecateAt": "2028-06-01", "region": "us-east-1"},
        )
    )
    root.up()
    assert root.outputs()["deprecations"] == {
        name: {
            "imageId": ids[name],
            "region": region,
            "deprecationTime": "2027-11-01T00:00:00Z" if name == "after" else "2028-06-01T00:00:00Z",
        }
        for name, region in zip(names, regions, strict=True)
    }
    assert root.up().actions == []


def test_configuration_errors_name_their_paths_before_change(root: Stack, ec2: LocalEC2) -> None:
    good = ec2.add_image(name="good")
    root.config(
        images(
            good={"imageId": good, "deprecateAt": "2028-06-01"},
            key={"imageID": "ami-0123456789abcdef0"},
            date={"imageId": "ami-0123456789abcdef0", "deprecateAt": 2030},
        )
    )
    failed = root.up(check=False)
    assert failed.code != 0
    start = "ami-deprecation:images."
    assert f"{start}key.imageID: there is no such key: did you mean imageId?" in failed.output
    assert f"{start}date.deprecateAt: 2030 is not a date" in failed.output
    assert "Traceback" not in failed.output
    assert failed.actions == []


def test_extra_key_changes_nothing(root: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image(name="good")
    root.config(images(good={"imageId": image, "deprecateAt": "2028-06-01"}))
    root.up()
    root.config({"aws:region": "eu-west-1", "ami-deprecation:image": {"good": {"imageId": image}}})
    failed = root.up(check=False)
    assert failed.code != 0
    assert "error: ami-deprecation:image: there is no such key: did you mean images?" in failed.output
    assert failed.actions == []


def test_stacks_file_is_not_left_out_of_git(root: Stack) -> None:
    """Dates are to be reviewed, so what holds them has to be committed."""
    subprocess.run(["git", "init", "--quiet"], cwd=root.project, check=True)
    shutil.copy(REPOSITORY / ".gitignore", root.project)
    root.config({"aws:region": "eu-west-1"})
    added = subprocess.run(
        ["git", "add", "--dry-run", "."], cwd=root.project, check=True, capture_output=True, text=True
    )
    assert "add 'Pulumi.test.yaml'" in added.stdout


def test_empty_configuration_says_what_to_add(root: Stack) -> None:
    root.config({"aws:region": "eu-west-1"})
    assert "add images to ami-deprecation:images" in root.preview().output
