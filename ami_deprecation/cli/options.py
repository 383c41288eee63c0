"""Options that several commands share, and how their values are parsed."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import click

from ..core import inputs
from ..core.targets import AwsConfig, resolve, resolve_identity
from ..ec2 import Target
from ..image import SEVERITIES
from . import reading
from .exits import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..image import Severity

_Command = TypeVar("_Command", bound="Callable[..., object]")

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
#: Where to list an account's Regions when no Region is set.
_ANY_REGION = "us-east-1"


def _duration(_: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Read ``14d``, ``2w`` or ``36h``; a bare number is days."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})([hdw]?)", value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a duration: write 14d, 2w or 36h", param=param)
    return int(match[1]) * _UNITS[match[2] or "d"]


def duration(name: str, *, default: str | None = None, text: str) -> Callable[[_Command], _Command]:
    """An option that takes a duration."""
    return click.option(
        name, callback=_duration, default=default, show_default=True, metavar="DURATION", help=text
    )


def _severities(
    _: click.Context, param: click.Parameter, values: Sequence[str]
) -> Mapping[Severity, int] | None:
    """Read ``critical=7,high=30``."""
    days: dict[Severity, int] = {}
    for value in split(values):
        word, _equals, number = value.lower().partition("=")
        severity = next((each for each in SEVERITIES if each == word), None)
        if severity is None or not re.fullmatch(r"[0-9]{1,5}", number):
            raise click.BadParameter(
                f"{value!r} is not a severity and days: write critical=7,high=30 (of {', '.join(SEVERITIES)})",
                param=param,
            )
        days[severity] = int(number)
    return days or None


def severities(name: str, *, text: str) -> Callable[[_Command], _Command]:
    """An option that takes days by severity."""
    return click.option(name, multiple=True, callback=_severities, metavar="SEVERITY=DAYS[,…]", help=text)


def pairs(_: click.Context, param: click.Parameter, values: Sequence[str]) -> list[tuple[str, str]]:
    """Read ``Key=Value`` each."""
    pairs = [value.partition("=") for value in values]
    for value, (key, equals, _text) in zip(values, pairs, strict=True):
        if not key or not equals:
            raise click.BadParameter(f"{value!r} is not a tag: write Key=Value", param=param)
    return [(key, text) for key, _, text in pairs]


def tags(text: str) -> Callable[[_Command], _Command]:
    """An option that takes tags."""
    more = "repeatable; several values of one key match any of them"
    return click.option(
        "--tag", "tags", callback=pairs, multiple=True, metavar="Key=Value", help=f"{text}; {more}."
    )


def _together(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def regions(default: str) -> Callable[[_Command], _Command]:
    """An option that takes Regions; its help names the default."""
    return click.option(
        "--region",
        "--regions",
        "-r",
        "regions",
        multiple=True,
        metavar="NAME[,NAME…]",
        help=f"One or more Regions; repeatable. Default: {default}.",
    )


#: Credentials and Region.
place = _together(
    regions("the Region that your AWS settings name"),
    click.option(
        "--all-regions",
        is_flag=True,
        help="Every Region that is enabled for the account (needs ec2:DescribeRegions).",
    ),
    click.option("--profile", metavar="NAME", help="The AWS profile to use."),
    click.option("--role-arn", metavar="ARN", help="The role to assume."),
)

#: Which images to read.
selection = _together(
    click.option("--name", metavar="PATTERN", help="Only images with this name; * and ? are wildcards."),
    tags("Only images with this tag"),
)

output = click.option(
    "--output",
    "-o",
    "path",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write to this file instead of stdout.",
)


def split(names: Sequence[str]) -> list[str]:
    """``("a,b", "c")`` -> ``["a", "b", "c"]``, deduplicated."""
    each = [part for name in names for part in re.split(r"[,\s]+", name) if part]
    return list(dict.fromkeys(each))


def by_key(pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Tags by their key, with every value that was given for it."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        if value not in values[key]:
            values[key].append(value)
    return dict(values)


def targets(
    names: Sequence[str], *, all_regions: bool, profile: str | None, role_arn: str | None
) -> list[Target]:
    """The credentials and Region of each reader, one for each Region.

    Raises:
        InvalidInput: a Region does not exist, or the role's ARN is malformed.
        CommandError: no Region is set, or both ways to choose Regions are used.
        AmiDeprecationError: the account's Regions cannot be read.
    """
    if role_arn is not None:
        inputs.check_role_arn(role_arn)
    if all_regions and names:
        raise CommandError("--region and --all-regions are both set: use one of them")
    gateway, config = reading.gateway(), AwsConfig()
    in_force = None if names else gateway.default_region(profile)
    if all_regions:
        who = resolve_identity(config, profile, role_arn)
        home = Target(who, in_force or _ANY_REGION)
        return [Target(who, region) for region in reading.regions(home)]
    if not names and in_force is None:
        raise CommandError("no Region is set: use --region eu-west-1 or --all-regions, or set AWS_REGION")
    return [
        resolve(gateway, config, region=region, profile=profile, role_arn=role_arn)
        for region in split(names) or (in_force,)
    ]
