"""Where credentials come from: profiles, processes, token files, the instance's metadata; and who may be asked."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import CredentialsError
from ami_deprecation.ec2 import Identity, Network, Role, Target
from tests.support import gateways
from tests.support.gateways import HERE, IMAGE_ID, REGION, failed, gateway
from tests.support.servers import page, serve

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gateways.clean(monkeypatch, tmp_path)


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


def answer(**more: object) -> str:
    """What a ``credential_process`` writes."""
    return json.dumps({"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "very-secret", **more})


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("", "its output is empty"),
        ("very-secret", "its output (11 bytes) is not JSON"),
        (answer()[:-1], "its output (68 bytes) is not JSON"),
        ("[1]", "its output is not a JSON object"),
        ("{}", "its Version is not 1"),
        (answer(AccessKeyId=None), "its output has no AccessKeyId"),
        (answer(Expiration="soon"), "its Expiration is not a time with an offset"),
        (answer(Expiration=5), "its Expiration is not a time with an offset"),
        (answer(Expiration="2020-01-01T00:00:00Z"), "its credentials have already expired"),
    ],
)
def test_output_of_process_is_judged_and_never_shown(tmp_path: Path, output: str, cause: str) -> None:
    process(tmp_path, f"import sys\nprint('use corp-login', file=sys.stderr)\nprint({output!r}, end='')")
    sentence = str(failed(PROFILE))
    assert f"wrote no usable credentials: {cause}; its standard error: use corp-login; log in" in sentence
    assert "very-secret" not in sentence


@pytest.mark.parametrize("more", [{}, {"Expiration": "2099-01-01T00:00:00+02:00", "SessionToken": "t"}])
def test_output_of_process_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: dict[str, str]
) -> None:
    process(tmp_path, f"print({answer(**more)!r})")
    with serve(page([IMAGE_ID], None)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{server.host}")
        assert gateway(retry_seconds=5).read_image(PROFILE, IMAGE_ID, 0) is not None


def test_stderr_of_process_may_have_another_encoding(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nsys.stderr.buffer.write(b'anmelden f\\xfcr corp-login')\nsys.exit(1)")
    assert "the credential_process failed: anmelden f\ufffdr corp-login" in str(failed(PROFILE))


def test_process_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    profile(tmp_path, credential_process="/nowhere/helper")
    assert "cannot be started: No such file or directory (/nowhere/helper)" in str(failed(PROFILE))


def test_process_that_hangs_costs_one_wait(tmp_path: Path) -> None:
    process(tmp_path, "import time\ntime.sleep(60)")
    ours = gateway(retry_seconds=2)
    began = time.monotonic()
    sentences = {str(failed(PROFILE, ours=ours)) for _ in range(20)}
    assert time.monotonic() - began < 5
    [sentence] = sentences
    assert "the credential_process of the profile did not end within 2 seconds" in sentence


def test_other_profile_is_asked_after_a_failed_process(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nsys.exit('no ticket')")
    ours = gateway(retry_seconds=2)
    assert "no ticket" in str(failed(PROFILE, ours=ours))
    assert "no ticket" not in str(failed(Target(Identity(profile="nowhere"), REGION), ours=ours))


def test_credential_process_of_a_source_profile_gets_no_input(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nsys.exit(f'read {sys.stdin.read()!r}')")
    config = (tmp_path / "config").read_text()
    role = "[profile chained]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = images\n"
    (tmp_path / "config").write_text(config.replace("[profile source]", f"{role}[profile source]"))
    assert "the credential_process failed: read ''" in str(
        failed(Target(Identity(profile="chained"), REGION))
    )


def test_process_of_source_profile_says_why_every_time(tmp_path: Path) -> None:
    process(tmp_path, "import sys\nsys.exit('no ticket')")
    role = "\n[profile chained]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = images\n"
    with (tmp_path / "config").open("a") as config:
        config.write(role)
    ours = gateway(retry_seconds=2)
    chained = Target(Identity(profile="chained"), REGION)
    for _ in range(3):
        assert "the credential_process failed: no ticket" in str(failed(chained, ours=ours))


def test_missing_package_is_named(tmp_path: Path) -> None:
    profile(tmp_path, login_session="arn:aws:iam::123456789012:user/me")
    sentence = str(failed(PROFILE))
    assert "needs a Python package that is not installed; run `pip install 'botocore[crt]'`" in sentence


def test_missing_token_file_names_variable_and_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    sentence = str(failed(Target(Identity(), REGION)))
    assert "the file that AWS_WEB_IDENTITY_TOKEN_FILE names, /nowhere/token, cannot be read" in sentence


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read"), ("", "is empty"), (" \n", "is empty")],
    ids=["directory", "empty", "blank"],
)
@pytest.mark.parametrize("named_by", ["AWS_WEB_IDENTITY_TOKEN_FILE", "the profile's web_identity_token_file"])
def test_unusable_token_file_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named_by: str, content: str | None, problem: str
) -> None:
    token = tmp_path / "token"
    if content is None:
        token.mkdir()
    else:
        token.write_text(content)
    if named_by.startswith("AWS"):
        monkeypatch.setenv(named_by, str(token))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    else:
        profile(tmp_path, role_arn="arn:aws:iam::123456789012:role/x", web_identity_token_file=str(token))
    sentence = str(failed(Target(Identity(), REGION) if named_by.startswith("AWS") else PROFILE))
    assert f"the file that {named_by} names, {token}, {problem}" in sentence


# The instance's metadata.


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("of_profile", [True, False])
def test_metadata_service_is_asked_only_when_it_may_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asks: bool, of_profile: bool
) -> None:
    profile(tmp_path, role_arn="arn:aws:iam::123456789012:role/x", credential_source="Ec2InstanceMetadata")
    with serve("") as metadata:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{metadata.host}")
        identity = Identity(profile="images" if of_profile else None, skip_metadata=not asks)
        sentence = str(failed(Target(identity, REGION)))
    assert (metadata.connections > 0) is asks
    assert "there are no AWS credentials, or they are incomplete" in sentence


# Assumed roles.

ASSUMED = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIAASSUMED</AccessKeyId>"
    "<SecretAccessKey>very-secret</SecretAccessKey><SessionToken>very-secret</SessionToken>"
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
)


def test_profiles_settings_hold_below_assumed_roles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile(tmp_path, aws_access_key_id="AK", aws_secret_access_key="SK", use_fips_endpoint="true")
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")  # it is not there, and does not count
    identity = Identity(profile="images", roles=(Role("arn:aws:iam::123456789012:role/x"),))
    with serve(ASSUMED) as sts, serve("") as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://{sts.host}")
        network = Network(https_proxy=f"http://{proxy.host}", no_proxy="localhost")
        failed(replace(HERE, region="us-east-1", identity=identity, network=network))
    assert proxy.requests == ["ec2-fips.us-east-1.amazonaws.com:443"]


@pytest.mark.parametrize(
    ("network", "host"),
    [
        (Network(), "sts.us-west-2.amazonaws.com"),
        (Network(use_fips=True), "sts-fips.us-west-2.amazonaws.com"),
        (Network(no_proxy="amazonaws.com"), None),
    ],
)
def test_role_of_profile_is_assumed_where_network_says(
    tmp_path: Path, network: Network, host: str | None
) -> None:
    """In the image's Region, whether the profile has one or not."""
    profile(tmp_path, role_arn="arn:aws:iam::123456789012:role/x", source_profile="source")
    with serve("") as proxy:
        network = replace(network, https_proxy=f"http://{proxy.host}")
        failed(replace(PROFILE, region="us-west-2", network=network), patience=0.1)
    assert proxy.requests == ([f"{host}:443"] if host else [])


def test_profile_of_environment_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")
    assert "the profile 'elsewhere' is not in your AWS configuration" in str(
        failed(Target(Identity(), REGION))
    )
