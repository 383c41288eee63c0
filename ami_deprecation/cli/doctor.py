"""``ami-deprecation doctor``: which account, Region and endpoint are in use, and what the credentials may do."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..core import inputs
from ..errors import AmiDeprecationError, PermissionDenied
from . import options, output, reading
from .exits import EXIT_CODES, Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..ec2 import Gateway, Target

EPILOG = f"""\b
Examples:
  ami-deprecation doctor
  ami-deprecation doctor --region eu-west-1 --image ami-0123456789abcdef0
  ami-deprecation doctor --role-arn arn:aws:iam::123456789012:role/preview --json

DescribeImages, EnableImageDeprecation and DisableImageDeprecation are called with DryRun: EC2 checks the
permission and changes nothing. Without --image, the account's newest image is used. The command ends with 0
unless something is refused or fails; an account without an image gives "not proven" and 0.

{EXIT_CODES}"""

#: The date that EnableImageDeprecation is tried with: within the limits of private and public images.
_AHEAD = timedelta(days=365)
_VERSION_SECONDS = 20
_CHANGES = ("EnableImageDeprecation", "DisableImageDeprecation")

ALLOWED, REFUSED, FAILED, NOT_PROVEN = "allowed", "refused", "failed", "not proven"


@dataclass(frozen=True)
class Check:
    """What one action of EC2 may do."""

    action: str
    #: ``allowed``, ``refused``, ``failed`` or ``not proven``.
    result: str
    #: Why, or on which image.
    detail: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What is known about one Region."""

    region: str
    #: Where the Region's name comes from.
    region_from: str
    account: str | None
    arn: str | None
    endpoint: str | None
    #: How far EC2's clock is ahead; 0 below a minute.
    clock_ahead_seconds: int
    checks: Sequence[Check]

    @property
    def is_healthy(self) -> bool:
        return all(each.result in (ALLOWED, NOT_PROVEN) for each in self.checks)


@click.command("doctor", epilog=EPILOG, short_help="Check credentials, Region and permissions.")
@options.place
@click.option(
    "--image", "image_id", metavar="AMI", help="The image to try the calls on. Default: your newest."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a table.")
@options.output
def doctor(
    *,
    regions: Sequence[str],
    all_regions: bool,
    profile: str | None,
    role_arn: str | None,
    image_id: str | None,
    as_json: bool,
    path: str | None,
) -> Exit:
    """Show which account, Region and endpoint are in use, and which calls the credentials may make.

    Nothing is changed in EC2, and no secret is shown.
    """
    if image_id is not None:
        inputs.check_image_id("--image", image_id)
    source = _source(regions, all_regions=all_regions, profile=profile)
    targets = options.targets(regions, all_regions=all_regions, profile=profile, role_arn=role_arn)
    diagnoses = [_diagnose(reading.gateway(), target, source, image_id) for target in targets]
    versions = _versions()
    output.write(_as_json(diagnoses, versions) if as_json else _as_text(diagnoses, versions), path)
    return Exit.OK if all(each.is_healthy for each in diagnoses) else Exit.FAILED


def _source(regions: Sequence[str], *, all_regions: bool, profile: str | None) -> str:
    """Where the Region's name comes from, in the order in which it is looked for."""
    if all_regions:
        return "--all-regions"
    if regions:
        return "--region"
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if os.environ.get(name):
            return name
    return f"profile {profile or os.environ.get('AWS_PROFILE') or 'default'}"


def _diagnose(gateway: Gateway, target: Target, source: str, image_id: str | None) -> Diagnosis:
    checks: list[Check] = []
    account = arn = endpoint = None

    def check(action: str, call: Callable[[], None], detail: str = "") -> bool:
        try:
            call()
        except PermissionDenied as denied:
            checks.append(Check(action, REFUSED, str(denied)))
        except AmiDeprecationError as error:
            checks.append(Check(action, FAILED, str(error)))
        else:
            checks.append(Check(action, ALLOWED, detail))
        return checks[-1].result == ALLOWED

    try:
        endpoint = gateway.endpoint(target)
        caller = gateway.caller(target)
        account, arn = caller.account, caller.arn
    except AmiDeprecationError as error:
        checks.append(Check("GetCallerIdentity", FAILED, str(error)))
    # Without credentials every call fails for the same reason, which is reported once.
    may_read = account is not None and check("DescribeImages", lambda: gateway.try_read(target))
    tried = image_id if account is not None else None
    if may_read and tried is None:
        try:
            tried = next((image.id for image in gateway.list_images(target)), None)
        except AmiDeprecationError as error:
            may_read = False
            checks[-1] = Check("DescribeImages", FAILED, str(error))
    if tried is None:
        why = "the account has no image in this Region" if may_read else "no image could be read"
        checks += [Check(action, NOT_PROVEN, f"{why}: name one with --image") for action in _CHANGES]
    else:
        on, when = tried, gateway.now() + _AHEAD
        check(_CHANGES[0], lambda: gateway.try_enable(target, on, when), f"tried on {on}")
        check(_CHANGES[1], lambda: gateway.try_disable(target, on), f"tried on {on}")
    ahead = round(gateway.clock_ahead().total_seconds())
    return Diagnosis(target.region, source, account, arn, endpoint, ahead, checks)


def _versions() -> dict[str, str]:
    installed = {name: metadata.version(name) for name in ("pulumi", "boto3", "botocore")}
    return {
        "ami-deprecation": __version__,
        "Python": platform.python_version(),
        "Pulumi CLI": _cli_version() or "not on the PATH",
        **{f"{name} (Python)": version for name, version in installed.items()},
    }


def _cli_version() -> str | None:
    executable = shutil.which("pulumi")
    if executable is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Pulumi
            [executable, "version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS,
            check=False,
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip().removeprefix("v") or None


def _as_json(diagnoses: Sequence[Diagnosis], versions: Mapping[str, str]) -> str:
    return (
        json.dumps({"regions": [asdict(each) for each in diagnoses], "versions": versions}, indent=2) + "\n"
    )


def _as_text(diagnoses: Sequence[Diagnosis], versions: Mapping[str, str]) -> str:
    lines = []
    for each in diagnoses:
        ahead = each.clock_ahead_seconds
        clock = f"EC2's is {abs(ahead)} seconds {'ahead' if ahead > 0 else 'behind'}"
        facts = {
            "Account": each.account or "unknown",
            "ARN": each.arn or "unknown",
            "Region": f"{each.region} (from {each.region_from})",
            "Endpoint": each.endpoint or "unknown",
            "Clock": clock if ahead else "within a minute of EC2's",
        }
        lines += [f"{key:<10}{value}" for key, value in facts.items()]
        lines.append("")
        lines += [f"{check.result:<12}{check.action:<26}{check.detail}".rstrip() for check in each.checks]
        lines.append("")
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    return "\n".join(lines) + "\n"
