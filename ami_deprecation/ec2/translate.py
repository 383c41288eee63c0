"""botocore's errors into ours: by type and code, never by the text of a message.

Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import (
    AmiDeprecationError,
    CredentialsError,
    EC2Unavailable,
    ImageNotFound,
    PermissionDenied,
    RequestRefused,
    Throttled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "EC2ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_GONE = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})
_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
#: Actions that a policy can allow for images with a tag; what reads, it allows for all or none.
_ON_AN_IMAGE = frozenset({"EnableImageDeprecation", "DisableImageDeprecation"})
_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_SERVER = frozenset(
    {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"}
)
_FIRST_SERVER_STATUS = 500


class Kind(enum.Enum):
    """What an error means for what to do next."""

    THROTTLED = enum.auto()
    SERVER = enum.auto()
    GONE = enum.auto()
    DENIED = enum.auto()
    CREDENTIALS = enum.auto()
    REFUSED = enum.auto()


RETRYABLE = frozenset({Kind.THROTTLED, Kind.SERVER})


@dataclass(frozen=True)
class Failure:
    """A call that did not do what it should: what kind, EC2's code, and a cause fit for a sentence."""

    kind: Kind
    code: str
    cause: str
    #: The action that failed when it is not the one that was asked for: AssumeRole on the way to it.
    action: str | None = None


class NoAnswer(Exception):  # it is not shown to anyone
    """An answer that parses but is none of EC2's: an HTML page, half of an answer, ``Return: false``."""


class NoClient(Exception):  # it is not shown to anyone
    """A client could not be made; the only argument is why. Nothing has been asked of EC2 yet."""


def classify(error: Exception) -> Failure:
    """Sort an error of botocore's, or one of this package's own, into a Failure."""
    import botocore.exceptions as aws  # noqa: PLC0415  # lazily: see the package's docstring

    if isinstance(error, aws.ClientError):
        failure = _classify_answer(error.response)
        return (
            replace(failure, action=error.operation_name) if error.operation_name == "AssumeRole" else failure
        )
    if isinstance(error, NoAnswer):
        return Failure(Kind.SERVER, "", str(error))
    if isinstance(error, NoClient):
        return _classify_setup(error.args[0])
    unusable = _unusable(error)
    if unusable is not None:
        return Failure(Kind.CREDENTIALS, "", unusable)
    if isinstance(error, aws.ReadTimeoutError):
        return Failure(Kind.SERVER, "", "EC2 did not answer in time")
    if isinstance(error, (aws.HTTPClientError, aws.ConnectionError, OSError)):
        return Failure(Kind.SERVER, "", "the connection to EC2 failed or was cut")
    # What is left of botocore's own is a response that its parser could not read, or a broken body.
    return Failure(Kind.SERVER, "", f"EC2's answer could not be read ({type(error).__name__})")


def _unusable(error: Exception) -> str | None:
    """What is wrong with the credentials or the configuration, when it is these."""
    import botocore.exceptions as aws  # noqa: PLC0415  # as above

    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)):
        return "there are no AWS credentials, or they are not complete"
    if isinstance(error, (aws.TokenRetrievalError, aws.UnauthorizedSSOTokenError, aws.SSOTokenLoadError)):
        return "the sign-in has expired (aws sso login)"
    if isinstance(
        error, (aws.ConfigNotFound, aws.ConfigParseError, aws.InvalidConfigError, aws.ProfileNotFound)
    ):
        return "the AWS configuration file cannot be used"
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return "a file that the AWS configuration names cannot be read"
    return None


def _classify_setup(error: Exception) -> Failure:
    """An error of looking for credentials, or else of the configuration: no retry mends that."""
    failure = classify(error)
    if failure.kind is not Kind.SERVER:
        return failure
    return Failure(Kind.CREDENTIALS, "", f"the AWS configuration cannot be used ({type(error).__name__})")


def _classify_answer(response: Mapping[str, object]) -> Failure:
    code, message = (str(_part(response, "Error").get(key) or "") for key in ("Code", "Message"))
    status = _part(response, "ResponseMetadata").get("HTTPStatusCode")
    if code in _THROTTLED:
        return Failure(Kind.THROTTLED, code, "EC2 refuses more calls a second")
    if code in _GONE:
        return Failure(Kind.GONE, code, "it is not there")
    if code in _DENIED:
        # EC2's message carries an encoded blob; it is neither for the terminal nor for a log.
        return Failure(Kind.DENIED, code, "")
    if code in _CREDENTIALS:
        expired = "have expired" if code in _EXPIRED else "are not accepted"
        return Failure(Kind.CREDENTIALS, code, f"the credentials {expired}, or this machine's clock is off")
    if code in _SERVER or (
        isinstance(status, int) and (status >= _FIRST_SERVER_STATUS or code == str(status))
    ):
        return Failure(Kind.SERVER, code, "EC2 has an internal fault")
    if not code:  # a proxy's page, say; EC2's own refusals have a code
        return Failure(Kind.SERVER, "", "the answer was not one of EC2's")
    return Failure(Kind.REFUSED, code, " ".join(message.split()) or "EC2 gave no reason")


def _part(response: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = response.get(key)
    return part if isinstance(part, dict) else {}


def to_error(failure: Failure, action: str, what: str, identity: str) -> AmiDeprecationError:
    """Our error for a failure that retries did not mend.

    Args:
        failure: what went wrong.
        action: the API action, which is also the IAM action's name.
        what: the image and Region, for the sentence.
        identity: whose credentials; never the credentials.
    """
    action = failure.action or action
    code = f" ({failure.code})" if failure.code else ""
    if failure.kind is Kind.DENIED:
        service = "sts" if action in {"AssumeRole", "GetCallerIdentity"} else "ec2"
        tags = "; a policy with tag conditions refuses an image that lacks the tag in the same way"
        return PermissionDenied(
            f"{identity} may not do {service}:{action} on {what}{code}: grant that IAM action"
            f"{tags if action in _ON_AN_IMAGE else ''}"
        )
    if failure.kind is Kind.CREDENTIALS:
        return CredentialsError(
            f"{action} on {what} failed with {identity}: {failure.cause}{code}; log in again and rerun"
        )
    if failure.kind is Kind.GONE:
        return ImageNotFound(
            f"{what} is not there, or it is deregistered{code}: run pulumi refresh to take that over"
        )
    if failure.kind is Kind.THROTTLED:
        return Throttled(f"{action} on {what} was not taken{code}: {failure.cause}; run it again")
    if failure.kind is Kind.SERVER:
        return EC2Unavailable(f"{action} on {what} failed{code}: {failure.cause}; run it again")
    return RequestRefused(f"EC2 refuses {action} on {what}{code}: {failure.cause}")
