"""The native provider on the real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.dates import EARLY, LATE, ahead, text
from tests.support.native import TYPE, declare, use_provider

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

ROLE = "arn:aws:iam::123456789012:role/deprecator"


@pytest.fixture
def native(stack: Stack) -> Stack:
    """An empty stack whose programs may use the native provider."""
    use_provider(stack)
    return stack


def web(image: str, when: str) -> str:
    return f"Date('web', imageId='{image}', deprecateAt='{when}')"


def test_native_resource_lives_its_whole_life(native: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    declare(native, web(image, f"{EARLY:%Y-%m-%d}"))
    day = f"{EARLY:%Y-%m-%d}T00:00:00Z"
    preview = native.preview("--diff").output
    assert f'deprecationTime: "{day}"' in preview
    assert 'imageName      : "web"' in preview
    assert native.up().mutations == ["EnableImageDeprecation"]
    assert native.up().actions == []

    declare(native, web(image, str(text(LATE))))
    assert f'~ deprecateAt    : "{day}" => "{text(LATE)}"' in native.preview("--diff").output
    assert native.up().mutations == ["EnableImageDeprecation"]
    ec2.set_deprecation_time(image, EARLY)
    assert native.up("--refresh").mutations == ["EnableImageDeprecation"]
    assert ec2.image(image).deprecation_time == LATE

    declare(native, web(image, "2020-01-01"))
    refused = native.preview(check=False)
    assert refused.code != 0
    assert (
        "property deprecateAt value {2020-01-01} has a problem: 2020-01-01T00:00:00Z is in the past"
        in refused.output
    )
    assert "deprecateInDays=0" in refused.output
    gone = native.destroy()
    assert gone.mutations == ["DisableImageDeprecation"]
    row = gone.output.partition("Diagnostics:")[2]
    assert (
        f"{TYPE} (web):\n    ami-deprecation: {image} in eu-west-1: the date {text(LATE)} is canceled" in row
    )


def test_failed_create_is_one_clean_line(native: Stack, ec2: LocalEC2) -> None:
    declare(native, "Date('web', imageId='ami-0123456789abcdef0', deprecateInDays=30)")
    ec2.faults.add("DescribeImages", code="UnauthorizedOperation", times=100)
    failed = native.up(check=False)
    assert "Traceback" not in failed.output
    assert "<class" not in failed.output
    assert "ec2:DescribeImages" in failed.output


@pytest.mark.parametrize("prefix", ["eu-west-1/", ""], ids=["with-region", "bare"])
def test_import_takes_date_over(native: Stack, ec2: LocalEC2, prefix: str) -> None:
    image = ec2.add_image("old", deprecation_time=EARLY)
    declare(native)
    done = native.run(
        "import", TYPE, "old", f"{prefix}{image}", "--yes", "--protect=false", "--generate-code=false"
    )
    assert done.mutations == []
    [entry] = native.resources(TYPE)
    assert entry["id"] == f"eu-west-1/{image}"
    declare(native, f"Date('old', imageId='{image}', deprecateAt='{text(EARLY)}')")
    assert "2 unchanged" in native.preview("--refresh").output
    assert native.up().mutations == []
    assert native.destroy().mutations == []  # it was there before
    assert ec2.image(image).deprecation_time == EARLY


@pytest.mark.parametrize(
    ("id_", "sentence"),
    [
        (
            "eu-west-1/ami-0123456789abcdef0",
            "ami-0123456789abcdef0 is not found in eu-west-1: check the image id",
        ),
        ("web", "'web' is not the id of a resource: it is REGION/IMAGE"),
        (None, "has no deprecation date, so there is nothing to import"),
    ],
    ids=["absent", "malformed", "undated"],
)
def test_import_without_date_is_one_sentence(
    native: Stack, ec2: LocalEC2, id_: str | None, sentence: str
) -> None:
    declare(native)
    wanted = ec2.add_image("bare") if id_ is None else id_
    refused = native.run("import", TYPE, "web", wanted, "--yes", check=False)
    assert refused.code != 0
    assert sentence in refused.output
    assert "Traceback" not in refused.output
    assert native.resources(TYPE) == []


def test_state_has_no_credential_in_clear(native: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    secrets = {key: f"clear-{key}" for key in ("accessKey", "secretKey", "token")}
    config = {f"ami-deprecation:{key}": value for key, value in secrets.items()}
    native.config(
        config
        | {
            "ami-deprecation:region": "eu-west-1",
            "ami-deprecation:allowedAccountIds": ["123456789012"],
            "ami-deprecation:forbiddenAccountIds": ["210987654321"],
        }
    )
    explicit = ", ".join(f"{key}='{value}'" for key, value in secrets.items())
    declare(
        native,
        f"own = Native('own', region='eu-west-1', {explicit})",
        web(image, str(text(EARLY))).replace(
            "Date('web'", "Date('web', pulumi.ResourceOptions(provider=own)"
        ),
        f"Date('other', imageId='{ec2.add_image('other')}', deprecateInDays=30)",
    )
    native.up()
    state = json.dumps(native.state())
    assert "clear-" not in state
    assert len(native.resources(TYPE)) == 2


def test_configuration_mistake_is_one_sentence(native: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    native.config({"ami-deprecation:region": "eu-west-1", "ami-deprecation:accessKey": "AKIA"})
    declare(native, web(image, str(text(EARLY))))
    refused = native.preview(check=False)
    assert "accessKey is set without secretKey: set both as secrets, or neither of them" in refused.output
    assert "Traceback" not in refused.output


def test_misspelled_property_is_refused(native: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    declare(native, f"Date('web', imageId='{image}', deprecateInDays=30, onDestory='restore')")
    refused = native.preview(check=False)
    assert "there is no such property: did you mean onDestroy?" in refused.output
    assert refused.actions == []


def test_functions_read_images(native: Stack, ec2: LocalEC2) -> None:
    old = ec2.add_image("base-1", created=ahead(-20), deprecation_time=EARLY, tags={"Team": "web"})
    new = ec2.add_image("base-2", created=ahead(-10), tags={"Team": "web"})
    declare(
        native,
        "images = pulumi.runtime.invoke('ami-deprecation:index:getImages', {'name': 'base-*', 'tags': {'Team': 'web'}})",
        "pulumi.export('ids', [each['id'] for each in images.value['images']])",
        f"one = pulumi.runtime.invoke('ami-deprecation:index:getImage', {{'imageId': '{old}'}})",
        "pulumi.export('date', one.value['deprecationTime'])",
    )
    native.up()
    assert native.outputs() == {"ids": [new, old], "date": text(EARLY)}


def test_get_image_looks_twice_and_not_at_deregistered_ones(native: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web")
    declare(
        native,
        f"one = pulumi.runtime.invoke('ami-deprecation:index:getImage', {{'imageId': '{image}'}})",
        "pulumi.export('name', one.value['name'])",
    )
    wrong = ec2.faults.add("DescribeImages", code="InvalidAMIID.NotFound")
    native.up()
    assert (native.outputs(), wrong.played) == ({"name": "web"}, 1)
    ec2.set_state(image, "deregistered")
    assert f"{image} is deregistered in eu-west-1: check the image id" in native.up(check=False).output


def test_create_timeout_bounds_wait_for_pending(native: Stack, ec2: LocalEC2) -> None:
    image = ec2.add_image("web", state="pending")
    options = "pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='1s'))"
    declare(native, f"Date('web', {options}, imageId='{image}', deprecateInDays=30)")
    failed = native.up(check=False)
    assert "is still pending after 1 seconds" in failed.output
