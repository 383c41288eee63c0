"""A fleet's policy over months: images come and go, settings change, dates arrive; whenever nothing happens, it is quiet.

The program is a real policy, which reads the embedded EC2 from this process; the mini engine carries out what it
declares. PROTOCOL_EXAMPLES=300 looks further than the everyday run does, and at other examples each time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from ami_deprecation import AmiDeprecationPolicy, RequestRefused
from tests.plugin.conftest import REGION, forget_images
from tests.plugin.test_state_machine import EVERYDAY, EXAMPLES
from tests.support import gateways
from tests.support.dates import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pytest

    from ami_deprecation.testing import LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/base"

keep = st.sampled_from([None, 0, 1, 2])
grace = st.sampled_from([0, 5, 20, 60])
age = st.sampled_from([None, 10, 90])
notice = st.sampled_from([0, 7, 30])
families = st.sampled_from(["a", "b"])
in_use = st.sampled_from(["ignore", "warn", "skip"])
hours = st.sampled_from([0.02, 1, 24, 24 * 6.9, 24 * 13, 24 * 45])
index = st.integers(0, 9)


class Machine(RuleBasedStateMachine):
    """One policy, and what happens to its fleet."""

    make_engine: ClassVar[MakeEngine]
    ec2: ClassVar[LocalEC2]

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.ec2.set_time(NOW)
        self.engine: Engine = type(self).make_engine(AMI_DEPRECATION_RETRY_SECONDS="20")
        self.settings: dict[str, object] = {"keep_newest": 1, "grace_days": 20, "notice_days": 7}
        self.ids: list[str] = []
        #: Whether more has happened since the last update than time passing and new images.
        self.disturbed = True
        #: Whether a date was changed from outside since the stack last looked.
        self.drifted = False
        for each in (40, 10, 0):
            self.add(each, "a")

    def teardown(self) -> None:
        self.ec2.faults.clear()
        forget_images(self.ec2)
        self.ec2.reset()

    def add(self, days: float, family: str) -> None:
        number = len(self.ids)
        self.ids.append(
            self.ec2.add_image(f"base-{number}", created=self.now - days * DAY, tags={"Family": family})
        )

    def pick(self, index: int) -> str:
        return self.ids[index % len(self.ids)]

    # The world.

    @rule(family=families)
    def build(self, family: str) -> None:
        self.add(0, family)

    @rule(family=families, days=st.sampled_from([0, 3, 30, 300]))
    def copy(self, family: str, days: float) -> None:
        self.add(days, family)
        self.disturbed = True

    @precondition(lambda self: len(self.ids) > 1)
    @rule(index=index)
    def deregister(self, index: int) -> None:
        image_id = self.pick(index)
        self.ec2.deregister_image(image_id)
        self.ids.remove(image_id)
        self.disturbed = True

    @rule(index=index, state=st.sampled_from(["disabled", "available"]))
    def switch(self, index: int, state: str) -> None:
        self.ec2.set_state(self.pick(index), state)
        self.disturbed = True

    @rule(index=index, public=st.booleans())
    def publish(self, index: int, public: bool) -> None:
        image_id = self.pick(index)
        if public:
            self.ec2.make_public(image_id)
        else:
            self.ec2.make_private(image_id)
        self.disturbed = self.drifted = True

    @rule(index=index, family=families)
    def retag(self, index: int, family: str) -> None:
        self.ec2.client().create_tags(Resources=[self.pick(index)], Tags=[{"Key": "Family", "Value": family}])
        self.disturbed = True

    @rule(index=index, days=st.sampled_from([None, -10, 5, 200]))
    def change_outside(self, index: int, days: int | None) -> None:
        when = None if days is None else self.now + days * DAY
        self.ec2.set_deprecation_time(self.pick(index), when)
        self.disturbed = self.drifted = True

    @rule(index=index)
    def use(self, index: int) -> None:
        self.ec2.add_reference(self.pick(index), "ssm:Parameter", ARN)

    # The program.

    @rule(keep=keep, grace=grace, age=age, notice=notice)
    def write(self, keep: int | None, grace: int, age: int | None, notice: int) -> None:
        if keep is None and age is None:
            return
        self.settings.update(
            keep_newest=keep,
            grace_days=0 if keep is None else grace,
            deprecate_after_days=age,
            notice_days=notice,
        )
        self.disturbed = True

    @rule(value=in_use)
    def ask_who_uses(self, value: str) -> None:
        self.settings["in_use"] = value
        self.disturbed = True

    @rule(index=st.none() | index)
    def exclude(self, index: int | None) -> None:
        self.settings["exclude"] = None if index is None else [self.pick(index)]
        self.disturbed = True

    def program(self, **more: object) -> Callable[[], None]:
        arguments = {**self.settings, **more}

        def body() -> None:
            AmiDeprecationPolicy(
                "base",
                name="base-*",
                group_by="tag:Family",
                regions=[REGION],
                allow_empty=True,  # test_policy_guards.py is about that
                **arguments,  # type: ignore[arg-type]
            )

        return body

    # Time, and the stack.

    @rule(hours=hours)
    def let_time_pass(self, hours: float) -> None:
        self.now += timedelta(hours=hours)
        self.ec2.set_time(self.now)

    @rule(refresh=st.booleans())
    def up(self, refresh: bool) -> None:
        before, names, may_date = self.dates(), self.names(), self.may_date()
        outcome = self.engine.up(self.program(), refresh=refresh)
        after = self.dates()
        touched = [image_id for call in outcome.calls if call.mutates for image_id in call.image_ids]
        assert len(touched) == len(set(touched)), str(outcome)
        if not self.drifted:
            assert may_date or "EnableImageDeprecation" not in outcome.actions, str(outcome)
        for image_id, name in self.names().items():
            assert name == names.get(image_id, name)
            assert after[image_id] is not None or (self.drifted and not refresh)
            if before[image_id] is None:
                self.check_notice(after[image_id])
            elif image_id in names and not self.disturbed:
                assert after[image_id] == before[image_id], str(outcome)
        self.disturbed = False
        self.drifted = self.drifted and not refresh
        if not self.drifted:  # what only a refresh sees, the policy sees as well once the day comes near
            self.check_quiet()

    def may_date(self) -> bool:
        """Whether a run under `max_changes=0` is refused, because an image would get a date or another one."""
        try:
            self.engine.preview(self.program(max_changes=0))
        except RequestRefused:
            return True
        return False

    def check_notice(self, given: datetime | None) -> None:
        earliest = self.now + self.settings["notice_days"] * DAY  # type: ignore[operator]
        assert given is None or given >= earliest - MINUTE

    def check_quiet(self) -> None:
        """Before, on and after the next day that an image is deprecated."""
        dates = self.dates()
        ahead = sorted(date for date in dates.values() if date is not None and date > self.now)
        moments = [moment for day in ahead[:1] for moment in (day - MINUTE, day, day + MINUTE)]
        for moment in (self.now, *moments, self.now + 500 * DAY):
            self.ec2.set_time(moment)
            again = self.engine.preview(self.program())
            assert again.operations == [], (moment, str(again))
        again = self.engine.up(self.program())
        assert (again.operations, again.mutations, self.dates()) == ([], [], dates)
        self.ec2.set_time(self.now)

    def names(self) -> dict[str, str]:
        return {entry.id.partition("/")[2]: entry.name for entry in self.engine.state}

    def dates(self) -> dict[str, datetime | None]:
        return {image_id: self.ec2.image(image_id).deprecation_time for image_id in self.ids}


def test_policy_is_quiet_whenever_nothing_happens(
    make_engine: MakeEngine, ec2: LocalEC2, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateways.enter(ec2, monkeypatch)
    machine = type("BoundMachine", (Machine,), {"make_engine": staticmethod(make_engine), "ec2": ec2})
    run_state_machine_as_test(machine, settings=settings(EVERYDAY, max_examples=EXAMPLES or 5))
    gateways.forget()
