"""`ami-deprecation comment` on previews of the real engine, held against what `pulumi up` then does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ami_deprecation.cli.comment import digests, preview
from ami_deprecation.cli.comment.preview import CHANGING, Action
from tests.support.cli_command import command, succeed
from tests.support.programs import declare, resource

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.support.harness import Stack

NOW = datetime.now(timezone.utc)
NAMES = (
    "later",
    "earlier",
    "gone",
    "restored",
    "old",
    "new",
    "renamed",
    "drift",
    "adopted",
    "taken",
    "relative",
)
FOUND = "2031-01-01"


def day(days: int) -> str:
    return f"{NOW + timedelta(days=days):%Y-%m-%d}"


def at(name: str, ids: dict[str, str], date: str, more: str = "", image: str = "") -> str:
    return resource(name, ids[image or name], f"deprecate_at={date!r}{more}")


@pytest.fixture
def ids(ec2: LocalEC2) -> dict[str, str]:
    """Images of these names, some with a date of somebody else's."""
    made = {name: ec2.add_image(f"{name}-image", created=NOW - timedelta(days=90)) for name in NAMES}
    for name in ("restored", "adopted", "taken"):
        ec2.set_deprecation_time(made[name], datetime.fromisoformat(f"{FOUND}T00:00:00+00:00"))
    return made


@pytest.fixture
def changed(stack: Stack, ec2: LocalEC2, ids: dict[str, str]) -> Stack:
    """A stack whose program asks for every kind of change."""
    kept = at("drift", ids, day(100))
    stack.env["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"  # this EC2 shows a write at once
    declare(
        stack,
        *(at(name, ids, day(100)) for name in ("later", "earlier", "gone")),
        at("restored", ids, day(100), ", on_destroy='restore'"),
        at("replaced", ids, day(100), image="old"),
        at("before", ids, day(100), image="renamed"),
        kept,
    )
    stack.up()
    ec2.set_deprecation_time(ids["drift"], None)
    declare(
        stack,
        at("later", ids, day(130)),
        at("earlier", ids, day(3)),
        at("replaced", ids, day(100), image="new"),
        at("after", ids, day(100), image="renamed"),
        kept,
        at("adopted", ids, FOUND),
        at("taken", ids, day(200)),
        resource("relative", ids["relative"], "deprecate_in_days=30"),
    )
    return stack


EXPECTED = {
    "later": "| {id} | eu-west-1 | {d100} → {d130} | 129 days | moved later (30 days) |",
    "earlier": "| {id} | eu-west-1 | {d100} → {d3} | 2 days | moved earlier (97 days) | ⚠️ short notice: 2 days |",
    "gone": "| {id} | eu-west-1 | {d100} → none |  | canceled |",
    "restored": "| {id} | eu-west-1 | {d100} → 2031-01-01 | {restored} days | restored |",
    "old": "| {id} | eu-west-1 | {d100} → none |  | canceled |",
    "new": "| {id} | eu-west-1 | none → {d100} | 99 days | set |",
    "renamed": "| {id} | eu-west-1 | {d100} | 99 days | kept: the resource before is now after |",
    "drift": "| {id} | eu-west-1 | none → {d100} | 99 days | set: repairs a change made outside Pulumi |",
    "adopted": "| {id} | eu-west-1 | 2031-01-01 | {restored} days | adopted: nothing changes in EC2 |",
    "taken": "| {id} | eu-west-1 | 2031-01-01 → {d200} | 199 days | moved earlier ({moved} days) "
    "| ⚠️ already has the date 2031-01-01T00:00:00Z, which {d200}T00:00:00Z will replace |",
    "relative": "| {id} | eu-west-1 | none → in 30 days (about {d30} if applied today) | 30 days | set |",
}


def test_every_kind_of_change_has_its_row(changed: Stack, ec2: LocalEC2, ids: dict[str, str]) -> None:
    printed = changed.run("preview", "--refresh", "--json").stdout
    shown = succeed(ec2, "comment", stdin=printed)
    original = datetime.fromisoformat(f"{FOUND}T00:00:00+00:00")
    values = {f"d{days}": day(days) for days in (3, 30, 100, 130, 200)} | {
        "restored": (original - NOW).days,
        "moved": (original - datetime.fromisoformat(f"{day(200)}T00:00:00+00:00")).days,
    }
    expected = {row.format(id=f"{name}-image<br>`{ids[name]}`", **values) for name, row in EXPECTED.items()}
    rows = {line for line in shown.splitlines() if line.startswith("| ") and "`ami-" in line}
    assert rows == expected
    assert shown.startswith("<!-- ami-deprecation comment: project/test -->\n")
    assert (
        "**11 images**: 3 set, 1 moved later, 2 moved earlier, 2 canceled, 1 restored, 1 adopted, 1 kept.\n"
        in shown
    )
    visible, _, folded = shown.partition("<details>")
    assert "earlier-image" in visible
    assert "taken-image" in visible
    assert "later-image" in folded


def test_comment_matches_update(changed: Stack, ids: dict[str, str]) -> None:
    changes = preview.read(changed.preview_json("--refresh"), datetime.now(timezone.utc)).changes
    calls = {
        image_id: call.action
        for call in changed.up("--refresh").calls
        for image_id in call.image_ids
        if call.mutates
    }
    expected = {
        str(change.image_id): "DisableImageDeprecation"
        if change.action is Action.CANCELED
        else "EnableImageDeprecation"
        for change in changes
        if change.action in CHANGING
    }
    assert calls == expected
    assert {change.image_id for change in changes} == set(ids.values())


def test_reverted_rename_moves_date_back(stack: Stack, ids: dict[str, str]) -> None:
    stack.env["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"  # this EC2 shows a write at once
    before = at("before", ids, day(100), image="renamed")
    declare(stack, before)
    stack.up()
    declare(stack, at("after", ids, day(130), image="renamed"))
    stack.up("--target", "**AmiDeprecation::after")
    declare(stack, before)
    shown = preview.read(stack.preview_json("--show-sames"), datetime.now(timezone.utc))
    [change] = shown.changes
    assert (change.action, change.resource) == (Action.EARLIER, "after")
    [call] = [call for call in stack.up().calls if call.mutates]
    assert (call.action, change.after.when) == (
        "EnableImageDeprecation",
        datetime.fromisoformat(f"{day(100)}T00:00:00+00:00"),
    )


def test_comment_is_stable_and_empty_after_update(changed: Stack, ec2: LocalEC2) -> None:
    one, two = (succeed(ec2, "comment", stdin=changed.run("preview", "--json").stdout) for _ in range(2))
    assert one == two
    changed.up("--refresh")
    after = succeed(ec2, "comment", stdin=changed.run("preview", "--json").stdout)
    marker, sentence = after.splitlines()
    assert marker == one.splitlines()[0]
    assert sentence == "No AMI deprecation date changes in `project/test`."
    with_sames = changed.run("preview", "--json", "--show-sames").stdout
    assert "8 resources are unchanged." in succeed(ec2, "comment", stdin=with_sames)


def test_image_of_same_update_and_public_one(stack: Stack, ec2: LocalEC2) -> None:
    public = ec2.add_image("everybodys", public=True, created=NOW - timedelta(days=30))
    declare(
        stack,
        "class Copier(pulumi.dynamic.ResourceProvider):\n"
        "    def create(self, props):\n"
        "        return pulumi.dynamic.CreateResult('id', {'image_id': 'ami-0123456789abcdef0'})\n"
        "class Copy(pulumi.dynamic.Resource):\n"
        "    image_id: pulumi.Output[str]\n"
        "    def __init__(self, name):\n"
        "        super().__init__(Copier(), name, {'image_id': None})\n",
        "AmiDeprecation('copied', image_id=Copy('copy').image_id, deprecate_after_days=400)\n",
        resource("everybodys", public, f"deprecate_at={day(100)!r}"),
    )
    shown = succeed(ec2, "comment", stdin=stack.run("preview", "--json").stdout)
    assert (
        "| `copied`<br>created in this update | eu-west-1 | none → 400 days after it is created |  | set |"
        in shown
    )
    assert "⚠️ is public: EC2 will then move its date only earlier, and will not cancel it" in shown


def test_policy_image_in_use_is_warning_in_its_row(stack: Stack, ec2: LocalEC2) -> None:
    used, idle = (ec2.add_image(f"base-{n}", created=NOW - timedelta(days=30)) for n in (1, 2))
    ec2.add_reference(used, "ssm:Parameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/golden")
    stack.program(
        """
        from ami_deprecation import AmiDeprecationPolicy
        AmiDeprecationPolicy("base", name="base-*", deprecate_after_days=100, in_use="warn")
        """
    )
    shown = succeed(ec2, "comment", stdin=stack.run("preview", "--json").stdout)
    [row] = [line for line in shown.splitlines() if f"`{used}`" in line]
    assert "⚠️ " in row
    assert "parameter/golden" in row
    assert f"`{idle}`" in shown.partition("<details>")[2]


def test_failed_preview_is_commented_with_its_reason(stack: Stack, ec2: LocalEC2) -> None:
    declare(stack, resource("web", ec2.add_image("web"), "deprecate_at='2020-01-01'"))
    printed = stack.run("preview", "--json", check=False)
    assert printed.code != 0
    shown = succeed(ec2, "comment", stdin=printed.stdout)
    assert "The preview failed, so the changes are unknown." in shown
    assert (
        "- ⚠️ preview failed: web: 2020-01-01T00:00:00Z is in the past or less than two minutes away" in shown
    )


def test_comment_reads_pipe_or_file(stack: Stack, ec2: LocalEC2) -> None:
    declare(stack, resource("web", ec2.add_image("web-1"), f"deprecate_at={day(100)!r}"))
    pipe = f"pulumi preview --json | tee preview.json | {sys.executable} -m ami_deprecation comment --output comment.md"
    subprocess.run(["sh", "-c", pipe], cwd=stack.project, env=stack.environment(), check=True, timeout=120)
    piped = (stack.project / "comment.md").read_text()
    assert "web-1<br>" in piped
    assert succeed(ec2, "comment", str(stack.project / "preview.json")) == piped


def test_other_pulumi_output_is_refused(stack: Stack, ec2: LocalEC2) -> None:
    declare(stack, resource("web", ec2.add_image("web-1"), f"deprecate_at={day(100)!r}"))
    for arguments in (["preview"], ["stack", "export"], ["stack", "--json"], ["config", "--json"]):
        printed = stack.run(*arguments, check=False).stdout
        result = command(ec2, "comment", stdin=printed)
        assert result.returncode == 2, arguments
        assert "The preview failed, so the changes are unknown." in result.stdout
        assert result.stderr.count("\n") == 1
        assert "pass the output of `pulumi preview --json --show-sames`" in result.stderr


def test_preview_of_other_resources_has_no_comment(stack: Stack, ec2: LocalEC2) -> None:
    stack.program("import pulumi\npulumi.export('answer', 42)")
    printed = stack.run("preview", "--json").stdout
    assert digests.load(printed) == json.loads(printed)
    assert "No AMI deprecation date changes in `project/test`." in succeed(ec2, "comment", stdin=printed)
