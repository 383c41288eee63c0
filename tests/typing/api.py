"""The public names as a program under `mypy --strict` uses them. It is checked, never run.

Every `type: ignore` stands for an error that a user must get: mypy complains when it is not needed any more.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

import pulumi

from ami_deprecation import (
    AmiDeprecation,
    AmiDeprecationError,
    AmiDeprecationPolicy,
    CredentialsError,
    EC2Unavailable,
    Image,
    ImageNotFound,
    InvalidInput,
    NotImageOwner,
    PermissionDenied,
    RequestRefused,
    Throttled,
    WrongAccount,
    get_images,
    get_images_output,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

IMAGE_ID = "ami-0123456789abcdef0"


def every_form_of_a_date(text: pulumi.Output[str], day: pulumi.Output[date], later: Awaitable[str]) -> None:
    AmiDeprecation("text", image_id=IMAGE_ID, deprecate_at="2027-06-01T00:00:00Z")
    AmiDeprecation("date", image_id=IMAGE_ID, deprecate_at=date(2027, 6, 1))
    AmiDeprecation("datetime", image_id=IMAGE_ID, deprecate_at=datetime(2027, 6, 1, tzinfo=timezone.utc))
    AmiDeprecation("output", image_id=text, deprecate_at=text)
    AmiDeprecation("output of a date", image_id=IMAGE_ID, deprecate_at=day)
    AmiDeprecation("awaitable", image_id=later, deprecate_at=later)


def every_argument(days: pulumi.Output[int], text: pulumi.Output[str], opts: pulumi.ResourceOptions) -> None:
    AmiDeprecation("after", image_id=IMAGE_ID, deprecate_after_days=365, on_destroy="cancel", opts=opts)
    AmiDeprecation("in", image_id=IMAGE_ID, deprecate_in_days=days, on_destroy="restore")
    AmiDeprecation("where", image_id=text, deprecate_in_days=0, region=text, profile=text, role_arn=text)
    AmiDeprecation("none", image_id=IMAGE_ID, deprecate_at=None, deprecate_after_days=None, region=None)


def every_output(made: AmiDeprecation) -> None:
    _text: tuple[pulumi.Output[str], ...] = (
        made.id,
        made.image_id,
        made.region,
        made.on_destroy,
        made.image_name,
        made.owner_id,
        made.creation_date,
    )
    _perhaps: tuple[pulumi.Output[str | None], ...] = (
        made.deprecate_at,
        made.profile,
        made.role_arn,
        made.deprecation_time,
        made.previous_deprecation_time,
    )
    _days: tuple[pulumi.Output[int | None], ...] = (made.deprecate_after_days, made.deprecate_in_days)


def what_a_type_checker_refuses(made: AmiDeprecation, none: pulumi.Output[None]) -> None:
    AmiDeprecation("no image", deprecate_at="2027-06-01")  # type: ignore[call-arg]
    AmiDeprecation("by place", IMAGE_ID)  # type: ignore[call-arg]
    AmiDeprecation("year", image_id=IMAGE_ID, deprecate_at=2030)  # type: ignore[arg-type]
    AmiDeprecation("days", image_id=IMAGE_ID, deprecate_after_days="365")  # type: ignore[arg-type]
    AmiDeprecation("word", image_id=IMAGE_ID, deprecate_in_days=1, on_destroy="keep")  # type: ignore[arg-type]
    AmiDeprecation("other", image_id=IMAGE_ID, deprecate_in_days=1, tags={})  # type: ignore[call-arg]
    AmiDeprecation("none", image_id=none, deprecate_in_days=1)  # type: ignore[arg-type]
    _sure: pulumi.Output[str] = made.deprecation_time  # type: ignore[assignment]


class Sub(AmiDeprecation):  # type: ignore[misc]
    """The resource is final: a subclass would have another type, and so another state."""


def the_tree_of_errors() -> None:
    _all: tuple[type[AmiDeprecationError], ...] = (
        CredentialsError,
        EC2Unavailable,
        ImageNotFound,
        InvalidInput,
        NotImageOwner,
        RequestRefused,
    )
    _credentials: tuple[type[CredentialsError], ...] = (PermissionDenied, WrongAccount)
    _unavailable: type[EC2Unavailable] = Throttled


def an_image(image: Image) -> None:
    _texts: tuple[str, ...] = (image.id, image.name, image.region, image.owner_id, image.state)
    _times: tuple[datetime | None, ...] = (
        image.creation_date,
        image.deprecation_time,
        image.last_launched_time,
    )
    _flags: tuple[bool, ...] = (
        image.public,
        image.is_deprecated(),
        image.is_deprecated(at=datetime.now(timezone.utc)),
    )
    _tags: Mapping[str, str] = image.tags
    image.name = "other"  # type: ignore[misc]


def reading_images(
    text: pulumi.Output[str], texts: pulumi.Output[list[str]], later: Awaitable[str], made: AmiDeprecation
) -> None:
    _now: list[Image] = get_images(
        owners="self", name=["web-*"], tags={"team": ("web", "shop")}, image_ids=[]
    )
    _later: pulumi.Output[list[Image]] = get_images_output(tags={"team": "web"})
    get_images_output(owners=texts, name=text, image_ids=texts, region=later, profile=text, role_arn=text)
    get_images_output(owners=["self", text], name=["web-*", later], image_ids=[made.image_id])
    get_images_output(tags={"team": text, "env": ["prod", text]}, filters=text.apply(lambda t: {"state": t}))
    get_images_output(opts=pulumi.InvokeOptions(parent=made), include_deprecated=text.apply(bool))
    get_images_output(opts=pulumi.InvokeOutputOptions(depends_on=[made]))
    get_images(name=text)  # type: ignore[arg-type]
    get_images_output(include_disabled="yes")  # type: ignore[arg-type]


def policies(text: pulumi.Output[str]) -> None:
    made = AmiDeprecationPolicy("fleet", name="web-*", keep_newest=3, in_use="skip", regions=["eu-west-1"])
    _children: Mapping[str, AmiDeprecation] = made.children
    AmiDeprecationPolicy("later", name=text, keep_newest=3)  # type: ignore[arg-type]
    AmiDeprecationPolicy("word", name="web-*", keep_newest=3, in_use="maybe")  # type: ignore[arg-type]
