"""DescribeImages: which images an account sees, page by page.

EC2 API Reference, "DescribeImages"; EC2 User Guide, "Deprecate an Amazon EC2 AMI" and "Disable an
Amazon EC2 AMI" for what is hidden from whom.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ami_deprecation.testing import rules, world
from ami_deprecation.testing.wire import EC2Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ami_deprecation.testing.wire import Request
    from ami_deprecation.testing.world import Found, World

_FEWEST, _MOST = 5, 1000
_IMAGE_ID = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")


def check_id(image_id: str) -> None:
    """Raise InvalidAMIID.Malformed for what is no image id."""
    if not _IMAGE_ID.fullmatch(image_id):
        raise EC2Error("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')


def not_found(image_ids: Sequence[str]) -> EC2Error:
    """Return DescribeImages' error for ids that are in no account."""
    listed = ", ".join(image_ids)
    text = f"ids '[{listed}]' do not" if len(image_ids) > 1 else f"id '[{listed}]' does not"
    return EC2Error("InvalidAMIID.NotFound", f"The image {text} exist")


def select(state: World, account: str, request: Request) -> list[Found]:
    """Return the images that answer a request, all pages together.

    Raises:
        EC2Error: an id is malformed or unknown (one bad id fails the whole call), or a filter is.
    """
    region, now = request.region, state.clock.now()
    include_deprecated = request.flag("IncludeDeprecated")
    include_disabled = request.flag("IncludeDisabled")
    owners, users = request.many("Owner"), request.many("ExecutableBy")
    tests = [_test(name, values) for name, values in _filters(request)]

    def shown(found: Found) -> bool:
        own = found.account == account
        if found.image.state == "disabled" and not (own and include_disabled):
            return False
        when = found.facts.deprecation_time
        return own or bool(request.image_ids) or include_deprecated or when is None or when > now

    def wanted(found: Found) -> bool:
        return (
            (not owners or _is_owner(found, owners, account))
            and (not users or _is_user(found, users, account))
            and all(test(found) for test in tests)
        )

    if request.image_ids:
        candidates: Iterable[Found] = _by_id(state, account, region, request.image_ids)
    else:
        candidates = state.visible(region, account)
    return [found for found in candidates if shown(found) and wanted(found)]


def _by_id(state: World, account: str, region: str, image_ids: Sequence[str]) -> list[Found]:
    for image_id in image_ids:
        check_id(image_id)
    here: list[Found] = []
    unknown: list[str] = []
    for image_id in dict.fromkeys(image_ids):
        found = state.find(region, image_id)
        if found is not None and (found.account == account or world.may_launch(found.image, account)):
            here.append(found)
        elif not state.was_deregistered(region, image_id):
            unknown.append(image_id)
    if unknown:
        raise not_found(unknown)
    return here


def _is_owner(found: Found, owners: Sequence[str], account: str) -> bool:
    return (
        found.account in owners
        or ("self" in owners and found.account == account)
        or (found.image.owner_alias is not None and found.image.owner_alias in owners)
    )


def _is_user(found: Found, users: Sequence[str], account: str) -> bool:
    permissions = found.image.launch_permissions
    if "all" in users and found.image.is_public:
        return True
    named = [account if user == "self" else user for user in users]
    return any({"UserId": user} in permissions for user in named)


def _filters(request: Request) -> list[tuple[str, tuple[str, ...]]]:
    filters: list[tuple[str, tuple[str, ...]]] = []
    while (name := request.text(f"Filter.{len(filters) + 1}.Name")) is not None:
        filters.append((name, request.many(f"Filter.{len(filters) + 1}.Value")))
    return filters


_VALUES: dict[str, Callable[[Found], str | None]] = {
    "architecture": lambda f: f.image.architecture,
    "block-device-mapping.snapshot-id": lambda f: f.image.ebs_snapshot.id,
    "creation-date": lambda f: rules.format_time(world.utc(f.image.creation_date)),
    "description": lambda f: f.image.description,
    "hypervisor": lambda f: f.image.hypervisor,
    "image-id": lambda f: f.image.id,
    "image-type": lambda f: f.image.image_type,
    "is-public": lambda f: "true" if f.image.is_public else "false",
    "kernel-id": lambda f: f.image.kernel_id,
    "manifest-location": lambda f: f.image.image_location,
    "name": lambda f: f.image.name,
    "owner-alias": lambda f: f.image.owner_alias,
    "owner-id": lambda f: f.image.owner_id,
    "platform": lambda f: f.image.platform,
    "root-device-name": lambda f: f.image.root_device_name,
    "root-device-type": lambda f: f.image.root_device_type,
    "source-instance-id": lambda f: f.image.instance_id,
    "state": lambda f: f.image.state,
    "virtualization-type": lambda f: f.image.virtualization_type,
}


def _test(name: str, values: Sequence[str]) -> Callable[[Found], bool]:
    matches = _matcher(values)
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda f: matches(f.home.tags.get(f.image.id, {}).get(key))
    if name == "tag-key":
        return lambda f: any(matches(key) for key in f.home.tags.get(f.image.id, {}))
    value_of = _VALUES.get(name)
    if value_of is None:
        raise EC2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    return lambda f: matches(value_of(f))


def _matcher(values: Sequence[str]) -> Callable[[str | None], bool]:
    """Match whole values; `*` and `?` are wildcards unless a backslash stands before them."""
    pattern = re.compile("|".join(_pattern(value) for value in values), re.DOTALL)
    return lambda text: text is not None and bool(values) and pattern.fullmatch(text) is not None


def _pattern(value: str) -> str:
    wild = {"*": ".*", "?": "."}
    parts = re.findall(r"\\.|.", value, re.DOTALL)
    return "".join(wild.get(part) or re.escape(part[-1]) for part in parts)


@dataclass
class Pages:
    """What is left of paginated answers. A token stays good, so that a page can be asked for again."""

    most: int = 64
    _rest: OrderedDict[str, tuple[Sequence[str], int]] = field(default_factory=OrderedDict)

    def page(self, state: World, account: str, request: Request) -> tuple[list[Found], str | None]:
        """Return one page and the token of the next.

        Raises:
            EC2Error: the token is unknown, MaxResults is out of range, or ImageIds are paginated.
        """
        size, token = _page_size(request), request.text("NextToken")
        if request.image_ids and (size or token):
            raise EC2Error(
                "InvalidParameterCombination", "The parameter ImageIds cannot be used with pagination"
            )
        if token:
            if token not in self._rest:
                raise EC2Error("InvalidNextToken", "The token is invalid or has expired")
            ids, start = self._rest[token]
        else:
            found = select(state, account, request)
            if not size or len(found) <= size:
                return found, None
            ids, start = [f.image.id for f in found], 0
        end = start + (size or _MOST)
        # An image that has gone since the first page is left out, as nobody can describe it any more.
        page = [f for i in ids[start:end] if (f := state.find(request.region, i)) is not None]
        return page, self._keep(ids, end) if end < len(ids) else None

    def _keep(self, ids: Sequence[str], start: int) -> str:
        token = secrets.token_urlsafe(24)
        self._rest[token] = ids, start
        while len(self._rest) > self.most:
            self._rest.popitem(last=False)
        return token


def _page_size(request: Request) -> int:
    text = request.text("MaxResults")
    if text is None:
        return 0
    if not text.isdigit() or not _FEWEST <= int(text) <= _MOST:
        raise EC2Error(
            "InvalidParameterValue",
            f"Value ( {text} ) for parameter maxResults is invalid. Expecting a value between {_FEWEST} and {_MOST}.",
        )
    return int(text)
