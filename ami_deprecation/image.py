"""An image as EC2 describes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from . import dates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: States in which an image is no more, whatever DescribeImages still shows for a while.
GONE_STATES = frozenset({"deregistered"})

#: States from which an image never becomes usable.
BROKEN_STATES = frozenset({"failed", "error", "invalid"})

Severity = Literal["critical", "high", "medium", "low", "informational"]
#: Amazon Inspector's severities, the worst first.
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "informational")


@dataclass(frozen=True)
class Scan:
    """What Amazon Inspector knows about an image.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
    """

    #: The highest severity of any finding, in lower case; None when EC2 names none.
    highest_severity: str | None = None
    #: When the image was last scanned, aware, UTC; None when EC2 does not say.
    scanned_at: datetime | None = None
    #: For each severity with an open fix: since when the oldest of these fixes has been available.
    fix_available_since: Mapping[Severity, datetime] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Image:
    """An Amazon Machine Image.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html
    """

    #: ``ami-…``.
    id: str
    #: The name it was registered with; it can be empty.
    name: str
    #: ``eu-west-1``.
    region: str
    #: The account that owns it, twelve digits.
    owner_id: str
    #: When it was created, aware, UTC.
    creation_date: datetime
    #: Its deprecation date as EC2 has it (to the second), aware, UTC; None when it has none.
    deprecation_time: datetime | None = None
    #: EC2's ImageState: pending, available, disabled, failed, ….
    state: str = "available"
    #: Whether every account may launch it.
    public: bool = False
    #: Its tags, read-only.
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: When an instance was last launched from it (EC2 reports it a day late); None when unknown.
    last_launched_time: datetime | None = None
    #: ``x86_64``, ``arm64``, ….
    architecture: str | None = None
    #: ``windows``; None for every other platform.
    platform: str | None = None
    #: The description it was registered with.
    description: str | None = None
    #: ``amazon``, ``aws-marketplace`` or ``aws-backup-vault``; None for any other owner.
    owner_alias: str | None = None
    #: ``disabled``, ``enabled-with-cooldown`` or ``enabled-without-cooldown``.
    deregistration_protection: str | None = None
    #: The public SSM parameter that resolves to this image.
    public_ssm_parameter_name: str | None = None
    #: The image that it was copied or created from, and that image's Region.
    source_image_id: str | None = None
    source_image_region: str | None = None
    #: Whether the account's Allowed AMIs settings permit it; None when EC2 does not say.
    image_allowed: bool | None = None
    #: The keys of its watermarks (``account:name``), sorted. Copies carry them too.
    watermarks: tuple[str, ...] = ()
    #: What Amazon Inspector found; None when the image has not been scanned.
    scan: Scan | None = None

    def is_deprecated(self, at: datetime | None = None) -> bool:
        """Whether its deprecation date has passed, now or at another (aware) time."""
        if self.deprecation_time is None:
            return False
        return self.deprecation_time <= (at or datetime.now(timezone.utc))

    @property
    def date(self) -> datetime | None:
        """Its deprecation date on the minute: the form in which dates are compared.

        AWS's own dates carry seconds, ours never do.
        """
        return None if self.deprecation_time is None else dates.to_minute(self.deprecation_time)


def newest_first(images: Iterable[Image]) -> list[Image]:
    """Sort the images by creation date, then by id."""
    return sorted(sorted(images, key=lambda i: i.id), key=lambda i: i.creation_date, reverse=True)
