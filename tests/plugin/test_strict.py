"""Live checks that cannot be made, and what AMI_DEPRECATION_STRICT and AMI_DEPRECATION_DRY_RUN make of a check."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pulumi
import pytest

from ami_deprecation import AmiDeprecation
from tests.support.dates import EARLY, LATE, NOW
from tests.support.program import dated, made

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine


@pytest.mark.parametrize("fault", ["denied", "unavailable", "drop"])
def test_strict_refuses_what_it_cannot_check(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, fault: str
) -> None:
    engine = make_engine(AMI_DEPRECATION_STRICT="1", AMI_DEPRECATION_RETRY_SECONDS="0.5")
    ec2.faults.add("DescribeImages", fault, times=None)  # type: ignore[arg-type]
    for outcome in (
        engine.preview(dated(image, EARLY), check=False),
        engine.up(dated(image, EARLY), check=False),
    ):
        [failure] = outcome.failures
        assert f"{image} in eu-west-1 could not be checked: " in failure
        assert outcome.mutations == []


def test_strict_lets_an_unchanged_resource_pass(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_STRICT="1")
    engine.up(dated(image, EARLY))
    ec2.faults.add("DescribeImages", "denied", times=None)
    assert engine.preview(dated(image, EARLY)).operations == []


def test_skipped_checks_are_counted(engine: Engine, ec2: LocalEC2) -> None:
    images = ec2.add_images(12)
    ec2.faults.add("DescribeImages", "denied", times=None)

    def program() -> None:
        for image in images:
            AmiDeprecation(image, image_id=image, deprecate_at=EARLY)

    first, second = engine.preview(program).warnings
    # The SDK decides which of them it registers first.
    firsts = [
        f"live checks in eu-west-1 were skipped, for {each} and the images after it: " for each in images
    ]
    assert any(sentence in first for sentence in firsts)
    assert "live checks in eu-west-1 were skipped for 10 images so far" in second


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (-2, "is past, and without live checks it is not known whether the image already has this date"),
        (3660, "is later than EC2 allows: ten years from now"),
    ],
)
def test_date_is_judged_without_credentials(
    engine: Engine, ec2: LocalEC2, image: str, days: int, sentence: str
) -> None:
    ec2.faults.add("DescribeImages", "denied", times=None)
    # By this machine's clock, which may be off by hours.
    preview = engine.preview(dated(image, NOW + timedelta(days=days)), check=False)
    [failure] = preview.failures
    assert sentence in failure
    assert engine.preview(dated(image, NOW - timedelta(hours=20))).failures == []


def test_dry_run_finds_missing_permission(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_DRY_RUN="1")
    ec2.faults.add("EnableImageDeprecation", "denied", times=None)
    preview = engine.preview(dated(image, EARLY), check=False)
    [failure] = preview.failures
    assert "ec2:EnableImageDeprecation" in failure
    assert preview.mutations == []


def test_dry_run_asks_once_for_each_new_date(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_DRY_RUN="1")
    preview = engine.preview(dated(image, EARLY))
    assert [call.action for call in preview.calls].count("EnableImageDeprecation") == 1
    assert preview.mutations == []
    assert ec2.image(image).deprecation_time is None
    engine.up(dated(image, EARLY))
    assert [call.action for call in engine.preview(dated(image, EARLY)).calls] == []
    moved = engine.preview(dated(image, LATE))
    assert [call.action for call in moved.calls].count("EnableImageDeprecation") == 1
    assert ec2.image(image).deprecation_time == EARLY


def test_dry_run_of_a_pending_image_passes(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    ec2.set_state(image, "pending")
    assert make_engine(AMI_DEPRECATION_DRY_RUN="1").preview(dated(image, EARLY)).failures == []


def test_dry_run_asks_nothing_for_days_that_stay(make_engine: MakeEngine, ec2: LocalEC2, image: str) -> None:
    engine = make_engine(AMI_DEPRECATION_DRY_RUN="1")
    engine.up(made(image_id=image, deprecate_in_days=40))
    ec2.advance(timedelta(days=3))
    role = f"arn:aws:iam::{ec2.account}:role/dates"
    moved = engine.up(made(image_id=image, deprecate_in_days=40, role_arn=role))
    assert "EnableImageDeprecation" not in moved.actions


def test_days_are_judged_without_credentials(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.faults.add("DescribeImages", "denied", times=None)
    [failure] = engine.preview(made(image_id=image, deprecate_in_days=4000), check=False).failures
    assert "is later than EC2 allows: ten years from now" in failure


def test_check_that_fails_for_one_image_skips_no_other(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.faults.add("DescribeImages", "lacks-creation-date", image_id=image, times=None)

    def program() -> None:
        first = AmiDeprecation("odd", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "gone",
            image_id="ami-00000000000000000",
            deprecate_at=EARLY,
            opts=pulumi.ResourceOptions(depends_on=first),
        )

    checked = engine.preview(program, check=False)
    assert f"live checks in eu-west-1 were skipped, for {image}: EC2" in checked.notes
    assert any("ami-00000000000000000 is not found" in each for each in checked.failures)
