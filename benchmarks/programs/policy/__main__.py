"""Declares the policy of policy.json."""

import json
from pathlib import Path

from ami_deprecation import AmiDeprecationPolicy

AmiDeprecationPolicy("fleet", **json.loads(Path(__file__).with_name("policy.json").read_text()))
