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
from ..core import inputs, rules
from ..errors import AmiDeprecationError, CredentialsError, ImageNotFound, PermissionDenied, RequestRefused
from . import options, output, reading
from .exits import EXIT_CODES, Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..ec2 import Gateway, Target
    from ..image import Image

EPILOG = f"""\b
Examples:
  ami-deprecation doctor
  ami-deprecation doctor --region eu-west-1 --image ami-0123456789abcdef0
  ami-deprecation doctor --role-arn arn:aws:iam::123456789012:role/preview --json

DescribeImages, EnableImageDeprecation and DisableImageDeprecation are called with DryRun: EC2 checks the
permission and changes nothing. Without --image, the account's newest private image is used. The command ends
with 0 unless something is refused or fails. "not proven" also ends with 0: the account has no image, or EC2
refuses the call for a reason other than a missing permission.

{EXIT_CODES}"""

#: The date that EnableImageDeprecation is tried with: within the limits of private and public images.
_AHEAD = timedelta(days=365)
_VERSION_SECONDS = 20
_WHO, _READ = "GetCallerIdentity", "DescribeImages"
_CHANGES = ("EnableImageDeprecation", "DisableImageDeprecation")
#: EC2's code for an image of another account, as for credentials that it does not accept.
_NOT_OWNER = "AuthFailure"

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
    "--image",
    "image_id",
    metavar="AMI",
    help="The image to try the calls on. Default: your newest private one.",
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
    endpoint, caller, checks = None, None, []
    trouble: AmiDeprecationError | None = None
    try:
        endpoint = gateway.endpoint(target)
        caller = gateway.caller(target)
    except AmiDeprecationError as error:
        trouble = error
        checks.append(Check(_WHO, FAILED, str(error)))
    account, arn = (caller.account, caller.arn) if caller else (None, None)
    if endpoint is not None and (trouble is None or _may_ask_ec2(trouble)):
        checks += _check_calls(gateway, target, account, image_id)
    else:
        checks += [
            Check(action, NOT_PROVEN, f"not tried, because {_WHO} failed") for action in (_READ, *_CHANGES)
        ]
    ahead = round(gateway.clock_ahead().total_seconds())
    return Diagnosis(target.region, source, account, arn, endpoint, ahead, checks)


def _may_ask_ec2(trouble: AmiDeprecationError) -> bool:
    """Whether EC2 may still answer after STS did not: it is of no use without credentials, which fail everywhere alike.

    The policy of a VPC endpoint can refuse GetCallerIdentity, and a private network can have no way to STS.
    """
    is_refused = isinstance(trouble, PermissionDenied) and trouble.action == _WHO
    return is_refused or not isinstance(trouble, CredentialsError)


def _check_calls(gateway: Gateway, target: Target, account: str | None, image_id: str | None) -> list[Check]:
    """DescribeImages, and the two calls that change a date, on the named image or the one that fits best."""
    image = None
    read = _try_read(gateway, target)
    if read.result == ALLOWED:
        try:
            image = (
                _best(gateway.list_images(target))
                if image_id is None
                else gateway.read_image(target, image_id, max_age=0)
            )
        except AmiDeprecationError as error:
            read = Check(_READ, FAILED, str(error))
    on = image_id or (image.id if image else None)
    if on is None:
        known = (
            "the account has no image in this Region" if read.result == ALLOWED else "no image could be read"
        )
        return [read, *(Check(action, NOT_PROVEN, f"{known}: name one with --image") for action in _CHANGES)]
    if read.result == ALLOWED:
        refusal = rules.image_refusal(image, on, target.region, account)
        if refusal is not None:
            result = NOT_PROVEN if refusal.error is RequestRefused else FAILED
            return [read, *(Check(action, result, refusal.sentence) for action in _CHANGES)]
    when = gateway.now() + _AHEAD
    calls = (lambda: gateway.try_enable(target, on, when), lambda: gateway.try_disable(target, on))
    # EC2 looks at the credentials before it looks at the permission.
    is_known = read.result in (ALLOWED, REFUSED)
    changes = [
        _try_change(action, call, on, target.region, is_known=is_known)
        for action, call in zip(_CHANGES, calls, strict=True)
    ]
    return [read, *changes]


def _best(images: Sequence[Image]) -> Image | None:
    """The newest image that is private and available, else the newest: EC2 cancels no public image's date."""
    return next(
        (image for image in images if not image.public and image.state == "available"),
        next(iter(images), None),
    )


def _try_read(gateway: Gateway, target: Target) -> Check:
    try:
        gateway.try_read(target)
    except PermissionDenied as denied:
        return Check(_READ, REFUSED, str(denied))
    except AmiDeprecationError as error:
        return Check(_READ, FAILED, str(error))
    return Check(_READ, ALLOWED)


def _try_change(action: str, call: Callable[[], None], on: str, region: str, *, is_known: bool) -> Check:
    """What a call with DryRun tells about the permission to change an image's date.

    Args:
        action: the call's name.
        call: the call.
        on: the image's id.
        region: the image's Region.
        is_known: EC2 has accepted the credentials.
    """
    try:
        call()
    except PermissionDenied as denied:
        return Check(action, REFUSED, str(denied))
    except RequestRefused as refused:
        # EC2 objects to this image or this date, and no permission is missing.
        return Check(action, NOT_PROVEN, str(refused))
    except ImageNotFound:
        return Check(action, FAILED, rules.not_there(None, on, region).sentence)
    except AmiDeprecationError as error:
        if is_known and error.code == _NOT_OWNER:
            return Check(
                action,
                FAILED,
                f"{on} in {region} is another account's: only the owner can deprecate an image",
            )
        return Check(action, FAILED, str(error))
    return Check(action, ALLOWED, f"tried on {on}")


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
