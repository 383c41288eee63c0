"""Reading ``opts.provider``: the SDK would drop a provider of another package without a word.

What is read are the plain settings of an explicit ``pulumi_aws.Provider``: Region, profile, assumed
roles, account guards. pulumi-aws is not imported: a provider is known by its package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Settings that decide as whom or where a call goes and that cannot be taken over.
_UNSUPPORTED = {
    "access_key": "an access_key",
    "secret_key": "a secret_key",
    "token": "a token",
    "assume_role_with_web_identity": "assume_role_with_web_identity",
    "endpoints": "endpoints",
    "shared_config_files": "shared_config_files",
    "shared_credentials_files": "shared_credentials_files",
}
_JSON = {
    "assume_roles": "assumeRoles",
    "allowed_account_ids": "allowedAccountIds",
    "forbidden_account_ids": "forbiddenAccountIds",
}


@dataclass(frozen=True)
class AwsProvider:
    """What an explicit provider says; all None without one."""

    profile: pulumi.Output[str | None] | None = None
    #: Its Region, roles and account guards, camelCase as its own configuration has them.
    config: pulumi.Output[dict[str, object]] | None = None
    #: Why it cannot be honoured.
    problem: pulumi.Input[str | None] = None


def take(opts: pulumi.ResourceOptions | None) -> tuple[AwsProvider, pulumi.ResourceOptions]:
    """What ``opts.provider`` says, and the options without it."""
    rest = pulumi.ResourceOptions() if opts is None else pulumi.ResourceOptions.merge(None, opts)
    provider = rest.provider
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


def _read(provider: pulumi.ProviderResource) -> AwsProvider:
    settings = pulumi.Output.all(
        region=getattr(provider, "region", None), **{name: getattr(provider, name, None) for name in _JSON}
    )
    # A secret taints what is made of it; whether there is one is none.
    unsupported = pulumi.Output.unsecret(
        pulumi.Output.all(**{name: getattr(provider, name, None) for name in _UNSUPPORTED}).apply(_problem)
    )
    profile = getattr(provider, "profile", None)
    return AwsProvider(
        profile=None if profile is None else pulumi.Output.from_input(profile),
        config=settings.apply(_config),
        problem=unsupported,
    )


def _config(settings: Mapping[str, object]) -> dict[str, object]:
    values = {"region": settings.get("region")}
    values.update({camel: _loaded(settings.get(name)) for name, camel in _JSON.items()})
    return {key: value for key, value in values.items() if value}


def _loaded(value: object) -> object:
    """The provider keeps lists and objects as JSON text."""
    return json.loads(value) if isinstance(value, str) and value else value


def _problem(settings: Mapping[str, object]) -> str | None:
    given = [said for name, said in _UNSUPPORTED.items() if _loaded_or_text(settings.get(name))]
    if not given:
        return None
    return (
        f"opts.provider carries {' and '.join(given)}, which this resource does not take from a provider: use one with a "
        "region, profile or assume_roles, or the aws:… configuration of the stack"
    )


def _loaded_or_text(value: object) -> object:
    try:
        return _loaded(value)
    except ValueError:
        return value
