"""The schema of the native provider: made from the definitions of the inputs, and whole."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

from ami_deprecation.core import targets
from ami_deprecation.core.inputs import DEFINITIONS, camel
from ami_deprecation.core.keys import POLICY_TYPE
from ami_deprecation.doors.native import config, policy_schema, schema
from ami_deprecation.doors.native.functions import as_value
from ami_deprecation.fleet.arguments import Given
from ami_deprecation.image import Image, Scan

PACKAGE: Any = schema.package()
RESOURCE: Any = PACKAGE["resources"][schema.RESOURCE]

POLICY: Any = PACKAGE["resources"][POLICY_TYPE]


def references(value: object) -> set[str]:
    """Every type that is referred to."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_schema_inputs_are_the_definitions() -> None:
    given = RESOURCE["inputProperties"]
    assert {key: each["description"] for key, each in given.items()} == {
        each.camel: each.doc for each in DEFINITIONS
    }
    assert RESOURCE["requiredInputs"] == ["imageId"]


def test_schema_of_image_has_every_field() -> None:
    described = PACKAGE["types"]["ami-deprecation:index:Image"]["properties"]
    assert set(described) == {camel(each.name) for each in fields(Image)}
    assert set(PACKAGE["types"]["ami-deprecation:index:Scan"]["properties"]) == {
        camel(each.name) for each in fields(Scan)
    }
    when = datetime(2027, 1, 1, tzinfo=timezone.utc)
    whole = Image(
        **dict.fromkeys((each.name for each in fields(Image)), "x")  # type: ignore[arg-type]  # texts, but for these
        | dict.fromkeys(("creation_date", "deprecation_time", "last_launched_time"), when)
        | {"tags": {}, "watermarks": (), "scan": Scan("high", when, {"high": when})}
    )
    value = as_value(whole)
    assert set(value) == set(described)
    assert value["scan"] == {
        "highestSeverity": "high",
        "scannedAt": "2027-01-01T00:00:00Z",
        "fixAvailableSince": {"high": "2027-01-01T00:00:00Z"},
    }


def test_schema_of_policy_has_every_argument() -> None:
    assert list(policy_schema.ARGUMENTS) == [each.name for each in fields(Given)]
    assert POLICY["isComponent"] is True


def test_schema_choices_are_enums() -> None:
    reference = RESOURCE["inputProperties"]["onDestroy"]["$ref"]
    values = PACKAGE["types"][reference.removeprefix("#/types/")]["enum"]
    assert [each["value"] for each in values] == ["cancel", "restore"]


def test_schema_refers_to_its_own_types() -> None:
    assert references(PACKAGE) == {f"#/types/{name}" for name in PACKAGE["types"]}
    assert json.loads(json.dumps(PACKAGE)) == PACKAGE


def test_schema_describes_every_property() -> None:
    described = [
        *RESOURCE["properties"].values(),
        *POLICY["inputProperties"].values(),
        *POLICY["properties"].values(),
        *PACKAGE["config"]["variables"].values(),
        *(each for kind in PACKAGE["types"].values() for each in kind.get("properties", {}).values()),
        *(
            each
            for function in PACKAGE["functions"].values()
            for part in ("inputs", "outputs")
            for each in function[part]["properties"].values()
        ),
    ]
    assert [each for each in described if not each.get("description")] == []


def test_credentials_are_secrets_in_schema() -> None:
    secret = {key for key, each in PACKAGE["config"]["variables"].items() if each.get("secret")}
    assert secret >= {"accessKey", "secretKey", "token"}


def test_settings_are_what_the_aws_provider_has() -> None:
    honored = {each.name for each in targets.PROVIDER_KEYS if each.treatment == "honored"}
    assert set(config.SETTINGS) == honored - {"assumeRole"} | {"roleArn"}
