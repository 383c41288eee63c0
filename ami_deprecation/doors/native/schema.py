"""The package's schema, from which Pulumi makes an SDK for each language. Made from the definitions of the inputs. Pure.

Source: https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._version import __version__
from ...core import inputs, keys
from .. import names
from . import config, functions, policy_schema
from .shapes import BY_KEY, FLAG, NUMBER, TEXT, TEXT_BY_KEY, TEXT_OR_TEXTS, TEXTS, Schema

if TYPE_CHECKING:
    from ...core.inputs import Definition

PACKAGE = "ami-deprecation"
RESOURCE = names.NATIVE_TYPE
_ADDRESS = "https://github.com/ami-deprecation/ami-deprecation"

_IMAGE = f"{PACKAGE}:index:Image"
_ROLE = f"{PACKAGE}:index:AssumeRole"
_SCAN = f"{PACKAGE}:index:Scan"
_SETTING_TYPES: dict[str, Schema] = {
    "string": TEXT,
    "boolean": FLAG,
    "texts": TEXTS,
    "roles": {"type": "array", "items": {"$ref": f"#/types/{_ROLE}"}},
}

#: The outputs that are no inputs: name -> (description, whether it is always there).
_OUTPUTS = {
    keys.LIVE_KEY: ("The date on the image; in a preview the date it will have", False),
    keys.NAME_KEY: ("The image's name", True),
    keys.OWNER_KEY: ("The account that owns the image", True),
    keys.CREATED_KEY: ("When the image was created", True),
    keys.PREVIOUS_KEY: ("The date found on the image when this resource was created", False),
}

_IMAGE_PROPERTIES = {
    "id": TEXT | {"description": "ami-…"},
    "name": TEXT | {"description": "The name it was registered with"},
    "region": TEXT | {"description": "Its Region"},
    "ownerId": TEXT | {"description": "The account that owns it"},
    "creationDate": TEXT | {"description": "When it was created, YYYY-MM-DDTHH:MM:SSZ"},
    "deprecationTime": TEXT | {"description": "Its deprecation date, YYYY-MM-DDTHH:MM:00Z"},
    "state": TEXT | {"description": "EC2's state of it: available, disabled, …"},
    "public": FLAG | {"description": "Whether every account may launch it"},
    "tags": TEXT_BY_KEY | {"description": "Its tags"},
    "lastLaunchedTime": TEXT | {"description": "When an instance was last launched from it"},
    "architecture": TEXT | {"description": "x86_64, arm64, …"},
    "platform": TEXT | {"description": "windows; absent for every other platform"},
    "description": TEXT | {"description": "The description it was registered with"},
    "ownerAlias": TEXT | {"description": "amazon, aws-marketplace or aws-backup-vault"},
    "deregistrationProtection": TEXT
    | {"description": "disabled, enabled-with-cooldown or enabled-without-cooldown"},
    "publicSsmParameterName": TEXT | {"description": "The public SSM parameter that resolves to this image"},
    "sourceImageId": TEXT | {"description": "The image that it was copied or created from"},
    "sourceImageRegion": TEXT | {"description": "That image's Region"},
    "imageAllowed": FLAG | {"description": "Whether the account's Allowed AMIs settings permit it"},
    "watermarks": TEXTS | {"description": "The keys of its watermarks (account:name), sorted"},
    "scan": {
        "$ref": f"#/types/{_SCAN}",
        "description": "What Amazon Inspector found; absent when the image has not been scanned",
    },
}
_ALWAYS_OF_IMAGE = [
    "id",
    "name",
    "region",
    "ownerId",
    "creationDate",
    "state",
    "public",
    "tags",
    "watermarks",
]
_SCAN_PROPERTIES: dict[str, Schema] = {
    "highestSeverity": TEXT | {"description": "The highest severity of any finding, in lower case"},
    "scannedAt": TEXT | {"description": "When the image was last scanned, YYYY-MM-DDTHH:MM:SSZ"},
    "fixAvailableSince": TEXT_BY_KEY
    | {
        "description": "For each severity with an open fix: since when the oldest of these fixes has been available"
    },
}

_WHERE = {
    "region": TEXT | {"description": "The Region; otherwise the provider's"},
    "profile": TEXT | {"description": "A profile of the AWS configuration; otherwise the provider's"},
    "roleArn": TEXT | {"description": "A role to assume; otherwise the provider's"},
}
_GET_IMAGES = {
    "owners": TEXTS
    | {
        "description": "self (the default), account ids, amazon, aws-marketplace; an empty list: every owner whose images are visible"
    },
    "executableUsers": TEXTS
    | {"description": "Only images that these may launch: account ids, self, or all for public ones"},
    "name": TEXT_OR_TEXTS | {"description": "The image's name, or several, with EC2's wildcards * and ?"},
    "filters": BY_KEY | {"description": "Any other filter of DescribeImages, by its name"},
    "tags": BY_KEY | {"description": "Tag key to value or values; * for any"},
    "imageIds": TEXTS | {"description": "Only these, of these owners; ids that are not there are left out"},
    "includeDeprecated": FLAG | {"description": "Other accounts' deprecated images too"},
    "includeDisabled": FLAG | {"description": "One's own disabled images too"},
}


def package() -> Schema:
    """The whole schema."""
    settings = {
        key: _SETTING_TYPES[each.type]
        | {"description": each.doc}
        | ({"secret": True} if key in config.SECRETS else {})
        for key, each in config.SETTINGS.items()
    }
    return {
        "name": PACKAGE,
        "version": __version__,
        "displayName": "AMI deprecation",
        "description": "AMI deprecation dates: set, moved and canceled in reviewed infrastructure code.",
        "homepage": _ADDRESS,
        "repository": _ADDRESS,
        "license": "Apache-2.0",
        "meta": {"moduleFormat": "(.*)"},
        "language": {
            "python": {"packageName": "pulumi_ami_deprecation", "pyproject": {"enabled": True}},
            "nodejs": {"respectSchemaVersion": True},
        },
        "config": {"variables": settings},
        "provider": {
            "description": "Credentials and Region of resources that have none of their own.",
            "inputProperties": settings,
        },
        "types": _types() | policy_schema.types(),
        "resources": {RESOURCE: _resource(), **policy_schema.resources()},
        "functions": _functions(),
    }


def _resource() -> Schema:
    given = {each.camel: _input(each) for each in inputs.DEFINITIONS}
    outputs: dict[str, Schema] = {
        names.CAMEL[key]: TEXT | {"description": doc} for key, (doc, _) in _OUTPUTS.items()
    }
    required = [each.camel for each in inputs.DEFINITIONS if each.missing]
    always = [names.CAMEL[key] for key, (_, is_always) in _OUTPUTS.items() if is_always]
    defaults = [each.camel for each in inputs.DEFINITIONS if each.default is not None]
    return {
        "description": (
            "The deprecation date of an AMI. Creating it sets the date, a changed date moves it in place, deleting it cancels "
            "it. Set exactly one of deprecateAt, deprecateAfterDays and deprecateInDays."
        ),
        "inputProperties": given,
        "requiredInputs": required,
        "properties": given | outputs,
        "required": [*required, "region", *defaults, *always],
        "aliases": [{"type": names.DYNAMIC_TYPE}],
    }


def _input(of: Definition) -> Schema:
    described: Schema = {"description": of.doc}
    if of.choices:
        return described | {"$ref": f"#/types/{_enum(of)}"}
    return described | (NUMBER if of.type is int else TEXT)


def _enum(of: Definition) -> str:
    return f"{PACKAGE}:index:{of.camel[0].upper()}{of.camel[1:]}"


def _types() -> Schema:
    enums: Schema = {
        _enum(each): {
            "type": "string",
            "description": each.doc,
            "enum": [{"name": choice.capitalize(), "value": choice} for choice in each.choices],
        }
        for each in inputs.DEFINITIONS
        if each.choices
    }
    role: dict[str, Schema] = {
        "roleArn": TEXT | {"description": "The role's ARN"},
        "externalId": TEXT | {"description": "What the role's trust policy asks for"},
        "sessionName": TEXT | {"description": "The session's name, which CloudTrail shows"},
        "duration": TEXT | {"description": "How long the session is valid: 15m, 1.5h"},
        "policy": TEXT | {"description": "An IAM policy that narrows the role, as JSON"},
        "policyArns": TEXTS | {"description": "Managed policies that narrow the role"},
        "sourceIdentity": TEXT | {"description": "Who has assumed the role"},
        "tags": TEXT_BY_KEY | {"description": "Tags of the session"},
        "transitiveTagKeys": TEXTS | {"description": "Tags that later roles keep"},
    }
    return enums | {
        _IMAGE: {
            "type": "object",
            "description": "An image as EC2 describes it.",
            "properties": _IMAGE_PROPERTIES,
            "required": _ALWAYS_OF_IMAGE,
        },
        _SCAN: {
            "type": "object",
            "description": "What Amazon Inspector knows about an image.",
            "properties": _SCAN_PROPERTIES,
            "required": ["fixAvailableSince"],
        },
        _ROLE: {
            "type": "object",
            "description": "A role to assume through STS.",
            "properties": role,
            "required": ["roleArn"],
        },
    }


def _functions() -> Schema:
    return {
        functions.GET_IMAGES: {
            "description": "The images of a Region that match, newest first.",
            "inputs": {"type": "object", "properties": _GET_IMAGES | _WHERE},
            "outputs": {
                "type": "object",
                "properties": {
                    "images": {
                        "type": "array",
                        "items": {"$ref": f"#/types/{_IMAGE}"},
                        "description": "The images, newest first",
                    }
                },
                "required": ["images"],
            },
        },
        functions.GET_IMAGE: {
            "description": "One image, by its id.",
            "inputs": {
                "type": "object",
                "properties": {"imageId": TEXT | {"description": "The image"}} | _WHERE,
                "required": ["imageId"],
            },
            "outputs": {
                "type": "object",
                "properties": _IMAGE_PROPERTIES,
                "required": _ALWAYS_OF_IMAGE,
            },
        },
    }
