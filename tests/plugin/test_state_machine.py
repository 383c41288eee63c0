"""Random programs, changes from outside, faults and kills, against a model.

PROTOCOL_EXAMPLES=300 looks further than the everyday run does, and at other examples each time.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from ami_deprecation.testing import LagMode
from tests.plugin.conftest import OTHER
from tests.support import model
from tests.support.dates import NOW, text
from tests.support.model import Place, Spec
from tests.support.watch import killed
from tests.support.world import World, images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ami_deprecation.testing import FaultKind, LocalEC2, LocalImage
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine
    from tests.support.model import Wish
    from tests.support.operation import Entry, Outcome

EXAMPLES = int(os.environ.get("PROTOCOL_EXAMPLES", "0"))
EVERYDAY = settings(
    max_examples=EXAMPLES or 8,
    stateful_step_count=30 if EXAMPLES else 14,
    derandomize=not EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

#: How long the provider may retry, in seconds, in a run that has to fail and in one that has to succeed.
IMPATIENT, PATIENT = "0.3", "20"
#: How long EC2 may lag in an operation that follows at once.
SETTLE = "60"

names = st.sampled_from(["one", "two", "three"])
days = st.sampled_from([100, 200, 300])
#: What is said of an image. The role is one of the same account; the order is that of a replacement.
wishes = st.fixed_dictionaries(
    {
        "way": st.sampled_from(["deprecate_at", "deprecate_after_days", "deprecate_in_days"]),
        "days": days,
        "on_destroy": st.sampled_from(["cancel", "restore"]),
        "role": st.booleans(),
        "delete_first": st.booleans(),
    }
)
#: What a retry mends, and what goes on until it is over.
passing = st.sampled_from(
    ["throttled", "internal", "drop", "drop-after", "garbage", "truncated", "return-false"]
)
lasting = st.sampled_from(
    ["throttled", "unavailable", "drop", "drop-after", "cut", "denied", "expired-token"]
)
actions = st.sampled_from(["DescribeImages", "EnableImageDeprecation", "DisableImageDeprecation", "*"])


class Machine(World):
    """One stack, its program, and all that can happen to them."""

    make_engine: ClassVar[MakeEngine]

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine = type(self).make_engine(AMI_DEPRECATION_RETRY_SECONDS=PATIENT)
        self.program: dict[str, Spec] = {}

    # The program.

    @rule(name=names, image=images, wish=wishes)
    def write(self, name: str, image: int, wish: Wish) -> None:
        place = self.places[image]
        taken = any(spec.place == place for other, spec in self.program.items() if other != name)
        if not taken and model.look(self.ec2, place).state != model.GONE:
            self.program[name] = Spec(place, **wish)

    @precondition(lambda self: self.program)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        del self.program[data.draw(st.sampled_from(sorted(self.program)))]

    @precondition(lambda self: self.program)
    @rule(data=st.data(), new=names)
    def rename(self, data: st.DataObject, new: str) -> None:
        old = data.draw(st.sampled_from(sorted(self.program)))
        if new not in self.program:
            self.program[new] = self.program.pop(old)

    @precondition(lambda self: self.engine.state)
    @rule(data=st.data())
    def taint(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.engine.state))
        if not entry.delete:
            entry.taint = True

    @precondition(lambda self: self.engine.state)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """`pulumi state delete`."""
        self.engine.state.remove(data.draw(st.sampled_from(self.engine.state)))

    @rule(image=images)
    def deregister(self, image: int) -> None:
        """An image goes, and its resource with it from the program."""
        self.outside(image, lambda place: self.ec2.deregister_image(place.image_id, region=place.region))
        gone = self.places[image]
        self.program = {name: spec for name, spec in self.program.items() if spec.place != gone}

    # The stack.

    @rule(refresh=st.booleans())
    def preview(self, refresh: bool) -> None:
        before, dates = self.engine.export(), self.dates()
        outcome = self.engine.preview(model.program(self.program), refresh=refresh, check=False)
        assert outcome.mutations == []
        assert (self.engine.export(), self.dates()) == (before, dates)
        assert outcome.errors == [], str(outcome)

    @rule(
        refresh=st.booleans(),
        parallel=st.sampled_from([0, 4]),
        fault=st.none() | st.tuples(actions, passing, st.integers(1, 2)),
    )
    def up(self, refresh: bool, parallel: int, fault: tuple[str, FaultKind, int] | None) -> None:
        """A fault that a retry mends makes no difference."""
        self.engine.parallel = parallel
        before, looks = copy.deepcopy(self.engine.state), self.looks()
        with self.passing(fault):
            while not (outcome := self.run_up(refresh=refresh)).ok:
                self.drop_what_ec2_refuses(outcome)
        seen = self.places if refresh else set(self.places) - {model.place_of(entry) for entry in before}
        self.unseen.difference_update(seen)
        self.check_program()
        self.check_deleted(before, looks)
        again = self.engine.up(model.program(self.program))
        assert (again.operations, again.actions) == ([], []), str(again)

    @rule(refresh=st.booleans(), action=actions, kind=lasting)
    def up_with_a_lasting_fault(self, refresh: bool, action: str, kind: FaultKind) -> None:
        self.ec2.faults.add(action, kind, times=None)
        self.engine.environment["AMI_DEPRECATION_RETRY_SECONDS"] = IMPATIENT
        self.run_up(refresh=refresh)
        self.engine.environment["AMI_DEPRECATION_RETRY_SECONDS"] = PATIENT
        self.ec2.faults.clear()

    @rule(action=actions, after=st.booleans(), parallel=st.sampled_from([0, 4]))
    def killed_up(self, action: str, after: bool, parallel: int) -> None:
        self.engine.parallel = parallel
        with killed(self.engine, self.ec2, action, after=after, certain=False):
            self.run_up(refresh=False)

    @rule()
    def refresh(self) -> None:
        dates = self.dates()
        outcome = self.engine.refresh()
        assert outcome.mutations == []
        self.unseen.clear()
        for entry in self.engine.state:
            assert model.parse(entry.outputs.get("deprecation_time")) == dates[model.place_of(entry)]

    @rule(fault=st.none() | st.tuples(actions, passing, st.just(1)))
    def destroy(self, fault: tuple[str, FaultKind, int] | None) -> None:
        before, looks = copy.deepcopy(self.engine.state), self.looks()
        with self.passing(fault):
            outcome = self.engine.destroy()
        self.touched_only_managed(outcome, before)
        assert self.engine.state == []
        self.program.clear()
        self.check_deleted(before, looks)

    @rule(action=actions, after=st.booleans())
    def killed_destroy(self, action: str, after: bool) -> None:
        with killed(self.engine, self.ec2, action, after=after, certain=False):
            self.engine.destroy(check=False)

    @rule(
        mode=st.sampled_from(get_args(LagMode)),
        days=st.none() | days,
        then=st.sampled_from(["refresh", "destroy"]),
    )
    def hurry(self, mode: LagMode, days: int | None, then: str) -> None:
        """One operation after the other, while EC2 still shows what was before."""
        self.advance(2 * timedelta(seconds=int(SETTLE)))  # what was done before is settled
        self.ec2.faults.lag(mode=mode, reads=2)
        self.engine.environment["AMI_DEPRECATION_SETTLE_SECONDS"] = SETTLE
        self.up(refresh=False, parallel=0, fault=None)
        if days is not None:
            self.program = {name: replace(spec, days=days) for name, spec in self.program.items()}
            self.up(refresh=False, parallel=0, fault=None)
        # That EC2 does not cancel the date of a public image is only seen when the image is.
        unseen = mode in ("absent", "empty") and any(image.public for image in self.looks().values())
        if then == "refresh" or unseen:
            self.refresh()
        else:
            self.destroy(fault=None)
        self.engine.environment["AMI_DEPRECATION_SETTLE_SECONDS"] = "0"
        self.ec2.faults.clear()

    @precondition(lambda self: not any("role_arn" in entry.outputs for entry in self.engine.state))
    @rule(destroy=st.booleans())
    def mistake_the_account(self, destroy: bool) -> None:
        """What is private is not seen there, and not taken for gone."""
        before, private = self.dates(), [each for each in self.looks().items() if not each[1].public]
        names = {entry.name for entry in self.engine.state if model.place_of(entry) in dict(private)}
        ours = dict(self.engine.environment)
        self.engine.environment |= self.ec2.environment(account=OTHER)
        operation = self.engine.destroy if destroy else self.engine.refresh
        operation(check=False)
        self.engine.environment = ours
        assert names <= set(self.engine.names())
        assert self.dates() == before

    @contextlib.contextmanager
    def passing(self, fault: tuple[str, FaultKind, int] | None) -> Iterator[None]:
        if fault is None:
            yield
            return
        action, kind, times = fault
        self.ec2.faults.add(action, kind, times=times)
        yield
        self.ec2.faults.clear()

    def run_up(self, *, refresh: bool) -> Outcome:
        before = copy.deepcopy(self.engine.state)
        outcome = self.engine.up(model.program(self.program), refresh=refresh, check=False)
        self.touched_only_managed(outcome, before)
        return outcome

    def drop_what_ec2_refuses(self, outcome: Outcome) -> None:
        """Do as a user would who reads the failed checks, each of which has one of the known reasons."""
        assert (outcome.errors, outcome.died) == ([], False), str(outcome)
        for failure in outcome.failures:
            [name] = re.findall(r"resource '(\w+)':", failure)
            spec = self.program.pop(name)
            image = model.look(self.ec2, spec.place)
            relative = spec.way == "deprecate_in_days"
            past = not relative and model.is_past(NOW + timedelta(days=spec.days), self.now)
            assert past or image.public, failure

    # What must hold.

    def touched_only_managed(self, outcome: Outcome, before: list[Entry]) -> None:
        managed = {model.place_of(entry) for entry in before} | {spec.place for spec in self.program.values()}
        touched = {
            Place(image_id, call.region)
            for call in outcome.calls
            if call.mutates
            for image_id in call.image_ids
        }
        assert touched <= managed

    def check_program(self) -> None:
        """Every image of the program has the wanted date, or a reason; and the state says what it has."""
        assert sorted(self.engine.names()) == sorted(self.program)
        for name, spec in self.program.items():
            if spec.place in self.unseen:
                continue
            entry, image = self.engine.entry(name), model.look(self.ec2, spec.place)
            assert entry.outputs.get("deprecation_time") == text(image.deprecation_time)
            wanted = spec.wanted(entry)
            if image.deprecation_time != wanted:
                assert wanted is not None
                assert model.is_past(wanted, self.now) or image.public, (name, spec, image)

    def check_deleted(self, before: list[Entry], looks: dict[Place, LocalImage]) -> None:
        """Images that the program has no more: ours is canceled or put back, another's date stays."""
        kept = {spec.place for spec in self.program.values()}
        places = [model.place_of(entry) for entry in before]
        for entry, place in zip(before, places, strict=True):
            if place not in kept and places.count(place) == 1:
                expected = model.after_delete(entry, looks[place], self.now)
                assert model.look(self.ec2, place).deprecation_time == expected, entry
        for place in set(self.places) - kept - set(places):
            assert model.look(self.ec2, place).deprecation_time == looks[place].deprecation_time


@pytest.mark.timeout(1200)  # for a busy machine, and for more examples
def test_random_programs_end_as_model_predicts(make_engine: MakeEngine, ec2: LocalEC2) -> None:
    machine = type("BoundMachine", (Machine,), {"make_engine": staticmethod(make_engine), "ec2": ec2})
    run_state_machine_as_test(machine, settings=EVERYDAY)
