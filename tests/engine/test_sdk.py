"""The SDKs that Pulumi generates from the provider's schema: the Python one at work, the TypeScript one compiled."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import programs
from tests.support.dates import EARLY, LATE, MIDDLE, text
from tests.support.examples import EXAMPLES
from tests.support.harness import REPOSITORY
from tests.support.native import TYPE
from tests.support.sdks import codegen, generate, node_modules, run

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


def add_package(stack: Stack) -> None:
    """Do what the docs say: add the provider's package, and install the SDK that this generates."""
    stack.env["PULUMI_CODEGEN"] = codegen()  # for the small language host
    requirements = stack.project / "requirements.txt"
    requirements.write_text("pulumi\n")
    added = stack.run("package", "add", str(REPOSITORY / "plugin"))
    assert "import pulumi_ami_deprecation" in added.output
    assert f"ami-deprecation: {REPOSITORY / 'plugin'}" in (stack.project / "Pulumi.yaml").read_text()
    [sdk] = set(requirements.read_text().split()) - {"pulumi"}
    uv = str(Path(sys.prefix, "bin", "uv"))
    run(uv, "pip", "install", "--quiet", "--no-deps", "--target", ".", sdk, folder=stack.project)


def test_added_package_runs_program(stack: Stack, ec2: LocalEC2) -> None:
    add_package(stack)
    image = ec2.add_image("web", deprecation_time=MIDDLE)
    there = ec2.add_image("web", region="us-east-1")
    stack.program(
        f"""
        import pulumi
        import pulumi_ami_deprecation as ami

        virginia = ami.Provider("virginia", region="us-east-1")
        elsewhere = pulumi.ResourceOptions(provider=virginia)
        web = ami.AmiDeprecation("web", image_id={image!r}, deprecate_at={text(LATE)!r}, on_destroy=ami.OnDestroy.RESTORE)
        copy = ami.AmiDeprecation("copy", image_id={there!r}, deprecate_in_days=30, opts=elsewhere)
        images = ami.get_images_output(name="web", opts=pulumi.InvokeOptions(provider=virginia))
        pulumi.export("time", web.deprecation_time)
        pulumi.export("owner", web.owner_id)
        pulumi.export("region", copy.region)
        pulumi.export("ids", images.images.apply(lambda all: [each.id for each in all]))
        pulumi.export("name", ami.get_image(image_id={image!r}).name)
        """
    )
    assert stack.up().mutations == ["EnableImageDeprecation"] * 2
    assert stack.outputs() == {
        "time": text(LATE),
        "owner": ec2.account,
        "region": "us-east-1",
        "ids": [there],
        "name": "web",
    }
    assert stack.up("--expect-no-changes").mutations == []
    stack.destroy()
    assert ec2.image(image).deprecation_time == MIDDLE
    assert ec2.image(there, region="us-east-1").deprecation_time is None


def test_added_package_takes_dynamic_resource_over(stack: Stack, ec2: LocalEC2) -> None:
    add_package(stack)
    image = ec2.add_image("web")
    programs.declare(stack, programs.resource("web", image, f"deprecate_at={text(EARLY)!r}"))
    stack.up()
    stack.program(
        f"import pulumi_ami_deprecation as ami\n"
        f"ami.AmiDeprecation('web', image_id={image!r}, deprecate_at={text(EARLY)!r})\n"
    )
    assert stack.up().mutations == []
    assert [each["type"] for each in stack.resources()] == [TYPE]
    assert stack.up("--expect-no-changes").mutations == []


def test_typescript_sdk_and_example_compile(tmp_path: Path) -> None:
    modules = node_modules(tmp_path)
    compiler = str(modules / ".bin" / "tsc")
    sdk = generate("nodejs", tmp_path / "sdk")
    run(compiler, folder=sdk)
    (modules / "@pulumi" / "ami-deprecation").symlink_to(sdk)
    example = shutil.copytree(EXAMPLES / "typescript", tmp_path / "example")
    run(compiler, "--noEmit", folder=example)
    wrong = example / "index.ts"
    wrong.write_text(wrong.read_text().replace("deprecateAfterDays: 365", 'deprecateAfterDays: "365"'))
    with pytest.raises(AssertionError, match="'string' is not assignable to type 'Input<number"):
        run(compiler, "--noEmit", folder=example)
