"""Pages and batches of a listing."""

from __future__ import annotations

import pytest

from ami_deprecation import ImageNotFound
from ami_deprecation.ec2 import listing


def listed(*answers: tuple[list[str], str | None]) -> tuple[list[str], list[str | None]]:
    """The items of a listing that answers like this, the last answer again and again; and the tokens sent."""
    left, sent = list(answers), []
    items: list[str] = []

    def ask(token: str | None) -> tuple[list[str], str | None]:
        sent.append(token)
        return left.pop(0) if len(left) > 1 else left[0]

    for page in listing.pages(ask):
        items += page
    return items, sent


def test_empty_page_with_a_token_does_not_end_a_listing() -> None:
    assert listed((["a"], "1"), ([], "2"), (["b"], None)) == (["a", "b"], [None, "1", "2"])


@pytest.mark.parametrize("tokens", [["1"], ["1", "2", "1"]])
def test_repeated_token_ends_a_listing(tokens: list[str]) -> None:
    with pytest.raises(listing.RepeatedToken):
        listed(*[(["a"], token) for token in tokens])


def test_batches_are_deduplicated_in_order() -> None:
    assert list(listing.batches(["b", "a", "b", "c"], 2)) == [["b", "a"], ["c"]]


def test_absent_ids_hide_no_others() -> None:
    calls = []

    def ask(ids: object) -> list[str]:
        assert isinstance(ids, list)
        calls.append(ids)
        if "gone" in ids:
            raise ImageNotFound
        return list(ids)

    ids = [str(number) for number in range(15)]
    assert listing.without_absent([*ids[:7], "gone", *ids[7:]], ask) == ids
    assert len(calls) == 9
