"""The recipe for a new input, as CONTRIBUTING has it: its steps are followed in a copy of the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import ami_deprecation

PACKAGE = Path(ami_deprecation.__file__).parent
RECIPE = PACKAGE.parent / "CONTRIBUTING.md"

#: The steps that change code: (file, the line below which something is added, what).
STEPS = (
    (
        "core/inputs.py",
        "DEFINITIONS = (",
        '    Definition("made_up", "A reason", refusal="is not a reason"),',
    ),
    (
        "core/inputs.py",
        '    on_destroy: OnDestroy | Unknown = "cancel"',
        "    made_up: str | Unknown | None = None",
    ),
    (
        "resource.py",
        "        role_arn: pulumi.Input[str] | None = None,",
        "        made_up: pulumi.Input[str] | None = None,",
    ),
    ("resource.py", '            "role_arn": role_arn,', '            "made_up": made_up,'),
)

#: What then knows the input, in a process that imports the copy.
EVERYWHERE = """
    from ami_deprecation import AmiDeprecation
    from ami_deprecation.core import inputs
    from ami_deprecation.doors import project
    from tests.support.program import made, run

    given = {"image_id": "ami-0123456789abcdef0", "deprecate_in_days": 30, "made_up": "because"}
    value, problems = inputs.parse(given)
    assert (value.made_up, problems) == ("because", [])
    assert inputs.to_props(value)["made_up"] == "because"
    wrong = inputs.parse({**given, "made_up": 7})[1]
    assert [(each.property, each.sentence) for each in wrong] == [("made_up", "7 is not a reason")]
    entry = {"imageId": "ami-0123456789abcdef0", "deprecateInDays": 30, "madeUp": "because"}
    assert project.images({"web": entry}) == {"web": given}
    [web] = run(made(**given), preview=False)
    assert web.inputs["made_up"] == "because"
"""


def test_recipe_has_at_most_five_steps() -> None:
    section = RECIPE.read_text().partition("## A new input\n")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d\. ", section, re.MULTILINE)
    assert 0 < len(steps) <= 5
    assert {file for file, _, _ in STEPS} <= set(re.findall(r"`([\w/]+\.py)`", section))


def test_input_of_the_recipe_is_known_everywhere(tmp_path: Path) -> None:
    copy = tmp_path / "ami_deprecation"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").symlink_to(PACKAGE.parent / "tests")
    for name, below, added in STEPS:
        file = copy / name
        text = file.read_text()
        assert text.count(f"{below}\n") == 1, f"{name} has no line {below!r}"
        file.write_text(text.replace(f"{below}\n", f"{below}\n{added}\n"))
    command = [sys.executable, "-c", textwrap.dedent(EVERYWHERE)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
