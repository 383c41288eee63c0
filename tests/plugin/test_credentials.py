"""Credentials and configuration that boto3 cannot use, which it notices before any call; and an STS that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ami_deprecation.testing import ENCODED_MESSAGE
from tests.support.dates import EARLY, LATE
from tests.support.program import dated
from tests.support.whole_life import SECRETS

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import FaultKind, LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

NONE = "there are no AWS credentials, or they are incomplete"
FILE = "the AWS configuration file cannot be used"
#: The AWS configuration file, and the cause that the sentence gives.
FILES = {
    "a credential_process that fails": (
        "[default]\ncredential_process = /bin/false\n",
        "the credential_process failed: it wrote nothing",
    ),
    "no configuration at all": ("= nothing\n", FILE),
    "a source_profile that is not there": (
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = nowhere\n",
        FILE,
    ),
    "a token file that is not there": (
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /nowhere\n",
        "the file that the profile's web_identity_token_file names, /nowhere, cannot be read",
    ),
}


def check_sentences(engine: Engine, ec2: LocalEC2, image: str, cause: str) -> None:
    """Preview goes on without the live checks; a refresh and an update end in one sentence, at once."""
    before, mark = engine.export(), ec2.mark()
    program = dated(ec2.add_image("new"), EARLY)
    preview = engine.preview(program)
    [line] = preview.printed
    assert "were skipped" in line
    outcomes = [engine.refresh(check=False), engine.up(program, check=False), engine.destroy(check=False)]
    for outcome in outcomes:
        [error] = outcome.errors
        assert error.startswith("ami_deprecation.CredentialsError: DescribeImages on ami-"), error
        assert "\n" not in error
        assert outcome.seconds < 5
    for outcome in (preview, *outcomes):
        assert cause in str(outcome)
        for secret in SECRETS:
            assert secret not in str(outcome)
    assert engine.export() == before
    assert ec2.calls_since(mark) == []
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize("what", FILES)
def test_unusable_configuration_file_is_one_sentence(
    engine: Engine, ec2: LocalEC2, image: str, tmp_path: Path, what: str
) -> None:
    engine.up(dated(image, EARLY))
    text, cause = FILES[what]
    file = tmp_path / "config"
    file.write_text(text)
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        del engine.environment[key]
    engine.environment["AWS_CONFIG_FILE"] = str(file)
    check_sentences(engine, ec2, image, cause)


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_of_credentials_is_one_sentence(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, missing: str
) -> None:
    make_engine().up(dated(image, EARLY))
    engine = make_engine(AWS_SECRET_ACCESS_KEY=SECRETS[0], AWS_SESSION_TOKEN=SECRETS[1])
    engine.up(dated(image, EARLY))
    del engine.environment[missing]
    check_sentences(engine, ec2, image, NONE)


def test_bad_endpoint_is_one_sentence(engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY))
    engine.environment |= {"AWS_ENDPOINT_URL": "nonsense", "AWS_ENDPOINT_URL_EC2": "nonsense"}
    check_sentences(engine, ec2, image, "the AWS configuration cannot be used (ValueError)")


def test_without_region_file_that_cannot_be_read_is_named(
    engine: Engine, ec2: LocalEC2, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text("= nothing\n")
    engine.config.clear()
    engine.environment["AWS_CONFIG_FILE"] = str(file)
    [failure] = engine.preview(dated(ec2.add_image(), EARLY), check=False).failures
    assert f"{FILE} (ConfigParseError): fix it, or set region" in failure


@pytest.mark.parametrize(
    ("kind", "name"),
    [("internal", "EC2Unavailable"), ("denied", "PermissionDenied"), ("expired-token", "CredentialsError")],
)
@pytest.mark.parametrize("verb", ["update", "refresh", "destroy"])
def test_sts_fault_leaves_state_unchanged(
    make_engine: MakeEngine, ec2: LocalEC2, verb: str, kind: FaultKind, name: str
) -> None:
    """A refresh and a destroy ask it about an image that is not shown."""
    engine = make_engine(AMI_DEPRECATION_RETRY_SECONDS="0.3")
    image = ec2.add_image()
    engine.up(dated(image, EARLY))
    if verb != "update":
        ec2.remove_image(image)
    ec2.faults.add("GetCallerIdentity", kind, times=None)
    before = engine.export()
    program = dated(image, LATE)
    failed = engine.up(program, check=False) if verb == "update" else getattr(engine, verb)(check=False)
    [error] = failed.errors
    assert error.startswith(f"ami_deprecation.{name}: ")
    assert ENCODED_MESSAGE not in str(failed)
    assert (failed.mutations, engine.export()) == ([], before)
