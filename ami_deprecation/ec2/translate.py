"""botocore's errors into ours: by type and code, never by the text of a message.

Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

import enum
import socket
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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
    from collections.abc import Iterator, Mapping

    from .target import Target

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
#: Actions that a policy can allow for images with a tag; those that read, it allows for all images or none.
_ON_AN_IMAGE = frozenset({"EnableImageDeprecation", "DisableImageDeprecation"})
_ASSUMING = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"})
STS_ACTIONS = _ASSUMING | {"GetCallerIdentity"}
_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "MissingAuthenticationToken",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
#: What EC2 returns for good credentials in a Region that the account has not enabled. Source: EC2's "Error codes".
_REGION_NOT_ENABLED = frozenset({"AuthFailure", "OptInRequired"})
_SERVER = frozenset(
    {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"}
)
_FIRST_SERVER_STATUS = 500
_NO_SUCH_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
#: As much of a credential_process's standard error is shown.
_MOST_STDERR = 500
#: So many ids are named in a message.
_NAMED = 3

NOT_EC2 = "the response did not come from EC2 (a proxy?)"


class Kind(enum.Enum):
    """What a failure means for what to do next."""

    THROTTLED = enum.auto()
    SERVER = enum.auto()
    #: The connection failed, and may succeed next time.
    CONNECTION = enum.auto()
    #: The endpoint cannot be reached with this configuration.
    ENDPOINT = enum.auto()
    GONE = enum.auto()
    DENIED = enum.auto()
    CREDENTIALS = enum.auto()
    REFUSED = enum.auto()


RETRYABLE = frozenset({Kind.THROTTLED, Kind.SERVER, Kind.CONNECTION})
#: The next call to the same endpoint will most likely fail in the same way, and perhaps only after a timeout.
UNREACHABLE = frozenset({Kind.CONNECTION, Kind.ENDPOINT})
#: The endpoint is down: calls to it should not each be retried until their time runs out.
DOWN = UNREACHABLE | {Kind.SERVER}


@dataclass(frozen=True)
class Failure:
    """A call that failed: what kind of failure, AWS's code, and a cause fit for a message."""

    kind: Kind
    code: str
    cause: str
    #: The action that failed when it is another one than the caller's: AssumeRole on the way to it.
    action: str | None = None
    #: What to do about the credentials.
    way_out: str = "log in again and rerun"


@dataclass(frozen=True)
class Call:
    """One API call, as far as errors and pacing have to know it."""

    action: str
    target: Target
    #: What it is about, for messages: "the images".
    about: str
    #: The image, when it is about exactly one.
    image_id: str | None = None

    @property
    def where(self) -> str:
        """What it is about and in which Region."""
        return f"{self.about} in {self.target.region}"


def call_on(action: str, target: Target, image_ids: list[str]) -> Call:
    """A call on these images."""
    about = ", ".join(image_ids[:_NAMED])
    if len(image_ids) > _NAMED:
        about += f" and {len(image_ids) - _NAMED} more images"
    return Call(action, target, about, image_ids[0] if len(image_ids) == 1 else None)


class NotAnEC2Response(Exception):  # nobody sees it: it becomes a Failure
    """A response that parses but is not one of EC2's, an HTML page for example; or ``Return=false``."""


class NoClient(Exception):  # nobody sees it: it becomes a Failure
    """A client could not be made; the only argument is why. Nothing has been sent yet."""


class MfaNeeded(Exception):  # nobody sees it: it becomes a Failure
    """botocore asks for an MFA code, and nobody can enter one."""


@dataclass(frozen=True)
class Route:
    """How a call goes to AWS, for messages about a connection."""

    #: The endpoint's URL.
    endpoint: str = ""
    #: The proxy's host and port, without its user and password.
    proxy: str | None = None


class Unusable(Exception):  # nobody sees it: it becomes a Failure
    """A source of credentials cannot be used; the message says which, and why."""


class Unreachable(Exception):  # nobody sees it: it becomes a Failure
    """The configuration of the way to AWS is wrong; the message says how."""


def classify(error: Exception, route: Route = Route()) -> Failure:  # it is frozen
    """Sort an error of botocore's, or one of this package's own, into a Failure."""
    import botocore.exceptions as aws  # noqa: PLC0415  # lazily: see the package's docstring

    if isinstance(error, aws.ClientError):
        return _classify_response(error.response, error.operation_name)
    if isinstance(error, NotAnEC2Response):
        return Failure(Kind.SERVER, "", str(error))
    if isinstance(error, NoClient):
        return _classify_setup(error.args[0])
    if isinstance(error, aws.ParamValidationError):
        return Failure(Kind.REFUSED, "", f"a parameter is invalid: {_one_line(error.kwargs.get('report'))}")
    return (
        _classify_credentials(error)
        or _classify_connection(error, route)
        # What is left of botocore's own is a response that its parser could not read, or a broken body.
        or Failure(Kind.SERVER, "", f"EC2's response could not be read ({type(error).__name__})")
    )


def _classify_credentials(error: Exception) -> Failure | None:
    """What is wrong with the credentials or the configuration, when it is these."""
    import botocore.exceptions as aws  # noqa: PLC0415  # as above

    cause = None
    # botocore asks once, and then raises its own error.
    if isinstance(error, (MfaNeeded, aws.RefreshWithMFAUnsupportedError)):
        return Failure(
            Kind.CREDENTIALS,
            "",
            "the profile needs an MFA code (mfa_serial), and nobody can be asked for one here",
            way_out="get a session first, with `aws sts get-session-token --serial-number … --token-code …` or "
            "`aws sso login`, and use its credentials",
        )
    if isinstance(error, aws.MissingDependencyException):
        return Failure(
            Kind.CREDENTIALS,
            "",
            "the profile needs a Python package that is not installed",
            way_out="run `pip install 'botocore[crt]'` where Pulumi runs Python",
        )
    if isinstance(error, Unusable):
        cause = str(error)
    elif isinstance(
        error, (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)
    ):
        cause = "there are no AWS credentials, or they are incomplete"
    elif isinstance(error, (aws.TokenRetrievalError, aws.UnauthorizedSSOTokenError, aws.SSOTokenLoadError)):
        cause = "the sign-in has expired (aws sso login)"
    elif isinstance(
        error, (aws.ConfigNotFound, aws.ConfigParseError, aws.InvalidConfigError, aws.ProfileNotFound)
    ):
        cause = "the AWS configuration file cannot be used"
    elif isinstance(error, (FileNotFoundError, PermissionError)) or (
        isinstance(error, OSError) and error.filename  # a connection's has none
    ):
        named = f" ({error.filename})" if error.filename else ""
        cause = f"a file that the AWS configuration names cannot be read{named}"
    return None if cause is None else Failure(Kind.CREDENTIALS, "", cause)


def tail(text: str) -> str:
    """The last lines of a program's output, as one line."""
    line = _one_line(text)
    return line if len(line) <= _MOST_STDERR else f"…{line[1 - _MOST_STDERR :]}"


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())


def _classify_connection(error: Exception, route: Route) -> Failure | None:
    """What is wrong with the way to AWS, when it is that."""
    import botocore.exceptions as aws  # noqa: PLC0415  # as above

    if isinstance(error, Unreachable):
        return Failure(Kind.ENDPOINT, "", str(error))
    if not isinstance(error, (aws.HTTPClientError, aws.ConnectionError, OSError)):
        return None
    details: Mapping[str, object] = getattr(error, "kwargs", {})
    host = host_of(str(details.get("endpoint_url") or route.endpoint)) or "AWS"
    via = f" through the proxy {route.proxy}" if route.proxy else ""
    causes = list(_chain(error))
    if isinstance(error, aws.ProxyConnectionError):
        why = next((_one_line(each) for each in causes if type(each) is OSError), "it cannot be reached")
        return Failure(Kind.ENDPOINT, "", f"the connection to {host}{via} failed at the proxy: {why}")
    if any(isinstance(each, socket.gaierror) and each.errno in _NO_SUCH_HOST for each in causes):
        return Failure(Kind.ENDPOINT, "", f"there is no host {host}{via}")
    tls = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
    if tls is not None and not isinstance(tls, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        why = getattr(tls, "verify_message", None) or getattr(tls, "reason", None) or _one_line(tls)
        return Failure(Kind.ENDPOINT, "", f"TLS with {host}{via} failed: {why}")
    if isinstance(error, aws.ReadTimeoutError):
        return Failure(Kind.CONNECTION, "", f"{host}{via} did not respond in time")
    return Failure(Kind.CONNECTION, "", f"the connection to {host}{via} failed or was cut")


def without_password(url: str) -> str:
    """A URL without its user and password. An unquoted password may contain a slash."""
    scheme, slashes, rest = url.partition("//") if "//" in url.partition("@")[0] else ("", "", url)
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"


def host_of(url: str) -> str:
    """The host and port of a URL, without its user and password."""
    plain = without_password(url)
    return urlsplit(plain if "//" in plain else f"//{plain}").netloc


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those behind it, which botocore and urllib3 keep in arguments and attributes."""
    behind: Mapping[str, object] = getattr(error, "kwargs", {})
    waiting: list[object] = [behind.get("error"), error]
    seen: list[BaseException] = []
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and not any(each is other for other in seen):
            seen.append(each)
            waiting += [getattr(each, "reason", None), each.__cause__, *each.args]
            yield each


def _classify_setup(error: Exception) -> Failure:
    """An error of looking for credentials, or else of the configuration: no retry helps."""
    failure = classify(error)
    if failure.kind not in {Kind.SERVER, Kind.CONNECTION}:
        return failure
    return Failure(Kind.CREDENTIALS, "", f"the AWS configuration cannot be used ({type(error).__name__})")


def _classify_response(response: Mapping[str, object], operation: str) -> Failure:
    code, message = (str(_part(response, "Error").get(key) or "") for key in ("Code", "Message"))
    status = _part(response, "ResponseMetadata").get("HTTPStatusCode")
    # A client that assumes a role sends another call than the caller's.
    action = operation if operation in _ASSUMING else None
    return replace(_classify_code(code, message, status), action=action)


def _classify_code(code: str, message: str, status: object) -> Failure:
    if code in _THROTTLED:
        return Failure(Kind.THROTTLED, code, "AWS throttles it")
    if code in _GONE:
        return Failure(Kind.GONE, code, "it is not there")
    if code in _DENIED:
        # EC2's message carries an encoded blob, which belongs neither on a terminal nor in a log.
        return Failure(Kind.DENIED, code, "")
    if code in _CREDENTIALS:
        return Failure(Kind.CREDENTIALS, code, _why_not_accepted(code))
    if code in _SERVER or (
        isinstance(status, int) and (status >= _FIRST_SERVER_STATUS or code == str(status))
    ):
        return Failure(Kind.SERVER, code, "EC2 had an internal error")
    if not code:  # a proxy's page, for example; EC2's own refusals have a code
        return Failure(Kind.SERVER, "", NOT_EC2)
    return Failure(Kind.REFUSED, code, _one_line(message) or "EC2 gave no reason")


def _why_not_accepted(code: str) -> str:
    if code in _EXPIRED:
        return "the credentials have expired, or this machine's clock is off"
    region = "the account has not enabled this Region, " if code in _REGION_NOT_ENABLED else ""
    return f"the credentials are not accepted, {region}or this machine's clock is off"


def _part(response: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = response.get(key)
    return part if isinstance(part, dict) else {}


def to_error(failure: Failure, call: Call, account: str | None = None) -> AmiDeprecationError:
    """Our error for a failure that retries did not help.

    Args:
        failure: what went wrong.
        call: the call that failed.
        account: the account of the credentials, when it is known.
    """
    action = failure.action or call.action
    kind, sentence = _sentence(failure, action, call)
    return kind(
        sentence,
        code=failure.code or None,
        action=action,
        image_id=call.image_id,
        region=call.target.region,
        account=account,
    )


def _sentence(failure: Failure, action: str, call: Call) -> tuple[type[AmiDeprecationError], str]:
    code = f" ({failure.code})" if failure.code else ""
    identity = call.target.identity.label
    if failure.kind is Kind.DENIED:
        service = "sts" if action in STS_ACTIONS else "ec2"
        tags = "; a policy with tag conditions refuses an image that lacks the tag in the same way"
        return PermissionDenied, (
            f"{identity} may not do {service}:{action} on {call.where}{code}: grant that IAM action"
            f"{tags if action in _ON_AN_IMAGE else ''}"
        )
    if failure.kind is Kind.CREDENTIALS:
        return CredentialsError, (
            f"{action} on {call.where} failed with {identity}: {failure.cause}{code}; {failure.way_out}"
        )
    if failure.kind is Kind.GONE:
        return ImageNotFound, (
            f"{call.where} is not there, or it is deregistered{code}: remove it from the program, or run `pulumi refresh` to drop it from the state"
        )
    if failure.kind is Kind.THROTTLED:
        return Throttled, f"{action} on {call.where} was throttled until retries ran out{code}: run it again"
    if failure.kind is Kind.ENDPOINT:
        return EC2Unavailable, f"{action} on {call.where} failed: {failure.cause}"
    if failure.kind in {Kind.SERVER, Kind.CONNECTION}:
        return EC2Unavailable, f"{action} on {call.where} failed{code}: {failure.cause}; run it again"
    return RequestRefused, f"EC2 refuses {action} on {call.where}{code}: {failure.cause}"
