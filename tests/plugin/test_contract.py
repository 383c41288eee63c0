"""The public contract, seen from the engine: names that users' states hold, and how many calls each verb makes."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ami_deprecation import AmiDeprecation, __version__
from tests.support.dates import EARLY, LATE, NOW, text
from tests.support.program import dated, made, made_in_this_stack, run

if TYPE_CHECKING:
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

PICKLE = "gASVOgAAAAAAAACMGGFtaV9kZXByZWNhdGlvbi5wcm92aWRlcpSMFkFtaURlcHJlY2F0aW9uUHJvdmlkZXKUk5QpgZQu"


# What stands in every user's state.


def test_pickled_provider_is_pinned(image: str) -> None:
    [web] = run(dated(image, EARLY), preview=False)
    assert web.inputs["__provider"] == PICKLE  # in clear: a secret would be an envelope
    assert b"ami_deprecation.provider" in base64.b64decode(PICKLE)
    assert web.type == "pulumi-python:dynamic/ec2:AmiDeprecation"


def test_plugin_started_as_engine_does_behaves_alike(
    make_engine: MakeEngine, ec2: LocalEC2, image: str
) -> None:
    engine = make_engine(spawn=True)
    assert engine.up(dated(image, EARLY)).mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == EARLY


def test_thousand_resources_fit_in_one_program() -> None:
    def program() -> None:
        for number in range(1000):
            AmiDeprecation(f"web-{number}", image_id=f"ami-{number:08x}", deprecate_in_days=30)

    made = run(program, preview=False)
    assert len(made) == 1000
    assert {each.inputs["__provider"] for each in made} == {PICKLE}


def test_outputs_and_id_have_documented_names(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, LATE)
    engine.up(dated(image, EARLY))
    web = engine.entry("web")
    assert web.id == f"eu-west-1/{image}"
    visible = {key: value for key, value in web.outputs.items() if not key.startswith("__")}
    assert visible == {
        "image_id": image,
        "deprecate_at": text(EARLY),
        "region": "eu-west-1",
        "on_destroy": "cancel",
        "deprecation_time": text(EARLY),
        "image_name": "web",
        "owner_id": ec2.account,
        "creation_date": f"{NOW - timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}",
        "previous_deprecation_time": text(LATE),
    }


# One normal form.


@pytest.mark.parametrize(
    ("spelling", "minutes"),
    [
        ("{:%Y-%m-%dT%H:%M:%S}Z", 0),
        ("{:%Y-%m-%dT%H:%M:%S}+00:00", 0),
        ("{:%Y-%m-%d %H:%M:%S}Z", 0),
        ("{:%Y-%m-%d %H:%M:%S} +0000 UTC", 0),
        ("{:%Y-%m-%dt%H:%M:29.9}z", 0),
        ("{:%Y-%m-%dT%H:%M:30}Z", 1),
        ("{:%Y-%m-%dT%H:%M:%S}+02:00", -120),
    ],
)
def test_spellings_of_date_have_one_normal_form(
    engine: Engine, image: str, spelling: str, minutes: int
) -> None:
    given, wanted = spelling.format(EARLY), text(EARLY + timedelta(minutes=minutes))
    preview = engine.preview(dated(image, given))
    assert preview.inputs["web"]["deprecate_at"] == wanted
    engine.up(dated(image, given))
    assert engine.entry("web").inputs["deprecate_at"] == wanted
    assert engine.outputs("web")["deprecation_time"] == wanted


@pytest.mark.parametrize("given", ["text", "date", "datetime", "output"])
def test_new_spelling_of_instant_is_no_change(engine: Engine, image: str, given: str) -> None:
    day = datetime(EARLY.year, EARLY.month, EARLY.day, tzinfo=timezone.utc)
    spellings: dict[str, object] = {
        "text": f"{day:%Y-%m-%d}T01:00:00+01:00",
        "date": day.date(),
        "datetime": day.astimezone(timezone(timedelta(hours=-7))),
        "output": None,
    }
    engine.up(dated(image, f"{day:%Y-%m-%d}"))

    def program() -> None:
        value = made_in_this_stack(day) if given == "output" else spellings[given]
        dated(image, value)()

    again = engine.up(program)
    assert (again.operations, again.actions) == ([], [])


# The verbs, and their calls.


def test_create_update_and_delete_change_ec2_once_each(engine: Engine, ec2: LocalEC2, image: str) -> None:
    assert engine.up(dated(image, EARLY)).mutations == ["EnableImageDeprecation"]
    moved = engine.up(dated(image, LATE))
    assert (moved.operations, moved.mutations) == (["update"], ["EnableImageDeprecation"])
    assert ec2.image(image).deprecation_time == LATE
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
    assert ec2.image(image).deprecation_time is None
    assert engine.state == []


def test_image_permissions_and_tags_are_untouched(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.share(image, "210987654321")
    before = ec2.image(image)
    engine.up(dated(image, EARLY))
    engine.up(dated(image, LATE))
    engine.destroy()
    assert ec2.image(image) == before


@pytest.mark.parametrize("way", ["deprecate_at", "deprecate_after_days", "deprecate_in_days"])
def test_second_up_makes_no_call(engine: Engine, image: str, way: str) -> None:
    program = made(image_id=image, **{way: EARLY if way == "deprecate_at" else 100})
    engine.up(program)
    for operation in (engine.up, engine.preview):
        again = operation(program)
        assert (again.operations, again.actions) == ([], [])


def test_existing_date_is_adopted_without_changing_call(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, EARLY)
    up = engine.up(dated(image, EARLY))
    assert (up.operations, up.mutations) == (["create"], [])
    assert engine.outputs("web")["previous_deprecation_time"] == text(EARLY)


def test_image_of_same_stack_previews_without_call(engine: Engine, ec2: LocalEC2, image: str) -> None:
    def program() -> None:
        made(image_id=made_in_this_stack(image), deprecate_at=EARLY)()

    preview = engine.preview(program)
    assert (preview.operations, preview.actions) == (["create"], [])
    engine.up(program)
    assert ec2.image(image).deprecation_time == EARLY
    again = engine.preview(program)
    assert (again.operations, again.mutations) == (["create-replacement", "delete-replaced"], [])
    up = engine.up(program)
    assert (up.operations, up.actions) == ([], [])


@pytest.mark.parametrize("key", ["deprecate_at", "region", "profile", "role_arn", "on_destroy"])
def test_any_input_may_be_unknown_at_preview(engine: Engine, image: str, key: str) -> None:
    def program() -> None:
        made(**({"image_id": image, "deprecate_at": EARLY} | {key: made_in_this_stack("x")}))()

    preview = engine.preview(program)
    assert (preview.operations, preview.mutations) == (["create"], [])


def test_user_agent_names_package_and_its_version(engine: Engine, image: str) -> None:
    up = engine.up(dated(image, EARLY))
    assert Counter(up.actions) == {
        "DescribeImages": 1,
        "GetCallerIdentity": 1,
        "EnableImageDeprecation": 1,
    }
    assert all(f"ami-deprecation/{__version__}" in call.user_agent for call in up.calls)


@pytest.mark.parametrize("key", ["image_id", "region", "profile", "role_arn"])
def test_new_image_region_profile_or_role_replaces(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, tmp_path: Path, key: str
) -> None:
    other = ec2.add_image("other")
    ec2.add_image("web", image_id=image, region="us-east-1")
    profiles = tmp_path / "credentials"
    profiles.write_text("[second]\naws_access_key_id = second\naws_secret_access_key = second\n")
    engine = make_engine(AWS_SHARED_CREDENTIALS_FILE=str(profiles))
    values = {
        "image_id": other,
        "region": "us-east-1",
        "profile": "second",
        "role_arn": f"arn:aws:iam::{ec2.account}:role/dates",
    }
    engine.up(made(image_id=image, deprecate_at=EARLY))
    moved = engine.up(made(**({"image_id": image, "deprecate_at": EARLY} | {key: values[key]})))
    assert moved.operations == ["create-replacement", "delete-replaced"]
    kept = key in ("profile", "role_arn")
    assert ec2.image(image).deprecation_time == (EARLY if kept else None)
