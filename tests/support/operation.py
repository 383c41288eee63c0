"""The steps of one operation of the mini engine, in the real engine's order.

The order is that of the engine's step generator (pulumi/pulumi `pkg/resource/deploy/step_generator.go` and `step.go`,
v3.245.0): Check with the old inputs, Diff with the old outputs; a replacement checks again without olds, and its
old half is deleted after everything else, or first; what the program no longer has is deleted last. Left out
is what this resource cannot notice: parents, components, targets, plans, other providers.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING

from tests.support.plugin import CallFailed, Plugin, PluginDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ami_deprecation.testing import Call
    from tests.support.program import Props, Registration


@dataclass
class Entry:
    """One resource in the state."""

    urn: str
    id: str
    inputs: Props
    outputs: Props
    taint: bool = False
    delete: bool = False
    pending_replacement: bool = False
    retain_on_delete: bool = False

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass
class Outcome:
    """What one operation did, and what its user saw.

    Attributes:
        steps: (operation, resource name) in the order in which they ended, with the engine's names.
        shown: of a resource that a preview or an update changes, the visible inputs that differ: (old, new).
        inputs: of each resource of the program, its checked inputs.
        printed: what the plugin wrote to its standard output and error.
        failures: the lines that the CLI prints for failed checks.
        errors: what the CLI prints for failed calls, tracebacks and all.
        calls: the EC2 and STS calls, in order.
    """

    steps: list[tuple[str, str]] = field(default_factory=list)
    shown: dict[str, dict[str, tuple[object, object]]] = field(default_factory=dict)
    inputs: dict[str, Props] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    died: bool = False
    calls: list[Call] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not (self.failures or self.errors or self.died)

    @property
    def operations(self) -> list[str]:
        """The names of the steps that are more than `same`."""
        return [operation for operation, _ in self.steps if operation != "same"]

    @property
    def actions(self) -> list[str]:
        """The names of the EC2 and STS calls."""
        return [call.action for call in self.calls]

    @property
    def mutations(self) -> list[str]:
        """The names of the calls that change something, refused ones too."""
        return [call.action for call in self.calls if call.mutates]

    @property
    def notes(self) -> str:
        """All that the provider printed."""
        return "\n".join(self.printed)

    @property
    def sentence(self) -> str:
        """The last line of the first error."""
        return self.errors[0].strip().splitlines()[-1]

    def __str__(self) -> str:
        return "\n".join(
            [f"steps {self.steps}, calls {self.actions}", *self.printed, *self.failures, *self.errors]
        )


@dataclass
class Operation:
    plugin: Plugin
    state: list[Entry]
    outcome: Outcome
    dry_run: bool
    replace: frozenset[str]
    parallel: int
    _lock: RLock = field(default_factory=RLock)

    def run(self, registrations: list[Registration], *, refresh: bool, only_refresh: bool) -> None:
        with ThreadPoolExecutor(self.parallel or 1) as pool:
            self._pool = pool
            if refresh:
                self._all(partial(self._refresh, entry) for entry in list(self.state))
            if only_refresh or self._failed:
                return
            seen: set[str] = set()
            self._all(partial(self._register, each, seen) for each in registrations)
            if not self._failed:
                leftover = [entry for entry in self.state if entry.delete or entry.urn not in seen]
                self._all(partial(self._delete, entry) for entry in reversed(leftover))

    @property
    def _failed(self) -> bool:
        # A failed check does not stop a preview, so that a reader sees all of them.
        failures = self.outcome.failures and not self.dry_run
        return bool(failures or self.outcome.errors or self.outcome.died)

    def _all(self, jobs: Iterable[Callable[[], Callable[[], None] | None]]) -> None:
        """Plan each job in turn, and carry out the steps that come of it; after an error nothing new begins."""
        running: list[Future[None]] = []
        for job in jobs:
            if self._failed:
                break
            self._guarded(lambda job=job: running.append(self._start(job())))  # type: ignore[misc]
        for each in running:
            each.result()

    def _start(self, step: Callable[[], None] | None) -> Future[None]:
        done: Future[None] = Future()
        if step is not None and self.parallel:
            return self._pool.submit(self._guarded, step)
        if step is not None:
            self._guarded(step)
        done.set_result(None)
        return done

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except CallFailed as failed:
            self.outcome.errors.append(failed.details)
        except PluginDied:
            self.outcome.died = True

    def _refresh(self, entry: Entry) -> Callable[[], None] | None:
        return None if entry.pending_replacement else partial(self._read, entry)

    def _read(self, entry: Entry) -> None:
        old_inputs = entry.inputs
        id_, inputs, outputs = self.plugin.read(entry.urn, entry.id, entry.inputs, entry.outputs)
        if not id_:
            self._done("delete", entry.name, lambda: self.state.remove(entry))
            return
        new_inputs = old_inputs if inputs is None else inputs
        changed = self.plugin.diff(entry.urn, id_, new_inputs, outputs, old_inputs).changes == _DIFF_SOME
        shown = _visible_changes(old_inputs, new_inputs)
        if changed:
            self.outcome.shown[entry.name] = shown

        def record() -> None:
            entry.id, entry.inputs, entry.outputs = id_, new_inputs, outputs

        self._done("refresh-update" if changed else "refresh", entry.name, record)

    def _register(self, new: Registration, seen: set[str]) -> Callable[[], None] | None:
        old = self._old(new, seen)
        seen.add(new.urn)
        targeted = old is not None and (old.taint or new.name in self.replace)
        olds = None if old is None or targeted else old.inputs
        inputs = self._check(new, olds, new.inputs if old is None else _with_ignored(new, old))
        if inputs is None:
            return None
        if old is None:
            return partial(self._create, new, inputs, None)
        replaces, deletes_first = targeted or old.pending_replacement, False
        if not targeted:
            diff = self.plugin.diff(new.urn, old.id, old.inputs, old.outputs, inputs)
            assert diff.changes in (_DIFF_NONE, _DIFF_SOME), "the answer to Diff is not explicit"
            if diff.changes == _DIFF_NONE and not replaces:
                return partial(self._same, old, inputs)
            replaces, deletes_first = replaces or bool(diff.replaces), diff.deleteBeforeReplace
        self.outcome.shown[new.name] = _visible_changes(old.inputs, inputs)
        if not replaces:
            return partial(self._update, old, inputs)
        return self._replace(new, old, None if not targeted else inputs, deletes_first=deletes_first)

    def _old(self, new: Registration, seen: set[str]) -> Entry | None:
        """What the state has of this resource, perhaps under another name."""
        live = [entry for entry in self.state if not entry.delete]
        same = next((entry for entry in live if entry.urn == new.urn), None)
        renamed = next((entry for entry in live if entry.name in new.aliases and entry.urn not in seen), None)
        if same is None and renamed is not None:
            renamed.urn = new.urn
        return same or renamed

    def _replace(
        self, new: Registration, old: Entry, inputs: Props | None, *, deletes_first: bool
    ) -> Callable[[], None] | None:
        """A replacement checks once more, without olds, unless the first check had none either."""
        checked = inputs if inputs is not None else self._check(new, None, new.inputs)
        if checked is None:
            return None
        if new.delete_before_replace is not None:
            deletes_first = new.delete_before_replace
        if deletes_first:
            return partial(self._delete_and_create, new, checked, old)
        return partial(self._create, new, checked, old)

    def _check(self, new: Registration, olds: Props | None, news: Props) -> Props | None:
        inputs, failures = self.plugin.check(new.urn, olds, news)
        self.outcome.inputs[new.name] = inputs
        for key, reason in failures:
            about = f"property {key} value {{{inputs.get(key)}}} has a problem: " if key else ""
            self.outcome.failures.append(f"{new.type} resource '{new.name}': {about}{reason}")
        return None if failures else inputs

    # Steps: each calls the provider, then records what came of it.

    def _same(self, old: Entry, inputs: Props) -> None:
        self._done("same", old.name, lambda: setattr(old, "inputs", inputs))

    def _create(self, new: Registration, inputs: Props, replaced: Entry | None) -> None:
        id_, outputs = ("", inputs) if self.dry_run else self.plugin.create(new.urn, inputs)

        def record() -> None:
            entry = Entry(new.urn, id_, inputs, outputs, retain_on_delete=new.retain_on_delete)
            if replaced is not None and replaced.pending_replacement:
                self.state.remove(replaced)
            elif replaced is not None:
                replaced.delete, replaced.taint = True, False
            self.state.append(entry)

        self._done("create" if replaced is None else "create-replacement", new.name, record)

    def _delete_and_create(self, new: Registration, inputs: Props, old: Entry) -> None:
        if not old.pending_replacement:
            if not self.dry_run and not old.retain_on_delete:
                self.plugin.delete(old.urn, old.id, old.inputs, old.outputs)
            self._done("delete-replaced", old.name, lambda: setattr(old, "pending_replacement", True))
        self._create(new, inputs, old)

    def _update(self, old: Entry, inputs: Props) -> None:
        outputs = inputs
        if not self.dry_run:
            outputs = self.plugin.update(old.urn, old.id, old.inputs, old.outputs, inputs)

        def record() -> None:
            old.inputs, old.outputs = inputs, outputs

        self._done("update", old.name, record)

    def _delete(self, entry: Entry) -> Callable[[], None]:
        return partial(self._delete_now, entry)

    def _delete_now(self, entry: Entry) -> None:
        if not (self.dry_run or entry.retain_on_delete or entry.pending_replacement):
            self.plugin.delete(entry.urn, entry.id, entry.inputs, entry.outputs)
        operation = "delete-replaced" if entry.delete else "delete"
        self._done(operation, entry.name, lambda: self.state.remove(entry))

    def _done(self, operation: str, name: str, record: Callable[[], None]) -> None:
        with self._lock:
            record()
            self.outcome.steps.append((operation, name))


#: provider.proto, DiffResponse.DiffChanges
_DIFF_NONE, _DIFF_SOME = 1, 2


def _with_ignored(new: Registration, old: Entry) -> Props:
    """The inputs of the program, those under `ignore_changes` as they were."""
    wanted = {key: value for key, value in new.inputs.items() if key not in new.ignore_changes}
    return wanted | {key: value for key, value in old.inputs.items() if key in new.ignore_changes}


def _visible_changes(old: Props, new: Props) -> dict[str, tuple[object, object]]:
    """What the CLI shows of a change: the inputs that differ, without those whose name begins with two underscores."""
    keys = sorted({*old, *new})
    return {
        key: (old.get(key), new.get(key))
        for key in keys
        if not key.startswith("__") and old.get(key) != new.get(key)
    }
