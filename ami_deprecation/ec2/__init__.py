"""The gateway to EC2: sessions, the calls, pacing, bulk reads, errors into ours.

Only this package imports botocore, the core of boto3, and only when a call is made: the plugin's every start, and every
program's import, would pay for it otherwise.
"""

from __future__ import annotations

from .gateway import Gateway
from .target import Identity, Network, Role, Target

__all__ = ["Gateway", "Identity", "Network", "Role", "Target"]
