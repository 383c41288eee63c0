"""LocalEC2's fault hook over the wire: each fault as an SDK meets it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from http.client import IncompleteRead
from typing import TYPE_CHECKING, get_args
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from ami_deprecation.testing import FaultKind, LagMode, Limits, LocalEC2
from tests.support.watch import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_ec2 import EC2Client

OLD = datetime(2029, 1, 1, tzinfo=timezone.utc)
NEW = datetime(2030, 1, 1, tzinfo=timezone.utc)
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=1)
CODES: dict[FaultKind, str] = {
    "throttled": "RequestLimitExceeded",
    "ec2-throttled": "EC2ThrottledException",
    "internal": "InternalError",
    "unavailable": "Unavailable",
    "denied": "UnauthorizedOperation",
    "expired": "RequestExpired",
    "expired-token": "ExpiredToken",
    "invalid-token": "AuthFailure",
    "invalid-client-token": "InvalidClientTokenId",
    "clock-off": "SignatureDoesNotMatch",
}
# What botocore makes of the rest, and whether the date was set all the same.
BROKEN: dict[FaultKind, tuple[type[Exception], bool]] = {
    "garbage": (ResponseParserError, False),
    "empty": (ResponseParserError, False),
    "html": (ClientError, False),  # with the code "Unknown": 5xx answers need not be XML
    "truncated": (ResponseParserError, True),
    "cut": (ResponseParserError, True),  # botocore does not compare with Content-Length
    "drop": (ConnectionClosedError, False),
    "drop-after": (ConnectionClosedError, True),
    "hang": (ReadTimeoutError, False),
}
# Wrong answers, each with a test of its own.
WRONG: set[FaultKind] = {"repeated-token", "lacks-image", "lacks-date", "lacks-creation-date"}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalEC2]:
    with LocalEC2() as ec2:
        yield ec2


@pytest.fixture
def ec2(server: LocalEC2) -> Iterator[LocalEC2]:
    server.clear_calls()
    yield server
    server.faults.clear()
    server.set_limits(None)


@pytest.fixture
def client(ec2: LocalEC2) -> EC2Client:
    return ec2.client(config=ONCE)


@pytest.fixture
def image_id(ec2: LocalEC2) -> str:
    return ec2.add_image(deprecation_time=OLD)


def enable(client: EC2Client, image_id: str) -> bool:
    return client.enable_image_deprecation(ImageId=image_id, DeprecateAt=NEW)["Return"]


def shown(client: EC2Client, image_id: str) -> str | None:
    images = client.describe_images(ImageIds=[image_id])["Images"]
    return images[0].get("DeprecationTime", "none")[:4] if images else None


def test_every_fault_kind_is_tested() -> None:
    assert {*CODES, *BROKEN, *WRONG, "return-false", "error"} == set(get_args(FaultKind))


@pytest.mark.parametrize("kind", CODES)
def test_error_of_ec2_is_seen_once_and_changes_nothing(
    ec2: LocalEC2, client: EC2Client, image_id: str, kind: FaultKind
) -> None:
    fault = ec2.faults.add("EnableImageDeprecation", kind)
    with pytest.raises(ClientError) as error:
        enable(client, image_id)
    assert error.value.response["Error"]["Code"] == CODES[kind]
    assert ec2.image(image_id).deprecation_time == OLD
    assert enable(client, image_id)
    assert fault.played == 1
    assert [(c.error_code, c.fault) for c in ec2.calls] == [(CODES[kind], kind), (None, None)]


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_answer_or_connection(
    ec2: LocalEC2, client: EC2Client, image_id: str, kind: FaultKind
) -> None:
    expected, effect = BROKEN[kind]
    ec2.faults.add("EnableImageDeprecation", kind)
    with pytest.raises(expected):
        enable(client, image_id)
    assert ec2.image(image_id).deprecation_time == (NEW if effect else OLD)
    assert [(c.ok, c.fault) for c in ec2.calls] == [(False, kind)]
    ec2.faults.clear()
    assert enable(client, image_id)


def test_truncated_answer_is_shorter_than_its_length(ec2: LocalEC2) -> None:
    ec2.faults.add("DescribeRegions", "cut")
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=testing/20270101/eu-west-1/ec2/aws4_request"}
    request = Request(ec2.endpoint_url, b"Action=DescribeRegions&Version=2016-11-15", signed)  # noqa: S310 - ours
    with urlopen(request) as answer, pytest.raises(IncompleteRead):  # noqa: S310
        answer.read()


def test_html_may_come_as_success(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    ec2.faults.add("DescribeImages", "html", status=200)
    answer = client.describe_images(ImageIds=[image_id])
    assert "Images" not in answer  # a page that is well-formed XML passes botocore as an empty answer


def test_return_false_is_answer(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    ec2.faults.add("EnableImageDeprecation", "return-false")
    assert enable(client, image_id) is False
    assert ec2.image(image_id).deprecation_time == OLD


def test_error_may_come_after_effect(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    ec2.faults.add("EnableImageDeprecation", "internal", after_effect=True)
    with pytest.raises(ClientError):
        enable(client, image_id)
    assert ec2.image(image_id).deprecation_time == NEW


def test_listing_may_lack_image_or_date(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    listing = client.describe_images(Owners=["self"])["Images"]
    ec2.faults.add("DescribeImages", "lacks-image", image_id=image_id)
    ec2.faults.add("DescribeImages", "lacks-date", image_id=image_id)
    without = client.describe_images(Owners=["self"])["Images"]
    assert without == [image for image in listing if image["ImageId"] != image_id]
    assert shown(client, image_id) == "none"
    ec2.faults.add("DescribeImages", "lacks-creation-date", image_id=image_id)
    assert client.describe_images(ImageIds=[image_id])["Images"][0]["CreationDate"] == ""
    assert client.describe_images(Owners=["self"])["Images"] == listing
    with pytest.raises(ValueError, match="needs an image_id"):
        ec2.faults.add("DescribeImages", "lacks-image")


def test_token_may_come_again(ec2: LocalEC2, client: EC2Client) -> None:
    ec2.add_images(30)
    first = client.describe_images(MaxResults=5)["NextToken"]
    ec2.faults.add("DescribeImages", "repeated-token", times=None)
    again = client.describe_images(MaxResults=5, NextToken=first)
    assert (again["NextToken"], len(again["Images"])) == (first, 5)


def test_fault_can_be_for_dry_runs_only(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    ec2.faults.add("EnableImageDeprecation", "denied", dry_run=True, times=None)
    assert enable(client, image_id)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        client.enable_image_deprecation(ImageId=image_id, DeprecateAt=NEW, DryRun=True)


def test_connection_can_be_refused_or_not_trusted(ec2: LocalEC2) -> None:
    url, certificate = ec2.serve_tls()

    def describe(url: str, verify: str | None = None) -> None:
        boto3.client(
            "ec2",
            region_name="eu-west-1",
            endpoint_url=url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            verify=verify,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        ).describe_images()

    with pytest.raises(EndpointConnectionError):
        describe(ec2.refused_url)
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        describe(url)
    describe(url, verify=str(certificate))
    assert ec2.serve_tls() == (url, certificate)


def test_any_code_can_be_given(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    ec2.faults.add("DescribeImages", code="InvalidAMIID.Unavailable", message="gone", times=None)
    for _ in range(2):
        with pytest.raises(ClientError, match=r"InvalidAMIID.Unavailable.*gone"):
            shown(client, image_id)
    with pytest.raises(ValueError, match="needs a code"):
        ec2.faults.add("DescribeImages")


def test_fault_is_limited_to_image_action_and_region(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    other = ec2.add_image()
    ec2.faults.add("EnableImageDeprecation", "denied", times=None, image_id=image_id)
    ec2.faults.add("*", "denied", times=None, region="us-east-1")
    assert enable(client, other)
    assert shown(client, image_id) == "2029"
    with pytest.raises(ClientError):
        enable(client, image_id)
    with pytest.raises(ClientError):
        ec2.client(region="us-east-1", config=ONCE).describe_images()


def test_sts_can_fail_too(ec2: LocalEC2) -> None:
    ec2.faults.add("AssumeRole", code="AccessDenied", status=403, message="no")
    with pytest.raises(ClientError) as error:
        ec2.client("sts", config=ONCE).assume_role(
            RoleArn="arn:aws:iam::210987654321:role/x", RoleSessionName="test"
        )
    assert error.value.response["Error"] == {"Type": "Sender", "Code": "AccessDenied", "Message": "no"}


def test_rate_is_share_of_calls(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    fault = ec2.faults.add("DescribeImages", "html", times=None, rate=0.5)
    for _ in range(40):
        with suppress(ClientError):
            shown(client, image_id)
    assert 10 <= fault.played <= 30


def test_boto3_retries_a_dropped_connection(ec2: LocalEC2, image_id: str) -> None:
    ec2.faults.add("*", "drop")
    assert enable(ec2.client(), image_id)
    assert len(ec2.calls) == 2


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("old", ["2029", "2029", "2029", "2030"]),
        ("none", ["none", "none", "none", "2030"]),
        ("empty", [None, None, None, "2030"]),
        ("flap", ["2029", "2030", "2029", "2030"]),
    ],
)
def test_reads_lag_behind_write(
    ec2: LocalEC2, client: EC2Client, image_id: str, mode: LagMode, seen: list[str | None]
) -> None:
    ec2.faults.lag(reads=3, mode=mode)
    enable(client, image_id)
    assert ec2.image(image_id).deprecation_time == NEW
    assert [shown(client, image_id) for _ in seen] == seen


def test_new_image_is_invisible_at_first(ec2: LocalEC2, client: EC2Client, image_id: str) -> None:
    ec2.faults.lag(seconds=60, mode="absent", image_id=image_id)
    client.disable_image_deprecation(ImageId=image_id)
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        shown(client, image_id)
    assert image_id not in {i["ImageId"] for i in client.describe_images(Owners=["self"])["Images"]}
    ec2.faults.lag(seconds=0.01, mode="absent", image_id=image_id)
    client.disable_image_deprecation(ImageId=image_id)
    wait_until(
        lambda: image_id in {image["ImageId"] for image in client.describe_images()["Images"]}, "EC2 shows it"
    )
    assert shown(client, image_id) == "none"


def test_limits_refuse_calls_over_bucket(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image()
    ec2.set_limits(Limits(mutating_tokens=4, mutating_per_second=0.001, taken=0.5))
    enable(client, image_id)
    enable(client, image_id)
    with pytest.raises(ClientError) as error:
        enable(client, image_id)
    assert error.value.response["Error"]["Code"] == "RequestLimitExceeded"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    client.disable_image_deprecation(ImageId=image_id)  # a bucket a call,
    ec2.client(account="210987654321", config=ONCE).describe_images()  # an account
    assert [c.error_code for c in ec2.calls_since(0, "EnableImageDeprecation")] == [
        None,
        None,
        "RequestLimitExceeded",
    ]
