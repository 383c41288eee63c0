"""What a reviewer is told in the preview, which itself changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pytest
from pulumi.runtime.rpc import UNKNOWN

from ami_deprecation import AmiDeprecation
from tests.support.dates import EARLY, LATE, MIDDLE, text
from tests.support.program import dated, made, made_in_this_stack

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

ABSENT = "ami-00000000000000abc"


def test_replaced_date_is_announced_in_one_line(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, LATE)
    preview = engine.preview(dated(image, EARLY))
    [line] = preview.printed
    assert image in line
    assert text(LATE) in line  # type: ignore[operator]
    assert text(EARLY) in line  # type: ignore[operator]
    assert preview.inputs["web"]["previous_deprecation_time"] == text(LATE)
    assert preview.mutations == []
    assert ec2.image(image).deprecation_time == LATE


@pytest.mark.parametrize("refresh", [False, True])
def test_preview_never_changes_anything(engine: Engine, ec2: LocalEC2, image: str, refresh: bool) -> None:
    other, gone = ec2.add_image("other"), ec2.add_image("gone")

    def before() -> None:
        AmiDeprecation("moved", image_id=image, deprecate_at=EARLY)
        AmiDeprecation("replaced", image_id=other, deprecate_at=EARLY)
        AmiDeprecation("removed", image_id=gone, deprecate_at=EARLY)

    def after() -> None:
        AmiDeprecation("moved", image_id=image, deprecate_at=LATE)
        AmiDeprecation("replaced", image_id=ec2.add_image("new"), deprecate_at=EARLY)

    engine.up(before)
    state, dates = engine.export(), [each.deprecation_time for each in ec2.images()]
    preview = engine.preview(after, refresh=refresh)
    assert {"update", "create-replacement", "delete-replaced", "delete"} <= set(preview.operations)
    assert preview.mutations == []
    assert [each.deprecation_time for each in ec2.images()[:3]] == dates[:3]
    assert engine.export() == state


def test_preview_shows_both_dates_of_change(engine: Engine, image: str) -> None:
    engine.up(dated(image, EARLY))
    preview = engine.preview(dated(image, LATE))
    both = (text(EARLY), text(LATE))
    assert preview.shown == {"web": {"deprecate_at": both, "deprecation_time": both}}


def test_unknown_date_previews_as_unknown(engine: Engine, image: str) -> None:
    def program() -> None:
        dated(image, made_in_this_stack(LATE))()

    engine.up(dated(image, EARLY))
    preview = engine.preview(program)
    shown = (text(EARLY), UNKNOWN)
    assert preview.shown == {"web": {"deprecate_at": shown, "deprecation_time": shown}}


def test_date_previews_although_image_is_unknown(engine: Engine, image: str) -> None:
    def previewed(**date: object) -> object:
        def program() -> None:
            made(image_id=made_in_this_stack(image), **date)()

        inputs = engine.preview(program).inputs["web"]
        assert {inputs[key] for key in ("image_name", "owner_id", "creation_date")} == {UNKNOWN}
        return inputs["deprecation_time"]

    assert previewed(deprecate_at=EARLY) == text(EARLY)
    assert previewed(deprecate_after_days=100) == UNKNOWN
    assert previewed(deprecate_in_days=100) == UNKNOWN


def test_days_after_creation_preview_date_and_stay_quiet(engine: Engine, image: str) -> None:
    program = made(image_id=image, deprecate_after_days=130)
    preview = engine.preview(program)
    assert preview.inputs["web"]["deprecation_time"] == text(EARLY)
    engine.up(program)
    again = engine.preview(program)
    assert again.inputs["web"]["deprecation_time"] == text(EARLY)
    assert (again.operations, again.actions) == ([], [])


@pytest.mark.parametrize("why", ["no credentials", "denied", "wrong"])
def test_denied_read_checks_syntax_and_warns_once(
    make_engine: MakeEngine, ec2: LocalEC2, image: str, why: str
) -> None:
    engine = make_engine()
    if why == "no credentials":
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            engine.environment.pop(key)
    else:
        kind = "denied" if why == "denied" else "invalid-client-token"
        ec2.faults.add("*", kind, times=None)  # type: ignore[arg-type]  # a literal of the two

    def program() -> None:
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY)
        AmiDeprecation("two", image_id=ABSENT, deprecate_at=MIDDLE)

    preview = engine.preview(program)
    assert preview.operations == ["create", "create"]
    [line] = preview.printed
    assert "were skipped" in line
    assert "eu-west-1" in line
    for bad in (dated("ami-1", EARLY), dated(image, "2030")):
        assert engine.preview(bad, check=False).failures


def test_two_resources_for_one_image_are_refused_by_name(engine: Engine, ec2: LocalEC2, image: str) -> None:
    ec2.add_image("web", image_id=image, region="us-east-1")

    def program() -> None:
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY)
        AmiDeprecation("elsewhere", image_id=image, deprecate_at=EARLY, region="us-east-1")
        AmiDeprecation("again", image_id=image, deprecate_at=LATE, region="eu-west-1")

    for outcome in (engine.preview(program, check=False), engine.up(program, check=False)):
        [failure] = outcome.failures
        assert "'web'" in failure
        assert "'again'" in failure
        assert image in failure
        assert "elsewhere" not in failure
    engine.up(dated(image, EARLY))
    [failure] = engine.preview(program, check=False).failures
    assert "'web'" in failure
    assert "'again'" in failure


def test_same_names_under_different_parents_are_distinguished(engine: Engine, image: str) -> None:
    """As after a move into a component, with the old line forgotten."""

    def program() -> None:
        AmiDeprecation("web", image_id=image, deprecate_at=EARLY)
        component = pulumi.ComponentResource("my:mod:Fleet", "fleet")
        AmiDeprecation(
            "web", image_id=image, deprecate_at=LATE, opts=pulumi.ResourceOptions(parent=component)
        )

    [failure] = engine.preview(program, check=False).failures
    assert "two resources, 'web' and 'web (in my:mod:Fleet)'" in failure


def test_public_parameter_is_named_with_new_date(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image("web", public_ssm_parameter_name="/web/latest")
    preview = engine.preview(dated(image, EARLY))
    [line] = preview.printed
    assert (
        f"{image} (web) in eu-west-1 is what the public SSM parameter /web/latest resolves to: others may launch it"
        in line
    )
    assert engine.up(dated(image, EARLY)).mutations == ["EnableImageDeprecation"]
    assert engine.preview(dated(image, EARLY)).printed == []
