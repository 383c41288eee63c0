"""A second provider is a second process: the processes of one run see each other's claims."""

from __future__ import annotations

import copy
import os
import stat
from typing import TYPE_CHECKING

import pulumi
import pytest

from ami_deprecation import AmiDeprecation
from tests.plugin.conftest import REGION, plugin_environment
from tests.support.dates import EARLY, LATE
from tests.support.plugin import CallFailed, Launcher, Plugin
from tests.support.program import dated, made, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ami_deprecation.testing import LocalEC2
    from tests.support.engine import Engine

#: What an engine gives its plugins; an engine of tests that asks for nothing has none.
ADDRESS = "127.0.0.1:1"


@pytest.fixture
def start(launcher: Launcher, ec2: LocalEC2, tmp_path: Path) -> Iterator[Callable[..., Plugin]]:
    """Start a plugin process of the run at an address."""
    started = []

    def begin(address: str = ADDRESS, *, fork: bool = True) -> Plugin:
        environment = plugin_environment(ec2) | {"ENGINE_ADDRESS": address, "TMPDIR": str(tmp_path)}
        # A fork has the folder for temporary files of the process that it is a fork of.
        started.append(Plugin(launcher if fork else Launcher(), environment, {"aws:region": REGION}))
        return started[-1]

    yield begin
    for plugin in started:
        plugin.close()


def check(plugin: Plugin, name: str, image: str) -> list[tuple[str, str]]:
    [new] = run(made(name, image_id=image, deprecate_at=EARLY), preview=True)
    return plugin.check(new.urn, None, new.inputs)[1]


def test_duplicate_under_second_provider_is_refused(start: Callable[..., Plugin], image: str) -> None:
    assert check(start(), "web", image) == []
    [(key, reason)] = check(start(), "site", image)
    assert key == "image_id"
    assert "two resources, 'web' and 'site'" in reason


def test_unread_duplicate_under_second_provider_is_refused(
    start: Callable[..., Plugin], ec2: LocalEC2, image: str
) -> None:
    for plugin, name in ((start(), "web"), (start(), "site")):
        [new] = run(made(name, image_id=image, deprecate_at=EARLY), preview=False)
        ec2.faults.add("DescribeImages", "denied", times=None)
        inputs, _ = plugin.check(new.urn, None, new.inputs)
        ec2.faults.clear()
        if name == "web":
            plugin.create(new.urn, inputs)
        else:
            with pytest.raises(CallFailed, match="two resources, 'web' and 'site'"):
                plugin.create(new.urn, inputs)


def test_reverted_rename_to_second_provider_puts_date_back(
    start: Callable[..., Plugin], engine: Engine, ec2: LocalEC2, image: str
) -> None:
    engine.up(dated(image, EARLY))
    web = copy.deepcopy(engine.entry("web"))
    engine.up(made("site", image_id=image, deprecate_at=LATE))
    site = engine.entry("site")
    [again] = run(dated(image, EARLY), preview=False)
    first, second = start(), start()
    inputs, _ = first.check(web.urn, web.inputs, again.inputs)
    first.diff(web.urn, web.id, web.inputs, web.outputs, inputs)
    second.delete(site.urn, site.id, site.inputs, site.outputs)
    assert ec2.image(image).deprecation_time == EARLY


def test_claims_of_another_run_do_not_count(start: Callable[..., Plugin], image: str) -> None:
    first = start()
    assert check(first, "web", image) == []
    assert check(start("127.0.0.1:2"), "site", image) == []
    first.close()  # and its engine, whose address comes again
    assert check(start(), "site", image) == []


def test_rename_with_second_provider_keeps_date(
    start: Callable[..., Plugin], engine: Engine, ec2: LocalEC2, image: str
) -> None:
    engine.up(dated(image, EARLY))
    old = engine.entry("web")
    [new] = run(made("site", image_id=image, deprecate_at=EARLY), preview=False)
    first, second = start(), start()
    inputs, failures = second.check(new.urn, None, new.inputs)
    assert failures == []
    second.create(new.urn, inputs)
    first.delete(old.urn, old.id, old.inputs, old.outputs)
    assert ec2.image(image).deprecation_time == EARLY
    second.delete(old.urn, old.id, old.inputs, old.outputs)
    assert ec2.image(image).deprecation_time == EARLY


def test_claims_are_read_by_their_user_only(start: Callable[..., Plugin], image: str, tmp_path: Path) -> None:
    check(start(fork=False), "web", image)
    [folder] = tmp_path.iterdir()
    for path in (folder, *folder.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077


def test_folder_of_somebody_else_is_not_used(
    start: Callable[..., Plugin], image: str, tmp_path: Path
) -> None:
    folder = tmp_path / f"ami-deprecation-{os.getuid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    assert check(start(fork=False), "web", image) == []
    assert list(folder.iterdir()) == []


def test_same_components_under_different_parents_are_told_apart(engine: Engine, image: str) -> None:
    def program() -> None:
        for outer in ("my:mod:Blue", "my:mod:Green"):
            parent = pulumi.ComponentResource(outer, outer.lower()[-4:])
            fleet = pulumi.ComponentResource(
                "my:mod:Fleet", "fleet", opts=pulumi.ResourceOptions(parent=parent)
            )
            AmiDeprecation(
                "web", image_id=image, deprecate_at=EARLY, opts=pulumi.ResourceOptions(parent=fleet)
            )

    [failure] = engine.preview(program, check=False).failures
    assert "'web (in my:mod:Blue$my:mod:Fleet)'" in failure
    assert "'web (in my:mod:Green$my:mod:Fleet)'" in failure
