"""examples/organization: one stack for each account and Region, through Pulumi's Automation API."""

from __future__ import annotations

import runpy
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.examples import told
from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

EXAMPLE = REPOSITORY / "examples" / "organization"
SETTINGS: dict[str, Any] = yaml.safe_load((EXAMPLE / "organization.yaml").read_text())
ACCOUNTS: dict[str, str] = {name: account["id"] for name, account in SETTINGS["accounts"].items()}
REGIONS: list[str] = SETTINGS["regions"]
NOW = datetime(2027, 3, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@dataclass
class Organization:
    """The example in a folder of its own, with a file backend."""

    cli: Cli
    ec2: LocalEC2
    folder: Path

    def configure(self, regions: list[str] | None = None, **roles: str) -> None:
        """Write organization.yaml as the example has it, but for these Regions and these accounts' roles."""
        accounts = {
            name: {**account, "roleArn": roles.get(name, account["roleArn"])}
            for name, account in SETTINGS["accounts"].items()
        }
        settings = {**SETTINGS, "project": str(REPOSITORY), "parallel": 2, "accounts": accounts}
        settings["regions"] = regions or REGIONS
        (self.folder / "organization.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program to its end."""
        backend = self.folder / "state"
        backend.mkdir(exist_ok=True)
        environment = {
            **self.cli.environment(),
            **self.ec2.environment(),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "passphrase",
            "TMPDIR": str(self.folder),
        }
        program: list[str | Path] = [sys.executable, EXAMPLE / "organization.py", *arguments]
        return subprocess.run(
            [*program, "--file", self.folder / "organization.yaml"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def organization(cli: Cli, ec2: LocalEC2, tmp_path: Path) -> Organization:
    ec2.set_time(NOW)
    return Organization(cli, ec2, tmp_path)


def dated(ec2: LocalEC2, region: str) -> list[str]:
    """The accounts in which an image has a date."""
    return [
        name
        for name, account in ACCOUNTS.items()
        if any(image.deprecation_time for image in ec2.images(region=region, account=account))
    ]


def promised(command: str, region: str) -> list[str]:
    """The lines that the README shows below a command: the head of the table, and the rows of one Region."""
    for step in told("organization"):
        if step.command == command:
            return [line for line in step.shown if line.startswith("account") or line.split()[1] == region]
    raise LookupError(command)


def test_failing_account_is_named_and_others_finish(organization: Organization, ec2: LocalEC2) -> None:
    region = "ap-southeast-2"  # the longest name, for which the README's columns are wide
    for account in ACCOUNTS.values():
        for age in (40, 30, 20, 10):
            ec2.add_image(f"base-{age}", account=account, region=region, created=NOW - age * DAY)
    of_another = SETTINGS["accounts"]["sandbox"]["roleArn"]
    organization.configure([region], search=of_another)
    mark = ec2.mark()
    up = organization.run("up")
    assert up.returncode == 1, up
    *table, reason = up.stdout.splitlines()
    shown = promised("python organization.py up", region)
    assert len(shown) == 1 + len(ACCOUNTS)
    assert table == shown
    (shown_reason,) = [
        line.rstrip("…")
        for step in told("organization")
        for line in step.shown
        if line.startswith("search-eu-west-1: ")
    ]
    assert reason.startswith(shown_reason.replace("eu-west-1", region))
    assert f"account {ACCOUNTS['sandbox']} of role {of_another} is not among" in reason
    assert "Traceback" not in up.stdout + up.stderr
    assert dated(ec2, region) == [name for name in ACCOUNTS if name != "search"]
    assert len(ec2.calls_since(mark, "EnableImageDeprecation")) == 3

    organization.configure([region])
    again = organization.run("up", "--only", "search")
    assert again.returncode == 0, again
    assert again.stdout.splitlines() == promised("python organization.py up --only search", region)
    assert dated(ec2, region) == list(ACCOUNTS)
    assert [
        each.name for each in organization.folder.iterdir() if "-" in each.name
    ] == []  # no stack's folder


def test_preview_changes_nothing(organization: Organization, ec2: LocalEC2) -> None:
    for age in (40, 30, 20, 10):
        ec2.add_image(f"base-{age}", account=ACCOUNTS["shop"], region="us-east-1", created=NOW - age * DAY)
    organization.configure()
    preview = organization.run("preview", "--only", "shop-us-east-1", "--only", "payments-eu-west-1")
    assert preview.returncode == 0, preview
    assert [line.split() for line in preview.stdout.splitlines()[1:]] == [
        ["shop", "us-east-1", "1", "0", "0", "0", "ok"],
        ["payments", "eu-west-1", "0", "0", "0", "0", "ok"],
    ]
    assert ec2.mutations() == []


def test_account_takes_its_own_regions_and_configuration(tmp_path: Path) -> None:
    file = tmp_path / "organization.yaml"
    common = {"ami-deprecation:policies": {"base": {}}, "other": 1}
    accounts = {
        "plain": {"id": 111111111111, "roleArn": "arn:1"},
        "own": {"id": "222222222222", "roleArn": "arn:2", "regions": ["b"], "config": {"other": 2}},
    }
    settings = {"project": str(REPOSITORY), "regions": ["a", "b"], "accounts": accounts, "config": common}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    read = runpy.run_path(str(EXAMPLE / "organization.py"))["read"]
    _, _, targets = read(file, [])
    assert [target.stack for target in targets] == ["plain-a", "plain-b", "own-b"]
    assert targets[0].config == {
        **common,
        "aws:region": "a",
        "aws:assumeRoles": [{"roleArn": "arn:1", "sessionName": "ami-deprecation"}],
        "aws:allowedAccountIds": ["111111111111"],
    }
    assert targets[2].config["other"] == 2
    assert [target.stack for target in read(file, ["plain-b", "own"])[2]] == ["plain-b", "own-b"]


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        ("accounts: {}", (), "it is not like the example's: KeyError 'project'"),
        ("{", (), "while parsing a flow node"),
        (
            "{project: ., regions: [a], accounts: {shop: {id: 1234, roleArn: arn}}}",
            (),
            "accounts.shop.id: 1234 is not the twelve digits of an account, in quotes",
        ),
        ("{project: nowhere, accounts: {}}", (), "project: there is no __main__.py in"),
        (None, ("--only", "shoop"), "--only: there is no account or stack shoop"),
    ],
)
def test_error_is_one_sentence_and_exit_code_2(
    organization: Organization, text: str | None, arguments: tuple[str, ...], sentence: str
) -> None:
    organization.configure()
    if text is not None:
        (organization.folder / "organization.yaml").write_text(text)
    result = organization.run("up", *arguments)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_backend_failure_keeps_clis_message(organization: Organization) -> None:
    organization.configure()
    state = organization.folder / "state"
    state.mkdir()
    (state / ".pulumi").write_text("a file where a folder should be")
    result = organization.run("preview", "--only", "shop-us-east-1")
    assert result.returncode == 1
    assert result.stdout.splitlines()[1].split() == ["shop", "us-east-1", "0", "0", "0", "0", "FAILED"]
    reason = result.stdout.splitlines()[-1]
    assert reason.startswith("shop-us-east-1: ")
    assert ".pulumi" in reason


def test_organization_example_runs_unchanged() -> None:
    assert (EXAMPLE / SETTINGS["project"]).resolve() == REPOSITORY
    assert (len(ACCOUNTS), len(REGIONS)) == (4, 3)
