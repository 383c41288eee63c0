"""No date is lost: random programs, options, faults, kills and hands on the images, judged from EC2's side.

`PROMISE_EXAMPLES=300 pytest -s` on this file looks further than the everyday run does, at other examples each time, and
counts its operations.
"""

from __future__ import annotations

import copy
import os
import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, ClassVar, get_args

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ami_deprecation import AmiDeprecationError
from ami_deprecation.cli.comment import preview
from ami_deprecation.cli.comment.preview import CHANGING, Action
from ami_deprecation.testing import LagMode
from tests.plugin.conftest import forget_images
from tests.plugin.test_preview_names import digest
from tests.support import gateways, model
from tests.support.dates import NOW
from tests.support.operation import NO_LIMITS, Limits, Outcome
from tests.support.promises import NEIGHBOR, Item, Ledger, Program, Run, image_of
from tests.support.watch import killed

if TYPE_CHECKING:
    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

EXAMPLES = int(os.environ.get("PROMISE_EXAMPLES", "0"))
SETTINGS = settings(
    max_examples=EXAMPLES or 6,
    stateful_step_count=30 if EXAMPLES else 14,
    derandomize=not EXAMPLES,
    # A failure of a long run is made small afterwards, from its blob.
    phases=[Phase.generate] if EXAMPLES else list(Phase),
    deadline=None,
    report_multiple_bugs=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

#: How long the provider may retry and EC2 may lag, in seconds.
RETRY, SETTLE = "3", "60"

names = st.sampled_from(["one", "two", "three", "four", "five"])
images = st.integers(0, 2)
#: Which resource of a program.
which = st.integers(0, 4)
stacks = st.integers(0, 1)
days = st.sampled_from([100, 200, 300])
wishes = st.fixed_dictionaries(
    {
        "days": days,
        "counted": st.sampled_from([False, False, True]),
        "on_destroy": st.sampled_from(["cancel", "restore"]),
        "role": st.booleans(),
        "delete_first": st.sampled_from([None, True, True]),
        "retain": st.sampled_from([False, False, False, True]),
        "waits": st.booleans(),
        "ignores": st.sampled_from([False, False, False, True]),
        "parent": st.sampled_from(["", "my:mod:Blue", "my:mod:Green"]),
    }
)
actions = st.sampled_from(["DescribeImages", "EnableImageDeprecation", "DisableImageDeprecation"])
#: One wrong answer, or an error that goes on until the operation is over.
wrong_answers = st.sampled_from(["not-found", "lacks-image", "lacks-date", "empty", "denied", "throttled"])
lasting = st.sampled_from(["denied", "unavailable", "drop-after"])


class Stack:
    """One stack: its engine, its program and the ones before, and what it knows of the images."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.program = Program()
        self.earlier: list[Program] = []
        self.ledger = Ledger()
        #: Programs since the last `up` of one.
        self.written = 0

    def write(self, program: Program) -> None:
        self.earlier.append(self.program)
        self.program = program
        self.written += 1

    def pick(self, which: int) -> str | None:
        """The name of a resource of the program, if it has any."""
        there = sorted(self.program.items)
        return there[which % len(there)] if there else None

    def set_item(self, name: str, item: Item) -> None:
        self.write(replace(self.program, items={**self.program.items, name: item}))


class Machine(RuleBasedStateMachine):
    """Two stacks on three images."""

    #: Operations of all examples, by their name.
    operations: ClassVar[Counter[str]] = Counter()
    make_engine: ClassVar[MakeEngine]
    ec2: ClassVar[LocalEC2]

    def __init__(self) -> None:
        super().__init__()
        self.ec2.set_time(None)
        self.passed = timedelta()
        #: How many programs are written before an `up`.
        self.patience = 4
        created = NOW - timedelta(days=model.AGE)
        self.images = [self.ec2.add_image(f"image-{number}", created=created) for number in range(3)]
        make = type(self).make_engine
        self.stacks = [Stack(make(AMI_DEPRECATION_RETRY_SECONDS=RETRY)) for _ in range(2)]

    def teardown(self) -> None:
        self.ec2.faults.clear()
        forget_images(self.ec2)
        if EXAMPLES:  # a long run is started with -s, and may be stopped at any time
            counts = dict(self.operations)
            sys.stdout.write(f"{sum(counts.values())} operations: {counts}\n")

    @property
    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.passed

    def dates(self) -> dict[str, datetime | None]:
        return {each: self.ec2.image(each).deprecation_time for each in self.images}

    def can_have(self, image_id: str, item: Item) -> bool:
        date = item.date
        return item.counted or date > self.now + timedelta(days=1) or self.dates()[image_id] == date

    # The programs.

    @initialize(first=st.tuples(*[st.none() | wishes] * 3), patience=st.integers(1, 4))
    def begin(self, first: tuple[dict[str, object] | None, ...], patience: int) -> None:
        """The first stack has a program and is up."""
        self.patience = patience
        for name, image, wish in zip(("one", "two", "three"), range(3), first, strict=True):
            if wish is not None:
                self.write(0, name, image, wish)
        self.operate(self.stacks[0])

    @rule(stack=stacks, name=names, image=images, wish=wishes)
    def write(self, stack: int, name: str, image: int, wish: dict[str, object]) -> None:
        chosen, image_id = self.stacks[stack], self.images[image]
        others = {other: each for other, each in chosen.program.items.items() if other != name}
        item = Item(image_id, **wish)  # type: ignore[arg-type]  # drawn
        if all(each.image_id != image_id for each in others.values()) and self.can_have(image_id, item):
            chosen.set_item(name, item)

    @rule(
        stack=stacks,
        which=which,
        new=names,
        parent=st.none() | st.sampled_from(["", "my:mod:Blue"]),
        alias=st.booleans(),
    )
    def refactor(self, stack: int, which: int, new: str, parent: str | None, alias: bool) -> None:
        """Another name or another parent, with an alias or without one."""
        chosen = self.stacks[stack]
        name, items = chosen.pick(which), dict(chosen.program.items)
        if name is None or (new in items and new != name):
            return
        old = items.pop(name)
        moved = old if parent is None else replace(old, parent=parent)
        items[new] = replace(
            moved, alias=old.urn(name) if alias and old.urn(name) != moved.urn(new) else None
        )
        chosen.write(replace(chosen.program, items=items))

    @rule(stack=stacks, which=which)
    def swap(self, stack: int, which: int) -> None:
        """Two resources change places."""
        chosen = self.stacks[stack]
        items = dict(chosen.program.items)
        one, two = chosen.pick(which), chosen.pick(which + 1)
        if one is not None and two is not None:
            first, second = items[one], items[two]
            items[one] = replace(first, image_id=second.image_id)
            items[two] = replace(second, image_id=first.image_id)
            chosen.write(replace(chosen.program, items=items))

    @rule(stack=stacks, which=which, wish=wishes)
    def change(self, stack: int, which: int, wish: dict[str, object]) -> None:
        chosen = self.stacks[stack]
        name = chosen.pick(which)
        item = chosen.program.items[name] if name is not None else None
        if name is None or item is None:
            return
        changed = replace(item, **{**wish, "parent": item.parent})  # type: ignore[arg-type]  # drawn
        if self.can_have(item.image_id, changed):
            chosen.set_item(name, changed)

    @rule(stack=stacks, which=which)
    def remove(self, stack: int, which: int) -> None:
        chosen = self.stacks[stack]
        name = chosen.pick(which)
        items = {other: each for other, each in chosen.program.items.items() if other != name}
        if len(items) < len(chosen.program.items):
            chosen.write(replace(chosen.program, items=items))

    @rule(stack=stacks, days=st.sampled_from([None, 130, 230]))
    def set_policy(self, stack: int, days: int | None) -> None:
        chosen = self.stacks[stack]
        chosen.write(replace(chosen.program, policy_days=days))

    @rule(stack=stacks, fails=st.sampled_from([None, False, True]))
    def set_neighbor(self, stack: int, fails: bool | None) -> None:
        chosen = self.stacks[stack]
        chosen.write(replace(chosen.program, neighbor_fails=fails))

    @precondition(lambda self: any(each.earlier for each in self.stacks))
    @rule(stack=stacks, back=st.integers(1, 3))
    def revert(self, stack: int, back: int) -> None:
        chosen = self.stacks[stack]
        if chosen.earlier:
            program = chosen.earlier[-min(back, len(chosen.earlier))]
            if all(self.can_have(each.image_id, each) for each in program.items.values()):
                chosen.write(program)

    # The world.

    @rule(image=images, days=st.sampled_from([None, 50, 100, 150, 250]))
    def change_by_hand(self, image: int, days: int | None) -> None:
        image_id = self.images[image]
        self.ec2.set_deprecation_time(image_id, None if days is None else NOW + timedelta(days=days))
        for each in self.stacks:
            each.ledger.unseen.add(image_id)

    @rule(image=images, public=st.booleans())
    def publish(self, image: int, public: bool) -> None:
        """EC2 does not cancel the date of a public image."""
        change = self.ec2.make_public if public else self.ec2.make_private
        change(self.images[image])

    @precondition(lambda self: self.passed < timedelta(days=300))
    @rule(days=st.sampled_from([110, 150]))
    def let_time_pass(self, days: int) -> None:
        self.passed += timedelta(days=days)
        self.ec2.advance(timedelta(days=days))

    # The operations.

    @invariant()
    def follow(self) -> None:
        """A plain `up` follows some changes of the program, so that most steps are not about programs only."""
        for number, each in enumerate(self.stacks):
            if each.written >= self.patience:
                self.up(number, refresh=False, parallel=4 * number)

    @rule(
        stack=stacks,
        refresh=st.booleans(),
        parallel=st.sampled_from([0, 4]),
    )
    def up(self, stack: int, refresh: bool, parallel: int) -> None:
        chosen = self.stacks[stack]
        chosen.engine.parallel = parallel
        named = None if refresh else self.preview(chosen)
        run = self.operate(chosen, refresh=refresh)
        if run.outcome.ok:
            if named is not None:
                self.judge_comment(chosen, named, run)
            self.judge_next_preview(chosen, run)

    @rule(
        stack=stacks, data=st.data(), go_on=st.booleans(), kind=st.sampled_from(["target", "exclude", "all"])
    )
    def limited_up(self, stack: int, data: st.DataObject, go_on: bool, kind: str) -> None:
        """With `--target`, `--exclude` or `--continue-on-error`."""
        chosen = self.stacks[stack]
        urns = {item.urn(name) for name, item in chosen.program.items.items()}
        urns |= {entry.urn for entry in chosen.engine.state}
        some = (
            data.draw(st.sets(st.sampled_from(sorted(urns)), min_size=1)) if urns and kind != "all" else set()
        )
        self.operate(
            chosen,
            limits=Limits(
                targets=frozenset(some) if some and kind == "target" else None,
                excludes=frozenset(some) if kind == "exclude" else frozenset(),
                continue_on_error=go_on or kind == "all",
            ),
        )

    @rule(stack=stacks, image=images, kind=wrong_answers, refresh=st.booleans(), destroy=st.booleans())
    def operate_with_one_wrong_answer(
        self, stack: int, image: int, kind: str, refresh: bool, destroy: bool
    ) -> None:
        image_id = self.images[image]
        if kind == "not-found":
            self.ec2.faults.add("DescribeImages", "error", code="InvalidAMIID.NotFound", image_id=image_id)
        else:
            self.ec2.faults.add("DescribeImages", kind, image_id=image_id)  # type: ignore[arg-type]  # drawn
        self.operate(self.stacks[stack], refresh=refresh, destroy=destroy)
        self.ec2.faults.clear()

    @rule(stack=stacks, action=actions, kind=lasting, go_on=st.booleans())
    def up_with_lasting_fault(self, stack: int, action: str, kind: str, go_on: bool) -> None:
        self.ec2.faults.add(action, kind, times=None)  # type: ignore[arg-type]  # drawn
        chosen = self.stacks[stack]
        chosen.engine.environment["AMI_DEPRECATION_RETRY_SECONDS"] = "0.3"
        self.operate(chosen, limits=Limits(continue_on_error=go_on))
        chosen.engine.environment["AMI_DEPRECATION_RETRY_SECONDS"] = RETRY
        self.ec2.faults.clear()

    @rule(stack=stacks, action=actions, after=st.booleans(), destroy=st.booleans())
    def killed_operation(self, stack: int, action: str, after: bool, destroy: bool) -> None:
        chosen = self.stacks[stack]
        with killed(chosen.engine, self.ec2, action, after=after, certain=False):
            self.operate(chosen, destroy=destroy)

    @rule(
        stack=stacks,
        mode=st.sampled_from(get_args(LagMode)),
        change=days,
        then=st.sampled_from(["up", "refresh", "destroy"]),
    )
    def hurry(self, stack: int, mode: LagMode, change: int, then: str) -> None:
        """One operation after the other, while EC2 still shows what was before."""
        chosen = self.stacks[stack]
        self.passed += timedelta(minutes=2)  # what was done before is settled
        self.ec2.advance(timedelta(minutes=2))
        self.ec2.faults.lag(mode=mode, reads=2)
        chosen.engine.environment["AMI_DEPRECATION_SETTLE_SECONDS"] = SETTLE
        self.operate(chosen)
        items = {
            name: moved if self.can_have(item.image_id, moved := replace(item, days=change)) else item
            for name, item in chosen.program.items.items()
        }
        chosen.write(replace(chosen.program, items=items))
        self.operate(chosen, refresh=then == "refresh", destroy=then == "destroy")
        chosen.engine.environment["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"
        self.ec2.faults.clear()
        self.passed += timedelta(minutes=2)
        self.ec2.advance(timedelta(minutes=2))

    @rule(stack=stacks)
    def refresh(self, stack: int) -> None:
        """`pulumi refresh`: it looks, and changes nothing."""
        chosen = self.stacks[stack]
        self.operations["refresh"] += 1
        looked = chosen.engine.refresh(check=False)
        assert looked.mutations == []
        assert "leaves the state" not in looked.notes, str(looked)
        if looked.ok:
            chosen.ledger.unseen.clear()

    @rule(stack=stacks, which=which)
    def taint(self, stack: int, which: int) -> None:
        entries = [
            entry for entry in self.stacks[stack].engine.state if entry.name != NEIGHBOR and not entry.delete
        ]
        if entries:
            entries[which % len(entries)].taint = True

    @rule(stack=stacks, go_on=st.booleans())
    def destroy(self, stack: int, go_on: bool) -> None:
        self.operate(self.stacks[stack], destroy=True, limits=Limits(continue_on_error=go_on))

    # What each operation is held against.

    def operate(
        self, stack: Stack, *, refresh: bool = False, destroy: bool = False, limits: Limits = NO_LIMITS
    ) -> Run:
        stack.written = 0
        before, state = self.dates(), copy.deepcopy(stack.engine.state)
        self.operations["destroy" if destroy else "refresh and up" if refresh else "up"] += 1
        gateways.forget()
        try:
            if destroy:
                outcome = stack.engine.destroy(check=False, limits=limits)
            else:
                outcome = stack.engine.up(stack.program, refresh=refresh, check=False, limits=limits)
        except AmiDeprecationError as refused:  # by the policy, in the program
            outcome = Outcome(errors=[str(refused)])
        program = None if destroy else stack.program
        run = Run(program, limits, outcome, self.now, before, self.dates(), state, stack.engine.state)
        if refresh and outcome.ok:
            stack.ledger.unseen.clear()
        stack.ledger.judge(run)
        changed = {each for each in self.images if run.actions(each)}
        for other in self.stacks:
            if other is not stack:
                other.ledger.unseen |= changed
        return run

    def preview(self, stack: Stack) -> dict[str, str | None] | None:
        """What the comment says that `up` will do, None for an image that it is not sure of; None when it cannot know."""
        if any(entry.delete for entry in stack.engine.state):
            return None
        before = {entry.name: entry for entry in copy.deepcopy(stack.engine.state)}
        self.operations["preview"] += 1
        gateways.forget()
        try:
            shown = stack.engine.preview(stack.program, check=False)
        except AmiDeprecationError:
            return None
        assert shown.mutations == []
        if not shown.ok:
            return None
        shown.steps = [step for step in shown.steps if step[1] != NEIGHBOR]
        return {
            str(each.image_id): None
            if each.remark == preview.MAY_STAY
            else "Disable"
            if each.action is Action.CANCELED
            else "Enable"
            for each in preview.read(digest(before, shown), self.now).changes
            if each.action in CHANGING
        }

    def judge_comment(self, stack: Stack, named: dict[str, str | None], run: Run) -> None:
        # A preview does not read the image of a removed resource, so it does not know that it is public.
        unread = stack.ledger.unseen | {each.image_id for each in self.ec2.images() if each.public}
        unread |= {image_id for image_id, action in named.items() if action is None}
        called = {
            each: run.actions(each)[-1].removesuffix("ImageDeprecation")
            for each in self.images
            if run.actions(each) and each not in unread
        }
        named = {image_id: action for image_id, action in named.items() if image_id not in unread}
        assert named == called, f"{run.program}\n{run.outcome}"

    def judge_next_preview(self, stack: Stack, run: Run) -> None:
        """What an image has instead of its date is shown by the next plain preview."""
        missing = []
        for entry in run.state:
            wanted, image_id = stack.program.wanted(entry), image_of(entry)
            if wanted is None or "__given_up" in entry.outputs or image_id in stack.ledger.unseen:
                continue
            if run.after[image_id] != wanted:
                missing.append(image_id)
        if missing:
            shown = stack.engine.preview(stack.program, check=False)
            assert all(each in shown.notes or shown.operations for each in missing), str(shown)


@pytest.mark.timeout(0 if EXAMPLES else 300)  # a long run takes hours
def test_no_date_is_lost(make_engine: MakeEngine, ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch) -> None:
    gateways.enter(ec2, monkeypatch)
    machine = type("BoundMachine", (Machine,), {"make_engine": staticmethod(make_engine), "ec2": ec2})
    run_state_machine_as_test(machine, settings=SETTINGS)
    gateways.forget()
