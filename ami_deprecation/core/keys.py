"""Names of properties, in states and between a program and its plugin, beside those of the inputs.

They are promises: users' states have them. A program that only declares resources needs these and nothing else of the
core, so they stand apart.
"""

from __future__ import annotations

#: The three ways to give a date: exactly one is given.
SCHEDULE_KEYS = ("deprecate_at", "deprecate_after_days", "deprecate_in_days")

# Outputs.

LIVE_KEY = "deprecation_time"
NAME_KEY = "image_name"
OWNER_KEY = "owner_id"
CREATED_KEY = "creation_date"
PREVIOUS_KEY = "previous_deprecation_time"
#: The outputs that are no inputs.
OUTPUT_KEYS = (LIVE_KEY, NAME_KEY, OWNER_KEY, CREATED_KEY, PREVIOUS_KEY)

#: What inputs have in place of a date that somebody has canceled, after a refresh.
NO_DATE = "none"

# What a preview does not show: the engine hides keys that begin so.

#: The resource's name, for sentences.
RESOURCE_KEY = "__resource"
#: What is taken from ``opts.provider``.
PROVIDER_AWS_KEY = "__aws"
#: A message about options that are not supported; check turns it into a failure.
PROVIDER_PROBLEM_KEY = "__provider_problem"
#: The program ignores changes of the date (``ignore_changes``).
IGNORED_KEY = "__ignored"
#: Marks "in N days" as one of a policy: see ``inputs.Notice``.
ONCE_KEY = "__once"
SCHEDULED_KEY = "__scheduled"
APPLIED_AT_KEY = "__applied_at"
APPLIED_OVER_KEY = "__applied_over"
GIVEN_UP_KEY = "__given_up"
ADOPTED_KEY = "__adopted"

#: The type of a policy. The qualified names of its resources contain it: ``web (in ami-deprecation:index:AmiDeprecationPolicy)``.
POLICY_TYPE = "ami-deprecation:index:AmiDeprecationPolicy"
