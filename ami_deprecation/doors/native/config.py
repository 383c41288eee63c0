"""The provider's own configuration: ``ami-deprecation:region`` and so on, or the arguments of an explicit provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...core import inputs, targets
from ...errors import AmiDeprecationError
from .. import project

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Setting:
    """One key of the configuration."""

    doc: str
    type: Literal["string", "boolean", "texts", "roles"] = "string"


#: The keys are the aws provider's own, and ``roleArn``, which is short for a single one of ``assumeRoles``.
SETTINGS = {
    "region": Setting(
        "The Region of resources that name none; otherwise that of AWS_REGION or of the profile"
    ),
    "profile": Setting(
        "A profile of the AWS configuration; otherwise AWS_PROFILE and the rest of boto3's chain"
    ),
    "roleArn": Setting("A role to assume through STS; short for assumeRoles with this one role"),
    "accessKey": Setting("An access key, with secretKey"),
    "secretKey": Setting("The secret of accessKey"),
    "token": Setting("The session token of temporary keys"),
    "assumeRoles": Setting("Roles that are assumed one after the other", "roles"),
    "allowedAccountIds": Setting("The only accounts that may be called", "texts"),
    "forbiddenAccountIds": Setting("Accounts that are never called", "texts"),
    "httpProxy": Setting("A proxy for endpoints with http://"),
    "httpsProxy": Setting("A proxy for endpoints with https://"),
    "noProxy": Setting("Hosts that are reached without a proxy"),
    "customCaBundle": Setting("A file with certificates of authorities, in place of the system's"),
    "skipMetadataApiCheck": Setting("Do not take credentials from the instance metadata service", "boolean"),
    "useFipsEndpoint": Setting("Call the FIPS endpoint", "boolean"),
    "useDualstackEndpoint": Setting("Call the dual-stack endpoint", "boolean"),
}
#: Keys that are not the provider's: the engine's own, and those of the project without code, which has the same namespace.
_OTHERS = {"version", "pluginDownloadURL", "pluginChecksums", "parameterization", *project.KEYS}
#: What a state must not show in clear. A proxy's address may contain a password.
SECRETS = (*targets.SECRET_KEYS, "httpProxy", "httpsProxy")


def problem_of(given: Mapping[str, object]) -> str | None:
    """What is wrong with a configuration whose values are known, as one sentence."""
    unknown = next(
        (key for key in given if not (key in SETTINGS or key in _OTHERS or key.startswith("__"))), None
    )
    if unknown is not None:
        return f"{unknown}: there is no such key: {_instead_of(unknown)}"
    try:
        targets.read_native_config(given)
    except AmiDeprecationError as wrong:
        return str(wrong)
    return None


def _instead_of(key: str) -> str:
    """What to do in place of a key that only the aws provider has; else what may have been meant."""
    theirs = next((each for each in targets.PROVIDER_KEYS if each.name == key), None)
    if theirs is None:
        return inputs.meant(key, SETTINGS)
    if theirs.treatment == "refused":
        return f"set {theirs.variables[0]} in the environment"
    return "use assumeRoles" if theirs.treatment == "honored" else f"remove it ({theirs.because})"
