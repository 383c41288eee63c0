"""The gateway to EC2: sessions, the calls, pacing, bulk reads, errors into ours.

Only this package imports boto3, and only when a call is made: the plugin's every start, and every
program's import, would pay for it otherwise.
"""

from __future__ import annotations

from .gateway import Target, caller_account, disable, enable, now, read_image
from .regions import check_region, default_region

__all__ = [
    "Target",
    "caller_account",
    "check_region",
    "default_region",
    "disable",
    "enable",
    "now",
    "read_image",
]
