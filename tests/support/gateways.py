"""Gateways of a test's own, and the one that this process keeps for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ami_deprecation.cli import reading
from ami_deprecation.doors import program
from ami_deprecation.ec2 import Gateway, Identity, Target
from ami_deprecation.settings import Settings

if TYPE_CHECKING:
    import pytest

    from ami_deprecation.testing import LocalEC2

REGION = "eu-west-1"
#: LocalEC2's own account there.
HERE = Target(Identity(access_key="testing", secret_key="testing", token="testing"), REGION)


def gateway(**limits: float) -> Gateway:
    """A gateway that remembers nothing."""
    return Gateway(replace(Settings(), **limits))  # type: ignore[arg-type]  # numbers only


def enter(ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch, region: str = REGION) -> None:
    """Let this process's own calls reach `ec2`: clients keep the endpoint that the environment has when they are made."""
    for name, value in ec2.environment(region=region).items():
        monkeypatch.setenv(name, value)
    forget()


def forget() -> None:
    """Forget what this process's own gateways remember."""
    program.gateway.cache_clear()
    reading.gateway.cache_clear()
