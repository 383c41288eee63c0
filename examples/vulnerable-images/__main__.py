"""Images with a finding that has a fix are retired: a week after a critical one, a month after a high one."""

import pulumi

from ami_deprecation import AmiDeprecationPolicy

policy = AmiDeprecationPolicy(
    "vulnerable",
    name="web-*",
    fix_days={"critical": 7, "high": 30},
    keep_at_least=1,
    notice_days=14,
    max_changes=50,
    explain=True,
)

pulumi.export("deprecations", policy.deprecations)
