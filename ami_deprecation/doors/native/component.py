"""The policy as a remote component: reads the fleet in this process, and declares the provider's own resources below it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi.provider
from pulumi.provider.server import ProviderServicer

from ...core import inputs, keys, targets
from ...core.keys import POLICY_TYPE
from ...errors import AmiDeprecationError, InvalidInput
from ...fleet import plan as planning
from ...fleet import policy as policies
from ...fleet.arguments import Given
from .. import names, project, stack
from ..program import raise_as_run_error
from . import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi.runtime.proto import provider_pb2 as pb

    from ...core.run import Run
    from ...ec2 import Target
    from ...fleet.arguments import PolicyArguments
    from ...fleet.plan import Child, Plan

_LIVE = names.camel(keys.LIVE_KEY)


def construct(run: Run, engine_address: str | None, request: Any) -> pb.ConstructResponse:
    """Declare a policy.

    Raises:
        AmiDeprecationError: an argument is wrong, a Region cannot be read, or the run would change or cancel too much.
    """
    given = _given(wire.values(request.inputs))
    component = _Component(run, given, policies.parse(given), request.parent or None)
    servicer = ProviderServicer(component, [], engine_address or "")
    # With an event loop of its own: the SDK keeps the settings of a program in the context.
    answer: pb.ConstructResponse = asyncio.run(servicer.Construct(request, None))
    # What the other Regions have is declared by now, so that the engine does not take it for removed.
    if component.trouble is not None:
        raise component.trouble
    return answer


def _given(values: dict[str, object]) -> Given:
    late = [key for key, value in values.items() if wire.has_unknown(value)]
    if late:
        raise InvalidInput(
            f"{', '.join(late)}: the value is known too late, because the images are read first: give one that a preview knows"
        )
    return Given(**project.renamed(values, project.POLICY_KEYS))


class _Component(pulumi.provider.Provider):
    """What the SDK calls once it knows the engine and the program's settings."""

    #: Why the program has to fail after everything is declared.
    trouble: AmiDeprecationError | None = None

    def __init__(self, run: Run, given: Given, arguments: PolicyArguments, parent: str | None) -> None:
        self._run, self._given = run, given
        self._arguments, self._parent = arguments, parent

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,  # noqa: ARG002  # the SDK's; ours are plain already
        options: pulumi.ResourceOptions | None = None,
    ) -> pulumi.provider.ConstructResult:
        """Read the fleet, and declare what follows."""
        try:
            earlier = stack.policy_children(POLICY_TYPE, name, self._parent, options)
            plan = policies.plan(self._run.ec2, self._target_of, self._arguments, earlier)
        except AmiDeprecationError as wrong:
            raise_as_run_error(wrong)  # as an error that the SDK hands on as it is
        policy = pulumi.ComponentResource(resource_type, name, _shown(self._given), options)
        outputs = {"deprecations": self._declare(policy, name, plan.children)}
        policy.register_outputs(outputs)
        _show(policy, plan, explain=self._arguments.explain)
        self.trouble = policies.trouble(plan)
        return pulumi.provider.ConstructResult(policy.urn, outputs)

    def _declare(
        self, policy: pulumi.ComponentResource, name: str, children: Sequence[Child]
    ) -> list[dict[str, pulumi.Input[str | None]]]:
        return [
            {
                "imageId": each.image_id,
                "imageName": each.image_name,
                "region": each.region,
                "deprecationTime": _Date(
                    policies.child_name(name, each), policies.child_inputs(each, self._arguments), policy
                ).deprecation_time,
            }
            for each in children
        ]

    def _target_of(self, region: str | None, profile: str | None, role_arn: str | None) -> Target:
        if role_arn is not None:
            inputs.check_role_arn(role_arn)
        return targets.resolve(
            self._run.ec2, self._run.stack, region=region, profile=profile, role_arn=role_arn
        )


class _Date(pulumi.CustomResource):
    """The native resource of one image."""

    def __init__(self, name: str, given: dict[str, object], policy: pulumi.ComponentResource) -> None:
        once = {keys.ONCE_KEY: True} if given["deprecate_in_days"] is not None else {}
        moved = pulumi.Alias(type_=names.DYNAMIC_TYPE)
        super().__init__(
            names.NATIVE_TYPE,
            name,
            {_LIVE: None, **names.to_camel(given), **once},
            pulumi.ResourceOptions(parent=policy, aliases=[moved]),
        )

    @property
    def deprecation_time(self) -> pulumi.Output[str | None]:
        """The date on the image. The SDK makes an attribute of each property, under its name in Pulumi."""
        date: pulumi.Output[str | None] = getattr(self, _LIVE)
        return date


def _shown(given: Given) -> dict[str, object]:
    return {inputs.camel(key): value for key, value in policies.shown(given).items()}


def _show(policy: pulumi.ComponentResource, plan: Plan, *, explain: bool) -> None:
    for warning in plan.warnings:
        pulumi.log.warn(names.in_camel(warning), policy)
    for note in plan.notes:
        pulumi.log.info(note, policy)
    if explain:
        for line in planning.explain(plan):
            pulumi.log.info(names.in_camel(line), policy)
