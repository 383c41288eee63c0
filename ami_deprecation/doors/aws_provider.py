"""Reading the options that the SDK's dynamic resources do not take.

It would drop an ``opts.provider`` of another package without a word, and answer an ``opts.import_`` with a
traceback of its own (https://github.com/pulumi/pulumi/issues/16175).

What is read are the plain settings of an explicit ``pulumi_aws.Provider``, as ``core.targets`` lists them. pulumi-aws is
not imported: a provider is known by its package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROXIES = ("httpProxy", "httpsProxy")


@dataclass(frozen=True)
class AwsProvider:
    """What an explicit provider says; all None without one."""

    profile: pulumi.Output[str | None] | None = None
    #: What the aws provider's configuration has, under its own camelCase keys; the profile is apart.
    config: pulumi.Output[dict[str, object]] | None = None
    #: Why the options cannot be honored.
    problem: pulumi.Input[str | None] = None


def split_options(opts: pulumi.ResourceOptions | None) -> tuple[AwsProvider, pulumi.ResourceOptions]:
    """What ``opts.provider`` says, and the options without what the SDK does not take."""
    rest = pulumi.ResourceOptions() if opts is None else pulumi.ResourceOptions.merge(None, opts)
    if rest.import_ is not None:
        rest.import_ = None
        return AwsProvider(
            problem="opts.import_ does not work for a dynamic resource: take it out, and the first pulumi up adopts the "
            "date that the image has, without a changing call when it is the same"
        ), rest
    provider = rest.provider or _among(rest.providers)
    if provider is None and rest.parent is not None:
        provider = rest.parent.get_provider("aws:ec2/ami:Ami")
    if provider is None or provider.package == "pulumi-python":
        return AwsProvider(), rest
    rest.provider = None
    if provider.package != "aws":
        return AwsProvider(
            problem=f"opts.provider is a provider of {provider.package!r}: give a pulumi_aws.Provider, or region, profile "
            "and role_arn"
        ), rest
    return _read(provider), rest


def _among(
    providers: Mapping[str, pulumi.ProviderResource] | Sequence[pulumi.ProviderResource] | None,
) -> pulumi.ProviderResource | None:
    every = providers.values() if isinstance(providers, Mapping) else providers or ()
    return next((each for each in every if each.package == "aws"), None)


def _read(provider: pulumi.ProviderResource) -> AwsProvider:
    # A provider's own attributes do not do: the SDK leaves those empty that are lists or objects (assume_roles, for
    # one), and in a preview calls unknown whatever was not given. The engine has them all.
    # Source: `getResource` in pulumi/pulumi `pkg/resource/deploy/builtins.go`, which also hydrates resource references.
    resource = provider.urn.apply(
        lambda urn: pulumi.runtime.invoke_output("pulumi:pulumi:getResource", {"urn": urn})
    )
    settings = resource.apply(_settings, run_with_unknowns=True)
    return AwsProvider(
        profile=settings.apply(_profile),
        config=settings.apply(_config),
        # A secret taints what is made of it. The presence of a secret is not itself secret.
        problem=pulumi.Output.unsecret(settings.apply(_problem)),
    )


def _settings(provider: Any) -> dict[str, object]:  # the type that `apply` has for what may be unknown
    from ..core import targets  # noqa: PLC0415  # lazily: most programs have no explicit provider

    # Something else of it may be unknown in a preview: its id is, when it is new.
    state: Mapping[str, object] = provider["state"]
    return {
        key: state[key]
        for key in ("profile", *targets.FROM_PROVIDER, *targets.NOT_FROM_PROVIDER)
        if key in state
    }


def _profile(settings: Mapping[str, object]) -> str | None:
    profile = settings.get("profile")
    return profile if isinstance(profile, str) else None


def _config(settings: Mapping[str, object]) -> dict[str, object]:
    from ..core import targets  # noqa: PLC0415  # as above

    values = {
        key: _loaded(settings.get(key))
        for key in targets.FROM_PROVIDER
        if key not in _PROXIES or not _has_password(settings.get(key))
    }
    return {key: value for key, value in values.items() if value}


def _has_password(proxy: object) -> bool:
    return "@" in str(proxy or "")


def _loaded(value: object) -> object:
    """The provider keeps lists and objects as JSON text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _problem(settings: Mapping[str, object]) -> str | None:
    from ..core import targets  # noqa: PLC0415  # as above

    given = [
        targets.snake_case(key)
        for key in targets.NOT_FROM_PROVIDER
        if targets.matters(key, _loaded(settings.get(key)))
    ]
    # The resource's state contains what it gets from the provider.
    given += [
        f"{targets.snake_case(key)} with a password" for key in _PROXIES if _has_password(settings.get(key))
    ]
    if not given:
        return None
    return (
        f"opts.provider has {' and '.join(given)}, which this resource does not take from a provider: use one with a "
        "region, profile or assume_roles, or the aws:… configuration of the stack"
    )
