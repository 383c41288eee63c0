"""Reading many images at once: listings page by page, who uses them, and in which Regions they can be."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..errors import ImageNotFound
from ..image import GONE_STATES
from . import translate
from .reads import describe
from .transport import Target, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import (
        DescribeImageReferencesRequestTypeDef,
        DescribeImageReferencesResultTypeDef,
        DescribeImagesRequestTypeDef,
        DescribeRegionsResultTypeDef,
        FilterTypeDef,
    )

    from ..image import Image

__all__ = [
    "Reference",
    "Values",
    "image_references",
    "list_images",
    "list_regions",
]

logger = logging.getLogger("ami_deprecation")

#: DescribeImages' own maximum of a page.
_PAGE = 1000
#: So many ids in one call: the request stays short, and one absent id spoils no more than these.
_MOST_IDS = 200
#: DescribeImageReferences' own maximum.
_MOST_REFERENCED = 10

#: What a filter asks for: one value or any of several; ``*`` and ``?`` are EC2's wildcards.
Values: TypeAlias = "str | Sequence[str]"


@dataclass(frozen=True)
class Reference:
    """A resource of the account that uses an image.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImageReference.html
    """

    #: ``ec2:Instance``, ``ec2:LaunchTemplate``, ``ssm:Parameter``, ``imagebuilder:ImageRecipe``, ….
    resource_type: str
    arn: str


def list_images(  # one parameter for each of DescribeImages'  # noqa: PLR0913
    target: Target,
    *,
    owners: Sequence[str] = ("self",),
    executable_users: Sequence[str] = (),
    name: Values | None = None,
    tags: Mapping[str, Values] | None = None,
    filters: Mapping[str, Values] | None = None,
    image_ids: Sequence[str] | None = None,
    include_deprecated: bool = True,
    include_disabled: bool = False,
    on_page: Callable[[int], None] | None = None,
    unusable: list[str] | None = None,
) -> list[Image]:
    """All images of a Region that answer a query, newest first; of one age, by their ids.

    Every page is asked for, so an account with 20,000 images takes 20 calls. Deregistered images,
    which EC2 goes on showing for a short while, are left out.

    Args:
        target: as whom and where.
        owners: ``self``, account ids, ``amazon``, ``aws-marketplace``; empty: everybody's that can be seen.
        executable_users: only images that these may launch: account ids, ``self``, or ``all`` for public ones.
        name: EC2's ``name`` filter, with its wildcards.
        tags: key to value or values; ``*`` for any.
        filters: any other filter of DescribeImages, by name.
        image_ids: only these; an empty list gives none, without a call.
        include_deprecated: other accounts' deprecated images too; one's own are always shown.
        include_disabled: one's own disabled images too.
        on_page: told the number of images so far, after each call.
        unusable: gets the ids of images without a usable creation date, which are left out; without it they are
            named in a warning.

    Raises:
        ImageNotFound: one of ``image_ids`` is unknown (EC2 then refuses the whole call).
        AmiDeprecationError: one of its other subclasses, when EC2 does not answer or not to us.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
    """
    query: DescribeImagesRequestTypeDef = {
        "IncludeDeprecated": include_deprecated,
        "IncludeDisabled": include_disabled,
    }
    if owners:
        query["Owners"] = list(owners)
    if executable_users:
        query["ExecutableUsers"] = list(executable_users)
    asked = _filters(name, tags, filters)
    if asked:
        query["Filters"] = asked
    found: dict[str, Image] = {}
    odd: list[str] = [] if unusable is None else unusable
    for page in _pages(target, query, image_ids, odd):
        # A listing that changes under way can show an image twice.
        found.update({image.id: image for image in page if image.state not in GONE_STATES})
        if on_page is not None:
            on_page(len(found))
    if unusable is None and odd:
        logger.warning(
            "%s in %s left out, because EC2 gives no usable creation date", ", ".join(odd), target.region
        )
    return sorted(sorted(found.values(), key=lambda i: i.id), key=lambda i: i.creation_date, reverse=True)


def _filters(
    name: Values | None, tags: Mapping[str, Values] | None, others: Mapping[str, Values] | None
) -> list[FilterTypeDef]:
    wanted: dict[str, Values] = {} if name is None else {"name": name}
    wanted.update({f"tag:{key}": value for key, value in (tags or {}).items()})
    wanted.update(others or {})
    return [
        {"Name": key, "Values": [value] if isinstance(value, str) else list(value)}
        for key, value in wanted.items()
    ]


def _pages(
    target: Target,
    query: DescribeImagesRequestTypeDef,
    image_ids: Sequence[str] | None,
    unusable: list[str],
) -> Iterator[list[Image]]:
    if image_ids is not None:
        for some in _chunks(image_ids, _MOST_IDS):
            what = f"{', '.join(some)} in {target.region}"
            yield describe(target, {**query, "ImageIds": some}, what=what, unusable=unusable)[0]
        return
    token: str | None = None
    while True:
        request: DescribeImagesRequestTypeDef = {**query, "MaxResults": _PAGE}
        if token:
            request["NextToken"] = token
        images, token = describe(target, request, what=f"the images in {target.region}", unusable=unusable)
        yield images
        if not token:
            return


def _chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """Without doubles, in their order."""
    each = list(dict.fromkeys(ids))
    for start in range(0, len(each), size):
        yield each[start : start + size]


def image_references(
    target: Target, image_ids: Sequence[str], *, on_page: Callable[[int], None] | None = None
) -> dict[str, list[Reference]]:
    """Which resources of the caller's account use each of these images, in this Region.

    Instances, launch templates, SSM parameters and Image Builder recipes; other accounts' are not seen.
    Ten images a call.

    Args:
        target: as whom and where.
        image_ids: the images; one that is gone has no references.
        on_page: told the number of images looked at so far, after each call.

    Returns:
        Every id that was asked for, to its references (an empty list when nothing uses it).

    Raises:
        AmiDeprecationError: one of its subclasses, when EC2 does not answer or not to us.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html
    """
    found: dict[str, list[Reference]] = {image_id: [] for image_id in image_ids}
    done = 0
    for some in _chunks(image_ids, _MOST_REFERENCED):
        for image_id, reference in _references_of(target, some):
            if reference not in found.setdefault(image_id, []):
                found[image_id].append(reference)
        done += len(some)
        if on_page is not None:
            on_page(done)
    return found


def _references_of(target: Target, ids: list[str]) -> list[tuple[str, Reference]]:
    try:
        return list(_reference_pages(target, ids))
    except ImageNotFound:
        if len(ids) == 1:
            return []
        return [pair for each in ids for pair in _references_of(target, [each])]


def _reference_pages(target: Target, ids: list[str]) -> Iterator[tuple[str, Reference]]:
    token: str | None = None
    while True:
        request: DescribeImageReferencesRequestTypeDef = {"ImageIds": ids, "IncludeAllResourceTypes": True}
        if token:
            request["NextToken"] = token
        response = _ask_references(target, request)
        for raw in response["ImageReferences"]:
            yield raw.get("ImageId", ""), Reference(raw.get("ResourceType", ""), raw.get("Arn", ""))
        token = response.get("NextToken")
        if not token:
            return


def _ask_references(
    target: Target, request: DescribeImageReferencesRequestTypeDef
) -> DescribeImageReferencesResultTypeDef:
    def ask(client: EC2Client) -> DescribeImageReferencesResultTypeDef:
        response = client.describe_image_references(**request)
        if "ImageReferences" not in response:
            raise translate.NoAnswer("the answer was not one of EC2's")
        return response

    what = f"{', '.join(request['ImageIds'])} in {target.region}"
    return call(target, "DescribeImageReferences", what, ask)


def list_regions(target: Target) -> list[str]:
    """The Regions that the account has switched on, by name.

    Raises:
        AmiDeprecationError: one of its subclasses, when EC2 does not answer or not to us.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """

    def ask(client: EC2Client) -> DescribeRegionsResultTypeDef:
        response = client.describe_regions(AllRegions=False)
        if not response.get("Regions"):
            raise translate.NoAnswer("the answer was not one of EC2's")
        return response

    response = call(target, "DescribeRegions", f"the account's Regions, asked in {target.region}", ask)
    return sorted(region["RegionName"] for region in response["Regions"] if "RegionName" in region)
