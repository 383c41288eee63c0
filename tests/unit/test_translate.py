"""Errors of AWS into ours: what boto3 raises for an answer, what it means, and the sentence it becomes."""

from __future__ import annotations

import socket
import ssl

import botocore.exceptions as aws
import pytest

from ami_deprecation import (
    AmiDeprecationError,
    CredentialsError,
    EC2Unavailable,
    ImageNotFound,
    PermissionDenied,
    RequestRefused,
    Throttled,
)
from ami_deprecation.ec2 import Identity, Role, Target, translate
from ami_deprecation.ec2.translate import (
    RETRYABLE,
    Call,
    Failure,
    Kind,
    NoClient,
    NotAnEC2Response,
    Route,
    Unusable,
)
from tests.support.wire import Wire


def call(action: str, **identity: object) -> Call:
    """A call on one image."""
    target = Target(Identity(**identity), "eu-west-1")  # type: ignore[arg-type]  # a test's own
    return Call(action, target, "ami-x", "ami-x")


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire((200, b""))


def failure_of(wire: Wire, answer: tuple[int, bytes] | Exception) -> Failure:
    """What a DescribeImages that gets this answer is found to be."""
    wire.answer = answer
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any that boto3 has
        wire.ec2.describe_images()
    return translate.classify(caught.value)


def refusal(code: str, message: str = "Some reason.") -> bytes:
    """An error as EC2 writes it."""
    return (
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
    ).encode()


CODES = {
    Kind.THROTTLED: ["RequestLimitExceeded", "EC2ThrottledException", "Throttling", "ThrottlingException"],
    Kind.GONE: ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"],
    Kind.DENIED: ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"],
    Kind.CREDENTIALS: [
        "AuthFailure",
        "ExpiredToken",
        "InvalidClientTokenId",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
    ],
    Kind.SERVER: ["InternalError", "ServiceUnavailable", "Unavailable"],
    Kind.REFUSED: [
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidAMIID.Malformed",
        "OperationNotPermitted",
        "NeverHeardOf",
    ],
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_error_code_selects_error_type(kind: Kind, code: str, wire: Wire) -> None:
    failure = failure_of(wire, (400, refusal(code)))
    assert (failure.kind, failure.code, failure.action) == (kind, code, None)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((500, refusal("NeverHeardOf")), Kind.SERVER),
        ((503, refusal("RequestLimitExceeded")), Kind.THROTTLED),
        ((500, b""), Kind.SERVER),
        ((502, b"<html><body>Bad Gateway</body></html>"), Kind.SERVER),
        ((403, b"<html><body>The proxy says no</body></html>"), Kind.SERVER),
        ((403, b"<html><br>The proxy says no</html>"), Kind.SERVER),
        ((200, b"<html><br>Please log in</html>"), Kind.SERVER),
        ((200, b""), Kind.SERVER),
        ((200, b"<DescribeImagesResponse><imagesSet><item><imageId>ami-"), Kind.SERVER),
        ((200, b"\x00\xff"), Kind.SERVER),
        ((200, b"{}"), Kind.SERVER),
    ],
)
def test_response_from_elsewhere_is_retryable(answer: tuple[int, bytes], kind: Kind, wire: Wire) -> None:
    failure = failure_of(wire, answer)
    assert failure.kind is kind
    assert failure.kind in RETRYABLE


URL = "https://ec2.eu-west-1.amazonaws.com"
HOST = "ec2.eu-west-1.amazonaws.com"
CUT = f"the connection to {HOST} failed or was cut"
INCOMPLETE = "there are no AWS credentials, or they are incomplete"
UNREADABLE = "a file that the AWS configuration names cannot be read"
SIGN_IN = "the sign-in has expired (aws sso login)"


def unknown_host() -> Exception:
    """What botocore raises when a name cannot be resolved: the cause is two errors deep."""
    resolution = OSError("urllib3's")
    resolution.__cause__ = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return aws.EndpointConnectionError(endpoint_url=URL, error=resolution)


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (aws.ReadTimeoutError(endpoint_url=URL), Kind.CONNECTION, f"{HOST} did not respond in time"),
        (aws.ConnectTimeoutError(endpoint_url=URL), Kind.CONNECTION, CUT),
        (aws.EndpointConnectionError(endpoint_url=URL), Kind.CONNECTION, CUT),
        (aws.ConnectionClosedError(endpoint_url=URL), Kind.CONNECTION, CUT),
        (aws.SSLError(endpoint_url=URL, error=ssl.SSLEOFError(8, "EOF")), Kind.CONNECTION, CUT),
        (ConnectionResetError(104, "reset"), Kind.CONNECTION, CUT),
        (PermissionError(13, "denied"), Kind.CREDENTIALS, UNREADABLE),
        (IsADirectoryError(21, "is one", "/folder"), Kind.CREDENTIALS, f"{UNREADABLE} (/folder)"),
        (unknown_host(), Kind.ENDPOINT, f"there is no host {HOST}"),
        (
            aws.ProxyConnectionError(proxy_url="http://me:very-secret@proxy", error=OSError("407 Sign in")),
            Kind.ENDPOINT,
            f"the connection to {HOST} failed at the proxy: 407 Sign in",
        ),
        (
            aws.SSLError(
                endpoint_url=URL, error=ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong (_ssl.c:1)")
            ),
            Kind.ENDPOINT,
            f"TLS with {HOST} failed: [SSL: WRONG_VERSION_NUMBER] wrong (_ssl.c:1)",
        ),
        (aws.NoCredentialsError(), Kind.CREDENTIALS, INCOMPLETE),
        (
            aws.CredentialRetrievalError(provider="sso", error_msg="very-secret"),
            Kind.CREDENTIALS,
            INCOMPLETE,
        ),
        (
            Unusable("the credential_process failed: no vault is open"),
            Kind.CREDENTIALS,
            "the credential_process failed: no vault is open",
        ),
        (aws.TokenRetrievalError(provider="sso", error_msg="very-secret"), Kind.CREDENTIALS, SIGN_IN),
        (aws.UnauthorizedSSOTokenError(), Kind.CREDENTIALS, SIGN_IN),
        (
            aws.ProfileNotFound(profile="images"),
            Kind.CREDENTIALS,
            "the AWS configuration file cannot be used",
        ),
        (
            aws.ParamValidationError(report="Invalid value\nfor DurationSeconds"),
            Kind.REFUSED,
            "a parameter is invalid: Invalid value for DurationSeconds",
        ),
        (NotAnEC2Response("EC2 returned Return=false"), Kind.SERVER, "EC2 returned Return=false"),
        (NoClient(ValueError("-")), Kind.CREDENTIALS, "the AWS configuration cannot be used (ValueError)"),
    ],
)
def test_failure_before_a_response_is_told_without_secrets(error: Exception, kind: Kind, cause: str) -> None:
    failure = translate.classify(error, Route(URL))
    assert (failure.kind, failure.code, failure.cause) == (kind, "", cause)


def test_proxy_is_named() -> None:
    failure = translate.classify(aws.ConnectTimeoutError(endpoint_url=URL), Route(URL, "proxy:3128"))
    assert failure.cause == f"the connection to {HOST} through the proxy proxy:3128 failed or was cut"


@pytest.mark.parametrize("url", ["https://{}ec2.example:8443/path", "//{}ec2.example", "{}ec2.example:1"])
@pytest.mark.parametrize("userinfo", ["", "me@", "me:very-secret@", "me:very/s@cret#@"])
def test_url_is_shown_without_its_password(url: str, userinfo: str) -> None:
    assert translate.without_password(url.format(userinfo)) == url.format("")
    assert translate.host_of(url.format(userinfo)).startswith("ec2.example")


def test_long_output_is_cut_at_its_beginning() -> None:
    tail = translate.tail("x" * 5000 + " the end")
    assert tail.endswith(" the end")
    assert len(tail) == 500


def test_throttling_faults_and_lost_connections_are_retried() -> None:
    assert frozenset({Kind.THROTTLED, Kind.SERVER, Kind.CONNECTION}) == RETRYABLE


def test_ec2s_reason_becomes_one_line(wire: Wire) -> None:
    failure = failure_of(wire, (400, refusal("NeverHeardOf", "One line\n  and another.")))
    assert failure.cause == "One line and another."
    assert failure_of(wire, (400, refusal("NeverHeardOf", ""))).cause == "EC2 gave no reason"


def test_unassumable_role_is_named(wire: Wire) -> None:
    wire.answer = (
        403,
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>-</Message></Error></ErrorResponse>",
    )
    with pytest.raises(aws.ClientError) as caught:
        wire.sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/spoke", RoleSessionName="test")
    failure = translate.classify(caught.value)
    assert (failure.kind, failure.action) == (Kind.DENIED, "AssumeRole")
    error = translate.to_error(failure, call("DescribeImages", roles=(Role("spoke"),)))
    assert error.action == "AssumeRole"
    assert str(error).startswith("role spoke may not do sts:AssumeRole on ami-x in eu-west-1 (AccessDenied)")


BLOB = "You are not authorized. Encoded authorization failure message: c2VjcmV0LWJsb2I"


def test_denial_names_missing_action_only(wire: Wire) -> None:
    failure = failure_of(wire, (403, refusal("UnauthorizedOperation", BLOB)))
    error = translate.to_error(failure, call("EnableImageDeprecation", profile="images"), "123456789012")
    assert type(error) is PermissionDenied
    assert str(error) == (
        "profile images may not do ec2:EnableImageDeprecation on ami-x in eu-west-1 (UnauthorizedOperation): grant that "
        "IAM action; a policy with tag conditions refuses an image that lacks the tag in the same way"
    )
    assert (error.code, error.action, error.image_id, error.region, error.account) == (
        "UnauthorizedOperation",
        "EnableImageDeprecation",
        "ami-x",
        "eu-west-1",
        "123456789012",
    )
    assert "c2VjcmV0" not in repr(failure)
    reading = translate.to_error(failure, call("DescribeImages", profile="images"))
    assert str(reading).endswith("grant that IAM action"), "which knows no condition on an image's tags"


@pytest.mark.parametrize(
    ("failure", "error", "sentence"),
    [
        (
            Failure(Kind.DENIED, "AccessDenied", ""),
            PermissionDenied,
            "the credentials in force may not do sts:GetCallerIdentity on ami-x in eu-west-1 (AccessDenied): ",
        ),
        (
            Failure(Kind.CREDENTIALS, "ExpiredToken", "they have expired"),
            CredentialsError,
            "GetCallerIdentity on ami-x in eu-west-1 failed with the credentials in force: they have expired (Exp",
        ),
        (
            Failure(Kind.GONE, "InvalidAMIID.NotFound", "it is not there"),
            ImageNotFound,
            "ami-x in eu-west-1 is not there, or it is deregistered (InvalidAMIID.NotFound): remove it from the program",
        ),
        (
            Failure(Kind.THROTTLED, "RequestLimitExceeded", "AWS throttles it"),
            Throttled,
            "GetCallerIdentity on ami-x in eu-west-1 was throttled until retries ran out (RequestLimitExceeded): ",
        ),
        (
            Failure(Kind.SERVER, "", "EC2 did not answer in time"),
            EC2Unavailable,
            "GetCallerIdentity on ami-x in eu-west-1 failed: EC2 did not answer in time; run it again",
        ),
        (
            Failure(Kind.ENDPOINT, "", "there is no host x"),
            EC2Unavailable,
            "GetCallerIdentity on ami-x in eu-west-1 failed: there is no host x",
        ),
        (
            Failure(Kind.REFUSED, "InvalidParameter", "No."),
            RequestRefused,
            "EC2 refuses GetCallerIdentity on ami-x in eu-west-1 (InvalidParameter): No.",
        ),
    ],
)
def test_message_names_image_region_action_and_cause(
    failure: Failure, error: type[AmiDeprecationError], sentence: str
) -> None:
    made = translate.to_error(failure, call("GetCallerIdentity"))
    assert type(made) is error
    assert str(made).startswith(sentence)
    assert "\n" not in str(made)


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired"])
def test_expired_credentials_are_named(code: str, wire: Wire) -> None:
    assert "have expired" in failure_of(wire, (400, refusal(code))).cause
    assert "are not accepted" in failure_of(wire, (400, refusal("InvalidClientTokenId"))).cause


def test_region_that_is_not_enabled_is_named_as_a_possibility(wire: Wire) -> None:
    cause = failure_of(wire, (401, refusal("AuthFailure"))).cause
    assert "the account has not enabled this Region" in cause


def test_many_images_are_named_in_short() -> None:
    target = Target(Identity(), "eu-west-1")
    several = translate.call_on("DescribeImages", target, ["a", "b", "c", "d", "e"])
    assert (several.about, several.image_id) == ("a, b, c and 2 more images", None)
    assert translate.call_on("DescribeImages", target, ["a"]).image_id == "a"
