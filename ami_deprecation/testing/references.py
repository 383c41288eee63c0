"""Who uses an image: DescribeImageReferences and DescribeInstanceImageMetadata.

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html and the API
reference of the two calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import describe_images, filters, moto_backend, world
from .date_rules import format_time
from .wire import EC2Error, boolean, elements, item_set, tag_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .moto_backend import Instance
    from .wire import Request
    from .world import Record, World

RESOURCE_TYPES = (
    "ec2:Instance",
    "ec2:LaunchTemplate",
    "ssm:Parameter",
    "imagebuilder:ImageRecipe",
    "imagebuilder:ContainerRecipe",
)
_MAX_IMAGES = 10
_VERSION_DEPTH = 10
_MIN_INSTANCES, _MAX_INSTANCES = 5, 1000


@dataclass(frozen=True)
class ImageUse:
    """One resource that uses an image: its type, one of ``RESOURCE_TYPES``, and its ARN."""

    image_id: str
    resource_type: str
    arn: str


@dataclass
class Registry:
    """Uses beside moto's own instances and launch templates, by account and Region."""

    _uses: dict[tuple[str, str], list[ImageUse]] = field(default_factory=dict)

    def add(self, account: str, region: str, use: ImageUse) -> None:
        """Register one.

        Raises:
            ValueError: EC2 has no such resource type.
        """
        if use.resource_type not in RESOURCE_TYPES:
            raise ValueError(f"{use.resource_type} is not one of {', '.join(RESOURCE_TYPES)}")
        self._uses.setdefault((account, region), []).append(use)

    def of(self, account: str, region: str) -> list[ImageUse]:
        """Those of one account in one Region."""
        return self._uses.get((account, region), [])

    def clear(self) -> None:
        """Forget all."""
        self._uses.clear()


def references(state: World, registry: Registry, account: str, request: Request) -> str:
    """DescribeImageReferences' answer, the inner XML.

    Raises:
        EC2Error: no image or more than ten, an unknown resource type, or no type at all.
    """
    image_ids = request.image_ids
    if not image_ids or len(image_ids) > _MAX_IMAGES:
        raise EC2Error(
            "InvalidParameterValue", f"ImageIds takes 1 to {_MAX_IMAGES} ids, not {len(image_ids)}"
        )
    for image_id in image_ids:
        describe_images.check_id(image_id)
        if state.find(request.region, image_id) is None:
            raise describe_images.not_found([image_id])
    types = _types(request)
    uses = [
        use
        for use in _all_uses(registry, account, request.region, types)
        if use.image_id in image_ids and use.resource_type in types
    ]
    page, token = _page(uses, request)
    items = [
        elements((("imageId", use.image_id), ("resourceType", use.resource_type), ("arn", use.arn)))
        for use in page
    ]
    return (
        f"<imageReferenceSet>{''.join(f'<item>{item}</item>' for item in items)}</imageReferenceSet>{token}"
    )


def _page(items: Sequence[filters.Item], request: Request) -> tuple[Sequence[filters.Item], str]:
    """One page, and the next one's token as XML."""
    start, size = request.text("NextToken") or "0", request.text("MaxResults") or str(len(items))
    if not start.isdigit():
        raise EC2Error("InvalidNextToken", "The token is invalid or has expired")
    end = int(start) + int(size)
    return items[int(start) : end], f"<nextToken>{end}</nextToken>" if end < len(items) else ""


def _types(request: Request) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The resource types that are asked for, each with its options (name to values)."""
    types: dict[str, Mapping[str, tuple[str, ...]]] = {}
    if request.flag("IncludeAllResourceTypes"):
        types = {name: {} for name in RESOURCE_TYPES}
    for given in request.structures("ResourceType"):
        name = given.text("ResourceType") or ""
        if name not in RESOURCE_TYPES:
            raise EC2Error(
                "InvalidParameterValue", f"Value ( {name} ) for parameter ResourceType is invalid."
            )
        types[name] = {
            option.required("OptionName"): option.many("OptionValue")
            for option in given.structures("ResourceTypeOption")
        }
    if not types:
        raise EC2Error(
            "MissingParameter", "Either IncludeAllResourceTypes or ResourceTypes must be specified"
        )
    return types


def _all_uses(
    registry: Registry, account: str, region: str, types: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> Iterator[ImageUse]:
    home = moto_backend.backend(account, region)
    states = types.get("ec2:Instance", {}).get("state-name", ())
    for instance in _instances(home):
        if instance.image_id and (not states or instance.state in states):
            arn = f"arn:aws:ec2:{region}:{account}:instance/{instance.id}"
            yield ImageUse(instance.image_id, "ec2:Instance", arn)
    depth = int(next(iter(types.get("ec2:LaunchTemplate", {}).get("version-depth", ())), _VERSION_DEPTH))
    for template in home.launch_templates.values():
        arn = f"arn:aws:ec2:{region}:{account}:launch-template/{template.id}"
        for image_id in dict.fromkeys(version.image_id for version in template.versions[-depth:]):
            yield ImageUse(image_id, "ec2:LaunchTemplate", arn)
    yield from registry.of(account, region)


def _instances(home: moto_backend.Backend) -> Iterator[Instance]:
    for reservation in home.reservations.values():
        yield from reservation.instances


@dataclass(frozen=True)
class _Launched:
    """An instance, and its image as far as EC2 still knows it."""

    instance: Instance
    image: Record | None
    tags: Mapping[str, str]


_OF_INSTANCES: Mapping[str, Callable[[_Launched], Iterable[str | None]]] = {
    "availability-zone": filters.one(lambda i: i.instance.placement.zone),
    "image-allowed": filters.yes_or_no(lambda i: i.image.details.image_allowed if i.image else None),
    "instance-id": filters.one(lambda i: i.instance.id),
    "instance-state-name": filters.one(lambda i: i.instance.state),
    "instance-type": filters.one(lambda i: i.instance.instance_type),
    "launch-time": filters.time(lambda i: world.utc(i.instance.launch_time)),
    "owner-alias": filters.one(lambda i: i.image.image.owner_alias if i.image else None),
    "owner-id": filters.one(lambda i: i.image.image.owner_id if i.image else None),
    "zone-id": filters.one(lambda i: i.instance.placement.zone),
}


def instance_image_metadata(state: World, account: str, request: Request) -> str:
    """DescribeInstanceImageMetadata's answer, the inner XML.

    The image is described whoever owns it, also when it is deprecated, deregistered or private.

    Raises:
        EC2Error: an instance id is unknown, a filter is, or MaxResults is out of range.
    """
    home = moto_backend.backend(account, request.region)
    launched = [_launched(state, home, request.region, each) for each in _instances(home)]
    wanted = request.many("InstanceId")
    unknown = [i for i in wanted if i not in {each.instance.id for each in launched}]
    if unknown:
        listed = ", ".join(unknown)
        raise EC2Error("InvalidInstanceID.NotFound", f"The instance ID '{listed}' does not exist")
    size = request.text("MaxResults")
    if size is not None and not (size.isdigit() and _MIN_INSTANCES <= int(size) <= _MAX_INSTANCES):
        raise EC2Error("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid.")
    tests = filters.tests(request, _OF_INSTANCES, lambda each: each.tags)
    shown = [
        each
        for each in launched
        if (not wanted or each.instance.id in wanted) and all(test(each) for test in tests)
    ]
    page, token = _page(shown, request)
    listed = item_set("instanceImageMetadataSet", [_metadata(account, each) for each in page])
    # EC2 writes the element also when it is empty: without it, a response is not EC2's.
    return f"{listed or '<instanceImageMetadataSet/>'}{token}"


def _launched(state: World, home: moto_backend.Backend, region: str, instance: Instance) -> _Launched:
    image_id = instance.image_id or ""
    record = state.find(region, image_id) or state.in_recycle_bin(region, image_id)
    return _Launched(instance, record, home.tags.get(instance.id, {}))


def _metadata(account: str, launched: _Launched) -> str:
    instance, record = launched.instance, launched.image
    zone, state = instance.placement.zone, instance.state
    inner = elements(
        (
            ("instanceId", instance.id),
            ("instanceType", instance.instance_type),
            ("launchTime", format_time(world.utc(instance.launch_time))),
            ("availabilityZone", zone),
            ("zoneId", zone),
            ("instanceOwnerId", account),
        )
    )
    # EC2's numbers of instance states, from "InstanceState" in its API reference.
    code = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
    inner += f"<instanceState><code>{code.get(state, 16)}</code><name>{state}</name></instanceState>"
    image = elements([("imageId", instance.image_id)]) if record is None else _image_metadata(record)
    return f"{inner}{tag_set(launched.tags)}<imageMetadata>{image}</imageMetadata>"


def _image_metadata(record: Record) -> str:
    image, details = record.image, record.details
    when = details.deprecation_time
    state = image.state if image.id in record.home.amis else world.DEREGISTERED
    inner = elements(
        (
            ("imageId", image.id),
            ("name", image.name),
            ("imageOwnerId", image.owner_id),
            ("imageState", state),
            ("imageOwnerAlias", image.owner_alias),
            ("creationDate", format_time(record.created)),
            ("deprecationTime", None if when is None else format_time(when)),
            ("imageAllowed", boolean(details.image_allowed)),
            ("isPublic", boolean(image.is_public)),
        )
    )
    return inner + describe_images.watermark_set(details.watermarks)
