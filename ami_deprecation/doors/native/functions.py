"""The functions ``getImages`` and ``getImage``: images as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import dates
from ...core import inputs, rules, targets
from ...core.check import look_twice
from ...core.inputs import Unknown
from ...errors import InvalidInput
from ...image import GONE_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...core.run import Run
    from ...ec2 import Target
    from ...image import Image, Scan

GET_IMAGE = "ami-deprecation:index:getImage"
GET_IMAGES = "ami-deprecation:index:getImages"
_FLAGS = ("includeDeprecated", "includeDisabled")
_LISTS = ("owners", "executableUsers", "imageIds")
_MAPS = ("filters", "tags")


def get_image(run: Run, given: Mapping[str, object]) -> dict[str, object]:
    """One image, by its id."""
    image_id = inputs.check_image_id("imageId", given.get("imageId"))
    target = _target(run, given)
    image = look_twice(run, target, image_id, 0)
    if image is None or image.state in GONE_STATES:
        raise rules.not_there(image, image_id, target.region).as_error(image_id, target.region)
    return as_value(image)


def get_images(run: Run, given: Mapping[str, object]) -> dict[str, object]:
    """The images that match, newest first: the arguments of Python's ``get_images`` in camelCase."""
    for key in _FLAGS:
        if not isinstance(given.get(key, False), bool):
            raise InvalidInput(f"{key}: {given[key]!r} is neither true nor false")
    filters, tags = (_by_key(key, given.get(key)) for key in _MAPS)
    owners, users, ids = (_texts(key, given.get(key)) for key in _LISTS)
    images = run.ec2.list_images(
        _target(run, given),
        owners=("self",) if owners is None else owners,
        executable_users=users or (),
        name=_texts("name", given.get("name")),
        filters=filters,
        tags=tags,
        image_ids=None if ids is None else [inputs.check_image_id("imageIds", each) for each in ids],
        include_deprecated=given.get("includeDeprecated") is True,
        include_disabled=given.get("includeDisabled") is True,
    )
    return {"images": [as_value(image) for image in images]}


FUNCTIONS: dict[str, Callable[[Run, Mapping[str, object]], dict[str, object]]] = {
    GET_IMAGE: get_image,
    GET_IMAGES: get_images,
}


def as_value(image: Image) -> dict[str, object]:
    """An image as programs of every language get it; what is not known is absent."""
    value = {
        "id": image.id,
        "name": image.name,
        "region": image.region,
        "ownerId": image.owner_id,
        "creationDate": dates.to_exact_text(image.creation_date),
        "deprecationTime": None if image.date is None else dates.to_text(image.date),
        "state": image.state,
        "public": image.public,
        "tags": dict(image.tags),
        "lastLaunchedTime": None
        if image.last_launched_time is None
        else dates.to_exact_text(image.last_launched_time),
        "architecture": image.architecture,
        "platform": image.platform,
        "description": image.description,
        "ownerAlias": image.owner_alias,
        "deregistrationProtection": image.deregistration_protection,
        "publicSsmParameterName": image.public_ssm_parameter_name,
        "sourceImageId": image.source_image_id,
        "sourceImageRegion": image.source_image_region,
        "imageAllowed": image.image_allowed,
        "watermarks": list(image.watermarks),
        "scan": None if image.scan is None else _scan(image.scan),
    }
    return _known(value)


def _scan(scan: Scan) -> dict[str, object]:
    return _known(
        {
            "highestSeverity": scan.highest_severity,
            "scannedAt": None if scan.scanned_at is None else dates.to_exact_text(scan.scanned_at),
            "fixAvailableSince": {
                severity: dates.to_exact_text(since) for severity, since in scan.fix_available_since.items()
            },
        }
    )


def _known(value: Mapping[str, object]) -> dict[str, object]:
    return {key: each for key, each in value.items() if each is not None}


def _target(run: Run, given: Mapping[str, object]) -> Target:
    region, profile, role = (_text(key, given.get(key)) for key in ("region", "profile", "roleArn"))
    if role is not None:
        inputs.check_role_arn(role)
    return targets.resolve(run.ec2, run.stack, region=region, profile=profile, role_arn=role)


def _text(key: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, Unknown):
        raise InvalidInput(f"{key} has to be known")
    raise InvalidInput(f"{key}: {value!r} is not a text")


def _texts(key: str, value: object) -> list[str] | None:
    """One text or a list of texts."""
    if value is None:
        return None
    several = value if isinstance(value, list) else [value]
    texts = [each for each in several if isinstance(each, str)]
    if len(texts) < len(several):
        raise InvalidInput(f"{key}: {value!r} is not a text or a list of texts")
    return texts


def _by_key(key: str, value: object) -> dict[str, list[str]] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInput(f"{key}: {value!r} is not an object of texts")
    return {str(name): _texts(f"{key}.{name}", each) or [] for name, each in value.items()}
