"""Inputs: what a program may give, and every mistake in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_deprecation.core import inputs, keys
from ami_deprecation.core.inputs import UNKNOWN, AfterDays, At, InDays, Notice, Schedule
from tests.support.samples import IMAGE_ID, SUMMER

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLE = "arn:aws:iam::123456789012:role/deprecator"
GOOD = {"image_id": IMAGE_ID, "deprecate_at": "2027-06-01"}


def problems(**changes: object) -> list[tuple[str, str]]:
    """(property, sentence) of everything that is wrong."""
    return [(each.property, each.sentence) for each in inputs.parse(GOOD | changes)[1]]


def test_minimal_arguments_are_accepted() -> None:
    value, wrong = inputs.parse(GOOD)
    assert wrong == []
    assert value == inputs.Inputs(image_id=IMAGE_ID, schedule=At(SUMMER))
    assert (value.region, value.profile, value.role_arn, value.on_destroy) == (None, None, None, "cancel")


def test_all_arguments_are_accepted() -> None:
    value, wrong = inputs.parse(
        {
            "image_id": "ami-01234567",
            "deprecate_in_days": 30.0,  # numbers are floats on the wire
            "region": "eu-west-2",
            "profile": "images",
            "role_arn": ROLE,
            "on_destroy": "restore",
            "__resource": "web",
            "__aws": {"region": "eu-west-2"},
        }
    )
    assert wrong == []
    assert value == inputs.Inputs(
        image_id="ami-01234567",
        schedule=InDays(30),
        region="eu-west-2",
        profile="images",
        role_arn=ROLE,
        on_destroy="restore",
        resource="web",
        aws={"region": "eu-west-2"},
    )


def test_unknown_input_is_no_problem() -> None:
    keys = ("image_id", "deprecate_at", "region", "profile", "role_arn", "on_destroy", "__aws")
    value, wrong = inputs.parse(dict.fromkeys(keys, UNKNOWN))
    assert wrong == []
    assert (value.image_id, value.schedule, value.region) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert (value.profile, value.role_arn, value.on_destroy, value.aws) == (
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
    )


@pytest.mark.parametrize(
    "image_id",
    [
        "ami-0123456789abcdef",  # 16
        "ami-0123456789abcdef01",
        "ami-0123456",
        "ami-012345678",
        "ami-0123456789ABCDEF0",
        "AMI-0123456789abcdef0",
        "ami-0123456789abcdefg",
        "ami_0123456789abcdef0",
        "i-0123456789abcdef0",
        "snap-0123456789abcdef0",
        "0123456789abcdef0",
        " ami-0123456789abcdef0",
        "ami-0123456789abcdef0 ",
        "ami-0123456789abcdef0\n",
        "ami-\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "ami-",
        "",
        123.0,
        True,
        ["ami-0123456789abcdef0"],
    ],
)
def test_invalid_image_id_is_refused_by_name(image_id: object) -> None:
    ((named, sentence),) = problems(image_id=image_id)
    assert named == "image_id"
    assert sentence.startswith(f"{image_id!r} is not the id of an AMI")
    assert "8 or 17 lower-case hexadecimal digits" in sentence


def test_missing_image_id_is_asked_for() -> None:
    assert problems(image_id=None) == [
        ("image_id", "image_id is missing: give the id of an AMI, like ami-0123456789abcdef0")
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "no date is set"),
        (("deprecate_at", "deprecate_in_days"), "deprecate_at and deprecate_in_days are set"),
        (keys.SCHEDULE_KEYS, "deprecate_at, deprecate_after_days and deprecate_in_days are set"),
    ],
)
def test_exactly_one_way_to_give_date(given: tuple[str, ...], sentence: str) -> None:
    values = {"deprecate_at": "2027-06-01", "deprecate_after_days": 1.0, "deprecate_in_days": 1.0}
    props = {"image_id": IMAGE_ID} | {key: values[key] for key in given}
    assert [(each.property, each.sentence) for each in inputs.parse(props)[1]] == [
        ("", f"{sentence}: set exactly one of deprecate_at, deprecate_after_days, deprecate_in_days")
    ]


def test_unknown_date_counts_as_given() -> None:
    ((_, sentence),) = problems(deprecate_in_days=UNKNOWN)
    assert sentence.startswith("deprecate_at and deprecate_in_days are set")


def test_bad_date_is_problem_of_its_property() -> None:
    ((named, sentence),) = problems(deprecate_at="2030")
    assert named == "deprecate_at"
    assert sentence.startswith("'2030' is not a date in RFC 3339")


@pytest.mark.parametrize("key", ["deprecate_after_days", "deprecate_in_days"])
@pytest.mark.parametrize("days", [0, 1, 365.0, 36525])
def test_days_are_whole_numbers(key: str, days: float) -> None:
    value, wrong = inputs.parse({"image_id": IMAGE_ID, key: days})
    assert wrong == []
    assert value.schedule == (AfterDays if key == "deprecate_after_days" else InDays)(int(days))


@pytest.mark.parametrize("key", ["deprecate_after_days", "deprecate_in_days"])
@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (-1.0, "-1"),
        (0.5, "0.5"),
        (36526.0, "36526"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        ("30", "'30'"),
        ("", "''"),
        (True, "True"),
        (False, "False"),
        ([30.0], "[30.0]"),
    ],
)
def test_other_numbers_of_days_are_refused_by_name(key: str, days: object, shown: str) -> None:
    _, (wrong,) = inputs.parse({"image_id": IMAGE_ID, key: days})
    assert wrong.property == key
    assert wrong.sentence == f"{shown} is not a whole number of days from 0 to 36525"


@pytest.mark.parametrize(
    "arn",
    [
        ROLE,
        "arn:aws:iam::123456789012:role/path/to/name+=,.@-_",
        "arn:aws-cn:iam::123456789012:role/name",
        "arn:aws-us-gov:iam::123456789012:role/name",
    ],
)
def test_roles_of_every_partition_are_taken(arn: str) -> None:
    assert problems(role_arn=arn) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("role_arn", "deprecator"),
        ("role_arn", "arn:aws:iam::12345678901:role/name"),
        ("role_arn", "arn:aws:iam::123456789012:user/name"),
        ("role_arn", "arn:aws:sts::123456789012:assumed-role/name/session"),
        ("role_arn", ROLE + "\n"),
        ("role_arn", ""),
        ("role_arn", 1.0),
        ("region", ""),
        ("region", " "),
        ("region", 1.0),
        ("profile", ""),
        ("profile", True),
    ],
)
def test_non_text_inputs_are_refused_by_name(key: str, value: object) -> None:
    ((named, sentence),) = problems(**{key: value})
    assert named == key
    assert sentence.startswith(f"{value!r} is not the ")


@pytest.mark.parametrize("value", ["Cancel", "keep", "", True, 1.0])
def test_on_destroy_is_cancel_or_restore(value: object) -> None:
    assert problems(on_destroy=value) == [("on_destroy", f'{value!r} is neither "cancel" nor "restore"')]


def test_all_problems_are_reported_at_once() -> None:
    wrong = problems(image_id="i-1", deprecate_at=2030.0, role_arn="me", on_destroy="never", profile="")
    assert [named for named, _ in wrong] == ["image_id", "deprecate_at", "profile", "role_arn", "on_destroy"]


def test_provider_problem_names_no_property() -> None:
    assert problems(__provider_problem="opts.provider carries a token") == [
        ("", "opts.provider carries a token")
    ]


@pytest.mark.parametrize(
    ("schedule", "props"),
    [
        (At(SUMMER), {"deprecate_at": "2027-06-01T00:00:00Z"}),
        (AfterDays(365), {"deprecate_after_days": 365}),
        (InDays(30), {"deprecate_in_days": 30}),
        (Notice(30), {"deprecate_in_days": 30, "__once": True}),
    ],
)
def test_normal_form_of_schedule_is_read_back(schedule: Schedule, props: Mapping[str, object]) -> None:
    written = inputs.to_props(inputs.Inputs(IMAGE_ID, schedule))
    assert written == {"image_id": IMAGE_ID, "on_destroy": "cancel", **props}
    read = inputs.parse({"image_id": IMAGE_ID, **props})[0].schedule
    assert (type(read), read) == (type(schedule), schedule)


def test_policys_notice_differs_from_programs_days() -> None:
    assert Notice(30) == Notice(60)
    once: object = Notice(30)
    assert once != InDays(30)


wire = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
any_key = st.sampled_from(
    [
        *GOOD,
        *keys.SCHEDULE_KEYS,
        "region",
        "profile",
        "role_arn",
        "on_destroy",
        "__aws",
        "__resource",
        "__once",
    ]
)


@given(st.dictionaries(any_key, wire))
def test_any_input_is_value_or_problem(props: Mapping[str, object]) -> None:
    value, wrong = inputs.parse(props)
    assert {each.property for each in wrong} <= {"", *props, "image_id"}
    assert all(each.sentence and "\n" not in each.sentence for each in wrong)
    if not wrong:
        assert inputs.parse(inputs.to_props(value)) == (value, [])
