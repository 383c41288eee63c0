"""The code that takes dates over: names, Python that is formatted, YAML that the project reads."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.cli.adopt import Extras, adoptions, as_python, as_yaml
from ami_deprecation.doors import project
from tests.support.cli_samples import NOW, image

ROLE = "arn:aws:iam::123456789012:role/images"
SOME = [
    image("web-2026-11", number=1, due=100),
    image("web-2026-11", number=2, due=100, region="us-east-1"),
    image("2026-01-01", number=3, due=200, public=True),
    image("golden base (linux)/1.0", number=4, due=-5),
    image("null", number=5, due=9),
    image("no-date", number=6),
]


def names(*given: tuple[str, str]) -> list[str]:
    made = [image(name, number=n, region=region, due=1) for n, (name, region) in enumerate(given, 1)]
    return [each.name for each in adoptions(made)]


def test_only_dated_images_are_adopted() -> None:
    assert [each.image.name for each in adoptions(SOME)] == [
        "2026-01-01",
        "golden base (linux)/1.0",
        "null",
        "web-2026-11",
        "web-2026-11",
    ]


def test_resources_are_named_after_their_images() -> None:
    assert names(("web-1", "eu-west-1"), ("golden base (linux)/1.0", "eu-west-1")) == [
        "golden-base-linux-1.0",
        "web-1",
    ]
    assert names(("", "eu-west-1")) == ["ami-00000000000000001"]
    assert names(("((", "eu-west-1")) == ["ami-00000000000000001"]


def test_same_names_get_region_then_id() -> None:
    assert names(("web", "eu-west-1"), ("web", "us-east-1")) == ["web-eu-west-1", "web-us-east-1"]
    assert names(("web", "eu-west-1"), ("web", "eu-west-1"), ("web", "us-east-1")) == [
        "web-eu-west-1-ami-00000000000000001",
        "web-eu-west-1-ami-00000000000000002",
        "web-us-east-1",
    ]


@given(
    st.lists(
        st.tuples(st.text(alphabet="ab-1. ", max_size=3), st.sampled_from(["a", "b", "a-b"])), max_size=8
    )
)
def test_resource_names_are_unique(given_names: list[tuple[str, str]]) -> None:
    made = names(*given_names)
    assert len(made) == len(given_names)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("extras", [Extras(), Extras(profile="prod", role_arn=ROLE, on_destroy="restore")])
@pytest.mark.parametrize("images", [SOME, []])
def test_python_output_is_ruff_formatted(images: list[object], extras: Extras) -> None:
    text = as_python(adoptions(images), extras, NOW)  # type: ignore[arg-type]
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert formatted.stdout == text


def test_python_output_declares_each_image_and_date() -> None:
    module = ast.parse(as_python(adoptions(SOME), Extras(role_arn=ROLE), NOW))
    calls = [
        node.value for node in module.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    declared = {
        ast.literal_eval(call.args[0]): {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
        for call in calls
    }
    assert declared["null"] == {
        "image_id": "ami-00000000000000005",
        "deprecate_at": "2027-01-24T12:00:00Z",
        "region": "eu-west-1",
        "role_arn": ROLE,
    }
    assert len(declared) == 5


@pytest.mark.parametrize("extras", [Extras(), Extras(profile="prod", role_arn=ROLE, on_destroy="restore")])
def test_yaml_output_is_read_by_project(extras: Extras) -> None:
    adopted = adoptions(SOME)
    config = yaml.safe_load(as_yaml(adopted, extras))["config"]
    read = project.images(config["ami-deprecation:images"])
    assert {name: each["image_id"] for name, each in read.items()} == {a.name: a.image.id for a in adopted}
    assert all(each.get("role_arn") == extras.role_arn for each in read.values())
    assert all(each.get("on_destroy") == extras.on_destroy for each in read.values())


def test_yaml_without_images_is_empty_configuration() -> None:
    assert yaml.safe_load(as_yaml([], Extras())) == {"config": {"ami-deprecation:images": {}}}


def test_public_image_is_marked_in_both() -> None:
    adopted = adoptions(SOME)
    for text in (as_python(adopted, Extras(), NOW), as_yaml(adopted, Extras())):
        assert text.count("# public: EC2 moves its date only to an earlier one, and does not cancel it") == 1


def test_dates_with_seconds_are_rounded_as_ec2_rounds() -> None:
    awss = image("old", due=0)
    odd = awss.creation_date.replace(second=0) + timedelta(days=9, seconds=52)
    made = adoptions([type(awss)(**{**vars(awss), "deprecation_time": odd})])
    rounded = datetime(odd.year, odd.month, odd.day, odd.hour, odd.minute + 1, tzinfo=timezone.utc)
    assert f'deprecate_at="{rounded:%Y-%m-%dT%H:%M:00Z}"' in as_python(made, Extras(), NOW)
