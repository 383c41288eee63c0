"""A mini engine: preview, up, refresh and destroy over the real plugin, in the real engine's order, without a CLI.

One plugin process an operation, as the real one has it; what the steps are, `operation.py` says.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.operation import NO_LIMITS, Entry, Limits, Operation, Outcome
from tests.support.plugin import Launcher, Plugin
from tests.support.program import Props, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ami_deprecation.testing import LocalEC2
    from tests.support.spelling import Door


@dataclass
class Engine:
    """A stack: its configuration, its state, and the operations on it.

    Attributes:
        environment: the plugin's whole environment.
        parallel: how many steps run at once; 0: each is over before the next resource is looked at.
        plugin: the process of the operation under way, for tests that kill it.
        door: the provider that the program's dates have.
    """

    launcher: Launcher
    ec2: LocalEC2
    environment: dict[str, str]
    config: dict[str, str] = field(default_factory=dict)
    parallel: int = 0
    state: list[Entry] = field(default_factory=list)
    plugin: Plugin | None = None
    door: Door = "dynamic"

    def preview(
        self,
        program: Callable[[], object],
        *,
        check: bool = True,
        refresh: bool = False,
        limits: Limits = NO_LIMITS,
    ) -> Outcome:
        """`pulumi preview`, with `--refresh`, `--target` and `--exclude`."""
        return self._operate(program, dry_run=True, check=check, refresh=refresh, limits=limits)

    def up(
        self,
        program: Callable[[], object],
        *,
        check: bool = True,
        refresh: bool = False,
        replace: Iterable[str] = (),
        limits: Limits = NO_LIMITS,
    ) -> Outcome:
        """`pulumi up`, with `--refresh`, `--replace` and what limits it. With `check`, one that fails fails the test."""
        return self._operate(program, check=check, refresh=refresh, replace=frozenset(replace), limits=limits)

    def refresh(self, *, check: bool = True) -> Outcome:
        """`pulumi refresh`."""
        return self._operate(None, check=check, refresh=True, only_refresh=True)

    def destroy(self, *, check: bool = True, limits: Limits = NO_LIMITS) -> Outcome:
        """`pulumi destroy`, with `--target`, `--exclude` and `--continue-on-error`."""
        return self._operate(lambda: None, check=check, limits=limits)

    def _operate(
        self,
        program: Callable[[], object] | None,
        *,
        check: bool,
        dry_run: bool = False,
        refresh: bool = False,
        only_refresh: bool = False,
        replace: frozenset[str] = frozenset(),
        limits: Limits = NO_LIMITS,
    ) -> Outcome:
        known = {entry.urn: entry.outputs for entry in self.state if not entry.delete}
        state = copy.deepcopy(self.state) if dry_run else self.state
        outcome = Outcome()
        self.plugin = Plugin(self.launcher, self.environment, self.config, door=self.door)
        operation = Operation(self.plugin, state, outcome, dry_run, replace, limits, self.parallel)
        try:
            # A program that lists images does it before anything that counts as a call of this operation.
            registrations = (
                []
                if program is None
                else run(program, preview=dry_run, state=known, address=self.plugin.address)
            )
            mark, began = self.ec2.mark(), time.monotonic()
            operation.run(registrations, refresh=refresh, only_refresh=only_refresh)
        finally:
            self.plugin.close()
            outcome.printed, outcome.warnings = self.plugin.printed, self.plugin.warnings
        outcome.calls, outcome.seconds = self.ec2.calls_since(mark), time.monotonic() - began
        assert outcome.ok or not check, str(outcome)
        return outcome

    def begins(self, error: str) -> str:
        """How an error of this class begins: the SDK's server puts its name before the sentence, ours shows the sentence alone."""
        return f"ami_deprecation.{error}: " if self.door == "dynamic" else ""

    # The state, as `pulumi stack` and `pulumi state` show and change it.

    def entry(self, name: str) -> Entry:
        """The resource of that name; there is to be one."""
        [entry] = [entry for entry in self.state if entry.name == name and not entry.delete]
        return entry

    def outputs(self, name: str) -> Props:
        """Its outputs."""
        return self.entry(name).outputs

    def names(self) -> list[str]:
        """The names of all resources, also of those whose deletion is pending."""
        return [entry.name for entry in self.state]

    def taint(self, name: str) -> None:
        """`pulumi state taint`."""
        self.entry(name).taint = True

    def export(self) -> str:
        """`pulumi stack export`."""
        return json.dumps([vars(entry) for entry in self.state], sort_keys=True)
