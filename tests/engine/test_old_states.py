"""States that version 0.1 wrote, imported into a stack on the real engine. All their details: tests/plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.aws_stand_in import locate
from tests.support.old_states import DESTROY, PREVIEW, load, second_profile

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack


#: One for each way in which the engine holds a resource: alone, in a component, under a provider, of a policy.
@pytest.mark.parametrize("name", ["restore", "nested", "aws-provider", "policy-notice"])
def test_old_state_is_imported_and_stays_same(stack: Stack, ec2: LocalEC2, tmp_path: Path, name: str) -> None:
    old = load(name)
    old.fill(ec2)
    locate.use(stack).program(old.program)
    stack.env["AWS_SHARED_CREDENTIALS_FILE"] = second_profile(tmp_path)
    stack.config({"aws:region": "eu-west-1"})
    stack.run("stack", "import", "--file", str(old.write(tmp_path / "exported.json")))
    assert stack.run("preview", "--expect-no-changes").actions == PREVIEW.get(name, [])
    refreshed = stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert "DescribeImages" in refreshed.actions
    assert refreshed.mutations == []
    assert stack.destroy().mutations == DESTROY[name]
    assert stack.resources() == []
