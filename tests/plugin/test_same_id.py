"""One image id in two Regions, under two roles, in two accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_deprecation import AmiDeprecation
from tests.plugin.conftest import OTHER
from tests.support.dates import EARLY, LATE, MIDDLE
from tests.support.program import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine


def test_same_id_in_two_regions_is_two_images(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.add_image("web", image_id=image, region="us-east-1")

    def program(*, here: object = EARLY, there: object = LATE) -> Callable[[], None]:
        def body() -> None:
            if here:
                made("here", image_id=image, deprecate_at=here)()
            if there:
                made("there", image_id=image, deprecate_at=there, region="us-east-1")()

        return body

    def dates() -> tuple[object, object]:
        return ec2.image(image).deprecation_time, ec2.image(image, region="us-east-1").deprecation_time

    engine.up(program())
    assert dates() == (EARLY, LATE)
    engine.up(program(here=MIDDLE))
    assert dates() == (MIDDLE, LATE)
    ec2.set_deprecation_time(image, EARLY)
    assert engine.up(program(here=MIDDLE), refresh=True).mutations == ["EnableImageDeprecation"]
    assert dates() == (MIDDLE, LATE)
    engine.up(program(here=None))
    assert dates() == (None, LATE)
    # Moved from one Region to the other, while the other's own resource goes: neither is the other's successor.
    engine.up(made("new", image_id=image, deprecate_at=EARLY))
    assert dates() == (EARLY, None)


def test_one_id_under_two_roles_is_judged_by_each_roles_account(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    def program() -> None:
        AmiDeprecation("owner", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "other", image_id=image, deprecate_at=LATE, role_arn=f"arn:aws:iam::{OTHER}:role/dates"
        )

    ec2.share(image, OTHER)
    [failure] = engine.preview(program, check=False).failures
    assert "'other'" in failure
    assert f"owned by account {ec2.account}" in failure
    assert "two resources" not in failure


def test_two_roles_of_one_account_are_one_image(engine: Engine, ec2: LocalEC2, image: str) -> None:
    def program() -> None:
        AmiDeprecation("one", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "two", image_id=image, deprecate_at=LATE, role_arn=f"arn:aws:iam::{ec2.account}:role/dates"
        )

    [failure] = engine.preview(program, check=False).failures
    assert "two resources" in failure


def test_two_accounts_in_one_stack_each_keep_to_their_images(
    engine: Engine, ec2: LocalEC2, image: str
) -> None:
    theirs = ec2.add_image("theirs", account=OTHER)

    def program() -> None:
        AmiDeprecation("ours", image_id=image, deprecate_at=EARLY)
        AmiDeprecation(
            "theirs", image_id=theirs, deprecate_at=LATE, role_arn=f"arn:aws:iam::{OTHER}:role/dates"
        )

    engine.up(program)
    assert (ec2.image(image).deprecation_time, ec2.image(theirs).deprecation_time) == (EARLY, LATE)
    engine.refresh()
    engine.destroy()
    assert (ec2.image(image).deprecation_time, ec2.image(theirs).deprecation_time) == (None, None)
