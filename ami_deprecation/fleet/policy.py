"""A policy's run, from its arguments to the resources that it declares: for Python's component as for the native provider's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import dates
from ..core.inputs import At, Notice
from ..errors import AmiDeprecationError, InvalidInput, RequestRefused, with_message
from . import arguments as policy_arguments
from . import plan as planning
from . import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..ec2 import Gateway, Target
    from .arguments import Given, PolicyArguments
    from .plan import Child, Earlier, Key, Plan

_NOT_NEEDED = "allow_empty is not needed in this run: remove it, because it turns off the guard against typos"
#: Guards and wishes of one run: shown as inputs, they would look like a change of the dates.
_NOT_SHOWN = {"max_changes", "allow_empty", "explain"}


def parse(given: Given) -> PolicyArguments:
    """Check a policy's arguments.

    Raises:
        InvalidInput: one sentence with everything that is wrong.
    """
    arguments, problems = policy_arguments.parse(given)
    if problems:
        raise InvalidInput(
            "; ".join(
                f"{each.property}: {each.sentence}" if each.property else each.sentence for each in problems
            )
        )
    return arguments


def shown(given: Given) -> dict[str, object]:
    """The component's inputs: a preview then shows a changed setting beside the dates that it moves."""
    return {key: value for key, value in vars(given).items() if value is not None and key not in _NOT_SHOWN}


def plan(
    gateway: Gateway,
    target_of: Callable[[str | None, str | None, str | None], Target],
    arguments: PolicyArguments,
    earlier: Mapping[Key, Earlier] | None,
) -> Plan:
    """Read a policy's Regions and decide about each image.

    Args:
        gateway: the calls to EC2.
        target_of: credentials and Region for a Region, profile and role that may each be absent.
        arguments: the policy.
        earlier: its resources in the stack's state, None when the state is not known.

    Raises:
        AmiDeprecationError: one of its subclasses: no Region is set, or the run would change or cancel too much.
    """

    def target(region: str | None) -> Target:
        return target_of(region, arguments.profile, arguments.role_arn)

    if arguments.all_regions:
        for region in arguments.exclude_regions:
            gateway.check_region(region)
        regions = gateway.list_regions(target(None))
        targets = [target(region) for region in regions if region not in arguments.exclude_regions]
    else:
        targets = [target(region) for region in arguments.regions or (None,)]
    names = {each.region for each in targets}
    removed = dict.fromkeys(region for region, _ in earlier or () if region not in names)
    if arguments.all_regions:
        removed = dict.fromkeys(region for region in removed if region in arguments.exclude_regions)
    made = reading.read(gateway, targets, [target(region) for region in removed], arguments, earlier)
    refused = planning.refusal(made, arguments, earlier, gateway.now())
    if refused is not None:
        raise RequestRefused(refused)
    if arguments.allow_empty and earlier is not None and planning.loss(made, arguments, earlier) is None:
        return replace(made, warnings=(*made.warnings, _NOT_NEEDED))
    return made


def child_name(policy: str, child: Child) -> str:
    """The name of the resource of one image; an image's id and name never change."""
    # The image's name is there for the reader of a preview.
    parts = (policy, child.image_name, child.image_id, child.region)
    return child.name or "-".join(part for part in parts if part)


def child_inputs(child: Child, arguments: PolicyArguments) -> dict[str, object]:
    """The inputs of the resource of one image."""
    schedule = child.schedule
    return {
        "image_id": child.image_id,
        "region": child.region,
        "profile": arguments.profile,
        "role_arn": arguments.role_arn,
        "deprecate_at": dates.to_text(schedule.when) if isinstance(schedule, At) else None,
        "deprecate_in_days": schedule.days if isinstance(schedule, Notice) else None,
        "on_destroy": arguments.on_destroy,
    }


def trouble(made: Plan, label: str = "") -> AmiDeprecationError | None:
    """What a run has to end with when some Regions could not be read, after it has declared what it could.

    Args:
        made: the plan.
        label: what each line begins with.
    """
    if not made.troubles:
        return None
    sentences = [f"{label}{name} {planning.NOT_READ}: {why}" for name, why in made.troubles]
    return with_message(made.troubles[0][1], "\n".join(sentences))
