"""The project without code: declares what the stack's configuration asks for."""

from __future__ import annotations

import pulumi
from pulumi.runtime.config import CONFIG  # pulumi.Config cannot list the keys that are set

from .doors import project
from .errors import InvalidInput
from .policy import AmiDeprecationPolicy
from .resource import AmiDeprecation

__all__ = ["declare_from_config"]


def declare_from_config() -> None:
    """Declare the resources of ``ami-deprecation:images`` and ``ami-deprecation:policies``, and export their dates.

    The whole program of a project without code, whatever the project is called. The stack's outputs are
    ``deprecations`` (``imageId``, ``region`` and ``deprecationTime`` of each image) and, with policies, ``policies``.

    Raises:
        pulumi.RunError: a key or a value is wrong, and nothing is declared; or a policy has failed, after everything
            else is declared. The message has a line for each.
    """
    config = pulumi.Config(project.NAMESPACE)
    try:
        project.check_keys(CONFIG.get())
        images = project.images(config.get_object("images"))
        policies = project.policies(config.get_object("policies"))
    except (InvalidInput, pulumi.ConfigTypeError) as wrong:
        # A RunError ends the program with its message and without a traceback.
        raise pulumi.RunError(str(wrong)) from None
    if not images and not policies:
        pulumi.log.warn(
            f"nothing is configured: add images to {project.NAMESPACE}:images in this stack's file"
        )

    dates = {name: AmiDeprecation(name, **arguments) for name, arguments in images.items()}
    pulumi.export(
        "deprecations",
        {
            name: {
                "imageId": date.image_id,
                "region": date.region,
                "deprecationTime": date.deprecation_time,
            }
            for name, date in dates.items()
        },
    )
    failures = []
    fleets = {}
    for name, arguments in policies.items():
        try:
            fleets[name] = AmiDeprecationPolicy(name, **arguments).deprecations
        except pulumi.RunError as failed:  # noqa: PERF203  # each policy
            failures.append(str(failed))  # the other policies are declared before the program fails
    if fleets:
        pulumi.export("policies", fleets)
    if failures:
        raise pulumi.RunError("\n".join(failures))
