"""A resource's whole life in one account and Region, and made-up secrets that must not turn up anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.plugin.conftest import OTHER, REGION
from tests.support.dates import EARLY, LATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine

SECRETS = ("made-up-secret-key", "made-up-token")


def role(account: str, name: str = "dates") -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def whole_life(
    engine: Engine, ec2: LocalEC2, program: Callable[[], object], image: str, region: str = REGION
) -> None:
    """Each verb goes to the same account and Region."""
    mark = ec2.mark()
    engine.up(program)
    assert ec2.image(image, region=region).deprecation_time == EARLY
    state = engine.export()
    ec2.set_deprecation_time(image, LATE, region=region)
    engine.up(program, refresh=True)
    assert ec2.image(image, region=region).deprecation_time == EARLY
    engine.destroy()
    assert ec2.image(image, region=region).deprecation_time is None
    images = [call for call in ec2.calls_since(mark) if call.action.endswith(("Images", "Deprecation"))]
    assert {(call.region, call.account) for call in images} == {
        (region, ec2.image(image, region=region).owner_id)
    }
    for secret in (*SECRETS, *ec2.environment(account=OTHER)["AWS_SECRET_ACCESS_KEY"].split()):
        assert secret not in state
