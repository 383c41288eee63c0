"""A policy finds what it has dated in the stack's state, wherever it stands in the program and whatever aliases it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import native
from tests.support.fleets import DAY, NOW, date, fleet, policy

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack
    from tests.support.spelling import Door

HEAD = "import pulumi\nfrom ami_deprecation import AmiDeprecationPolicy\n"
TWO = """
for outer, images in (("my:m:Prod", {images!r}), ("my:m:Test", "web-*")):
    top = pulumi.ComponentResource(outer, outer[-4:])
    team = pulumi.ComponentResource("my:m:Team", "team" + outer[-4:], opts=pulumi.ResourceOptions(parent=top))
    {policy}("base", name=images, {rules}, opts=pulumi.ResourceOptions(parent=team))
"""
RULES = {"dynamic": "keep_newest=1, grace_days=30", "native": "keepNewest=1, graceDays=30"}
NAMED = f"name='base-*', {RULES['dynamic']}"


@pytest.fixture(params=RULES)
def door(request: pytest.FixtureRequest, stack: Stack) -> Door:
    door: Door = request.param
    if door == "native":
        native.use_provider(stack)
    return door


def two_policies(stack: Stack, door: Door, images: str) -> None:
    """Policies of one name, below components of one type that stand below others of two types."""
    lines = TWO.format(
        images=images, rules=RULES[door], policy="AmiDeprecationPolicy" if door == "dynamic" else "Policy"
    )
    if door == "dynamic":
        stack.program(HEAD + lines)
    else:
        native.declare(stack, *lines.splitlines())


def web_images(ec2: LocalEC2, count: int) -> None:
    for number in range(count):
        ec2.add_image(f"web-{number}", created=NOW - (60 - number) * DAY)


def test_policies_of_one_name_keep_their_guards(stack: Stack, ec2: LocalEC2, door: Door) -> None:
    ids = fleet(ec2, 60, 50, 40, 30, 20, 10)
    web_images(ec2, 3)
    two_policies(stack, door, "base-*")
    stack.up()
    given = [date(ec2, each) for each in ids]
    two_policies(stack, door, "bsae-*")
    refused = stack.up(check=False)
    assert "all 5 dates that this policy set would be canceled" in refused.output
    assert [date(ec2, each) for each in ids] == given


def test_alias_of_a_parent_keeps_the_guards(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 60, 50, 40, 30, 20, 10)

    def program(kind: str, options: str, images: str) -> None:
        stack.program(
            f"{HEAD}team = pulumi.ComponentResource({kind!r}, 'team', opts=pulumi.ResourceOptions({options}))\n"
            f"AmiDeprecationPolicy('base', name={images!r}, {RULES['dynamic']}, "
            "opts=pulumi.ResourceOptions(parent=team))\n"
        )

    program("my:m:Team", "", "base-*")
    stack.up()
    program("my:m:Squad", "aliases=[pulumi.Alias(type_='my:m:Team')]", "bsae-*")
    assert stack.up(check=False).mutations == []


def test_alias_that_stays_does_not_count_a_new_policys_dates(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 60, 50, 40)
    web_images(ec2, 8)
    policy(stack)
    stack.up()
    renamed = f"{HEAD}AmiDeprecationPolicy('fleet', {NAMED}, opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='base')]))\n"
    stack.program(renamed)
    stack.up()
    stack.program(f"{renamed}AmiDeprecationPolicy('base', name='web-*', {RULES['dynamic']})\n")
    stack.up()
    assert stack.up("--expect-no-changes").mutations == []


def test_policy_that_may_be_two_of_the_state_is_refused(stack: Stack, ec2: LocalEC2) -> None:
    fleet(ec2, 60, 50, 40)
    places = "import pulumi\nfrom ami_deprecation import AmiDeprecationPolicy\n"
    for outer in ("my:m:Prod", "my:m:Test"):
        places += (
            f"top = pulumi.ComponentResource({outer!r}, {outer!r}[-4:])\n"
            "team = pulumi.ComponentResource('my:m:Team', 'team', opts=pulumi.ResourceOptions(parent=top))\n"
            f"AmiDeprecationPolicy('base', {NAMED}, exclude=['{'base-0' if outer == 'my:m:Prod' else 'base-1'}'], "
            "opts=pulumi.ResourceOptions(parent=team))\n"
        )
    stack.program(places)
    stack.up()
    refused = stack.up(check=False)
    assert "give each policy its own name" in refused.output
    assert refused.mutations == []
