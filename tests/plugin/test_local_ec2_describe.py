"""LocalEC2's DescribeImages over the wire: who sees what, filters and pages."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from ami_deprecation.testing import LocalEC2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef

NOW = datetime(2027, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
PAST = NOW - timedelta(days=1)
OTHER = "210987654321"


@pytest.fixture
def ec2() -> Iterator[LocalEC2]:
    with LocalEC2() as server:
        server.set_time(NOW)
        yield server


@pytest.fixture
def client(ec2: LocalEC2) -> EC2Client:
    return ec2.client()


def ids(client: EC2Client, image_ids: Sequence[str] = (), **include: bool) -> set[str]:
    answer = client.describe_images(
        ImageIds=list(image_ids),
        IncludeDeprecated=include.get("deprecated", False),
        IncludeDisabled=include.get("disabled", False),
    )
    return {image["ImageId"] for image in answer["Images"]}


def test_other_accounts_see_public_and_shared_images_only(ec2: LocalEC2, client: EC2Client) -> None:
    mine = ec2.add_image()
    private = ec2.add_image(account=OTHER)
    public = ec2.add_image(account=OTHER, public=True)
    shared = ec2.add_image(account=OTHER)
    ec2.share(shared, ec2.account)
    assert ids(client) == {mine, public, shared}
    assert ids(client, [public, shared]) == {public, shared}
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        client.describe_images(ImageIds=[private])
    assert {image["ImageId"] for image in client.describe_images(Owners=["self"])["Images"]} == {mine}
    assert {image["ImageId"] for image in client.describe_images(Owners=[OTHER])["Images"]} == {
        public,
        shared,
    }


def test_foreign_deprecated_image_shows_on_request_only(ec2: LocalEC2, client: EC2Client) -> None:
    mine = ec2.add_image(deprecation_time=PAST)
    theirs = ec2.add_image(account=OTHER, deprecation_time=PAST)
    ec2.share(theirs, ec2.account)
    assert ids(client) == {mine}
    assert ids(client, deprecated=True) == {mine, theirs}
    assert ids(client, [theirs]) == {theirs}
    by_filter = client.describe_images(Filters=[{"Name": "image-id", "Values": [theirs]}])
    assert by_filter["Images"] == []


def test_image_becomes_deprecated_when_its_time_comes(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image(
        account=OTHER, public=True, created=NOW, deprecation_time=NOW + timedelta(days=30)
    )
    assert ids(client) == {image_id}
    ec2.advance(timedelta(days=30))
    assert ids(client) == set()


def test_disabled_image_is_private_and_hidden(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image(public=True, created=NOW)
    date = ec2.image(image_id).deprecation_time
    client.disable_image(ImageId=image_id)
    assert ids(client) == ids(client, [image_id]) == set()
    assert ids(client, disabled=True) == ids(client, [image_id], disabled=True) == {image_id}
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        ids(ec2.client(account=OTHER), [image_id], disabled=True)
    client.enable_image(ImageId=image_id)
    assert ids(client) == {image_id}
    assert not ec2.image(image_id).public
    assert ec2.image(image_id).deprecation_time == date


@pytest.mark.parametrize(
    ("name", "values", "numbers"),
    [
        ("name", ["base-*"], {0, 1}),
        ("name", ["base-?", "web"], {0, 1, 2}),
        ("name", ["base"], set()),
        ("tag:Team", ["a*"], {0}),
        ("tag-key", ["Team"], {0, 1}),
        ("state", ["pending"], {2}),
        ("owner-id", ["123456789012"], {0, 1, 2}),
        ("is-public", ["true"], {1}),
        ("creation-date", ["2026-05-*"], {1}),
    ],
)
def test_filters_match_whole_values_with_wildcards(
    ec2: LocalEC2, client: EC2Client, name: str, values: list[str], numbers: set[int]
) -> None:
    made = [
        ec2.add_image("base-1", tags={"Team": "alpha"}),
        ec2.add_image(
            "base-2", tags={"Team": "beta"}, public=True, created=datetime(2026, 5, 6, tzinfo=timezone.utc)
        ),
        ec2.add_image("web", state="pending"),
    ]
    wanted: list[FilterTypeDef] = [{"Name": name, "Values": values}]
    images = client.describe_images(Filters=wanted, Owners=["self"])["Images"]
    assert {image["ImageId"] for image in images} == {made[number] for number in numbers}


def test_unknown_filter_is_refused(client: EC2Client) -> None:
    with pytest.raises(ClientError, match="deprecation-time"):
        client.describe_images(Filters=[{"Name": "deprecation-time", "Values": ["*"]}])


def test_last_launched_time_is_shown(ec2: LocalEC2, client: EC2Client) -> None:
    image_id = ec2.add_image(last_launched=PAST)
    [image] = client.describe_images(ImageIds=[image_id])["Images"]
    assert image["LastLaunchedTime"] == "2026-12-31T12:00:00.000Z"


def test_pages_hold_every_image_once(ec2: LocalEC2, client: EC2Client) -> None:
    made = ec2.add_images(23)
    pages = list(client.get_paginator("describe_images").paginate(PaginationConfig={"PageSize": 10}))
    assert [len(page["Images"]) for page in pages] == [10, 10, 3]
    assert [image["ImageId"] for page in pages for image in page["Images"]] == made
    first = client.describe_images(MaxResults=20)
    again = [client.describe_images(MaxResults=20, NextToken=first["NextToken"])["Images"] for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize("size", [4, 1001])
def test_page_holds_5_to_1000_images(client: EC2Client, size: int) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.describe_images(MaxResults=size)


def test_ids_are_not_paged(ec2: LocalEC2, client: EC2Client) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        client.describe_images(MaxResults=10, ImageIds=[ec2.add_image()])


def test_invented_token_is_refused(client: EC2Client) -> None:
    with pytest.raises(ClientError, match="InvalidNextToken"):
        client.describe_images(MaxResults=10, NextToken="made-up")


def test_twenty_thousand_images_page_quickly(ec2: LocalEC2, client: EC2Client) -> None:
    made = ec2.add_images(20_000, tags={"Family": "base"})
    assert len(set(made)) == len(made)
    client.describe_images(ImageIds=made[:1])  # connects
    began = time.process_time()  # other processes do not count
    page = client.describe_images(Owners=["self"], MaxResults=1000)
    # A generous bound for a slow machine: what it guards against is moto's minutes.
    assert time.process_time() - began < 5
    assert len(page["Images"]) == 1000
