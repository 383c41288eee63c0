"""The gateway and the way to AWS: what cannot be reached or is not EC2, and who may be asked for credentials."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import AmiDeprecationError, CredentialsError, EC2Unavailable, RequestRefused
from ami_deprecation.ec2 import Identity, Network, Role, Target
from tests.support.gateways import HERE, REGION, gateway
from tests.support.servers import CLOSED, page, self_signed, serve

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_ID = "ami-0123456789abcdef0"
#: Long enough that a retry would be noticed.
PATIENCE = 30.0
#: Shorter than two tries of that patience.
AT_ONCE = 10.0
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own AWS."""
    for name in (
        *PROXIES,
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_EC2",
        "AWS_ENDPOINT_URL_STS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def failed(target: Target = HERE, *, patience: float = PATIENCE) -> AmiDeprecationError:
    """The error of one read, which comes without a retry."""
    began = time.monotonic()
    with pytest.raises(AmiDeprecationError) as caught:
        gateway(retry_seconds=patience).read_image(target, IMAGE_ID, 0)
    assert time.monotonic() - began < AT_ONCE
    assert "\n" not in str(caught.value)
    assert (caught.value.region, caught.value.image_id) == (target.region, IMAGE_ID)
    return caught.value


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
    assert f"failed: {setting} names /nowhere.pem, and there is no such file" in str(failed(target))


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


# Credentials.

PROFILE = Target(Identity(profile="images"), REGION)


def profile(folder: Path, **settings: str) -> None:
    """Write the AWS configuration file with one profile, and a source for a role."""
    lines = [f"{key} = {value}" for key, value in settings.items()]
    source = ["[profile source]", "aws_access_key_id = AKIAEXAMPLE", "aws_secret_access_key = very-secret"]
    (folder / "config").write_text("\n".join(["[profile images]", *lines, *source]))


def test_mfa_is_refused_with_a_way_out(tmp_path: Path) -> None:
    profile(
        tmp_path,
        role_arn="arn:aws:iam::123456789012:role/x",
        source_profile="source",
        mfa_serial="arn:aws:iam::123456789012:mfa/me",
    )
    error = failed(PROFILE)
    assert type(error) is CredentialsError
    assert "the profile needs an MFA code (mfa_serial), and nobody can be asked for one here; get a " in str(
        error
    )


def process(folder: Path, code: str) -> None:
    """Let the profile's credentials come from a Python program."""
    program = folder / "process.py"
    program.write_text(code)
    profile(folder, credential_process=f"{sys.executable} {program}")


def test_credential_process_gets_no_input(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nsys.exit(f'read {sys.stdin.read()!r}')")
    assert "the credential_process failed: read ''" in str(failed(PROFILE))


def test_credential_process_shows_its_stderr(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nprint('x' * 3000, file=sys.stderr)\nsys.exit('the vault is locked')")
    sentence = str(failed(PROFILE))
    assert "the vault is locked" in sentence
    assert len(sentence) < 800


def test_credential_process_that_hangs_ends_in_time(tmp_path: Path) -> None:
    process(tmp_path, "import time\ntime.sleep(60)")
    assert "did not end within 2 seconds" in str(failed(PROFILE, patience=2))


def test_credential_process_of_a_source_profile_gets_no_input(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nsys.exit(f'read {sys.stdin.read()!r}')")
    config = (tmp_path / "config").read_text()
    role = "[profile chained]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = images\n"
    (tmp_path / "config").write_text(config.replace("[profile source]", f"{role}[profile source]"))
    assert "the credential_process failed: read ''" in str(
        failed(Target(Identity(profile="chained"), REGION))
    )


def test_missing_token_file_names_variable_and_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    sentence = str(failed(Target(Identity(), REGION)))
    assert "the file that AWS_WEB_IDENTITY_TOKEN_FILE names, /nowhere/token, cannot be read" in sentence
