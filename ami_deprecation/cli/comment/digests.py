"""The JSON of a preview and its parts. Pure.

The digest's form is that of ``PreviewDigest`` and ``PreviewStep`` of Pulumi's own SDK
(https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/display); its steps come in no fixed order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ... import dates
from ...errors import InvalidInput
from ..exits import CommandError

if TYPE_CHECKING:
    from datetime import datetime

Object: TypeAlias = "Mapping[str, object]"

#: The prefix of the provider's own lines.
_NOTE = "ami-deprecation: "
#: The prefix of the types of its components.
_COMPONENTS = "ami-deprecation:"
_HOW = "give what `pulumi preview --json` printed"
#: The engine's placeholder for a secret value.
SECRET = "[secret]"  # noqa: S105  # not a password
#: The engine's last error, after the one with the reason.
CLOSING = "preview failed"
#: Color markup that some of the engine's messages contain.
_COLOR = re.compile(r"<\{%.*?%\}>")
_PROBLEM = re.compile(r"resource '(?P<name>[^']*)'.*? has a problem: (?P<why>.*)", re.DOTALL)


def load(text: str | bytes) -> Object:
    """Parse what `pulumi preview --json` printed.

    Raises:
        CommandError: the text is not a preview; the sentence says what it is.
    """
    if not text.strip():
        raise CommandError(f"there is nothing to read: {_HOW}")
    try:
        document = json.loads(text)
    except ValueError:
        start = text if isinstance(text, str) else text.decode(errors="replace")
        first = start.strip().splitlines()[0][:60]
        if first.startswith('{"sequence"'):
            raise CommandError(
                "these are the events of a preview, one a line: unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW and run "
                "`pulumi preview --json` again"
            ) from None
        raise CommandError(f"this is not JSON, it begins with {first!r}: {_HOW}") from None
    if not isinstance(document, dict) or not isinstance(document.get("steps") or [], list):
        raise CommandError(f"this JSON is not a preview: {_HOW}")
    if not {"steps", "changeSummary", "diagnostics"} & document.keys():
        raise CommandError(f"this JSON is not a preview, it has no steps: {_HOW}")
    return document


def objects(value: object) -> list[Object]:
    """The objects of a list; empty when the value is not a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []


def type_of(step: Object) -> str:
    """The resource's own type, from its URN: ``urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME``."""
    parts = str(step["urn"]).split("::", 3)
    return parts[2].rpartition("$")[2] if len(parts) > 2 else ""  # noqa: PLR2004


def stack_of(urn: str) -> str:
    """``project/stack``."""
    head, _, rest = urn.partition("::")
    return f"{rest.partition('::')[0]}/{head.removeprefix('urn:pulumi:')}"


def name_of(step: Object) -> str:
    """The resource's name, which may contain any character."""
    return str(step["urn"]).split("::", 3)[-1]


def part(step: Object, name: str, *keys: str) -> Object:
    """The first non-empty object among these keys of ``oldState`` or ``newState``."""
    whole = step.get(name)
    for key in keys:
        props = whole.get(key) if isinstance(whole, Mapping) else None
        if isinstance(props, Mapping) and props:
            return props
    return {}


def text_of(props: Object, key: str) -> str | None:
    value = props.get(key)
    return value if isinstance(value, str) and value else None


def date_of(props: Object, key: str) -> datetime | None:
    """A date in normal form; None when it is absent, "none" or unknown."""
    text = text_of(props, key)
    if text is None:
        return None
    try:
        return dates.parse(text)
    except InvalidInput:
        return None


def notes_of(diagnostic: Object) -> list[str]:
    """This package's own lines: what the provider prints, and its components' warnings."""
    message = _COLOR.sub("", str(diagnostic["message"]))
    lines = [line.strip() for line in message.splitlines()]
    if isinstance(diagnostic.get("urn"), str) and type_of(diagnostic).startswith(_COMPONENTS):
        text = " ".join(line for line in lines if line).removeprefix("warning: ")
        return [text] if diagnostic.get("severity") == "warning" and text else []
    return [line[len(_NOTE) :].strip() for line in lines if line.startswith(_NOTE)]


def error_of(diagnostic: Object) -> str:
    """An error in one line: the provider's reason, a traceback's last line, or the whole message."""
    message = _COLOR.sub("", str(diagnostic["message"])).strip()
    message = message.removeprefix("error: ").removeprefix("Preview failed: ").strip()
    problem = _PROBLEM.search(message)
    if problem is not None:
        return f"{problem['name']}: {' '.join(problem['why'].split())}"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines:
        return "the engine gave no reason"
    # Only the last line of a traceback helps a reviewer.
    return lines[-1] if any(line.startswith("Traceback") for line in lines) else " ".join(lines)
