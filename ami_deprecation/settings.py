"""What can be adjusted through the environment, read once per process.

Each value is a positive number; any other value is ignored with a warning.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cache

logger = logging.getLogger("ami_deprecation")

_PREFIX = "AMI_DEPRECATION_"


@dataclass(frozen=True)
class Settings:
    """Limits and patience. Defaults of the buckets are EC2's own, per account, Region and call.

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
    #: How long after a write EC2's answers may be older than the write, in seconds.
    settle_seconds: float = 120


@cache
def settings() -> Settings:
    """The settings in force: ``AMI_DEPRECATION_CHANGES_PER_SECOND`` and so on."""
    given: dict[str, float] = {}
    for name in Settings.__dataclass_fields__:
        text = os.environ.get(_PREFIX + name.upper())
        if text is None:
            continue
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if 0 <= value < float("inf") and (value > 0 or name == "settle_seconds"):
            given[name] = value
        else:
            logger.warning("%s%s=%r is ignored: give a positive number", _PREFIX, name.upper(), text)
    return Settings(**given)
