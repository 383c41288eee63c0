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
EVERYWHERE = [(name, region) for name in ACCOUNTS for region in REGIONS]
NOW = datetime(2027, 3, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@dataclass
class Organization:
    """The example in a folder of its own, with a file backend."""

    cli: Cli
    ec2: LocalEC2
    folder: Path

    def configure(self, **roles: str) -> None:
        """Write organization.yaml as the example has it; `roles` are given to accounts instead of their own."""
        accounts = {
            name: {**account, "roleArn": roles.get(name, account["roleArn"])}
            for name, account in SETTINGS["accounts"].items()
        }
        settings = {**SETTINGS, "project": str(REPOSITORY), "parallel": 2, "accounts": accounts}
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


def dated(ec2: LocalEC2) -> list[tuple[str, str]]:
    """Accounts and Regions in which an image has a date."""
    return [
        (name, region)
        for name, region in EVERYWHERE
        if any(image.deprecation_time for image in ec2.images(region=region, account=ACCOUNTS[name]))
    ]


def promised(command: str) -> list[str]:
    """The lines that the README shows below a command, up to what differs."""
    for step in told("organization"):
        if step.command == command:
            return [line.rstrip("…") for line in step.shown]
    raise LookupError(command)


@pytest.mark.timeout(900)  # fifteen stacks, each made, selected and updated
def test_failing_account_is_named_and_others_finish(organization: Organization, ec2: LocalEC2) -> None:
    for name, region in EVERYWHERE:
        for age in (40, 30, 20, 10):
            created = NOW - age * DAY
            ec2.add_image(f"base-{age}", account=ACCOUNTS[name], region=region, created=created)
    of_another = SETTINGS["accounts"]["sandbox"]["roleArn"]
    organization.configure(search=of_another)
    mark = ec2.mark()
    up = organization.run("up")
    assert up.returncode == 1, up
    shown = promised("python organization.py up")
    assert len(shown) == 1 + 12 + 1
    assert up.stdout.splitlines()[:13] == shown[:13]
    lines = up.stdout.splitlines()[13:]
    assert [line.partition(": ")[0] for line in lines] == [f"search-{region}" for region in REGIONS]
    assert lines[0].startswith(shown[13])
    assert all(f"account {ACCOUNTS['sandbox']} of role {of_another} is not among" in line for line in lines)
    assert "Traceback" not in up.stdout + up.stderr
    assert dated(ec2) == [(name, region) for name, region in EVERYWHERE if name != "search"]
    assert len(ec2.calls_since(mark, "EnableImageDeprecation")) == 9

    organization.configure()
    again = organization.run("up", "--only", "search")
    assert again.returncode == 0, again
    assert again.stdout.splitlines() == promised("python organization.py up --only search")
    assert dated(ec2) == EVERYWHERE
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
