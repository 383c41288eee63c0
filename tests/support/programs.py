"""Programs that the end-to-end tests write: one line a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.harness import Stack

HEAD = "import datetime\nimport pulumi\nfrom ami_deprecation import AmiDeprecation\n"
TOKEN = "pulumi-python:dynamic/ec2:AmiDeprecation"


def resource(name: str, image_id: str, arguments: str) -> str:
    """The line that declares a resource; `arguments` as in the program."""
    return f"AmiDeprecation({name!r}, image_id={image_id!r}, {arguments})\n"


def declare(stack: Stack, *lines: str) -> None:
    """Write the program."""
    stack.program(HEAD + "".join(lines))


def urn(stack: Stack, name: str) -> str:
    """The resource's URN in state."""
    (urn,) = [each["urn"] for each in stack.resources(TOKEN) if each["urn"].endswith(f"::{name}")]
    assert isinstance(urn, str)
    return urn
