"""AmiDeprecationPolicy: the dates of a fleet, by rules. Reads the fleet, lets the selection decide, declares children.

A policy remembers nothing: what it declares follows from the images as they are now. That is why a failed
read must end the program: a Region of which nothing is known has no children, and the engine would cancel their
dates. A program that fails deletes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import pulumi

from . import dates, ec2, images
from .core import inputs, rules
from .core.inputs import At, InDaysOnce
from .errors import AmiDeprecationError, InvalidInput, RequestRefused
from .fleet import arguments as policy_arguments
from .fleet import selection
from .fleet.reading import Dated, RegionRead, read_region
from .resource import AmiDeprecation

if TYPE_CHECKING:
    from datetime import datetime

    from .ec2 import Target
    from .fleet.arguments import PolicyArguments

__all__ = ["AmiDeprecationPolicy"]

_TOKEN = "ami-deprecation:index:AmiDeprecationPolicy"  # noqa: S105  # Pulumi's word for a type's name
#: Regions that are read at the same time.
_AT_ONCE = 8
#: So many images are named in a sentence.
_NAMED = 20

Values = images.Values


class AmiDeprecationPolicy(pulumi.ComponentResource):
    """Deprecation dates for a fleet of images, by rules, with one ``AmiDeprecation`` for each image that is due.

    The newest ``keep_newest`` images of each group have no date. Any other is deprecated ``grace_days`` after the
    image was made that pushed it out of the newest, or ``deprecate_after_days`` after it was made itself,
    whichever is earlier; with both rules, the newest are safe from the second one too. All dates come
    from creation dates, so that two runs on two days give the same ones. A date that is past or nearer than
    ``notice_days`` becomes a notice of so many days, which is kept from then on.

    A disabled image keeps its date and does not count among the newest. An image that comes back among
    them, because a newer one is gone, has its date cancelled. Public images keep to EC2's own limits.

    A Region that cannot be read stops neither the others nor their dates, and keeps its own; the
    program then fails with a sentence that names it. A program that catches that error has to fail later on: one that
    ends well without these children cancels their dates.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html
    """

    #: One object for each image with a date, by Region and newest first: ``imageId``, ``imageName`` and ``region``
    #: are plain texts, ``deprecationTime`` is an Output.
    deprecations: Sequence[Mapping[str, pulumi.Input[str | None]]]
    #: The children, by Region and image id: ``eu-west-1/ami-…``.
    children: Mapping[str, AmiDeprecation]

    def __init__(  # noqa: PLR0913  # one argument a rule
        self,
        resource_name: str,
        *,
        name: Values | None = None,
        tags: Mapping[str, Values] | None = None,
        filters: Mapping[str, Values] | None = None,
        owners: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        group_by: str | None = None,
        keep_newest: int | None = None,
        grace_days: int = 0,
        deprecate_after_days: int | None = None,
        notice_days: int = policy_arguments.DEFAULT_NOTICE_DAYS,
        in_use: Literal["ignore", "warn", "skip"] = "ignore",
        regions: Sequence[str] | None = None,
        max_changes: int | None = None,
        profile: str | None = None,
        role_arn: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Read the fleet and declare its dates. All arguments are plain values: the children depend on them.

        Args:
            resource_name: the policy's name in the stack, with which its children's names begin.
            name: which images: their name, or several, with EC2's wildcards ``*`` and ``?``.
            tags: which images: tag key to value or values; ``*`` for any.
            filters: which images: any other filter of DescribeImages, by its name. At least one of ``name``,
                ``tags`` and ``filters`` is given.
            owners: accounts, as a guard; else ``self``. Only one's own images can be dated.
            exclude: images to leave out, which do not count either: ids, names (with ``*`` and ``?``), or
                ``tag:Key`` and ``tag:Key=Value``.
            group_by: ``tag:Key``, or ``name:`` and a regular expression whose first group (else all that it finds)
                is the family; ``keep_newest`` counts within each. Images without one are a family together.
            keep_newest: how many of each group, in each Region, have no date.
            grace_days: days from the creation of the image that pushed another out of the newest.
            deprecate_after_days: days from an image's creation. This, ``keep_newest`` or both are given.
            notice_days: no image is given a date nearer than this when it first gets one.
            in_use: what about images that instances, launch templates, SSM parameters or Image Builder recipes of
                the account use: ``ignore`` that, ``warn`` of each, or ``skip`` those that have no date yet
                (a date that is there stays, and moves as the rules say).
            regions: where; else the stack's ``aws:region``, ``AWS_REGION``, or boto3's chain.
            max_changes: refuse a run that would give more images than this a date, or another one.
            profile: else ``aws:profile``.
            role_arn: a role to assume; else ``aws:assumeRoles``.
            opts: resource options. An ``aws.Provider`` is refused: its settings are known too late.

        Raises:
            AmiDeprecationError: an argument is wrong, a Region cannot be read, or ``max_changes`` is exceeded; it
                is a ``pulumi.RunError`` too.
        """
        given: dict[str, object] = {
            "name": name,
            "tags": tags,
            "filters": filters,
            "owners": owners,
            "exclude": exclude,
            "group_by": group_by,
            "keep_newest": keep_newest,
            "grace_days": grace_days,
            "deprecate_after_days": deprecate_after_days,
            "notice_days": notice_days,
            "in_use": in_use,
            "regions": regions,
            "max_changes": max_changes,
            "profile": profile,
            "role_arn": role_arn,
        }
        label = f"policy {resource_name!r}"
        try:
            arguments = _parse(given)
            _refuse_provider(opts)
            targets = _targets(arguments)
            with ThreadPoolExecutor(min(_AT_ONCE, len(targets))) as pool:
                regions_read = list(pool.map(lambda target: read_region(target, arguments), targets))
            _refuse_too_many(regions_read, arguments.max_changes)
        except AmiDeprecationError as wrong:
            images.raise_shown(type(wrong)(f"{label}: {wrong}"))

        # A preview then shows a changed setting beside the dates that it moves; the guard of a run is none.
        shown = {key: value for key, value in given.items() if value is not None and key != "max_changes"}
        super().__init__(_TOKEN, resource_name, shown, opts)
        dated = [each for region in regions_read for each in region.dated]
        self.children = {f"{i.image.region}/{i.image.id}": self._child(i, arguments) for i in dated}
        self.deprecations = [
            {
                "imageId": each.image.id,
                "imageName": each.image.name,
                "region": each.image.region,
                "deprecationTime": child.deprecation_time,
            }
            for each, child in zip(dated, self.children.values(), strict=True)
        ]
        self.register_outputs({"deprecations": self.deprecations})
        self._warn(regions_read, arguments)
        _fail_on_trouble(label, regions_read)

    def _child(self, each: Dated, arguments: PolicyArguments) -> AmiDeprecation:
        # An image's id and name never change. The name is there for the reader of a preview.
        parts = (self.pulumi_resource_name, each.image.name, each.image.id, each.image.region)
        at = each.wanted
        return AmiDeprecation(
            "-".join(part for part in parts if part),
            image_id=each.image.id,
            region=each.image.region,
            profile=arguments.profile,
            role_arn=arguments.role_arn,
            deprecate_at=dates.to_text(at.when) if isinstance(at, At) else None,
            deprecate_in_days=at.days if isinstance(at, InDaysOnce) else None,
            opts=pulumi.ResourceOptions(parent=self, transformations=[_mark_once]),
        )

    def _warn(self, regions: Sequence[RegionRead], arguments: PolicyArguments) -> None:
        if not any(region.found or region.trouble for region in regions):
            where = ", ".join(region.name for region in regions)
            pulumi.log.warn(f"no image in {where} matches: dates that this policy gave are cancelled", self)
        for region in regions:
            for note in region.notes:
                pulumi.log.warn(note, self)
            if arguments.in_use == "warn":
                for each in region.dated:
                    if each.references:
                        pulumi.log.warn(_used_by(each), self)


def _mark_once(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Mark a child's "in N days" as a notice, which another number of days does not move."""
    if args.props.get("deprecate_in_days") is None:
        return None
    return pulumi.ResourceTransformationResult({**args.props, inputs.ONCE_KEY: True}, args.opts)


def _parse(given: Mapping[str, object]) -> PolicyArguments:
    arguments, problems = policy_arguments.parse(given)
    if problems:
        raise InvalidInput(
            "; ".join(
                f"{each.property}: {each.sentence}" if each.property else each.sentence for each in problems
            )
        )
    return arguments


def _refuse_provider(opts: pulumi.ResourceOptions | None) -> None:
    """Refuse an aws provider, the component's own or its parents': the children would follow it, the reading cannot."""
    if opts is None:
        return
    several = opts.providers or ()
    listed = several.values() if isinstance(several, Mapping) else several
    of_parent = opts.parent.get_provider("aws:ec2/ami:Ami") if opts.parent else None
    if any(each.package == "aws" for each in (opts.provider, of_parent, *listed) if each is not None):
        raise InvalidInput(
            "an aws.Provider cannot be used here, because its settings are known only after the fleet has to be read: "
            "give regions, profile and role_arn, or the aws:… configuration of the stack"
        )


def _targets(arguments: PolicyArguments) -> list[Target]:
    return [
        images.target_of(region=region, profile=arguments.profile, role_arn=arguments.role_arn)
        for region in arguments.regions or (None,)
    ]


def _used_by(each: Dated) -> str:
    now = ec2.now()
    wanted = each.wanted
    when = wanted.when if isinstance(wanted, At) else rules.apply_in_days(wanted, each.image, now, first=True)
    users = [f"{reference.resource_type} {reference.arn}" for reference in each.references]
    more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
    stands = "is deprecated since" if when <= now else "will be deprecated at"
    return (
        f"{each.where} {stands} {dates.to_text(when)} and is still used by {', '.join(users[:_NAMED])}{more}"
    )


def _refuse_too_many(regions: Iterable[RegionRead], most: int | None) -> None:
    if most is None:
        return
    now: datetime = ec2.now()
    new = [
        each for region in regions for each in region.dated if selection.changes(each.image, each.wanted, now)
    ]
    if len(new) > most:
        more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
        raise RequestRefused(
            f"{len(new)} images would get a date or another one, more than max_changes={most}: "
            f"{', '.join(each.where for each in new[:_NAMED])}{more}; nothing is changed: raise max_changes for this run, or "
            "narrow the policy"
        )


def _fail_on_trouble(label: str, regions: Sequence[RegionRead]) -> None:
    troubles = [(region.name, region.trouble) for region in regions if region.trouble is not None]
    if not troubles:
        return
    sentences = [
        f"{label}: {name} cannot be read, and its images keep what they have: {why}" for name, why in troubles
    ]
    images.raise_shown(type(troubles[0][1])("\n".join(sentences)))
