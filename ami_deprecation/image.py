"""An image as EC2 describes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

from . import dates

if TYPE_CHECKING:
    from collections.abc import Mapping

#: States in which an image is no more, whatever DescribeImages still shows for a while.
GONE_STATES = frozenset({"deregistered"})

#: States from which an image never becomes usable.
BROKEN_STATES = frozenset({"failed", "error", "invalid"})


@dataclass(frozen=True)
class Image:
    """An Amazon Machine Image.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html
    """

    #: ``ami-…``.
    id: str
    #: The name it was registered with; EC2 lets it be empty.
    name: str
    #: ``eu-west-1``.
    region: str
    #: The account that owns it, twelve digits.
    owner_id: str
    #: When it was made, aware, UTC.
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

    def is_deprecated(self, at: datetime | None = None) -> bool:
        """Whether its deprecation date has come, now or at another (aware) moment."""
        if self.deprecation_time is None:
            return False
        return self.deprecation_time <= (at or datetime.now(timezone.utc))

    @property
    def date(self) -> datetime | None:
        """Its deprecation date on the minute: the form in which dates are compared.

        AWS's own dates carry seconds, ours never do.
        """
        return None if self.deprecation_time is None else dates.to_minute(self.deprecation_time)
