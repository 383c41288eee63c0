"""DescribeImageReferences: which resources of the caller's account use an image.

EC2 API Reference, "DescribeImageReferences"; EC2 User Guide, "How AMI reference checks work".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from ami_deprecation.testing import describe, joint
from ami_deprecation.testing.wire import EC2Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ami_deprecation.testing.wire import Request
    from ami_deprecation.testing.world import World

RESOURCE_TYPES = (
    "ec2:Instance",
    "ec2:LaunchTemplate",
    "ssm:Parameter",
    "imagebuilder:ImageRecipe",
    "imagebuilder:ContainerRecipe",
)
_MOST_IMAGES = 10
_VERSION_DEPTH = 10


@dataclass(frozen=True)
class Reference:
    """One resource that uses an image: its type as in `RESOURCE_TYPES`, and its ARN."""

    image_id: str
    resource_type: str
    arn: str


@dataclass
class References:
    """References beside moto's own instances and launch templates, by account and region."""

    _kept: dict[tuple[str, str], list[Reference]] = field(default_factory=dict)

    def add(self, account: str, region: str, reference: Reference) -> None:
        """Register one.

        Raises:
            ValueError: the resource type is none of EC2's.
        """
        if reference.resource_type not in RESOURCE_TYPES:
            raise ValueError(f"{reference.resource_type} is none of {', '.join(RESOURCE_TYPES)}")
        self._kept.setdefault((account, region), []).append(reference)

    def of(self, account: str, region: str) -> list[Reference]:
        """Return those of one account in one region."""
        return self._kept.get((account, region), [])

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


def answer(state: World, registered: References, account: str, request: Request) -> str:
    """Return the inner XML of the answer.

    Raises:
        EC2Error: no image or more than ten, an unknown resource type, or no type at all.
    """
    image_ids = request.image_ids
    if not image_ids or len(image_ids) > _MOST_IMAGES:
        raise EC2Error(
            "InvalidParameterValue", f"ImageIds takes 1 to {_MOST_IMAGES} ids, not {len(image_ids)}"
        )
    for image_id in image_ids:
        describe.check_id(image_id)
        if state.find(request.region, image_id) is None:
            raise describe.not_found([image_id])
    types = _types(request)
    found = [
        reference
        for reference in _all(registered, account, request.region, types)
        if reference.image_id in image_ids and reference.resource_type in types
    ]
    start, size = request.text("NextToken") or "0", request.text("MaxResults") or str(len(found))
    if not start.isdigit():
        raise EC2Error("InvalidNextToken", "The token is invalid or has expired")
    page = slice(int(start), int(start) + int(size))
    items = "".join(
        f"<item><imageId>{r.image_id}</imageId><resourceType>{r.resource_type}</resourceType>"
        f"<arn>{escape(r.arn)}</arn></item>"
        for r in found[page]
    )
    token = f"<nextToken>{page.stop}</nextToken>" if page.stop < len(found) else ""
    return f"<imageReferenceSet>{items}</imageReferenceSet>{token}"


def _types(request: Request) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the wanted types, each with its options (option name to values)."""
    types: dict[str, Mapping[str, tuple[str, ...]]] = {}
    if request.flag("IncludeAllResourceTypes"):
        types = {name: {} for name in RESOURCE_TYPES}
    number = 1
    while (name := request.text(f"ResourceType.{number}.ResourceType")) is not None:
        if name not in RESOURCE_TYPES:
            raise EC2Error(
                "InvalidParameterValue", f"Value ( {name} ) for parameter ResourceType is invalid."
            )
        types[name] = _options(request, f"ResourceType.{number}.ResourceTypeOption")
        number += 1
    if not types:
        raise EC2Error(
            "MissingParameter", "Either IncludeAllResourceTypes or ResourceTypes must be specified"
        )
    return types


def _options(request: Request, prefix: str) -> Mapping[str, tuple[str, ...]]:
    options: dict[str, tuple[str, ...]] = {}
    while (name := request.text(f"{prefix}.{len(options) + 1}.OptionName")) is not None:
        options[name] = request.many(f"{prefix}.{len(options) + 1}.OptionValue")
    return options


def _all(
    registered: References, account: str, region: str, types: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> Iterator[Reference]:
    home = joint.backend(account, region)
    states = types.get("ec2:Instance", {}).get("state-name", ())
    for reservation in home.reservations.values():
        for instance in reservation.instances:
            if instance.image_id and (not states or instance.state in states):
                arn = f"arn:aws:ec2:{region}:{account}:instance/{instance.id}"
                yield Reference(instance.image_id, "ec2:Instance", arn)
    depth = int(next(iter(types.get("ec2:LaunchTemplate", {}).get("version-depth", ())), _VERSION_DEPTH))
    for template in home.launch_templates.values():
        arn = f"arn:aws:ec2:{region}:{account}:launch-template/{template.id}"
        for image_id in dict.fromkeys(version.image_id for version in template.versions[-depth:]):
            yield Reference(image_id, "ec2:LaunchTemplate", arn)
    yield from registered.of(account, region)
