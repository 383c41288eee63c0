"""The ready-to-use project's configuration: images by name, and every mistake with its path."""

from __future__ import annotations

import pytest

from ami_deprecation import InvalidInput
from ami_deprecation.doors import project
from tests.support.samples import IMAGE_ID

ROLE = "arn:aws:iam::123456789012:role/deprecator"
WEB = {"imageId": IMAGE_ID, "deprecateAt": "2027-06-01"}


def refused(images: object) -> list[str]:
    """The lines of what is said."""
    with pytest.raises(InvalidInput) as caught:
        project.images(images)
    return str(caught.value).splitlines()


def test_empty_configuration_is_no_images() -> None:
    assert project.images(None) == {}
    assert project.images({}) == {}


def test_every_key_becomes_argument() -> None:
    assert project.images(
        {
            "web": WEB,
            "api": {
                "imageId": "ami-01234567",
                "deprecateAfterDays": 365,
                "region": "eu-west-2",
                "profile": "images",
                "roleArn": ROLE,
                "onDestroy": "restore",
            },
            "soon": {"imageId": IMAGE_ID, "deprecateInDays": 0, "profile": None},
        }
    ) == {
        "web": {"image_id": IMAGE_ID, "deprecate_at": "2027-06-01"},
        "api": {
            "image_id": "ami-01234567",
            "deprecate_after_days": 365,
            "region": "eu-west-2",
            "profile": "images",
            "role_arn": ROLE,
            "on_destroy": "restore",
        },
        "soon": {"image_id": IMAGE_ID, "deprecate_in_days": 0},
    }


def test_unquoted_yaml_date_is_accepted() -> None:
    given = {"web": {"imageId": IMAGE_ID, "deprecateAt": "2028-06-01 00:00:00 +0000 UTC"}}
    assert project.images(given)["web"]["deprecate_at"] == "2028-06-01 00:00:00 +0000 UTC"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("image", "did you mean images?"),
        ("polices", "did you mean policies?"),
        ("web", "the keys are images, policies"),
        (
            "images.web.imageId",
            "set it with `pulumi config set --path 'ami-deprecation:images.web.imageId' VALUE`",
        ),
    ],
)
def test_unread_key_is_refused_with_suggestion(key: str, hint: str) -> None:
    good = ["aws:region", "ami-deprecation:images", "ami-deprecation:policies", "elsewhere:image"]
    project.check_keys(good)
    with pytest.raises(InvalidInput) as caught:
        project.check_keys([*good, f"ami-deprecation:{key}"])
    assert str(caught.value) == f"ami-deprecation:{key}: there is no such key: {hint}"


ONE_DATE = "set exactly one of deprecateAt, deprecateAfterDays, deprecateInDays"


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"imageId": "i-0123"}, ".imageId", "'i-0123' is not the id of an AMI"),
        ({"imageId": None}, ".imageId", "imageId is missing: give the id of an AMI"),
        ({"deprecateAt": 2030}, ".deprecateAt", "2030 is not a date but a number"),
        (
            {"deprecateAt": "2027-06-01T00:00:00"},
            ".deprecateAt",
            "'2027-06-01T00:00:00' has no time zone; write 2027-06-01T00:00:00Z",
        ),
        ({"deprecateAt": None}, "", f"no date is set: {ONE_DATE}"),
        ({"deprecateInDays": 3}, "", f"deprecateAt and deprecateInDays are set: {ONE_DATE}"),
        (
            {"deprecateAt": None, "deprecateAfterDays": "365"},
            ".deprecateAfterDays",
            "'365' is not a whole number of days from 0 to 36525",
        ),
        (
            {"deprecateAt": None, "deprecateInDays": -1},
            ".deprecateInDays",
            "-1 is not a whole number of days from 0 to 36525",
        ),
        ({"region": ""}, ".region", "'' is not the name of a Region"),
        ({"profile": 5}, ".profile", "5 is not the name of a profile"),
        ({"roleArn": "deprecator"}, ".roleArn", "'deprecator' is not the ARN of a role"),
        ({"onDestroy": "keep"}, ".onDestroy", '\'keep\' is neither "cancel" nor "restore"'),
    ],
)
def test_bad_value_is_one_sentence_with_its_path(change: dict[str, object], where: str, what: str) -> None:
    (line,) = refused({"web": WEB | change})
    assert line.startswith(f"ami-deprecation:images.web{where}: {what}")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("imageid", "did you mean imageId?"),
        ("image_id", "did you mean imageId?"),
        ("deprecatedAt", "did you mean deprecateAt?"),
        ("deprecateAfterDay", "did you mean deprecateAfterDays?"),
        ("rolearn", "did you mean roleArn?"),
        (
            "comment",
            "the keys are imageId, deprecateAt, deprecateAfterDays, deprecateInDays, region, profile, roleArn, onDestroy",
        ),
    ],
)
def test_unknown_key_is_refused_with_suggestion(key: str, hint: str) -> None:
    assert refused({"web": WEB | {key: "x"}}) == [
        f"ami-deprecation:images.web.{key}: there is no such key: {hint}"
    ]


@pytest.mark.parametrize("given", [None, IMAGE_ID, [WEB], 5])
def test_entry_of_wrong_type_is_refused(given: object) -> None:
    (line,) = refused({"web": given})
    assert line.startswith("ami-deprecation:images.web: it is not an object: give imageId, deprecateAt, ")


@pytest.mark.parametrize("given", ["web", [WEB], 5])
def test_images_of_wrong_type_show_command_to_set_them(given: object) -> None:
    (line,) = refused(given)
    assert line == (
        "ami-deprecation:images: it is not an object of names: set it with "
        "`pulumi config set --path 'ami-deprecation:images.NAME.KEY' VALUE`"
    )


def test_all_configuration_errors_are_reported_at_once() -> None:
    lines = refused(
        {
            "good": WEB,
            "bad": {"imageId": "x", "deprecateAt": "2030"},
            "typo": {"imageID": IMAGE_ID},
            "empty": None,
        }
    )
    assert [line.split(": ")[0] for line in lines] == [
        "ami-deprecation:images.bad.imageId",
        "ami-deprecation:images.bad.deprecateAt",
        "ami-deprecation:images.typo.imageID",
        "ami-deprecation:images.empty",
    ]
