"""EC2's model that the package carries: what botocore has for the calls that are made, and what they cost with it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ami_deprecation.ec2 import gateway, parse
from ami_deprecation.ec2.sessions import Sessions
from tests.support import source
from tests.support.gateways import HERE
from tools import ec2_model

if TYPE_CHECKING:
    import pytest


def test_carried_model_is_what_botocore_has() -> None:
    assert ec2_model.FILE.read_text() == ec2_model.cut(), "run python tools/ec2_model.py"


def test_client_knows_the_calls_of_the_gateway_only() -> None:
    tree = source.parse(Path(gateway.__file__))
    client = Sessions(1, may_prompt=False).ec2(HERE)
    known = client.meta.method_to_api_mapping
    called = {
        known[each.attr] for each in ast.walk(tree) if isinstance(each, ast.Attribute) and each.attr in known
    }
    assert called == set(known.values()) == set(ec2_model.ACTIONS)


def test_model_has_what_is_read_of_an_image() -> None:
    read = source.parse(Path(parse.__file__))
    [reader] = [each for each in read.body if isinstance(each, ast.FunctionDef) and each.name == "to_image"]
    words = {each.value for each in ast.walk(reader) if isinstance(each, ast.Constant)}
    carried = json.loads(ec2_model.FILE.read_text())["shapes"]["Image"]["members"]
    assert set(carried) == ec2_model.IMAGE == words & ec2_model.members_of_image()


def test_model_of_the_users_own_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ec2" / ec2_model.API_VERSION
    folder.mkdir(parents=True)
    own = ec2_model.cut().replace('"Amazon Elastic Compute Cloud"', '"EC2 of a private preview"')
    (folder / "service-2.json").write_text(own)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client = Sessions(1, may_prompt=False).ec2(HERE)
    assert client.meta.service_model.metadata["serviceFullName"] == "EC2 of a private preview"
