"""The gateway and the way to AWS: what cannot be reached, and what is not EC2."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import EC2Unavailable, RequestRefused, Throttled
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


ERRORS = {
    "html": (200, "<html><body>Log in</body></html>", "the response did not come from EC2"),
    "unavailable": (
        503,
        "<Errors><Error><Code>Unavailable</Code></Error></Errors>",
        "(Unavailable): EC2 had an",
    ),
    "internal": (500, "", "(500): EC2 had an internal error"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_endpoint_that_answers_with_errors_costs_one_wait(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body, cause = ERRORS[kind]
    with serve(body, status=status) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        ours = gateway(retry_seconds=2)
        first = failed(ours=ours)
        sent = len(server.requests)
        began = time.monotonic()
        later = {str(failed(ours=ours)) for _ in range(10)}
        assert time.monotonic() - began < 2
        assert len(server.requests) == sent + 10  # each is tried once: the errors may be those of one image
    assert sent > 1
    assert later == {str(first).replace("; run it again", ", as before; run it again")}
    assert cause in str(first)


def test_endpoint_that_recovers_is_retried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    html = ERRORS["html"][1]
    with serve(html, page([IMAGE_ID], None), html, page([IMAGE_ID], None)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        impatient = gateway(retry_seconds=0)
        failed(ours=impatient)
        assert impatient.read_image(HERE, IMAGE_ID, 0) is not None  # tried once, and it works again
        assert gateway(retry_seconds=5).read_image(HERE, IMAGE_ID, 0) is not None  # a single error is retried
    assert len(server.requests) == 4


def test_throttled_calls_are_each_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>"
    with serve(body, status=503) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        ours = gateway(retry_seconds=3)
        for _ in range(2):
            sent = len(server.requests)
            assert type(failed(ours=ours)) is Throttled
            assert len(server.requests) > sent + 1


def test_endpoint_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://me:very-secret@{CLOSED}")
    ours = gateway(retry_seconds=0.1)
    assert f"the connection to {CLOSED} failed" in str(failed(ours=ours))
    assert ours.endpoint(HERE) == f"http://{CLOSED}"


@pytest.mark.parametrize("proxy", ["socks5://me:very-secret@corp:1080", "socks5h://corp:1080"])
def test_proxy_of_another_kind_is_refused_at_once(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    kind = proxy.partition(":")[0]
    assert str(failed()).endswith(f"boto3 cannot use the proxy {kind}://corp:1080: set one with http://")


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
