"""Errors of AWS into ours: what boto3 raises for an answer, what it means, and the sentence it becomes."""

from __future__ import annotations

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
from ami_deprecation.ec2 import translate
from ami_deprecation.ec2.translate import RETRYABLE, Failure, Kind, NoAnswer
from tests.support.wire import Wire

WHAT = "ami-x in eu-west-1"


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


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (aws.ReadTimeoutError(endpoint_url=URL), Kind.SERVER, "EC2 did not answer in time"),
        (aws.ConnectTimeoutError(endpoint_url=URL), Kind.SERVER, "the connection to EC2 failed or was cut"),
        (
            aws.EndpointConnectionError(endpoint_url=URL),
            Kind.SERVER,
            "the connection to EC2 failed or was cut",
        ),
        (aws.ConnectionClosedError(endpoint_url=URL), Kind.SERVER, "the connection to EC2 failed or was cut"),
        (
            aws.ProxyConnectionError(proxy_url="http://me:very-secret@proxy"),
            Kind.SERVER,
            "the connection to EC2 failed or was cut",
        ),
        (
            aws.SSLError(endpoint_url=URL, error=OSError("-")),
            Kind.SERVER,
            "the connection to EC2 failed or was cut",
        ),
        (ConnectionResetError(104, "reset"), Kind.SERVER, "the connection to EC2 failed or was cut"),
        (
            aws.NoCredentialsError(),
            Kind.CREDENTIALS,
            "there are no AWS credentials, or they are not complete",
        ),
        (
            aws.CredentialRetrievalError(provider="process", error_msg="very-secret"),
            Kind.CREDENTIALS,
            "there are no AWS credentials, or they are not complete",
        ),
        (
            aws.TokenRetrievalError(provider="sso", error_msg="very-secret"),
            Kind.CREDENTIALS,
            "the sign-in has expired (aws sso login)",
        ),
        (aws.UnauthorizedSSOTokenError(), Kind.CREDENTIALS, "the sign-in has expired (aws sso login)"),
        (
            aws.ProfileNotFound(profile="images"),
            Kind.CREDENTIALS,
            "the AWS configuration file cannot be used",
        ),
        (NoAnswer("EC2 answered that it did not do it"), Kind.SERVER, "EC2 answered that it did not do it"),
    ],
)
def test_connection_errors_hide_their_details(error: Exception, kind: Kind, cause: str) -> None:
    failure = translate.classify(error)
    assert (failure.kind, failure.code, failure.cause) == (kind, "", cause)


def test_only_throttling_and_faults_are_retried() -> None:
    assert frozenset({Kind.THROTTLED, Kind.SERVER}) == RETRYABLE


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
    error = translate.to_error(failure, "DescribeImages", WHAT, "role spoke")
    assert str(error).startswith("role spoke may not do sts:AssumeRole on ami-x in eu-west-1 (AccessDenied)")


BLOB = "You are not authorized. Encoded authorization failure message: c2VjcmV0LWJsb2I"


def test_denial_names_missing_action_only(wire: Wire) -> None:
    failure = failure_of(wire, (403, refusal("UnauthorizedOperation", BLOB)))
    error = translate.to_error(failure, "EnableImageDeprecation", WHAT, "profile images")
    assert type(error) is PermissionDenied
    assert str(error) == (
        "profile images may not do ec2:EnableImageDeprecation on ami-x in eu-west-1 (UnauthorizedOperation): grant that "
        "IAM action; a policy with tag conditions refuses an image that lacks the tag in the same way"
    )
    assert "c2VjcmV0" not in repr(failure)
    reading = translate.to_error(failure, "DescribeImages", WHAT, "profile images")
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
            "ami-x in eu-west-1 is not there, or it is deregistered (InvalidAMIID.NotFound): run pulumi refresh",
        ),
        (
            Failure(Kind.THROTTLED, "RequestLimitExceeded", "EC2 refuses more calls a second"),
            Throttled,
            "GetCallerIdentity on ami-x in eu-west-1 was not taken (RequestLimitExceeded): EC2 refuses more calls",
        ),
        (
            Failure(Kind.SERVER, "", "EC2 did not answer in time"),
            EC2Unavailable,
            "GetCallerIdentity on ami-x in eu-west-1 failed: EC2 did not answer in time; run it again",
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
    made = translate.to_error(failure, "GetCallerIdentity", WHAT, "the credentials in force")
    assert type(made) is error
    assert str(made).startswith(sentence)
    assert "\n" not in str(made)


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired"])
def test_expired_credentials_are_named(code: str, wire: Wire) -> None:
    assert "have expired" in failure_of(wire, (400, refusal(code))).cause
    assert "are not accepted" in failure_of(wire, (400, refusal("AuthFailure"))).cause
