"""Gateways of a test's own, and the one that this process keeps for programs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import AmiDeprecationError
from ami_deprecation.cli import reading
from ami_deprecation.doors import program
from ami_deprecation.ec2 import Gateway, Identity, Target
from ami_deprecation.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2

REGION = "eu-west-1"
#: LocalEC2's own account there.
HERE = Target(Identity(access_key="testing", secret_key="testing", token="testing"), REGION)

IMAGE_ID = "ami-0123456789abcdef0"
#: Long enough that a retry would be noticed.
PATIENCE = 30.0
#: Shorter than two tries of that patience.
AT_ONCE = 10.0
#: The variables of this machine that decide how and as whom AWS is called.
_AROUND = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_STS",
)


def clean(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Take this machine's own AWS out of the environment. Configuration files are read from `folder`."""
    for name in _AROUND:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))


def failed(
    target: Target = HERE, *, patience: float = PATIENCE, ours: Gateway | None = None
) -> AmiDeprecationError:
    """The error of one read, which comes without a retry."""
    began = time.monotonic()
    with pytest.raises(AmiDeprecationError) as caught:
        (ours or gateway(retry_seconds=patience)).read_image(target, IMAGE_ID, 0)
    assert time.monotonic() - began < AT_ONCE
    assert "\n" not in str(caught.value)
    assert (caught.value.region, caught.value.image_id) == (target.region, IMAGE_ID)
    return caught.value


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
