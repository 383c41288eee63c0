"""Where botocore gets credentials from: a profile's process, a token file, the instance's metadata, a person.

botocore has no settings for what is done differently here, so this module replaces the prompt, the start of processes and
the reading of tokens in the providers of one session.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import translate
from .pacing import Breaker
from .translate import MfaNeeded, Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import botocore.session
    from botocore.credentials import CredentialProvider

_TOKEN_VARIABLE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105  # a variable's name


def prepare(session: botocore.session.Session, helper: Helper, *, skip_metadata: bool) -> None:
    """Change the credential providers of a session that has asked for no credentials yet.

    Args:
        session: botocore's.
        helper: runs each ``credential_process``.
        skip_metadata: the instance metadata service must not be used, as with AWS_EC2_METADATA_DISABLED.
    """
    chain = session.get_component("credential_provider")
    assume_role = chain.get_provider("assume-role")
    if not helper.has_terminal:
        assume_role._prompter = _refuse_mfa  # noqa: SLF001  # see the module's docstring
    if skip_metadata:
        # The fetcher and not the chain: a profile's credential_source uses it too.
        chain.get_provider("iam-role")._role_fetcher._disabled = True  # noqa: SLF001
    chain.get_provider("custom-process")._popen = helper.run  # noqa: SLF001
    chain.get_provider("assume-role-with-web-identity")._token_loader_cls = _token_of  # noqa: SLF001
    # For a source_profile.
    builder = assume_role._profile_provider_builder  # noqa: SLF001
    create_process, create_token = (
        builder._create_process_provider,  # noqa: SLF001
        builder._create_web_identity_provider,  # noqa: SLF001
    )

    def create_process_provider(profile_name: str) -> CredentialProvider:
        provider: CredentialProvider = create_process(profile_name)
        provider._popen = helper.run  # type: ignore[attr-defined]  # noqa: SLF001  # ProcessProvider's
        return provider

    def create_web_identity_provider(profile_name: str, disable_env_vars: bool) -> CredentialProvider:
        provider: CredentialProvider = create_token(profile_name, disable_env_vars)
        provider._token_loader_cls = _token_of  # type: ignore[attr-defined]  # noqa: SLF001  # as above
        return provider

    builder._create_process_provider = create_process_provider  # noqa: SLF001
    builder._create_web_identity_provider = create_web_identity_provider  # noqa: SLF001


def _refuse_mfa(_prompt: str) -> str:
    """A plugin's input belongs to the engine, and nobody sees a prompt there."""
    raise MfaNeeded


# A token file.


def _token_of(path: str) -> Callable[[], str]:
    """Read a web identity token file. botocore would send an empty token, and retry when the file is a directory."""

    def read() -> str:
        setting = (
            _TOKEN_VARIABLE
            if path == os.environ.get(_TOKEN_VARIABLE)
            else "the profile's web_identity_token_file"
        )
        named = f"the file that {setting} names, {path},"
        try:
            token = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise Unusable(f"{named} cannot be read") from None
        if not token.strip():
            raise Unusable(f"{named} is empty")
        return token

    return read


# A process.


@dataclass(frozen=True)
class _Finished:
    """A process that succeeded, in the form that botocore expects."""

    output: bytes
    returncode: int = 0

    def communicate(self) -> tuple[bytes, bytes]:
        return self.output, b""


@dataclass
class Helper:
    """Runs the ``credential_process`` of one base session. Thread-safe.

    After a failure the next runs fail at once for a while, so that a helper that hangs costs one wait, not one for each image.
    """

    #: How long it may take, in seconds.
    timeout: float
    #: Whether a person can be asked. Then it gets this process's input, and the time that the person needs.
    has_terminal: bool
    _breaker: Breaker[str] = field(default_factory=Breaker, init=False)

    def run(self, command: Sequence[str], *, stdout: int, stderr: int) -> _Finished:
        """Run it to its end. The arguments are those that botocore gives to ``Popen``.

        Raises:
            Unusable: it failed, took too long, or wrote no credentials; the message never shows what it wrote to its output.
        """
        earlier = self._breaker.cause()
        if earlier is not None:
            raise Unusable(earlier)
        began = time.monotonic()
        try:
            output = self._output(command, stdout, stderr)
        except Unusable as wrong:
            self._breaker.failed(str(wrong), began)
            raise
        self._breaker.succeeded()
        return _Finished(output)

    def _output(self, command: Sequence[str], stdout: int, stderr: int) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  # the user's own configuration names it
                command,
                stdin=None if self.has_terminal else subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=not self.has_terminal,
                timeout=None if self.has_terminal else self.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unusable(
                f"the credential_process of the profile did not end within {self.timeout:g} seconds: it gets no input here"
            ) from None
        except OSError as error:
            raise Unusable(
                f"the credential_process cannot be started: {error.strerror} ({command[0]})"
            ) from None
        errors = translate.tail(
            done.stderr.decode(errors="replace")
        )  # the console's encoding may be another one
        if done.returncode != 0:
            raise Unusable(
                f"the credential_process failed: {errors or 'it wrote nothing to its standard error'}"
            )
        wrong = _problem_of(done.stdout)
        if wrong is not None:
            raise Unusable(
                f"the credential_process wrote no usable credentials: {wrong}{f'; its standard error: {errors}' if errors else ''}"
            )
        return done.stdout


def _problem_of(output: bytes) -> str | None:
    """What is wrong with the output of a ``credential_process``; never what is in it, which may be a secret.

    Source: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sourcing-external.html
    """
    if not output.strip():
        return "its output is empty"
    try:
        answer: object = json.loads(output.decode())
    except ValueError:  # of the encoding, or of the JSON
        return f"its output ({len(output)} bytes) is not JSON"
    if not isinstance(answer, dict):
        return "its output is not a JSON object"
    if answer.get("Version") != 1:
        return "its Version is not 1"
    missing = [key for key in ("AccessKeyId", "SecretAccessKey") if not _is_text(answer, key)]
    if missing:
        return f"its output has no {' and no '.join(missing)}"
    return _problem_of_expiration(answer)


def _problem_of_expiration(answer: Mapping[str, object]) -> str | None:
    from botocore.utils import parse_timestamp  # noqa: PLC0415  # lazily: see the package's docstring

    expiration: object = answer.get("Expiration")
    if expiration is None:
        return None
    try:
        when = parse_timestamp(expiration) if isinstance(expiration, str) else None
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        return "its Expiration is not a time with an offset"
    # botocore would raise an error without a type of its own.
    return "its credentials have already expired" if when <= dt.datetime.now(dt.timezone.utc) else None


def _is_text(answer: Mapping[str, object], key: str) -> bool:
    return isinstance(answer.get(key), str) and bool(answer[key])
