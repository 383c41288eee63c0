"""`ami-deprecation doctor` over EC2's wire: who the caller is and what the credentials may do, without a change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ami_deprecation.cli import reading
from ami_deprecation.cli.app import run
from tests.support.cli_command import use

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2

ACTIONS = ["DescribeImages", "EnableImageDeprecation", "DisableImageDeprecation"]


@pytest.fixture(autouse=True)
def _in_this_process(ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch) -> None:
    use(ec2, monkeypatch)


def diagnosis(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["doctor", "--json", *arguments]) == code
    document = json.loads(capsys.readouterr().out)
    [region] = document["regions"]
    return {**region, "results": {each["action"]: each["result"] for each in region["checks"]}}


def test_doctor_proves_permissions_without_change(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    ec2.add_image("web")
    shown = diagnosis(capsys)
    assert shown["results"] == dict.fromkeys(ACTIONS, "allowed")
    assert (shown["account"], shown["region"]) == (ec2.account, "eu-west-1")
    assert shown["region_from"] in ("AWS_REGION", "AWS_DEFAULT_REGION")
    assert shown["endpoint"] == ec2.endpoint_url
    dry = [call for call in ec2.calls if call.action in ACTIONS[1:]]
    assert [call.error_code for call in dry] == ["DryRunOperation"] * 2
    assert ec2.mutations() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_doctor_names_refused_action(ec2: LocalEC2, capsys: pytest.CaptureFixture[str], action: str) -> None:
    image_id = ec2.add_image("web")
    ec2.faults.add(action, "denied", times=None)
    shown = diagnosis(capsys, "--image", image_id, code=1)
    assert shown["results"] == dict.fromkeys(ACTIONS, "allowed") | {action: "refused"}


def test_account_without_image_is_not_proven(ec2: LocalEC2, capsys: pytest.CaptureFixture[str]) -> None:
    del ec2
    shown = diagnosis(capsys)
    assert shown["results"] == {
        "DescribeImages": "allowed",
        "EnableImageDeprecation": "not proven",
        "DisableImageDeprecation": "not proven",
    }


def test_doctor_goes_on_when_images_cannot_be_listed(
    ec2: LocalEC2, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMI_DEPRECATION_RETRY_SECONDS", "1")
    reading.gateway.cache_clear()
    ec2.faults.add("DescribeImages", "unavailable", dry_run=False, times=None)
    shown = diagnosis(capsys, code=1)
    assert shown["results"] == dict.fromkeys(ACTIONS, "not proven") | {"DescribeImages": "failed"}


def test_doctor_table_names_versions_and_no_secret(
    ec2: LocalEC2, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-very-secret-key")
    ec2.add_image("web")
    assert run(["doctor", "--region", "eu-west-1"]) == 0
    shown = capsys.readouterr().out
    assert "Region    eu-west-1 (from --region)" in shown
    assert "allowed     EnableImageDeprecation" in shown
    assert "boto3 (Python) " in shown
    assert "a-very-secret-key" not in shown


def test_doctor_refuses_malformed_image_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--image", "ami-1"]) == 2
    assert "--image: 'ami-1' is not the id of an AMI" in capsys.readouterr().err
