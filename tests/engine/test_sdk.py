"""The SDKs that Pulumi generates from the provider's schema: the Python and the TypeScript one at work."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import programs
from tests.support.dates import EARLY, LATE, MIDDLE, text
from tests.support.examples import EXAMPLES
from tests.support.harness import REPOSITORY, Stack
from tests.support.native import TYPE, use_provider
from tests.support.sdks import codegen, generate, node_modules, run

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli


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


#: Runs the compiled example: Pulumi's own host for Node.js programs is not in the engine's build, and a program of the
#: Automation API needs none.
RUNNER = """
const { LocalWorkspace } = require("@pulumi/pulumi/automation");

async function main([stackName, verb]) {
    const program = async () => require("./bin/index.js");
    const stack = await LocalWorkspace.selectStack({ stackName, projectName: "typescript", program }, { workDir: __dirname });
    const done = await stack[verb]();
    console.log(JSON.stringify({ changes: done.summary.resourceChanges, outputs: await stack.outputs() }));
}

main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exit(1);
});
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `node_modules` with everything that the TypeScript example imports: also the generated SDK, built as npm does."""
    folder = tmp_path_factory.mktemp("typescript")
    modules = node_modules(folder)
    sdk = generate("nodejs", folder / "sdk")
    path = os.pathsep.join([str(modules / ".bin"), os.environ["PATH"]])
    run("node", "scripts/postinstall.js", folder=sdk, env=os.environ | {"PATH": path})
    (modules / "@pulumi" / "ami-deprecation").symlink_to(sdk)
    return modules


@pytest.fixture
def typescript(cli: Cli, ec2: LocalEC2, tmp_path: Path, modules: Path) -> Stack:
    """The TypeScript example."""
    stack = Stack.create(cli, tmp_path, ec2, EXAMPLES / "typescript")
    (stack.project / "node_modules").symlink_to(modules)
    return stack


def test_typescript_example_lives_its_life(typescript: Stack, ec2: LocalEC2) -> None:
    web, copy = ec2.add_image("web", deprecation_time=MIDDLE), ec2.add_image("web", region="us-east-1")
    use_provider(typescript)
    own = {"imageId": web, "copyId": copy, "deprecateAt": text(LATE)}
    typescript.config(
        {
            "ami-deprecation:region": "eu-west-1",
            **{f"typescript:{key}": value for key, value in own.items()},
        }
    )
    run("node_modules/.bin/tsc", folder=typescript.project)
    (typescript.project / "run.js").write_text(RUNNER)

    def pulumi(verb: str) -> dict[str, dict[str, object]]:
        environment = typescript.environment()
        shown = run("node", "run.js", typescript.name, verb, folder=typescript.project, env=environment)
        done: dict[str, dict[str, object]] = json.loads(shown)
        return done

    up = pulumi("up")
    assert up["outputs"]["deprecationTime"] == {"value": text(LATE), "secret": False}
    assert ec2.image(web).deprecation_time == LATE
    assert ec2.image(copy, region="us-east-1").deprecation_time is not None
    mark = ec2.mark()
    assert pulumi("up")["changes"] == {"same": 4}
    assert [call for call in ec2.calls_since(mark) if call.action != "DescribeImages"] == []
    pulumi("destroy")
    assert ec2.image(web).deprecation_time == MIDDLE
    assert ec2.image(copy, region="us-east-1").deprecation_time is None


def test_typescript_mistake_is_found_by_compiler(typescript: Stack) -> None:
    program = typescript.project / "index.ts"
    program.write_text(program.read_text().replace("deprecateAfterDays: 365", 'deprecateAfterDays: "365"'))
    with pytest.raises(AssertionError, match="'string' is not assignable to type 'Input<number"):
        run("node_modules/.bin/tsc", "--noEmit", folder=typescript.project)
