"""AmiDeprecationPolicy: the dates of a fleet, by rules. Reads the fleet, lets the plan decide, declares children.

What a policy declares follows from the images as they are now. That is why a failed read must end the program: a
Region of which nothing is known has no children, and the engine would cancel their dates. A program that fails deletes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, Literal

import pulumi

from . import images
from .core import keys
from .core.keys import POLICY_TYPE
from .doors import names, stack
from .doors.program import gateway, raise_as_run_error
from .ec2.listing import Values  # noqa: TC001  # part of the public signatures
from .errors import AmiDeprecationError, InvalidInput, with_message
from .fleet import arguments as policy_arguments
from .fleet import plan as planning
from .fleet import policy as policies
from .fleet.arguments import Given
from .resource import AmiDeprecation

if TYPE_CHECKING:
    from .ec2 import Target
    from .fleet.arguments import PolicyArguments
    from .fleet.plan import Child, Plan
    from .image import Severity

__all__ = ["AmiDeprecationPolicy"]


class AmiDeprecationPolicy(pulumi.ComponentResource):
    """Deprecation dates for a fleet of images, by rules, with one ``AmiDeprecation`` for each image that is due.

    The newest ``keep_newest`` or ``keep_at_least`` images of each group have no date. Any other image is deprecated
    ``grace_days`` after the image was created that pushed it out of the newest ``keep_newest``,
    ``deprecate_after_days`` after its own creation, or ``fix_days`` after a fix became available for a finding of
    Amazon Inspector, whichever comes first. Dates do not depend on the current date, so runs on different days give the same
    dates. A date that is past or nearer than ``notice_days`` becomes a notice of so many days, which is kept from
    then on.

    Only available images count among the newest. A disabled image keeps at least the date that it has, and an image in
    any other state keeps exactly that. An image that comes back among the newest, because a newer one is gone, has its
    date canceled. Public images keep to EC2's own limits.

    EC2 can give a wrong answer for a moment. Before this moves or cancels an existing date, it reads the Region again.
    A run that would leave the policy without any date, or cancel more than three and more than half of its
    dates, ends with an error; ``allow_empty`` allows it.

    A Region that cannot be read stops neither the others nor their dates, and keeps its own; the
    program then fails with a sentence that names it. A program that catches that error has to fail later on: one that
    ends well without these children cancels their dates.

    Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html and
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ScanResults.html
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
        executable_users: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        group_by: str | Sequence[str] | None = None,
        keep_newest: int | None = None,
        grace_days: int = 0,
        keep_at_least: int | None = None,
        deprecate_after_days: int | None = None,
        fix_days: Mapping[Severity, int] | None = None,
        whole_releases: bool = False,
        notice_days: int = policy_arguments.DEFAULT_NOTICE_DAYS,
        in_use: Literal["ignore", "warn", "skip"] = "ignore",
        regions: Sequence[str] | Literal["all"] | None = None,
        exclude_regions: Sequence[str] | None = None,
        max_changes: int | None = None,
        allow_empty: bool = False,
        on_destroy: Literal["cancel", "restore"] = "cancel",
        explain: bool = False,
        profile: str | None = None,
        role_arn: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Read the fleet and declare its dates. All arguments are plain values: the children depend on them.

        Args:
            resource_name: the policy's name in the stack, with which its children's names begin.
            name: which images: their name, or several, with EC2's wildcards ``*`` and ``?``.
            tags: which images: tag key to value or values; ``*`` for any.
            filters: which images: any other filter of DescribeImages, by its name. Set at least one of ``name``,
                ``tags`` and ``filters``.
            owners: accounts, as a guard; else ``self``. Only images that the account owns can be dated.
            executable_users: only images that these may launch: account ids that they are shared with, ``self``, or
                ``all`` for public ones. Together with the owner ``self`` these are one's own shared or public images.
            exclude: images to leave out, which do not count either: ids, names (with ``*`` and ``?``), or
                ``tag:Key`` and ``tag:Key=Value``.
            group_by: what makes a family, within which images are counted: ``tag:Key``; ``name:`` and a regular
                expression whose first group (else the whole match) is the family, and whose second group, if any, is
                the version; ``architecture``; ``watermark`` (of several the first by name); or a list of these.
                Images without one are a family together.
            keep_newest: how many of each family, in each Region, have no date.
            grace_days: days from the creation of the image that pushed another out of the newest.
            keep_at_least: how many of the newest images of each family, in each Region, get no date from any rule; unlike
                ``keep_newest`` this makes no other image due.
            deprecate_after_days: days from an image's creation.
            fix_days: severity (``critical``, ``high``, ``medium``, ``low``, ``informational``) to the days after a fix
                became available for a finding of that severity. Findings without a fix do not count. An image
                without scan data keeps the date that it has, unless another rule puts it earlier. Set
                ``keep_newest``, ``deprecate_after_days``, ``fix_days`` or several of them.
            whole_releases: count an image among the newest only when its name, or the version in it (see
                ``group_by``), is available in every Region of the policy. The release's place in the order is its
                earliest creation date. When a Region cannot be read, no Region is changed.
            notice_days: the minimum number of days from now to an image's first date.
            in_use: how to treat images that instances, launch templates, SSM parameters or Image Builder recipes of
                the account use: ``ignore`` that, ``warn`` of each, or ``skip`` those that have no date yet
                (an existing date stays, and moves as the rules say).
            regions: where, or ``all`` for every Region that is enabled for the account; else the stack's
                ``aws:region``, ``AWS_REGION``, or boto3's chain. Of all Regions, one that the account may not use is
                left as it is, with a warning.
            exclude_regions: Regions to leave out of ``all``.
            max_changes: refuse a run that would date, re-date or cancel more images than this.
            allow_empty: allow a run that leaves the policy without any date, or that cancels more than three and more
                than half of its dates. Set it for one run only.
            on_destroy: ``cancel`` the dates of images that leave the policy, or ``restore`` those that they had before.
            explain: list every image with the date that it gets, the rule that decides, and why.
            profile: else ``aws:profile``.
            role_arn: a role to assume; else ``aws:assumeRoles``.
            opts: resource options. An ``aws.Provider`` is refused: its settings are known too late.

        Raises:
            AmiDeprecationError: an argument is wrong, a Region cannot be read, or the run would change or cancel too
                much; it is a ``pulumi.RunError`` too.
        """
        given = Given(
            name=name,
            tags=tags,
            filters=filters,
            owners=owners,
            executable_users=executable_users,
            exclude=exclude,
            group_by=group_by,
            keep_newest=keep_newest,
            grace_days=grace_days,
            keep_at_least=keep_at_least,
            deprecate_after_days=deprecate_after_days,
            fix_days=fix_days,
            whole_releases=whole_releases or None,
            notice_days=notice_days,
            in_use=in_use,
            regions=regions,
            exclude_regions=exclude_regions,
            max_changes=max_changes,
            allow_empty=allow_empty,
            on_destroy=None if on_destroy == "cancel" else on_destroy,
            explain=explain,
            profile=profile,
            role_arn=role_arn,
        )
        label = f"policy {resource_name!r}"
        try:
            _refuse_outputs(given)
            arguments = policies.parse(given)
            _refuse_provider(opts)
            earlier = stack.policy_children(
                POLICY_TYPE,
                resource_name,
                opts.parent if opts is not None else None,
                opts,
            )
            plan = policies.plan(gateway(), _target_of, arguments, earlier)
        except AmiDeprecationError as wrong:
            raise_as_run_error(with_message(wrong, f"{label}: {wrong}"))

        super().__init__(POLICY_TYPE, resource_name, policies.shown(given), opts)
        self.children = {
            f"{each.region}/{each.image_id}": self._declare(each, arguments) for each in plan.children
        }
        self.deprecations = [
            {
                "imageId": each.image_id,
                "imageName": each.image_name,
                "region": each.region,
                "deprecationTime": child.deprecation_time,
            }
            for each, child in zip(plan.children, self.children.values(), strict=True)
        ]
        self.register_outputs({"deprecations": self.deprecations})
        self._show(plan, arguments)
        failed = policies.trouble(plan, f"{label}: ")
        if failed is not None:
            raise_as_run_error(failed)

    def _declare(self, each: Child, arguments: PolicyArguments) -> AmiDeprecation:
        return AmiDeprecation(
            policies.child_name(self.pulumi_resource_name, each),
            **policies.child_inputs(each, arguments),  # type: ignore[arg-type]  # under their names
            opts=pulumi.ResourceOptions(
                parent=self,
                transformations=[_mark_once],
                # A policy of the native provider becomes this one without a change of a date.
                aliases=[pulumi.Alias(type_=names.NATIVE_TYPE)],
            ),
        )

    def _show(self, plan: Plan, arguments: PolicyArguments) -> None:
        for warning in plan.warnings:
            pulumi.log.warn(warning, self)
        for note in plan.notes:
            pulumi.log.info(note, self)
        if arguments.explain:
            for line in planning.explain(plan):
                pulumi.log.info(line, self)


def _mark_once(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Mark a child's "in N days" as a notice, which another number of days does not move."""
    if args.props.get("deprecate_in_days") is None:
        return None
    return pulumi.ResourceTransformationResult({**args.props, keys.ONCE_KEY: True}, args.opts)


def _refuse_outputs(given: Given) -> None:
    """Refuse values that only the update knows."""
    late = [name for name, value in vars(given).items() if _has_output(value)]
    if late:
        raise InvalidInput(
            f"{', '.join(late)}: an Output is known too late, because the images are read first: use a plain value, such "
            "as pulumi.Config().get(…) or aws.ssm.get_parameter(…).value"
        )


def _has_output(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_output, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(_has_output, value))
    return isinstance(value, pulumi.Output) or isawaitable(value)


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


def _target_of(region: str | None, profile: str | None, role_arn: str | None) -> Target:
    return images.target_of(
        region=region,
        profile=profile,
        role_arn=role_arn,
        way_out="instead of a policy, which cannot take an aws.Provider, declare the images of get_images_output in a loop",
    )
