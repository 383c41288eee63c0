"""Listings and references over EC2's wire."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.ec2.listing import Reference
from ami_deprecation.testing import LocalEC2
from tests.support import gateways
from tests.support.gateways import HERE, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ami_deprecation.ec2 import Gateway

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
OTHER = "210987654321"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEC2]:
    with LocalEC2() as server:
        for name, value in server.environment(region=REGION).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def gateway() -> Gateway:
    return gateways.gateway()


def names(**query: object) -> list[str]:
    return [image.name for image in gateways.gateway().list_images(HERE, **query)]  # type: ignore[arg-type]


def test_every_page_of_large_account_is_read_newest_first(ec2: LocalEC2, gateway: Gateway) -> None:
    ec2.add_images(1500, "old", created=START)
    ec2.add_images(700, "new", created=START + timedelta(days=1))
    pages: list[int] = []
    images = gateway.list_images(HERE, on_page=pages.append)
    assert [image.name[:3] for image in images] == ["new"] * 700 + ["old"] * 1500
    assert pages == [1000, 2000, 2200]
    assert [call.action for call in ec2.calls] == ["DescribeImages"] * 3


def test_name_and_tag_filters_take_wildcards_and_lists(ec2: LocalEC2) -> None:
    ec2.add_image("web-1", tags={"Team": "shop", "Env": "prod"})
    ec2.add_image("web-2", tags={"Team": "search"})
    ec2.add_image("db-1", tags={"Team": "shop"})
    assert sorted(names(name="web-*")) == ["web-1", "web-2"]
    assert sorted(names(tags={"Team": "shop"})) == ["db-1", "web-1"]
    assert names(tags={"Team": ["shop", "search"], "Env": "*"}) == ["web-1"]
    assert sorted(names(name=["db-1", "web-2"])) == ["db-1", "web-2"]
    assert names(filters={"state": "pending"}) == []


def test_listing_has_deprecated_and_on_request_disabled_images(ec2: LocalEC2) -> None:
    ec2.add_image("past", deprecation_time=START)
    ec2.add_image("switched-off", state="disabled")
    ec2.add_image("theirs-past", account=OTHER, public=True, deprecation_time=START)
    gone = ec2.add_image("gone")
    ec2.set_state(gone, "deregistered")
    assert names() == ["past"]
    assert sorted(names(include_disabled=True)) == ["past", "switched-off"]
    assert names(owners=[OTHER]) == ["theirs-past"]
    assert names(owners=[OTHER], include_deprecated=False) == []


def test_ids_are_read_in_batches_and_unknown_ones_fail(ec2: LocalEC2, gateway: Gateway) -> None:
    ids = ec2.add_images(450)
    assert {image.id for image in gateway.list_images(HERE, image_ids=ids)} == set(ids)
    assert len(ec2.calls) == 3
    assert gateway.list_images(HERE, image_ids=[]) == []
    assert len(ec2.calls) == 3


def test_references_are_read_for_ten_images_at_once(ec2: LocalEC2, gateway: Gateway) -> None:
    ids = ec2.add_images(25)
    parameter = f"arn:aws:ssm:{REGION}:123456789012:parameter/golden"
    ec2.add_reference(ids[3], "ssm:Parameter", parameter)
    ec2.client().run_instances(ImageId=ids[20], MinCount=1, MaxCount=1)
    ec2.clear_calls()
    references = gateway.image_references(HERE, ids)
    assert references[ids[3]] == [Reference("ssm:Parameter", parameter)]
    assert [reference.resource_type for reference in references[ids[20]]] == ["ec2:Instance"]
    assert references[ids[0]] == []
    assert set(references) == set(ids)
    assert len(ec2.calls) == 3


def test_gone_image_hides_no_other_references(ec2: LocalEC2, gateway: Gateway) -> None:
    here, gone = ec2.add_images(2)
    ec2.add_reference(here, "ssm:Parameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/golden")
    ec2.remove_image(gone)
    references = gateway.image_references(HERE, [gone, here])
    assert references[gone] == []
    assert len(references[here]) == 1


def test_regions_are_those_that_account_has_switched_on(ec2: LocalEC2, gateway: Gateway) -> None:
    del ec2
    regions = gateway.list_regions(HERE)
    assert {"eu-west-1", "us-east-1"} <= set(regions)
    assert regions == sorted(regions)
