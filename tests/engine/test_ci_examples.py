"""The CI examples: they fit their schemas, and their shell steps do what they say, run as they stand in the YAML.

A real Pulumi, the real command line, curl and jq; the forge's API and EC2 are embedded (forges.py).
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.forges import AZURE, CI, FORGES, GITLAB, Project
from tests.support.harness import REPOSITORY, Stack

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

GITHUB = sorted((CI / "github").glob("*.yml"))
OWN = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
IMAGE = "ami-0123456789abcdef0"


@pytest.fixture
def project(cli: Cli, ec2: LocalEC2, tmp_path: Path) -> Project:
    ec2.add_image("web-2026-07-01", image_id=IMAGE, created=datetime(2026, 7, 1, tzinfo=timezone.utc))
    source = REPOSITORY / "examples" / "existing-image"
    with_passphrase = replace(cli, vault=None)
    return Project(Stack.create(with_passphrase, tmp_path / "runner", ec2, source, name="prod"))


@pytest.mark.parametrize("forge", FORGES)
def test_workflows_cover_pull_request_main_and_nightly(project: Project, ec2: LocalEC2, forge: str) -> None:
    make, start, preview, up = FORGES[forge]
    night = {"github": "nightly", "gitlab": "drift"}.get(forge)
    comments = make()
    with comments.serve():
        runner = start(project, comments)
        printed = ""

        # The first push makes a comment.
        project.commit(IMAGE, "2028-06-01")
        passed, log = runner.run(preview)
        printed += log
        assert passed, log
        assert [method for method, _ in comments.changes] == ["POST"]
        (first,) = comments.mine
        assert IMAGE in first
        assert "2028-06-01" in first
        assert ec2.mutations() == []

        # The second edits it, though many others have written since, and one has quoted it; and it is edited also
        # when the preview fails, which fails the job. Azure DevOps's threads begin with a quote by nobody else.
        number = comments.changes[0][1]
        comments.comments[:0] = [
            {
                "id": each,
                "body": first if each == 0 and forge != "azure" else "Looks good.",
                comments.author[0]: comments.author[2],
            }
            for each in range(120)
        ]
        project.commit(IMAGE, "2020-01-01")
        passed, log = runner.run(preview)
        printed += log
        assert not passed
        assert comments.changes[1:] == [("PUT" if forge == "gitlab" else "PATCH", number)]
        (second,) = comments.mine
        assert second.splitlines()[0] == first.splitlines()[0]
        assert "2020-01-01T00:00:00Z is in the past" in second
        assert ec2.mutations() == []

        # What is merged is applied; the night finds nothing, until somebody changes the date elsewhere.
        project.commit(IMAGE, "2028-06-01")
        passed, log = runner.run(up)
        printed += log
        assert passed, log
        assert ec2.image(IMAGE).deprecation_time == datetime(2028, 6, 1, tzinfo=timezone.utc)
        if night is not None:
            passed, log = runner.run(night)
            printed += log
            assert passed, log
            ec2.set_deprecation_time(IMAGE, datetime(2028, 6, 1, tzinfo=timezone.utc) + timedelta(days=3))
            passed, log = runner.run(night)
            printed += log
            assert not passed
            assert "2028-06-04T00:00:00Z" in log

    if forge == "gitlab":  # where no action fetches credentials, the jobs exchange their token themselves
        assert "AssumeRoleWithWebIdentity" in [call.action for call in ec2.calls]
    # Nothing was changed but by the merge, and no secret was printed.
    assert [call.action for call in ec2.mutations()] == ["EnableImageDeprecation"]
    secrets = {"github": "Bearer ghs_token", "gitlab": "glpat-token", "azure": "Bearer azure-token"}
    assert comments.tokens == {secrets[forge]}
    for secret in ("ghs_token", "pul-secret", "glpat-token", "azure-token", "header.claims.signature"):
        assert secret not in printed


@pytest.mark.parametrize("forge", FORGES)
def test_preview_that_does_not_start_replaces_comment(project: Project, forge: str) -> None:
    make, start, preview, _ = FORGES[forge]
    comments = make()
    with comments.serve():
        runner = start(project, comments)
        project.commit(IMAGE, "2028-06-01")
        passed, printed = runner.run(preview)
        assert passed, printed
        first = comments.mine[0].splitlines()[0]

        project.stack.env["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
        passed, _ = runner.run(preview)
        assert not passed
        (shown,) = comments.mine
        assert shown.splitlines()[0] == first
        assert "The preview failed, so the changes are unknown." in shown
        assert "passphrase" in shown

        del project.stack.env["PULUMI_CONFIG_PASSPHRASE"]
        project.stack.run("stack", "rm", "--yes", "--force")
        passed, _ = runner.run(preview)
        assert not passed
        (shown,) = comments.mine
        assert shown.splitlines()[0] == first
        assert "error: no stack" in shown


@pytest.mark.parametrize("name", ["pull-request", "main"])
def test_group_is_of_one_project_and_stack(name: str) -> None:
    """Of two runs that wait in one group, GitHub cancels the first."""
    workflow = yaml.safe_load((CI / "github" / f"{name}.yml").read_text())
    what, directory, stack, *_ = workflow["concurrency"]["group"].split(", ")
    assert what == f"ami-dates-{name}"
    assert directory == workflow["defaults"]["run"]["working-directory"]
    assert stack == workflow["env"]["PULUMI_STACK"]


def test_updates_of_one_stack_run_one_after_the_other() -> None:
    pipeline = yaml.safe_load(GITLAB.read_text())
    assert pipeline["up"]["resource_group"] == "$PROJECT_DIRECTORY $PULUMI_STACK"
    assert {"PROJECT_DIRECTORY", "PULUMI_STACK"} <= pipeline["variables"].keys()
    # Azure DevOps has no groups: a batched pipeline runs one push of main at a time, and each project has its own.
    assert yaml.safe_load(AZURE.read_text())["trigger"]["batch"] is True


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", [*GITHUB, *OWN]), ("vendor.gitlab-ci", [GITLAB])],
    ids=["github", "gitlab"],
)
def test_workflows_match_their_schemas(schema: str, files: list[Path]) -> None:
    assert files
    transform = ["--data-transform", "gitlab-ci"] if schema == "vendor.gitlab-ci" else []
    command = [f"{sys.prefix}/bin/check-jsonschema", "--builtin-schema", schema, *transform, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", [*GITHUB, *OWN], ids=lambda file: file.name)
def test_workflows_use_least_privilege_and_no_untrusted_text(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    triggers = workflow[True]  # YAML 1.1 reads `on` so
    assert "pull_request_target" not in triggers
    assert "write-all" not in file.read_text()
    jobs = workflow["jobs"].values()
    assert all("permissions" in workflow or "permissions" in job for job in jobs)
    for step in [step for job in jobs for step in job.get("steps", ())]:
        # A text of the pull request (its title, its branch) in a script would be run; through `env` it is a value.
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.search(r"@(v\d+|release/v\d+)$", step["uses"]), (
                f"{step['uses']} is not pinned by major version"
            )
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
