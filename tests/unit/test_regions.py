"""Region names, as the gateway judges them."""

from __future__ import annotations

import botocore.session
import pytest

from ami_deprecation.errors import InvalidInput
from tests.support.gateways import gateway


def test_every_boto3_region_is_known_with_its_partition() -> None:
    session = botocore.session.get_session()
    listed = {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }
    assert listed.items() <= gateway().partitions().items()


@pytest.mark.parametrize(
    "region", ["aws-global", "aws-cn-global", "eu-west-9", "eu-west-1a", "", "EU-WEST-1"]
)
def test_invalid_region_is_refused_by_name(region: str) -> None:
    with pytest.raises(InvalidInput, match=repr(region)):
        gateway().check_region(region)


def test_typo_suggests_regions() -> None:
    with pytest.raises(InvalidInput, match="did you mean eu-west-1"):
        gateway().check_region("eu-wst-1")
