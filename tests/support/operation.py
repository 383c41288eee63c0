"""The steps of one operation of the mini engine, in the real engine's order.

The order is that of the engine's step generator (pulumi/pulumi `pkg/resource/deploy/step_generator.go` and `step.go`,
v3.245.0): Check with the old inputs, Diff with the old outputs; a replacement checks again without olds, and its
old half is deleted after everything else, or first; what the program no longer has is deleted last. A resource that
`--target` or `--exclude` leaves out, or that depends on one that failed under `--continue-on-error`, is not shown to
the plugin. Left out is what this resource cannot notice: components in the state, plans, other providers.
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
    dependencies: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass
class Outcome:
    """What one operation did, and what its user saw.

    Attributes:
        steps: (operation, resource name) in the order in which they ended, with the engine's names.
        shown: of a resource that a preview or an update changes, the visible inputs that differ: (old, new).
        replace_reasons: of a resource that is replaced, the inputs that are the reason, or ``id``: a taint or an option is.
        inputs: of each resource of the program, its checked inputs.
        printed: what the plugin wrote to its standard output and error, and what it logged.
        warnings: what it logged as warnings.
        failures: the lines that the CLI prints for failed checks.
        errors: what the CLI prints for failed calls, tracebacks and all.
        calls: the EC2 and STS calls, in order.
    """

    steps: list[tuple[str, str]] = field(default_factory=list)
    shown: dict[str, dict[str, tuple[object, object]]] = field(default_factory=dict)
    replace_reasons: dict[str, list[str]] = field(default_factory=dict)
    inputs: dict[str, Props] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
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


@dataclass(frozen=True)
class Limits:
    """What a user leaves out of an operation.

    Attributes:
        targets: `--target`: URNs; None for all.
        excludes: `--exclude`: URNs.
        continue_on_error: `--continue-on-error`.
    """

    targets: frozenset[str] | None = None
    excludes: frozenset[str] = frozenset()
    continue_on_error: bool = False

    def include(self, urn: str) -> bool:
        """Whether a resource of the program takes part."""
        return urn in self.targets if self.targets is not None else urn not in self.excludes


NO_LIMITS = Limits()


@dataclass
class Operation:
    plugin: Plugin
    state: list[Entry]
    outcome: Outcome
    dry_run: bool
    replace: frozenset[str]
    limits: Limits
    parallel: int
    _lock: RLock = field(default_factory=RLock)
    #: What has failed, and what depends on it, under `--continue-on-error`.
    _skipped: set[str] = field(default_factory=set)
    #: New resources that `--target` leaves out.
    _not_created: set[str] = field(default_factory=set)
    _running: dict[str, Future[None]] = field(default_factory=dict)
    #: An error that ends the operation, `--continue-on-error` or not.
    _stopped: bool = False

    def run(self, registrations: list[Registration], *, refresh: bool, only_refresh: bool) -> None:
        with ThreadPoolExecutor(self.parallel or 1) as pool:
            self._pool = pool
            if refresh:
                entries = [entry for entry in self.state if self.limits.include(entry.urn)]
                self._all((entry.urn, partial(self._refresh, entry)) for entry in entries)
            if only_refresh or self._is_over:
                return
            seen: set[str] = set()
            self._all((each.urn, partial(self._register, each, seen)) for each in registrations)
            if not self._is_over:
                self._delete_leftover(seen)

    @property
    def _is_over(self) -> bool:
        """Whether nothing new begins."""
        if self._stopped or self.outcome.died:
            return True
        # A failed check does not stop a preview, so that a reader sees all of them.
        if self.outcome.failures and not self.dry_run:
            return True
        return bool(self.outcome.errors) and not self.limits.continue_on_error

    def _all(self, jobs: Iterable[tuple[str, Callable[[], Callable[[], None] | None]]]) -> None:
        """Plan each job in turn, and carry out the steps that come of it."""
        self._running = {}
        for urn, job in jobs:
            if self._is_over:
                break
            try:
                step = job()
            except CallFailed as failed:
                self.outcome.errors.append(failed.details)
                self._stopped = True
            except PluginDied:
                self.outcome.died = True
            else:
                self._start(urn, step)
        for each in self._running.values():
            each.result()

    def _start(self, urn: str, step: Callable[[], None] | None) -> None:
        if step is not None and self.parallel:
            self._running[urn] = self._pool.submit(self._guarded, urn, step)
        elif step is not None:
            self._guarded(urn, step)

    def _guarded(self, urn: str, step: Callable[[], None]) -> None:
        try:
            step()
        except CallFailed as failed:
            self.outcome.errors.append(failed.details)
            self._skipped.add(urn)
        except PluginDied:
            self.outcome.died = True

    def _delete_leftover(self, seen: set[str]) -> None:
        """Delete what the program no longer has: dependents first, and nothing that a failed resource depends on."""
        leftover = [entry for entry in self.state if entry.delete or entry.urn not in seen]
        wanted = [entry for entry in reversed(leftover) if self._is_to_go(entry)]
        untargeted = [entry for entry in wanted if not self.limits.include(entry.urn)]
        for entry in untargeted:
            self.outcome.errors.append(
                f"Resource '{entry.urn}' would be deleted, and is not in the target list"
            )
        if untargeted and not self.dry_run:
            return
        needed = {urn for entry in wanted for urn in entry.dependencies}
        self._all((each.urn, partial(self._delete, each)) for each in wanted if each.urn not in needed)
        failed = {urn for entry in self.state if entry.urn in self._skipped for urn in entry.dependencies}
        self._all((each.urn, partial(self._delete, each)) for each in wanted if each.urn in needed - failed)

    def _is_to_go(self, entry: Entry) -> bool:
        """Targets take their dependents with them, and excluded resources keep what they depend on."""
        limits = self.limits
        if limits.targets is not None:
            return entry.urn in limits.targets or not limits.targets.isdisjoint(entry.dependencies)
        needed = {urn for each in self.state if each.urn in limits.excludes for urn in each.dependencies}
        return entry.urn not in limits.excludes | needed

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
        for urn in new.dependencies:
            if urn in self._running:
                self._running[urn].result()
        old = self._old(new, seen)
        seen.add(new.urn)
        if self._is_left_out(new, is_new=old is None):
            return None
        targeted = old is not None and (old.taint or new.name in self.replace)
        olds = None if old is None or targeted else old.inputs
        inputs = self._check(new, olds, new.inputs if old is None else _with_ignored(new, old))
        if inputs is None:
            return None
        if old is None:
            return partial(self._create, new, inputs, None)
        replaces, deletes_first, reasons = targeted or old.pending_replacement, False, list[str]()
        if not targeted:
            diff = self.plugin.diff(new.urn, old.id, old.inputs, old.outputs, inputs, new.ignore_changes)
            assert diff.changes in (_DIFF_NONE, _DIFF_SOME), "the answer to Diff is not explicit"
            if diff.changes == _DIFF_NONE and not replaces:
                return partial(self._same, new, old, inputs)
            reasons = list(diff.replaces)
            replaces, deletes_first = replaces or bool(reasons), diff.deleteBeforeReplace
        self.outcome.shown[new.name] = _visible_changes(old.inputs, inputs)
        if not replaces:
            return partial(self._update, new, old, inputs)
        self.outcome.replace_reasons[new.name] = ["id"] if targeted else reasons
        return self._replace(new, old, None if not targeted else inputs, deletes_first=deletes_first)

    def _is_left_out(self, new: Registration, *, is_new: bool) -> bool:
        """Whether the engine keeps the resource as it is, without a word to its plugin."""
        if self._skipped.intersection(new.dependencies):
            self._skipped.add(new.urn)
            return True
        if not self.limits.include(new.urn):
            if is_new:
                self._not_created.add(new.urn)
            return True
        if self.limits.targets is not None and self._not_created.intersection(new.dependencies):
            self.outcome.errors.append(f"Resource '{new.urn}' depends on one that is not in the target list")
            self._stopped = not self.dry_run
            return True
        return False

    def _old(self, new: Registration, seen: set[str]) -> Entry | None:
        """What the state has of this resource, perhaps under another name."""
        live = [entry for entry in self.state if not entry.delete]
        same = next((entry for entry in live if entry.urn == new.urn), None)
        renamed = next((entry for entry in live if entry.urn in new.aliases and entry.urn not in seen), None)
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

    def _same(self, new: Registration, old: Entry, inputs: Props) -> None:
        self._done("same", old.name, lambda: _set_options(old, new, inputs))

    def _create(self, new: Registration, inputs: Props, replaced: Entry | None) -> None:
        id_, outputs = self.plugin.create(new.urn, inputs, preview=self.dry_run)

        def record() -> None:
            entry = Entry(
                new.urn,
                id_,
                inputs,
                outputs,
                retain_on_delete=new.retain_on_delete,
                dependencies=new.dependencies,
            )
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

    def _update(self, new: Registration, old: Entry, inputs: Props) -> None:
        outputs = self.plugin.update(old.urn, old.id, old.inputs, old.outputs, inputs, preview=self.dry_run)

        def record() -> None:
            _set_options(old, new, inputs)
            old.outputs = outputs

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


def _set_options(old: Entry, new: Registration, inputs: Props) -> None:
    old.inputs, old.dependencies, old.retain_on_delete = inputs, new.dependencies, new.retain_on_delete


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
