"""The schema of the policy: its arguments as other languages than Python see them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.inputs import camel
from ...core.keys import POLICY_TYPE
from ...image import SEVERITIES
from .shapes import BY_KEY, FLAG, NUMBER, TEXT, TEXT_OR_TEXTS, TEXTS, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping


_IN_USE = "ami-deprecation:index:InUse"
_DATED_IMAGE = "ami-deprecation:index:DatedImage"
_FIX_DAYS = "ami-deprecation:index:FixDays"

#: Python's name of each argument -> its type, and what it means. `docs/reference/configuration.md` says more.
ARGUMENTS: Mapping[str, tuple[Schema, str]] = {
    "name": (TEXT_OR_TEXTS, "Which images: their name, or several, with EC2's wildcards * and ?"),
    "tags": (BY_KEY, "Which images: tag key to value or values; * for any"),
    "filters": (BY_KEY, "Which images: any other filter of DescribeImages, by its name"),
    "owners": (TEXTS, "Accounts, as a guard; self by default. Only one's own images can be dated"),
    "executable_users": (
        TEXTS,
        "Only images that these may launch: account ids, self, or all for public ones",
    ),
    "exclude": (TEXTS, "Images to leave out: ids, names, tag:Key or tag:Key=Value"),
    "group_by": (
        TEXT_OR_TEXTS,
        "What makes a family, within which images are counted: tag:Key, name:REGEX, architecture, watermark, or several",
    ),
    "keep_newest": (NUMBER, "How many of each family, in each Region, have no date"),
    "grace_days": (NUMBER, "Days from the creation of the image that pushed another out of the newest"),
    "keep_at_least": (NUMBER, "The newest so many of each family, in each Region, have no date by any rule"),
    "deprecate_after_days": (NUMBER, "Days from an image's creation"),
    "fix_days": (
        {"$ref": f"#/types/{_FIX_DAYS}"},
        "Severity of a finding to the days after a fix for it became available",
    ),
    "whole_releases": (
        FLAG,
        "Count an image among the newest only when its release is available in every Region",
    ),
    "notice_days": (
        NUMBER,
        "No image is given a date nearer than this when it first gets one; 14 by default",
    ),
    "in_use": ({"$ref": f"#/types/{_IN_USE}"}, "What about images that the account uses; ignore by default"),
    "regions": (
        TEXT_OR_TEXTS,
        "Where, or all for every enabled Region; the provider's Region by default",
    ),
    "exclude_regions": (TEXTS, "Regions to leave out of all"),
    "max_changes": (NUMBER, "Refuse a run that would date, re-date or cancel more images than this"),
    "allow_empty": (
        FLAG,
        "Allow a run that leaves the policy without any date, or cancels most of its dates",
    ),
    "on_destroy": (
        {"$ref": "#/types/ami-deprecation:index:OnDestroy"},
        "What happens to the dates of images that leave the policy",
    ),
    "explain": (FLAG, "List every image with the date that it gets, the rule that decides, and why"),
    "profile": (TEXT, "A profile of the AWS configuration; otherwise the provider's"),
    "role_arn": (TEXT, "A role to assume through STS; otherwise the provider's"),
}


def resources() -> Schema:
    """The component."""
    return {
        POLICY_TYPE: {
            "isComponent": True,
            "description": (
                "Deprecation dates for a fleet of images, by rules, with one AmiDeprecation for each image that is due. The "
                "images are read before anything is declared, so every input has to be known in a preview."
            ),
            "inputProperties": {
                camel(name): kind | {"description": doc} for name, (kind, doc) in ARGUMENTS.items()
            },
            "properties": {
                "deprecations": {
                    "type": "array",
                    "items": {"$ref": f"#/types/{_DATED_IMAGE}"},
                    "description": "The images that have a date, by Region and newest first",
                }
            },
            "required": ["deprecations"],
        }
    }


def types() -> Schema:
    """The types that the component refers to, and that are its own."""
    return {
        _IN_USE: {
            "type": "string",
            "description": "What about images that the account uses.",
            "enum": [{"name": each.capitalize(), "value": each} for each in ("ignore", "warn", "skip")],
        },
        _FIX_DAYS: {
            "type": "object",
            "description": "Days after a fix became available, by the severity of the finding.",
            "properties": {
                each: NUMBER | {"description": f"For findings of severity {each}"} for each in SEVERITIES
            },
        },
        _DATED_IMAGE: {
            "type": "object",
            "description": "An image that a policy has dated.",
            "properties": {
                "imageId": TEXT | {"description": "The image"},
                "imageName": TEXT | {"description": "Its name"},
                "region": TEXT | {"description": "Its Region"},
                "deprecationTime": TEXT | {"description": "Its date, YYYY-MM-DDTHH:MM:00Z"},
            },
            "required": ["imageId", "imageName", "region"],
        },
    }
