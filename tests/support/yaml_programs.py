"""Programs in Pulumi YAML that declare the native provider's resources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.support.native import TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.harness import Stack


def provider_folder(stack: Stack) -> Path:
    """The folder with the provider's console script; a fork of a warm process where there is one."""
    return stack.cli.folder if stack.cli.forks else Path(sys.prefix, "bin")


def write(
    stack: Stack,
    resources: Mapping[str, object],
    *,
    provider: Path | None = None,
    **sections: object,
) -> None:
    """Make the stack's project a YAML program.

    Args:
        stack: whose project is called `project`.
        resources: the program's.
        provider: the folder with the provider's executable or its PulumiPlugin.yaml.
        sections: more of the program, such as `outputs`.
    """
    program = {
        "name": "project",
        "runtime": "yaml",
        "plugins": {
            "providers": [{"name": "ami-deprecation", "path": str(provider or provider_folder(stack))}]
        },
        "resources": dict(resources),
        **sections,
    }
    (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump(program, sort_keys=False))


def date(image_id: str, *, options: Mapping[str, object] | None = None, **properties: object) -> object:
    """A resource: the date of an image."""
    return {
        "type": TYPE,
        "properties": {"imageId": image_id, **properties},
        **({"options": dict(options)} if options else {}),
    }
