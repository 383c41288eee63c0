"""A stack moves from the dynamic provider to the native one and back, and both stand in one program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dates import EARLY, LATE, MIDDLE, text
from tests.support.native import TYPE, declare, use_provider

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

DYNAMIC = "pulumi-python:dynamic/ec2:AmiDeprecation"
#: A program of the Python resource, for a resource that the native provider has made.
BACK = f"opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(type_='{TYPE}')])"


@pytest.fixture
def both(stack: Stack) -> Stack:
    """An empty stack whose programs may use both providers."""
    use_provider(stack)
    return stack


def as_dynamic(images: dict[str, str], options: str = "") -> list[str]:
    """A date of each way, one with an original date to restore."""
    more = f", {options}" if options else ""
    return [
        f"AmiDeprecation('at', image_id='{images['at']}', deprecate_at='{text(LATE)}'{more})",
        f"AmiDeprecation('after', image_id='{images['after']}', deprecate_after_days=200, on_destroy='restore'{more})",
        f"AmiDeprecation('in', image_id='{images['in']}', deprecate_in_days=30{more})",
    ]


def as_native(images: dict[str, str]) -> list[str]:
    return [
        f"Date('at', imageId='{images['at']}', deprecateAt='{text(LATE)}')",
        f"Date('after', imageId='{images['after']}', deprecateAfterDays=200, onDestroy='restore')",
        f"Date('in', imageId='{images['in']}', deprecateInDays=30)",
    ]


def test_stack_moves_to_native_provider_and_back(both: Stack, ec2: LocalEC2) -> None:
    images = {name: ec2.add_image(name) for name in ("at", "after", "in")}
    ec2.set_deprecation_time(images["after"], EARLY)
    declare(both, *as_dynamic(images))
    both.up()
    dates = {name: ec2.image(image).deprecation_time for name, image in images.items()}

    declare(both, *as_native(images))
    preview = both.preview()
    assert "3 to update" in preview.output
    assert "replace" not in preview.output
    assert both.up().mutations == []
    assert [entry["type"] for entry in both.resources(TYPE)] == [TYPE] * 3
    assert both.resources(DYNAMIC) == []
    assert not any("image_id" in entry["outputs"] for entry in both.resources(TYPE))
    assert both.up().actions == []

    declare(both, *as_dynamic(images, BACK))
    assert both.up().mutations == []
    assert both.resources(TYPE) == []
    assert not any("imageId" in entry["outputs"] for entry in both.resources(DYNAMIC))
    assert both.up().actions == []
    assert {name: ec2.image(image).deprecation_time for name, image in images.items()} == dates

    declare(both, *as_native(images))
    both.up()
    both.destroy()
    assert {name: ec2.image(image).deprecation_time for name, image in images.items()} == {
        "at": None,
        "after": EARLY,
        "in": None,
    }


def test_move_without_alias_keeps_date(both: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    declare(both, f"AmiDeprecation('web', image_id='{image}', deprecate_at='{text(LATE)}')")
    both.up()
    declare(
        both,
        f"pulumi.CustomResource('{TYPE}', 'web', {{'imageId': '{image}', 'deprecateAt': '{text(LATE)}'}})",
    )
    moved = both.up()
    assert moved.mutations == []
    assert "1 created" in moved.output
    assert "1 deleted" in moved.output
    assert ec2.image(image).deprecation_time == LATE


def test_rename_with_another_native_provider_keeps_date(both: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    declare(both, f"Date('web', imageId='{image}', deprecateAt='{text(LATE)}')")
    both.up()
    other = "pulumi.ResourceOptions(provider=Native('other', region='eu-west-1'))"
    declare(both, f"Date('site', {other}, imageId='{image}', deprecateAt='{text(LATE)}')")
    assert both.up().mutations == []
    assert ec2.image(image).deprecation_time == LATE


@pytest.mark.parametrize(
    "second",
    [
        "Date('site', pulumi.ResourceOptions(provider=Native('other', region='eu-west-1')), imageId=IMAGE, deprecateAt=DATE)",
        "AmiDeprecation('site', image_id=IMAGE, deprecate_at=DATE)",
    ],
    ids=["another-instance", "other-door"],
)
def test_duplicate_under_two_providers_is_refused(both: Stack, ec2: LocalEC2, second: str) -> None:
    image = ec2.add_image("web")
    constants = [f"IMAGE, DATE = '{image}', '{text(MIDDLE)}'"]
    declare(both, *constants, "Date('web', imageId=IMAGE, deprecateAt=DATE)", second)
    refused = both.preview(check=False)
    assert refused.code != 0
    assert "is given a date by two resources" in refused.output
