"""The gateway and the way to AWS: what cannot be reached, and what is not EC2."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import EC2Unavailable, RequestRefused
from ami_deprecation.ec2 import Network, Role, Target
from tests.support import gateways
from tests.support.gateways import AT_ONCE, HERE, IMAGE_ID, PATIENCE, REGION, failed, gateway
from tests.support.servers import CLOSED, page, self_signed, serve

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gateways.clean(monkeypatch, tmp_path)


# The way to AWS.


def test_endpoint_that_is_down_costs_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{CLOSED}")
    ours = gateway(retry_seconds=3)
    began = time.monotonic()
    for number in range(20):
        with pytest.raises(EC2Unavailable, match=f"the connection to {CLOSED} failed") as caught:
            ours.read_image(HERE, f"ami-0123456789abcd{number:03}", 0)
        assert caught.value.image_id == f"ami-0123456789abcd{number:03}"
    assert time.monotonic() - began < 2 * AT_ONCE
    assert str(caught.value).endswith("failed or was cut, as before; run it again")


def test_unknown_host_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://nowhere.invalid")
    error = failed()
    assert type(error) is EC2Unavailable
    assert str(error) == f"DescribeImages on {IMAGE_ID} in {REGION} failed: there is no host nowhere.invalid"


def test_untrusted_certificate_is_not_retried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serve("", certificate=self_signed(tmp_path)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"https://{server.host}")
        error = failed()
    assert f"TLS with {server.host} failed: self-signed certificate" in str(error)
    assert server.connections == 1


@pytest.mark.parametrize("own", [True, False])
def test_missing_ca_bundle_names_setting_and_file(
    own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:  # a parameter of the test
    target = replace(HERE, network=Network(ca_bundle="/nowhere.pem" if own else None))
    if not own:
        monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere.pem")
    setting = "aws:customCaBundle" if own else "AWS_CA_BUNDLE (or ca_bundle of the profile)"
    ours = gateway(retry_seconds=PATIENCE)
    sentence = f"failed: {setting} names /nowhere.pem, and there is no such file"
    assert str(failed(target, ours=ours)).endswith(sentence)
    assert str(failed(target, ours=ours)).endswith(f"{sentence}, as before")


def test_ca_bundle_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with serve(page([IMAGE_ID], None), certificate=certificate) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"https://{server.host}")
        target = replace(HERE, network=Network(ca_bundle=str(certificate[0])))
        image = gateway(retry_seconds=1).read_image(target, IMAGE_ID, 0)
    assert image is not None


def test_proxy_that_is_down_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:very-secret@{CLOSED}")
    sentence = str(failed())
    host = f"ec2.{REGION}.amazonaws.com"
    assert f"the connection to {host} through the proxy {CLOSED} failed at the proxy" in sentence
    assert "very-secret" not in sentence


@pytest.mark.parametrize(
    ("network", "host"),
    [
        (Network(), "ec2.us-east-1.amazonaws.com"),
        (Network(use_fips=True), "ec2-fips.us-east-1.amazonaws.com"),
        (Network(use_dualstack=True), "ec2.us-east-1.api.aws"),
        (Network(no_proxy="example.com"), "ec2.us-east-1.amazonaws.com"),
    ],
)
def test_network_settings_decide_the_host(network: Network, host: str) -> None:
    with serve("") as proxy:
        network = replace(network, https_proxy=f"http://me:very-secret@{proxy.host}")
        sentence = str(failed(Target(HERE.identity, "us-east-1", network)).args[0])
    assert proxy.requests == [f"{host}:443"]
    assert (
        f"{host} through the proxy {proxy.host} failed at the proxy: Tunnel connection failed: 403"
        in sentence
    )
    assert "very-secret" not in sentence


def test_no_proxy_is_honored() -> None:
    with serve("") as proxy:
        network = Network(https_proxy=f"http://{proxy.host}", no_proxy="localhost, .amazonaws.com")
        failed(replace(HERE, network=network), patience=0.1)
    assert proxy.requests == []


def test_invalid_parameter_is_not_retried() -> None:
    roles = (Role("arn:aws:iam::123456789012:role/x", duration_seconds=600),)
    error = failed(replace(HERE, identity=replace(HERE.identity, roles=roles)))
    assert type(error) is RequestRefused
    assert "a parameter is invalid" in str(error)


# Responses that are not, or not quite, EC2's.


def test_repeated_page_token_ends_a_listing_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(page([IMAGE_ID], "again")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        with pytest.raises(EC2Unavailable, match="a page token a second time") as caught:
            gateway().list_images(HERE)
    assert (caught.value.action, caught.value.region) == ("DescribeImages", REGION)
    assert len(server.requests) == 2


def test_empty_page_with_a_token_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(page([], "1"), page([], "2"), page([IMAGE_ID], None)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        assert [image.id for image in gateway().list_images(HERE)] == [IMAGE_ID]


@pytest.mark.parametrize("body", ["<html><body>Log in</body></html>", "<DescribeImagesResponse/>"])
def test_response_without_images_is_not_an_empty_listing(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(body) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        with pytest.raises(EC2Unavailable, match="did not come from EC2"):
            gateway(retry_seconds=0.1).list_images(HERE)


def test_each_retry_counts_against_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account guard asks STS first: both calls together take no longer than the setting."""
    for service in ("EC2", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://{CLOSED}")
    guarded = replace(HERE, identity=replace(HERE.identity, allowed_account_ids=("123456789012",)))
    began = time.monotonic()
    with pytest.raises(EC2Unavailable) as caught:
        gateway(retry_seconds=2).read_image(guarded, IMAGE_ID, 0)
    assert caught.value.action == "GetCallerIdentity"
    assert time.monotonic() - began < AT_ONCE
