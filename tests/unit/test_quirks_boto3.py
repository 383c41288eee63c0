"""Canaries: what botocore does, and this package therefore works around. Each fails when the quirk is gone."""

from __future__ import annotations

import os

import boto3
import pytest

from tests.support.wire import Wire


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
