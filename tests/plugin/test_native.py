"""What only the native provider has: detailed diffs, rows, previews of its own, Cancel, and its end with the engine's."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2

from tests.plugin.conftest import REGION, plugin_environment
from tests.support.dates import EARLY, LATE, text
from tests.support.plugin import NATIVE, CallFailed, Plugin
from tests.support.program import dated, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine
    from tests.support.plugin import Launcher
    from tests.support.spelling import Door

KINDS = provider_pb2.PropertyDiff


@pytest.fixture
def door() -> Door:
    return "native"


@pytest.fixture
def plugin(launcher: Launcher, ec2: LocalEC2) -> Iterator[Plugin]:
    """A process of the native provider."""
    started = Plugin(launcher, plugin_environment(ec2), {"aws:region": REGION}, door="native")
    yield started
    started.close()


def test_diff_marks_each_property(plugin: Plugin, engine: Engine, ec2: LocalEC2, image: str) -> None:
    engine.up(dated(image, EARLY, on_destroy="restore"))
    web = engine.entry("web")

    def diff(image_id: str, **more: object) -> provider_pb2.DiffResponse:
        [new] = run(dated(image_id, LATE, **more), preview=True)
        inputs, _ = plugin.check(new.urn, web.inputs, new.inputs)
        return plugin.diff(new.urn, web.id, web.inputs, web.outputs, inputs)  # type: ignore[no-any-return]

    moved = diff(image)
    assert {key: each.kind for key, each in moved.detailedDiff.items()} == {
        "deprecateAt": KINDS.UPDATE,
        "deprecationTime": KINDS.UPDATE,
        "onDestroy": KINDS.UPDATE,
    }
    assert not moved.replaces
    replaced = diff(ec2.add_image("other"), profile=None)
    assert list(replaced.replaces) == ["imageId"]
    assert replaced.detailedDiff["imageId"].kind == KINDS.UPDATE_REPLACE
    assert replaced.detailedDiff["deprecateAt"].kind == KINDS.UPDATE


def test_log_line_stands_on_its_resources_row(plugin: Plugin, ec2: LocalEC2, image: str) -> None:
    ec2.set_deprecation_time(image, LATE)
    [new] = run(dated(image, EARLY), preview=True)
    plugin.check(new.urn, None, new.inputs)
    [line] = [each for each in plugin.printed if "already has the date" in each]
    assert dict(zip(plugin.printed, plugin.rows, strict=True))[line] == new.urn


def test_preview_shows_facts_or_that_they_are_unknown(plugin: Plugin, ec2: LocalEC2, image: str) -> None:
    [new] = run(dated(image, EARLY), preview=True)
    inputs, _ = plugin.check(new.urn, None, new.inputs)
    _, outputs = plugin.create(new.urn, inputs, preview=True)
    assert outputs["image_name"] == "web"
    assert outputs["deprecation_time"] == text(EARLY)
    ec2.faults.add("DescribeImages", "denied", times=None)
    [new] = run(dated(ec2.add_image("other"), None, deprecate_in_days=30), preview=True)
    inputs, _ = plugin.check(new.urn, None, new.inputs)
    _, outputs = plugin.create(new.urn, inputs, preview=True)
    unknown = {key for key, value in outputs.items() if value == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    assert unknown == {"image_name", "owner_id", "creation_date", "deprecation_time"}


def test_cancel_ends_wait_at_once(plugin: Plugin, ec2: LocalEC2) -> None:
    image = ec2.add_image("web", state="pending")
    [new] = run(dated(image, EARLY), preview=False)
    inputs, _ = plugin.check(new.urn, None, new.inputs)
    errors: list[str] = []

    def create() -> None:
        with pytest.raises(CallFailed) as failed:
            plugin.create(new.urn, inputs)
        errors.append(failed.value.details)

    waiting = threading.Thread(target=create)
    waiting.start()
    while not any("is pending" in line for line in plugin.printed):
        time.sleep(0.05)
    began = time.monotonic()
    plugin._call("Cancel", Struct())
    waiting.join(30)
    assert errors == ["the run was canceled while this resource was waiting"]
    assert time.monotonic() - began < 4  # a pending image is read every five seconds


def test_configuration_hands_credentials_back_as_secrets(plugin: Plugin) -> None:
    given = Struct()
    given.update({"region": REGION, "accessKey": "AKIA", "secretKey": "clear"})
    answer = plugin._call("CheckConfig", provider_pb2.CheckRequest(news=given))
    checked = MessageToDict(answer.inputs)
    assert checked["region"] == REGION
    assert {key for key, value in checked.items() if isinstance(value, dict)} == {"accessKey", "secretKey"}
    assert list(answer.failures) == []


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"assumeRoles": '["role"]'}, "assumeRoles[0] is not an object with a roleArn"),
        (
            {"allowedAccountId": "[]"},
            "allowedAccountId: there is no such key: did you mean allowedAccountIds?",
        ),
        # Keys that only the aws provider has.
        (
            {"endpoints": "[]"},
            "endpoints: there is no such key: set AWS_ENDPOINT_URL_EC2 in the environment",
        ),
        ({"defaultTags": "{}"}, "defaultTags: there is no such key: remove it (no tag is written)"),
        ({"assumeRole": "{}"}, "assumeRole: there is no such key: use assumeRoles"),
    ],
)
def test_mistake_in_configuration_is_refused(plugin: Plugin, config: dict[str, str], sentence: str) -> None:
    given = Struct()
    given.update(config)
    [failure] = plugin._call("CheckConfig", provider_pb2.CheckRequest(news=given)).failures
    assert failure.reason == sentence


def test_provider_ends_with_process_that_started_it(ec2: LocalEC2) -> None:
    script = f'"{sys.executable}" "{NATIVE}" & wait'
    started = subprocess.Popen(
        ["sh", "-c", script], env=plugin_environment(ec2), stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline().strip().isdigit()
    started.kill()
    started.wait(10)
    assert started.stdout.read() == ""  # it is closed by the provider's end


def test_started_as_console_script_it_serves(make_engine: MakeEngine, image: str) -> None:
    engine = make_engine(spawn=True)
    assert engine.up(dated(image, EARLY)).mutations == ["EnableImageDeprecation"]
