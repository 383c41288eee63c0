"""The pictures of the docs show what the programs print today."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools import pictures

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Cli


def test_pictures_show_what_is_printed_today(cli: Cli, ec2: LocalEC2, tmp_path: Path) -> None:
    drawn = json.loads(pictures.SHOWN.read_text())
    today = pictures.all_shown(cli, ec2, tmp_path)
    assert {name for name in today if today[name] != drawn.get(name)} == set(), (
        "run tools/pictures.py, and look at the pictures"
    )
    assert drawn.keys() == today.keys()
