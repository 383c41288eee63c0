"""A Region that is down, and a stack without a default aws provider."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.dates import EARLY, LATE
from tests.support.program import dated, made

if TYPE_CHECKING:
    from ami_deprecation.testing import FaultKind, LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

DOWN = "us-east-1"
PATIENCE = 4
#: Twelve images that wait one after the other would take 48 s.
LONGEST = 25


def test_check_goes_through_the_stacks_proxy(make_engine: MakeEngine, ec2: LocalEC2) -> None:
    engine = make_engine(AMI_DEPRECATION_RETRY_SECONDS="1")
    engine.config = {**engine.config, "aws:httpProxy": ec2.refused_url}
    preview = engine.preview(dated(ec2.add_image(), EARLY), check=False)
    assert any("failed at the proxy" in warning for warning in preview.warnings)
    assert preview.calls == []


@pytest.mark.parametrize(
    ("kind", "says"),
    [("drop", "failed or was cut"), ("unavailable", "(Unavailable)"), ("html", "EC2 had an internal error")],
)
def test_region_that_is_down_costs_one_wait(
    make_engine: MakeEngine, ec2: LocalEC2, kind: FaultKind, says: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_RETRY_SECONDS=str(PATIENCE))
    here = ec2.add_image("here")
    there = [ec2.add_image(f"there-{number}", region=DOWN) for number in range(12)]

    def program() -> None:
        made("here", image_id=here, deprecate_at=EARLY)()
        for number, image in enumerate(there):
            made(f"there-{number}", image_id=image, deprecate_at=EARLY, region=DOWN)()

    engine.up(program)
    engine.parallel = 13
    ec2.set_deprecation_time(here, LATE)
    fault = ec2.faults.add("*", kind, region=DOWN, times=None)
    refresh = engine.refresh(check=False)
    assert refresh.seconds < LONGEST
    assert len(refresh.errors) == len(there)
    assert all("EC2Unavailable" in error and says in error for error in refresh.errors)
    assert engine.outputs("here")["deprecation_time"].startswith(LATE.strftime("%Y-%m-%d"))
    fault.times = 0
    assert engine.refresh().ok


@pytest.mark.parametrize("disabled", ["aws", "*"])
def test_disabled_default_provider_refuses_the_resource(engine: Engine, ec2: LocalEC2, disabled: str) -> None:
    image = ec2.add_image()
    engine.up(dated(image, EARLY))
    engine.config["pulumi:disable-default-providers"] = json.dumps([disabled])
    refused = engine.up(dated(image, LATE), check=False)
    [failure] = refused.failures
    assert "the default aws provider is disabled (pulumi:disable-default-providers)" in failure
    assert refused.mutations == []
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
