"""get_images and get_images_output in programs on the real engine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_stand_in import locate

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
US = "us-east-1"


def test_program_dates_images_of_stack_region(stack: Stack, ec2: LocalEC2) -> None:
    for age in range(3):
        ec2.add_image(f"web-{age}", region=US, created=START - timedelta(days=age))
    stack.config({"aws:region": US})
    stack.program(
        """
        import pulumi
        from ami_deprecation import AmiDeprecation, get_images

        newest, *older = get_images(name="web-*")
        for image in older:
            AmiDeprecation(image.name, image_id=image.id, deprecate_at="2030-01-01")
        pulumi.export("newest", newest.name)
        """
    )
    stack.up()
    assert stack.outputs()["newest"] == "web-0"
    dated = [image.name for image in ec2.images(region=US) if image.deprecation_time]
    assert sorted(dated) == ["web-1", "web-2"]


@pytest.mark.parametrize(
    ("argument", "calls"), [("", ["DisableImageDeprecation"]), (", include_disabled=True", [])]
)
def test_loop_keeps_disabled_image_only_when_it_lists_it(
    stack: Stack, ec2: LocalEC2, argument: str, calls: list[str]
) -> None:
    image_id = ec2.add_image("web-1")
    stack.program(
        f"""
        from ami_deprecation import AmiDeprecation, get_images

        for image in get_images(name="web-*"{argument}):
            AmiDeprecation(image.name, image_id=image.id, deprecate_at="2030-01-01")
        """
    )
    stack.up()
    ec2.set_state(image_id, "disabled")
    assert stack.up().mutations == calls


def test_outputs_are_read_when_known(stack: Stack, ec2: LocalEC2) -> None:
    image_id = ec2.add_image("web-1")
    ec2.add_image("other")
    stack.program(
        f"""
        import pulumi
        from ami_deprecation import AmiDeprecation, get_images_output

        first = AmiDeprecation("first", image_id="{image_id}", deprecate_in_days=30)
        # A preview does not know the id of a resource that is to be made.
        images = get_images_output(name=first.id.apply(lambda _: "web-*"))
        waiting = get_images_output(opts=pulumi.InvokeOutputOptions(depends_on=[first]))
        pulumi.export("names", images.apply(lambda images: [image.name for image in images]))
        pulumi.export("dates", waiting.apply(lambda images: [str(image.date) for image in images if image.date]))
        """
    )
    assert stack.preview().output.count("[unknown]") == 2
    stack.up()
    assert stack.outputs()["names"] == ["web-1"]
    assert len(stack.outputs()["dates"]) == 1


def test_explicit_provider_says_where_to_read(stack: Stack, ec2: LocalEC2) -> None:
    ec2.add_image("here")
    ec2.add_image("there", region=US)
    locate.use(stack).program(
        f"""
        import pulumi
        import pulumi_aws as aws
        from ami_deprecation import get_images_output

        class Parent(pulumi.ComponentResource):
            pass

        provider = aws.Provider("us", region="{US}")
        parent = Parent("test:index:Parent", "parent", {{}}, pulumi.ResourceOptions(providers=[provider]))
        for name, opts in (
            ("provider", pulumi.InvokeOptions(provider=provider)),
            ("parent", pulumi.InvokeOptions(parent=parent)),
            ("none", None),
        ):
            images_here = get_images_output(name="*here", opts=opts)
            pulumi.export(name, images_here.apply(lambda images: [image.name for image in images]))
        """
    )
    stack.up()
    assert stack.outputs() == {"provider": ["there"], "parent": ["there"], "none": ["here"]}


@pytest.mark.parametrize(
    "call", ["get_images()", "pulumi.export('n', get_images_output().apply(len))", "get_images_output()"]
)
def test_failed_read_ends_program_with_one_sentence(stack: Stack, ec2: LocalEC2, call: str) -> None:
    ec2.faults.add("DescribeImages", "denied", times=None)
    stack.program(f"import pulumi\nfrom ami_deprecation import get_images, get_images_output\n{call}\n")
    result = stack.preview(check=False)
    assert result.code != 0
    assert "may not do ec2:DescribeImages on the images in eu-west-1" in result.output
    assert "Traceback" not in result.output
