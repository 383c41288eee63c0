"""The resource, as a program declares it and the engine gets it."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pulumi
import pytest

import ami_deprecation
from ami_deprecation import AmiDeprecation
from ami_deprecation.provider import AmiDeprecationProvider
from tests.support.declare import declare, declared
from tests.support.samples import IMAGE_ID

#: What stands as `__provider` in every user's state, by pickle protocol (Python 3.14 has another default). It must
#: not change: a state that names what is no longer there can be neither refreshed nor destroyed.
PICKLES = {
    4: "gASVOgAAAAAAAACMGGFtaV9kZXByZWNhdGlvbi5wcm92aWRlcpSMFkFtaURlcHJlY2F0aW9uUHJvdmlkZXKUk5QpgZQu",
    5: "gAWVOgAAAAAAAACMGGFtaV9kZXByZWNhdGlvbi5wcm92aWRlcpSMFkFtaURlcHJlY2F0aW9uUHJvdmlkZXKUk5QpgZQu",
}


def web(**inputs: Any) -> dict[str, Any]:
    """The inputs of one declaration."""
    return declared(lambda: AmiDeprecation("web", image_id=IMAGE_ID, **inputs))


def test_public_names_are_pinned() -> None:
    assert ami_deprecation.__all__ == [
        "AmiDeprecation",
        "AmiDeprecationError",
        "AmiDeprecationPolicy",
        "CredentialsError",
        "EC2Unavailable",
        "Image",
        "ImageNotFound",
        "InvalidInput",
        "NotImageOwner",
        "PermissionDenied",
        "RequestRefused",
        "Scan",
        "Throttled",
        "WrongAccount",
        "__version__",
        "declare_from_config",
        "get_images",
        "get_images_output",
    ]
    assert all(hasattr(ami_deprecation, name) for name in ami_deprecation.__all__)


def test_resource_type_is_pinned() -> None:
    (made,) = declare(lambda: AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at="2027-06-01"))
    assert (made.type, made.name) == ("pulumi-python:dynamic/ec2:AmiDeprecation", "web")


def test_pickled_provider_is_pinned_and_not_secret() -> None:
    (made,) = declare(lambda: AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at="2027-06-01"))
    assert made.inputs["__provider"] == PICKLES[pickle.DEFAULT_PROTOCOL]
    assert AmiDeprecationProvider.serialize_as_secret_always is False


def test_provider_has_no_state_to_pickle() -> None:
    assert vars(AmiDeprecationProvider()) == {}
    with pytest.raises(TypeError):
        AmiDeprecationProvider("something")  # type: ignore[call-arg]  # what is tried


def test_subclass_cannot_change_type() -> None:
    assert getattr(AmiDeprecation, "__final__", sys.version_info < (3, 11))


def test_program_declares_thousands_of_resources() -> None:
    """As 3,000 would fare with Python's limit of 1,000 frames, in a quarter of the time.

    In a process of its own: what the SDK leaves behind in `pickle` with every resource would stay in this one.
    """
    program = """
import asyncio, os, sys
from pulumi.runtime.mocks import Mocks, set_mocks
from ami_deprecation import AmiDeprecation

async def construct():
    set_mocks(Mocks)
    for number in range(750):
        AmiDeprecation(f"r{number}", image_id="ami-01234567", deprecate_at="2027-06-01")
        sys.setrecursionlimit(250)
    print("all", flush=True)
    os._exit(0)  # constructed is enough: their registration is the engine's

asyncio.run(construct())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all\n", "")


def test_omitted_arguments_are_not_sent() -> None:
    assert web(deprecate_at="2027-06-01") == {
        "image_id": IMAGE_ID,
        "deprecate_at": "2027-06-01",
        "on_destroy": "cancel",
        "__resource": "web",
    }


def test_arguments_are_sent_under_their_names() -> None:
    assert web(
        deprecate_after_days=365,
        region="eu-west-2",
        profile="images",
        role_arn="arn:aws:iam::123456789012:role/deprecator",
        on_destroy="restore",
    ) == {
        "image_id": IMAGE_ID,
        "deprecate_after_days": 365,
        "region": "eu-west-2",
        "profile": "images",
        "role_arn": "arn:aws:iam::123456789012:role/deprecator",
        "on_destroy": "restore",
        "__resource": "web",
    }
    assert web(deprecate_in_days=0)["deprecate_in_days"] == 0


CEST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2027-06-01T00:00:00+02:00", "2027-06-01T00:00:00+02:00"),
        (date(2027, 6, 1), "2027-06-01"),
        (datetime(2027, 6, 1, tzinfo=timezone.utc), "2027-06-01T00:00:00+00:00"),
        (datetime(2027, 6, 1, 2, 0, 30, 500, tzinfo=CEST), "2027-06-01T02:00:30.000500+02:00"),
        # What cannot be meant is for check to refuse, by name and in the preview; here it only has to arrive.
        (datetime(2027, 6, 1), "2027-06-01T00:00:00"),  # noqa: DTZ001  # a naive one
        ("", ""),
        (2030, 2030),
        (1.5e9, 1.5e9),
        (True, True),
        (timedelta(days=3), "datetime.timedelta(days=3)"),
        (Decimal(2030), "Decimal('2030')"),
        (b"2027-06-01", "b'2027-06-01'"),
        (["2027-06-01"], "['2027-06-01']"),
        (datetime(2027, 6, 1).time(), "datetime.time(0, 0)"),  # noqa: DTZ001
    ],
)
@pytest.mark.parametrize("form", ["plain", "output", "awaitable"])
def test_every_form_of_date_is_sent(given: Any, sent: object, form: str) -> None:
    async def later() -> Any:
        await asyncio.sleep(0)
        return given

    def program() -> None:
        values = {
            "plain": lambda: given,
            "output": lambda: pulumi.Output.from_input(given),
            "awaitable": later,
        }
        AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at=values[form]())

    assert declared(program)["deprecate_at"] == sent


@pytest.mark.parametrize("key", ["deprecate_after_days", "deprecate_in_days"])
def test_days_of_another_type_are_sent_as_text(key: str) -> None:
    assert web(**{key: timedelta(days=3)})[key] == "datetime.timedelta(days=3)"
    assert web(**{key: "3"})[key] == "3"
    assert (
        declared(
            lambda: AmiDeprecation("web", image_id=IMAGE_ID, **{key: pulumi.Output.from_input(3)})  # type: ignore[arg-type]
        )[key]
        == 3
    )


def test_secret_date_stays_secret() -> None:
    sent = declared(
        lambda: AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at=pulumi.Output.secret(date(2027, 6, 1)))
    )["deprecate_at"]
    assert isinstance(sent, dict), "the envelope of a secret"
    assert sent["value"] == "2027-06-01"


def test_outputs_can_be_used_before_they_are_known() -> None:
    names = {
        "image_id",
        "deprecate_at",
        "deprecate_after_days",
        "deprecate_in_days",
        "region",
        "profile",
        "role_arn",
        "on_destroy",
        "deprecation_time",
        "image_name",
        "owner_id",
        "creation_date",
        "previous_deprecation_time",
    }
    outputs: dict[str, object] = {}

    def program() -> None:
        made = AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at="2027-06-01")
        outputs.update({name: getattr(made, name) for name in names})

    declare(program)
    assert {name for name, value in outputs.items() if isinstance(value, pulumi.Output)} == names
    annotated = AmiDeprecation.__annotations__
    assert {name for name, hint in annotated.items() if "pulumi.Output[" in str(hint)} == names


def test_options_are_kept_and_users_object_is_left_alone() -> None:
    options = pulumi.ResourceOptions(protect=True)
    before = dict(vars(options))
    (made,) = declare(
        lambda: AmiDeprecation("web", image_id=IMAGE_ID, deprecate_at="2027-06-01", opts=options)
    )
    assert made.protect
    assert vars(options) == before


def test_every_argument_and_output_is_documented() -> None:
    lines = Path(ami_deprecation.__file__).with_name("resource.py").read_text().splitlines()
    outputs = [
        number for number, line in enumerate(lines) if line.startswith("    ") and ": pulumi.Output[" in line
    ]
    declared_ones = [number for number in outputs if "=" not in lines[number]]
    assert len(declared_ones) == 13
    assert all(lines[number - 1].lstrip().startswith("#:") for number in declared_ones)
    for argument in AmiDeprecation.__init__.__annotations__.keys() - {"return"}:
        assert f" {argument}: " in (AmiDeprecation.__init__.__doc__ or "")
