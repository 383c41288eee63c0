"""A program in YAML on the real engine: the native provider, from preview to destroy."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.cli_command import succeed
from tests.support.dates import EARLY, LATE, MIDDLE, ahead, text
from tests.support.harness import REPOSITORY, Stack
from tests.support.native import TYPE
from tests.support.yaml_programs import date, write

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli

DAY = f"{EARLY:%Y-%m-%d}"


@pytest.fixture
def program(stack: Stack) -> Stack:
    """A stack whose provider has a Region."""
    stack.config({"ami-deprecation:region": "eu-west-1"})
    return stack


def test_yaml_program_lives_its_whole_life(program: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web-1")
    write(program, {"web": date(image, deprecateAt=DAY)}, outputs={"when": "${web.deprecationTime}"})
    preview = program.preview("--diff")
    assert 'imageName      : "web-1"' in preview.output
    assert f'deprecationTime: "{DAY}T00:00:00Z"' in preview.output
    assert preview.mutations == []
    assert program.up().mutations == ["EnableImageDeprecation"]
    assert program.outputs() == {"when": f"{DAY}T00:00:00Z"}
    assert program.up("--expect-no-changes").actions == []

    write(program, {"web": date(image, deprecateAt=text(LATE))})
    moved = program.preview("--diff")
    assert f'~ deprecateAt    : "{DAY}T00:00:00Z" => "{text(LATE)}"' in moved.output
    assert program.up().mutations == ["EnableImageDeprecation"]

    ec2.set_deprecation_time(image, MIDDLE)
    drift = program.preview("--refresh", "--diff")
    assert f'~ deprecateAt    : "{text(MIDDLE)}" => "{text(LATE)}"' in drift.output
    assert program.up("--refresh").mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == LATE

    assert program.destroy().mutations == ["DisableImageDeprecation"]


def test_past_date_is_refused_on_its_property(program: Stack, ec2: LocalEC2) -> None:
    write(program, {"web": date(ec2.add_image("web"), deprecateAt="2020-01-01")})
    refused = program.preview(check=False)
    assert refused.code != 0
    assert "property deprecateAt value {2020-01-01} has a problem: " in refused.output
    assert "Traceback" not in refused.output


def test_enum_and_function_are_used_from_yaml(program: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("base-1", deprecation_time=MIDDLE)
    function = {"function": "ami-deprecation:getImages", "arguments": {"name": "base-*"}}
    write(
        program,
        {"web": date("${images.images[0].id}", deprecateAt=text(LATE), onDestroy="restore")},
        variables={"images": {"fn::invoke": function}},
    )
    assert program.up().mutations == ["EnableImageDeprecation"]
    assert program.destroy().mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == MIDDLE


def test_code_that_import_prints_changes_nothing(program: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("old", deprecation_time=EARLY)
    write(program, {})
    printed = program.project / "imported.yaml"
    command = ("import", TYPE, "old", f"eu-west-1/{image}", "--yes", "--protect=false")
    assert program.run(*command, "--out", str(printed)).mutations == []
    write(program, yaml.safe_load(printed.read_text())["resources"])
    assert program.preview("--refresh", "--expect-no-changes").mutations == []
    assert program.up("--expect-no-changes").mutations == []


def test_import_option_takes_date_over(program: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("old", deprecation_time=EARLY)
    write(program, {"old": date(image, deprecateAt=text(EARLY), options={"import": image})})
    assert program.up().mutations == []
    write(program, {"old": date(image, deprecateAt=text(LATE))})
    assert program.up().mutations == ["EnableImageDeprecation"]


def test_adopted_import_file_is_taken_by_yaml_stack(program: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("old", deprecation_time=EARLY)
    file = str(program.project / "import.json")
    succeed(ec2, "adopt", "--format", "import", "--native", "--output", file)
    write(program, {"old": date(image, deprecateAt=text(EARLY), region="eu-west-1")})
    imported = program.run("import", "--file", file, "--yes", "--generate-code=false", "--protect=false")
    assert imported.calls == (), "no Read"
    assert program.preview("--expect-no-changes").mutations == []
    assert program.refresh("--expect-no-changes").mutations == []
    assert program.up("--expect-no-changes").mutations == []
    assert program.destroy().mutations == ["DisableImageDeprecation"]


def test_console_script_is_the_provider(program: Stack, ec2: LocalEC2) -> None:
    write(
        program,
        {"web": date(ec2.add_image("web"), deprecateAt=DAY)},
        provider=Path(sys.prefix, "bin"),
    )
    assert program.up().mutations == ["EnableImageDeprecation"]


@pytest.mark.parametrize("section", ["plugins", "packages"])
def test_plugin_folder_is_the_provider(program: Stack, ec2: LocalEC2, tmp_path: Path, section: str) -> None:
    """`packages` is what `pulumi package add` writes; YAML's host of 1.25.0 lacks a call that this command needs."""
    folder = Path(shutil.copytree(REPOSITORY / "plugin", tmp_path / "plugin"))  # a schema is kept beside it
    resources = {"web": date(ec2.add_image("web"), deprecateAt=DAY)}
    if section == "plugins":
        write(program, resources, provider=folder)
    else:
        write(program, resources, plugins={}, packages={"ami-deprecation": str(folder)})
    assert program.up().mutations == ["EnableImageDeprecation"]


def test_policy_over_two_regions_runs_from_yaml(program: Stack, ec2: LocalEC2) -> None:
    regions = ("eu-west-1", "us-east-1")
    old = {region: ec2.add_image("base-1", created=ahead(-90), region=region) for region in regions}
    for region in regions:
        ec2.add_image("base-2", created=ahead(-10), region=region)
    policy = {
        "type": "ami-deprecation:AmiDeprecationPolicy",
        "properties": {"name": "base-*", "keepNewest": 1, "graceDays": 200, "regions": list(regions)},
    }
    write(program, {"base": policy})
    assert program.preview().mutations == []
    assert program.up().mutations == ["EnableImageDeprecation"] * 2
    assert all(ec2.image(image, region=region).deprecation_time for region, image in old.items())
    assert program.up("--expect-no-changes").mutations == []
    assert program.destroy().mutations == ["DisableImageDeprecation"] * 2


@pytest.mark.parametrize("option", ["--target", "--exclude"])
def test_left_out_name_keeps_a_passed_date(cold_cli: Cli, ec2: LocalEC2, tmp_path: Path, option: str) -> None:
    """A program in YAML tells no provider what it declares; the engine's command line says that it may hide a name."""
    stack = Stack.create(cold_cli, tmp_path, ec2)
    stack.config({"ami-deprecation:region": "eu-west-1"})
    image = ec2.add_image("web-1")
    write(stack, {"web": date(image, deprecateAt=DAY)})
    stack.up()
    ec2.set_time(EARLY + timedelta(days=1))
    [web] = [each["urn"] for each in stack.resources(TYPE)]
    write(stack, {"site": date(image, deprecateAt=DAY)})
    limited = stack.up(option, web if option == "--target" else web.removesuffix("web") + "site")
    assert limited.mutations == []
    assert "the date has passed and could not be set again, and --target, --exclude" in limited.output
    assert (
        f"to cancel it, run `aws ec2 disable-image-deprecation --region eu-west-1 --image-id {image}`"
        in limited.output
    )
    assert stack.destroy().mutations == []  # the state has no resource any more
