"""Many images at once: queries, pages, batches of ids. Pure, but for the calls that it is handed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ..errors import ImageNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from types_boto3_ec2.type_defs import FilterTypeDef

#: DescribeImages' own maximum of a page.
PAGE = 1000
#: So many ids in one call: the request stays short, and one absent id spoils no more than these.
MOST_IDS = 200
#: DescribeImages' own maximum of values in a filter.
MOST_VALUES = 200
#: DescribeImageReferences' own maximum of ids.
MOST_REFERENCED = 10

#: What a filter asks for: one value or any of several; ``*`` and ``?`` are EC2's wildcards.
Values: TypeAlias = "str | Sequence[str]"

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Reference:
    """A resource of the account that uses an image.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImageReference.html
    """

    #: ``ec2:Instance``, ``ec2:LaunchTemplate``, ``ssm:Parameter``, ``imagebuilder:ImageRecipe``, ….
    resource_type: str
    arn: str


def filters_of(
    name: Values | None, tags: Mapping[str, Values] | None, others: Mapping[str, Values] | None
) -> list[FilterTypeDef]:
    """EC2's filters for a name, for tags by their key, and for others by EC2's name."""
    wanted: dict[str, Values] = {} if name is None else {"name": name}
    wanted.update({f"tag:{key}": value for key, value in (tags or {}).items()})
    wanted.update(others or {})
    return [
        {"Name": key, "Values": [value] if isinstance(value, str) else list(value)}
        for key, value in wanted.items()
    ]


def batches(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The ids, deduplicated, in their order."""
    each = list(dict.fromkeys(ids))
    for start in range(0, len(each), size):
        yield each[start : start + size]


class RepeatedToken(Exception):  # nobody sees it: the gateway makes an error of it
    """EC2 returned a page token that it had returned before: the listing would never end."""


def pages(ask: Callable[[str | None], tuple[list[_Item], str | None]]) -> Iterator[list[_Item]]:
    """Every page of a listing. A page may be empty and still have the token of a next one.

    Args:
        ask: asks for the page of a token, None for the first; returns its items and the token of the next one.

    Raises:
        RepeatedToken: the listing would never end.
    """
    seen: set[str] = set()
    token: str | None = None
    while True:
        items, token = ask(token)
        yield items
        if token is None:
            return
        if token in seen:
            raise RepeatedToken
        seen.add(token)


def without_absent(ids: Sequence[str], ask: Callable[[Sequence[str]], list[_Item]]) -> list[_Item]:
    """Ask about images of which some may be gone.

    EC2 refuses a whole call for one absent id, so each half is asked about until that id is alone.
    """
    try:
        return ask(ids)
    except ImageNotFound:
        if len(ids) == 1:
            return []
    middle = len(ids) // 2
    return [*without_absent(ids[:middle], ask), *without_absent(ids[middle:], ask)]
