"""Which images belong together: a family is a name without its version. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rows import Row

#: What images without a name are called.
UNNAMED = "(no name)"

#: A name often ends with what it runs on, and the version stands before that.
_PLATFORM = re.compile(
    r"[-_. /]+(?:x86_64|amd64|i386|arm64|aarch64|gp2|gp3|ebs|hvm|kernel-[0-9.]+)$", re.IGNORECASE
)

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NUMBER = r"v?[0-9]+(?:[.:][0-9]+)*"
_STAMP = r"[0-9]{8}t[0-9]{4,6}(?:z|[+-][0-9]{4})?|[0-9]{2}t[0-9]{2}|[0-9]+z|t[0-9]{4,6}z?"
_STAGE = r"(?:rc|alpha|beta|build|rev|release|snapshot|r|b|p)[.]?[0-9]+"
#: A commit's hash: long enough, with a digit and a letter.
_HASH = r"(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}"
#: What semantic versioning calls build metadata.
_METADATA = r"(?<=\+)[a-z.]*[0-9][0-9a-z.]*"
_BEFORE = r"[-_. /(\[@+]+"
_VERSION = re.compile(
    rf"{_BEFORE}(?:{_UUID}|{_NUMBER}|{_STAMP}|{_STAGE}|{_HASH}|{_METADATA}|latest|final)[)\]]*$",
    re.IGNORECASE,
)
#: A word that only says what the number after it counts.
_WORD = re.compile(rf"{_BEFORE}(?:v|version|rc|alpha|beta|build|rev|release|snapshot)$", re.IGNORECASE)
_AROUND = "-_. /()[]@+"
_BEFORE_VERSION = "-_. /([@+"


def family(name: str) -> str:
    """The name without the version, date or build at its end; the platform after that stays.

    ``web-2026-01-15`` and ``web-v2.3.1-arm64`` are ``web`` and ``web-arm64``. A name that is nothing but a
    version is its own family.
    """
    stem, _, platform = _split(name)
    return stem + platform or UNNAMED


def version(name: str) -> str:
    """What tells an image from the others of its family; the whole name when nothing does."""
    return _split(name)[1] or name.strip()


def _split(name: str) -> tuple[str, str, str]:
    """What is before the version, the version, and the platform after it."""
    rest, platform = name.strip(), ""
    while match := _PLATFORM.search(rest):
        rest, platform = rest[: match.start()], rest[match.start() :] + platform
    stem = rest
    while match := _VERSION.search(stem) or (_WORD.search(stem) if stem != rest else None):
        stem = stem[: match.start()]
    stem = stem.rstrip(_BEFORE_VERSION)
    if not any(character.isalpha() for character in stem):
        return name.strip(), "", ""
    return stem, rest[len(stem) :].strip(_AROUND), platform


def by_family(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Family -> its rows, newest first; the families in the rows' order."""
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[family(row.image.name)].append(row)
    return {
        name: sorted(of, key=lambda r: (r.image.creation_date, r.image.id), reverse=True)
        for name, of in grouped.items()
    }
