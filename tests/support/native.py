"""Python programs that declare the native provider's resources, without a generated SDK."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from tests.support.harness import Stack

TYPE = "ami-deprecation:index:AmiDeprecation"

#: A module for `Stack.program`: `Date("web", imageId=…, deprecateAt=…)` and `Native("us", region=…)`.
MODULE = """
    import pulumi

    OUTPUTS = ("deprecationTime", "imageName", "ownerId", "creationDate", "previousDeprecationTime", "region", "onDestroy")
    DYNAMIC = pulumi.Alias(type_="pulumi-python:dynamic/ec2:AmiDeprecation")


    class Date(pulumi.CustomResource):
        def __init__(self, name, opts=None, **inputs):
            # A generated SDK adds the alias of the schema.
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[DYNAMIC]))
            super().__init__("ami-deprecation:index:AmiDeprecation", name, dict.fromkeys(OUTPUTS) | inputs, opts)


    class Policy(pulumi.ComponentResource):
        def __init__(self, label, opts=None, **inputs):
            super().__init__("ami-deprecation:index:AmiDeprecationPolicy", label, {"deprecations": None} | inputs, opts, True)


    class Native(pulumi.ProviderResource):
        def __init__(self, name, **inputs):
            super().__init__("ami-deprecation", name, inputs)
"""


def use_provider(stack: Stack) -> None:
    """Name the provider's folder in the project file, and give the provider a Region."""
    file = stack.project / "Pulumi.yaml"
    project = yaml.safe_load(file.read_text())
    folder = stack.cli.folder if stack.cli.forks else Path(sys.prefix, "bin")
    project["plugins"] = {"providers": [{"name": "ami-deprecation", "path": str(folder)}]}
    file.write_text(yaml.safe_dump(project))
    stack.config({"ami-deprecation:region": "eu-west-1", "aws:region": "eu-west-1"})


def declare(stack: Stack, *lines: str) -> None:
    """Write a program of these lines, below its imports."""
    imports = [
        "import pulumi",
        "from ami_deprecation import AmiDeprecation",
        "from native import Date, Native, Policy",
    ]
    stack.program("\n".join([*imports, *lines]), native=MODULE)
