"""Types of the schema that the resource and the policy share.

Source: https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
"""

from __future__ import annotations

Schema = dict[str, object]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
TEXT_OR_TEXTS: Schema = {"oneOf": [TEXT, TEXTS]}
TEXT_BY_KEY: Schema = {"type": "object", "additionalProperties": TEXT}
BY_KEY: Schema = {"type": "object", "additionalProperties": TEXT_OR_TEXTS}
