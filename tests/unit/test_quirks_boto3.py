"""Canaries: what botocore does, and this package therefore works around. Each fails when the quirk is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions
import botocore.httpsession
import botocore.session
import pytest

from tests.support import gateways
from tests.support.wire import Wire

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire((200, b""))


def test_html_page_that_parses_is_answer_without_images(wire: Wire) -> None:
    """The gateway asks for the key `Images`: without it, it is no answer."""
    wire.answer = 200, b"<html><body>Please log in</body></html>"
    assert set(wire.ec2.describe_images()) == {"ResponseMetadata"}
    wire.answer = 200, b"<DescribeImagesResponse><imagesSet/></DescribeImagesResponse>"
    assert set(wire.ec2.describe_images()) == {"Images", "ResponseMetadata"}


def test_html_page_that_parses_is_change_without_return(wire: Wire) -> None:
    wire.answer = 200, b"<html><body>Please log in</body></html>"
    answer = wire.ec2.enable_image_deprecation(ImageId="ami-01234567", DeprecateAt="2027-06-01T00:00:00Z")
    assert "Return" not in answer


def test_boto3_takes_bare_year_for_seconds_of_1970(wire: Wire) -> None:
    """So this package parses dates itself, and sends a datetime."""
    sent: list[str] = []
    wire.ec2.meta.events.register(
        "before-sign.ec2.EnableImageDeprecation",
        lambda request, **_: sent.append(request.data["DeprecateAt"]),
    )
    wire.answer = (
        200,
        b"<EnableImageDeprecationResponse><return>true</return></EnableImageDeprecationResponse>",
    )
    for date in ("2030", "2027-06-01T00:00:00Z"):
        assert wire.ec2.enable_image_deprecation(ImageId="ami-01234567", DeprecateAt=date)["Return"]
    assert sent == ["1970-01-01T00:33:50Z", "2027-06-01T00:00:00Z"]


def test_boto3_does_not_know_aws_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The aws provider does, so this package reads it itself."""
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert boto3.Session().region_name is None


def test_second_visit_of_a_profile_is_called_a_loop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So a session is dropped once its credentials have failed."""
    gateways.clean(monkeypatch, tmp_path)
    (tmp_path / "config").write_text(
        "[profile chained]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = images\n"
        "[profile images]\ncredential_process = /bin/false\n"
    )
    session = botocore.session.Session(profile="chained")
    with pytest.raises(botocore.exceptions.CredentialRetrievalError):
        session.get_credentials()
    with pytest.raises(botocore.exceptions.InfiniteLoopConfigError):
        session.get_credentials()


def test_socks_proxy_is_taken_for_a_host() -> None:
    """So a proxy of another kind is refused."""
    proxies = botocore.httpsession.ProxyConfiguration(proxies={"https": "socks5://corp:1080"})
    assert proxies.proxy_url_for("https://ec2.amazonaws.com") == "http://socks5://corp:1080"
