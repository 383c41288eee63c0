"""What the stack's own aws configuration means on the real engine: its keys in the state, its default providers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aws_stand_in import locate

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
WEB = "import ami_deprecation\nami_deprecation.AmiDeprecation('web', image_id={image!r}, deprecate_at='2028-06-01')\n"
#: A default provider that is disabled takes the SDK's own package for dynamic resources with it.
BOTH_EXPLICIT = """
import ami_deprecation, pulumi, pulumi_aws

opts = pulumi.ResourceOptions(
    providers=[
        pulumi_aws.Provider("aws", region="eu-west-1"),
        pulumi.ProviderResource("pulumi-python", "dynamic", {{}}),
    ]
)
ami_deprecation.AmiDeprecation("web", image_id={image!r}, deprecate_at="2028-06-01", opts=opts)
"""


def test_keys_are_in_provider_entry_only(stack: Stack, ec2: LocalEC2) -> None:
    stack.program(WEB.format(image=ec2.add_image()))
    stack.config({"aws:region": "eu-west-1", "aws:accessKey": KEY_ID})
    stack.run("config", "set", "--secret", "aws:secretKey", SECRET)
    stack.up()
    exported = json.loads(stack.run("stack", "export").stdout)
    resources: list[dict[str, Any]] = exported["deployment"]["resources"]
    with_key = [each["type"] for each in resources if KEY_ID in json.dumps(each)]
    assert with_key == ["pulumi:providers:pulumi-python"]
    assert SECRET not in json.dumps(exported)


def test_disabled_aws_provider_is_honored(stack: Stack, ec2: LocalEC2) -> None:
    stack.program(WEB.format(image=ec2.add_image()))
    stack.config({"aws:region": "eu-west-1", "pulumi:disable-default-providers": ["aws"]})
    failed = stack.preview(check=False)
    assert failed.code != 0
    assert "the default aws provider is disabled" in failed.output
    assert "set opts.provider to an aws.Provider" in failed.output


@pytest.mark.parametrize(
    ("program", "way_out"),
    [
        (
            "AmiDeprecationPolicy('base', name='base-*', keep_newest=1)",
            "instead of a policy, which cannot take an aws.Provider, declare the images of get_images_output",
        ),
        ("get_images(name='base-*')", "use get_images_output with an aws.Provider in its opts"),
    ],
)
def test_reads_without_default_provider_name_a_way_out(
    stack: Stack, ec2: LocalEC2, program: str, way_out: str
) -> None:
    """The configuration page has the way out, and its test runs it."""
    stack.config({"aws:region": "eu-west-1", "pulumi:disable-default-providers": ["aws"]})
    stack.program(f"from ami_deprecation import AmiDeprecationPolicy, get_images\n{program}\n")
    failed = stack.preview(check=False)
    assert failed.code != 0
    assert "the default aws provider is disabled" in failed.output
    assert way_out in failed.output
    assert "give opts.provider" not in failed.output
    assert ec2.calls == []


def test_all_default_providers_disabled_has_way_out(stack: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image()
    stack.config({"aws:region": "eu-west-1", "pulumi:disable-default-providers": ["*"]})
    stack.program(WEB.format(image=image))
    assert stack.preview(check=False).code != 0
    locate.use(stack)
    stack.program(BOTH_EXPLICIT.format(image=image))
    assert stack.up().mutations == ["EnableImageDeprecation"]
    assert stack.up().mutations == []
