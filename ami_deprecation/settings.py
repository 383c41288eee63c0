"""Settings from environment variables.

Each value is a positive number, or 1 or 0 for what is on or off; any other value is ignored with a warning.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger("ami_deprecation")

_PREFIX = "AMI_DEPRECATION_"
_FLAGS = {"1": True, "0": False}
_NOT_THERE_YET_SECONDS = 10.0


@dataclass(frozen=True)
class Settings:
    """Rate limits and timeouts. The default limits are EC2's own, per account, Region and call.

    Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
    """

    #: EnableImageDeprecation and DisableImageDeprecation: calls at once, then calls a second.
    changes_burst: float = 50
    changes_per_second: float = 5
    #: DescribeImages: calls at once, then calls a second.
    reads_burst: float = 100
    reads_per_second: float = 20
    #: How long a call is retried, in seconds.
    retry_seconds: float = 60
    #: How long create waits for a pending image, in seconds.
    pending_seconds: float = 600
    #: How long EC2's responses may be stale after a write, in seconds.
    settle_seconds: float = 120
    #: How long to wait before a response that may be wrong is asked for again, in seconds.
    look_again_seconds: float = 2
    #: A live check that cannot be made is an error.
    strict: bool = False
    #: A check asks EC2 with DryRun whether the credentials may set the date.
    dry_run: bool = False

    @property
    def not_there_yet_seconds(self) -> float:
        """How long an image that was made a moment ago may be missing from EC2's responses."""
        return min(_NOT_THERE_YET_SECONDS, self.settle_seconds)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment: ``AMI_DEPRECATION_CHANGES_PER_SECOND`` and so on."""
    values: dict[str, Any] = {}  # of each field's own type
    for field in fields(Settings):
        variable = _PREFIX + field.name.upper()
        text = environment.get(variable)
        if text is None:
            continue
        value = _FLAGS.get(text) if isinstance(field.default, bool) else _number(text, field.name)
        if value is None:
            form = "1 or 0" if isinstance(field.default, bool) else "a positive number"
            logger.warning("%s=%r is ignored: give %s", variable, text, form)
            continue
        values[field.name] = value
    return Settings(**values)


def _number(text: str, name: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") and (value > 0 or name == "settle_seconds") else None
