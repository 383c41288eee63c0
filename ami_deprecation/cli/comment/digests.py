"""The JSON of a preview and its parts. Pure.

The digest's form is that of ``PreviewDigest`` and ``PreviewStep`` of Pulumi's own SDK
(https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/display); its steps come in no fixed order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ... import dates
from ...core import rules
from ...core.keys import POLICY_TYPE
from ...doors import names
from ...errors import InvalidInput
from ...fleet import plan
from ..exits import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

Object: TypeAlias = "Mapping[str, object]"

#: The prefix of the provider's own lines.
_NOTE = "ami-deprecation: "
#: Without unchanged resources, the comment cannot know that one of them has the image of a deleted one.
_COMMAND = "pulumi preview --json --show-sames"
_HOW = f"pass the output of `{_COMMAND}`"
#: The engine's placeholder for a secret value.
SECRET = "[secret]"  # noqa: S105  # not a password
#: The engine's placeholder for a value that only the update knows.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
#: What the engine adds after the error that has the reason.
CLOSING = frozenset({"preview failed", "Resource monitor has terminated, shutting down"})
#: An object that begins a line.
_OBJECT = re.compile(r"^[ \t]*\{", re.MULTILINE)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
#: How the provider or a policy says that it could not check something against EC2.
_UNCHECKED = re.compile(
    rf"live checks .* were skipped|{rules.NOT_CHECKED}: |^{_REGION.pattern} {plan.LEFT_OUT}\b|{plan.NOT_READ}"
)
#: How the provider says that a date on an image is not the one in the state.
_OUTSIDE = re.compile(
    r"(?P<image>ami-[0-9a-f]+) .*? in (?P<region>[a-z0-9-]+) has (?P<date>\S+|no date) "
    rf"{re.escape(rules.CHANGED_OUTSIDE)}(?P<left>: {rules.IS_IGNORED})?"
)
#: A policy's explanation of one image: what it gets, the rule that decides, and why.
_EXPLAINED = re.compile(
    r"(?P<image>ami-[0-9a-f]+) .*? in (?P<region>[a-z0-9-]+): [^()]* \((?P<rule>[^()]+)\): (?P<because>.*)"
)
#: Color markup that some of the engine's messages contain.
_COLOR = re.compile(r"<\{%.*?%\}>")
_PROBLEM = re.compile(r"resource '(?P<name>[^']*)'.*? has a problem: (?P<why>.*)", re.DOTALL)


class SeveralStacks(CommandError):
    """The input has previews of more than one stack."""


def load(text: str | bytes) -> Object:
    """The last preview in what `pulumi preview --json` printed; policy packs and plugins print around it.

    Raises:
        SeveralStacks: there are previews of more than one stack.
        CommandError: there is no preview; the sentence says what there is instead.
    """
    content = text if isinstance(text, str) else text.decode(json.detect_encoding(text), errors="replace")
    if not content.strip():
        raise CommandError(f"the input is empty: {_HOW}")
    documents = list(_documents(content))
    # A preview that fails early may have nothing but diagnostics; so may other programs' output.
    for kind in (_is_preview, _has_only_diagnostics):
        previews = [each for each in documents if kind(each)]
        if previews:
            _check_one_stack(previews)
            return previews[-1]
    raise CommandError(_instead(content.strip(), documents))


def _check_one_stack(previews: Sequence[Object]) -> None:
    stacks = dict.fromkeys(filter(None, map(stack_in, previews)))
    if len(stacks) > 1:
        raise SeveralStacks(
            f"the input has previews of {len(stacks)} stacks, {' and '.join(stacks)}: run this command once for each stack"
        )


def _documents(content: str) -> Iterator[Object]:
    """The JSON objects that begin a line or follow another one, whatever stands between them."""
    decoder = json.JSONDecoder()
    end = 0
    for start in _OBJECT.finditer(content):
        begin = start.end() - 1
        while end <= begin < len(content) and content[begin] == "{":
            try:
                document, end = decoder.raw_decode(content, begin)
            except ValueError:
                break
            yield document
            begin = end
            while content[begin : begin + 1].isspace():
                begin += 1


def _is_preview(document: Object) -> bool:
    """Whether it has the steps of a preview, or its counts; a preview without resources has the counts only."""
    steps, counts = document.get("steps"), document.get("changeSummary")
    return (
        ("steps" in document or "changeSummary" in document)
        and isinstance(steps or [], list)
        and (not steps or bool(steps_of(document)))
        and isinstance(counts or {}, Mapping)
        and not _is_other_output(document)
    )


def _has_only_diagnostics(document: Object) -> bool:
    return isinstance(document.get("diagnostics"), list) and not document.keys() & {"steps", "resources"}


def _is_other_output(document: Object) -> bool:
    """Whether it is the JSON of ``--output json``, which lists resources without their dates."""
    return "resources" in document and "steps" not in document


def _instead(content: str, documents: Sequence[Object]) -> str:
    if any("sequence" in each and "timestamp" in each for each in documents):
        return (
            "these are a preview's events, one a line: unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW and run "
            f"`{_COMMAND}` again"
        )
    if any(_is_other_output(each) for each in documents):
        return f"this is the output of `--output json`, which has no dates: {_HOW}"
    if documents or content.startswith("["):
        return f"this JSON is not a preview, it has no steps: {_HOW}"
    return f"this is not JSON, it begins with {content.splitlines()[0][:60]!r}: {_HOW}"


def objects(value: object) -> list[Object]:
    """The objects of a list; empty when the value is not a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []


def type_of(step: Object) -> str:
    """The resource's own type, from its URN: ``urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME``."""
    parts = str(step["urn"]).split("::", 3)
    return parts[2].rpartition("$")[2] if len(parts) > 2 else ""  # noqa: PLR2004


def steps_of(digest: Object) -> list[Object]:
    """The steps that name a resource."""
    return [step for step in objects(digest.get("steps")) if isinstance(step.get("urn"), str)]


def stack_in(digest: Object) -> str:
    """``project/stack``; empty when the preview has no step."""
    steps = steps_of(digest)
    return stack_of(str(steps[0]["urn"])) if steps else ""


def stack_of(urn: str) -> str:
    """``project/stack``."""
    head, _, rest = urn.partition("::")
    return f"{rest.partition('::')[0]}/{head.removeprefix('urn:pulumi:')}"


def name_of(step: Object) -> str:
    """The resource's name, which may contain any character."""
    return str(step["urn"]).split("::", 3)[-1]


def part(step: Object, name: str, *keys: str) -> Object:
    """The first non-empty object among these keys of ``oldState`` or ``newState``, under Python's names."""
    whole = step.get(name)
    for key in keys:
        props = whole.get(key) if isinstance(whole, Mapping) else None
        if isinstance(props, Mapping) and props:
            return names.to_python(props)
    return {}


def text_of(props: Object, key: str) -> str | None:
    """A text; None when it is absent, empty or unknown."""
    value = props.get(key)
    return value if isinstance(value, str) and value and value != UNKNOWN else None


def region_of(props: Object) -> str:
    """The Region; empty when it is unknown."""
    return text_of(props, "region") or ""


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
    """This package's own lines: what the provider says, and its components' warnings."""
    lines = [line.removeprefix("warning: ") for line in _lines(diagnostic)]
    if _is_components(diagnostic):
        text = " ".join(line for line in lines if line)
        return [text] if diagnostic.get("severity") == "warning" and text else []
    return [line[len(_NOTE) :].strip() for line in lines if line.startswith(_NOTE)]


def rules_of(diagnostic: Object) -> dict[tuple[str, str], str]:
    """Region and image id to the rule that decides and why, from a policy with ``explain=True``."""
    if not _is_components(diagnostic) or diagnostic.get("severity") == "warning":
        return {}
    matches = (_EXPLAINED.search(line) for line in _lines(diagnostic))
    return {
        (match["region"], match["image"]): f"{match['rule']}: {match['because']}"
        for match in matches
        if match
    }


@dataclass(frozen=True)
class OutsideDate:
    """A date that somebody else gave an image, or that nobody did (None)."""

    date: datetime | None
    #: Whether the program leaves it (``ignore_changes``).
    is_left: bool


def changed_outside(note: str) -> tuple[tuple[str, str], OutsideDate] | None:
    """Region and image id, and the date that somebody else gave the image; None for any other note."""
    match = _OUTSIDE.match(note)
    if match is None:
        return None
    there = OutsideDate(date_of({"date": match["date"]}, "date"), match["left"] is not None)
    return (match["region"], match["image"]), there


def is_unchecked(text: str) -> bool:
    """Whether a note or an error says that a check against EC2 did not happen."""
    return _UNCHECKED.search(text) is not None


def _lines(diagnostic: Object) -> list[str]:
    return [line.strip() for line in _COLOR.sub("", str(diagnostic["message"])).splitlines()]


def _is_components(diagnostic: Object) -> bool:
    return isinstance(diagnostic.get("urn"), str) and type_of(diagnostic) == POLICY_TYPE


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
