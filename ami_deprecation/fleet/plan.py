"""What a policy does in one run: the resources that it declares, the dates that it cancels, and what to say. Pure.

The selection, ``explain``, ``ami-deprecation plan`` and the guards share one ``Decision`` for each image.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from .. import dates
from ..core import rules
from ..core.inputs import At, Notice
from . import selection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from ..core.state import State
    from ..ec2.listing import Reference
    from ..errors import AmiDeprecationError
    from ..image import Image
    from .arguments import PolicyArguments
    from .selection import Decision

#: A Region and the id of an image in it.
Key: TypeAlias = "tuple[str, str]"

#: Texts after the name of a Region that is not judged: in a warning, in an error. `comment` searches for them.
LEFT_OUT = "is left out"
NOT_READ = "cannot be read, and its images keep their dates"
#: So many images are named in a sentence.
_NAMED = 20
#: A run that cancels no more dates than this needs no permission, unless the policy then has none left.
_FEW = 3


@dataclass(frozen=True)
class Earlier:
    """A resource that the policy's last run left in the stack's state."""

    #: The resource's name.
    name: str
    state: State

    @property
    def key(self) -> Key:
        return self.state.region, self.state.image_id


@dataclass(frozen=True)
class RegionRead:
    """What reading one Region came to."""

    name: str
    #: The images that the policy's query matches, due or not.
    images: tuple[Image, ...] = ()
    #: Images that exist and that the query does not match, of those that have a resource in the stack's state.
    others: tuple[Image, ...] = ()
    #: Images that EC2 described in a way that cannot be used. Nothing is canceled in such a Region.
    unusable: tuple[str, ...] = ()
    #: What uses the images that are due, as far as the policy asks for it.
    references: Mapping[str, Sequence[Reference]] = field(default_factory=lambda: MappingProxyType({}))
    #: The account of the credentials; None while every image of the stack's state is shown.
    account: str | None = None
    #: Why the Region could not be read.
    trouble: AmiDeprecationError | None = None
    #: With ``regions="all"``: the account may not use the Region, so it is left as it is.
    barred: bool = False
    #: The policy does not have the Region any more; only what the stack's state has there was read.
    removed: bool = False


@dataclass(frozen=True)
class Child:
    """An image that the policy declares, and how it is given its date."""

    image_id: str
    image_name: str
    region: str
    schedule: At | Notice
    #: None: the resource is declared as the stack's state has it, because its image could not be judged.
    decision: Decision | None = None
    #: The resource's name, when the stack's state has it.
    name: str | None = None

    @property
    def key(self) -> Key:
        return self.region, self.image_id


@dataclass(frozen=True)
class Cancellation:
    """A date that the policy gave, and that this run would cancel."""

    image_id: str
    image_name: str
    region: str
    #: Whether the Region is not among the policy's any more.
    region_removed: bool = False

    @property
    def where(self) -> str:
        return f"{self.image_id} ({self.image_name}) in {self.region}"


@dataclass(frozen=True)
class Plan:
    """What one run of a policy does."""

    children: tuple[Child, ...]
    #: One for each image, by Region and newest first.
    decisions: tuple[Decision, ...]
    #: The policy's Regions.
    regions: tuple[str, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    warnings: tuple[str, ...] = ()
    #: What a reader of the preview should know, as one line each.
    notes: tuple[str, ...] = ()
    #: Regions that could not be read, and why: the program has to fail.
    troubles: tuple[tuple[str, AmiDeprecationError], ...] = ()


def make(
    arguments: PolicyArguments,
    reads: Sequence[RegionRead],
    earlier: Mapping[Key, Earlier] | None,
    now: datetime,
    settle: timedelta,
) -> Plan:
    """Plan a run.

    Args:
        arguments: the policy.
        reads: its Regions, and those that it had and does not have any more.
        earlier: the policy's resources in the stack's state, None when the state is not known.
        now: the time by EC2's clock.
        settle: how long EC2's answers may lag behind a write of ours.
    """
    current = [read for read in reads if not read.removed]
    judged = [read for read in current if read.trouble is None]
    if arguments.rules.whole_releases and any(read.trouble and not read.barred for read in current):
        judged = []  # a release may be whole only there
    decided = selection.decide(
        (image for read in judged for image in read.images), arguments.rules, [read.name for read in judged]
    )
    children: list[Child] = []
    decisions: list[Decision] = []
    warnings: list[str] = []
    odd = tuple(image_id for read in current for image_id in read.unusable)
    for read in current:
        # With whole releases, an image that cannot be judged leaves a gap in the order of every Region.
        doubts = odd if arguments.rules.whole_releases else read.unusable
        first = len(children)
        for each in (each for each in decided if each.image.region == read.name):
            is_dated = (each.image.region, each.image.id) in (earlier or {})
            decision = _unless_in_use(each, read, arguments, is_dated=is_dated)
            decisions.append(decision)
            if decision.unpatched:
                warnings.append(f"{decision.where} gets no date: {decision.because}")
            if decision.date is None:
                continue
            child = _child(decision, earlier, now, arguments.notice_days, may_move=not doubts)
            if child is not None:
                children.append(child)
                warnings.extend(_use_warnings(child, read, arguments, now))
            elif not decision.leaves:
                warnings.append(
                    f"{decision.where} is public and more than two years old, so EC2 accepts no new date: make it private first"
                )
        warnings.extend(_outside_changes(children[first:], earlier or {}, now, settle))
        kept, why = _kept(
            replace(read, unusable=doubts), earlier, {child.key for child in children}, now, settle
        )
        children.extend(kept)
        warnings.extend(why)
    troubles = tuple(
        (read.name, read.trouble) for read in current if read.trouble is not None and not read.barred
    )
    # A program that fails deletes nothing.
    cancellations = (
        () if troubles or earlier is None else _cancellations(children, reads, earlier, now, settle)
    )
    if not decisions and not troubles and not any(read.unusable for read in current):
        gone = ": dates that this policy gave are canceled" if earlier is None or cancellations else ""
        warnings.append(f"{_no_match(read.name for read in current)}{gone}")
    return Plan(
        children=tuple(children),
        decisions=tuple(decisions),
        regions=tuple(read.name for read in current),
        cancellations=tuple(cancellations),
        warnings=tuple(warnings),
        notes=tuple(_notices(children, earlier or {}, arguments.notice_days, now)),
        troubles=troubles,
    )


def _notices(
    children: Iterable[Child], earlier: Mapping[Key, Earlier], days: int, now: datetime
) -> Iterator[str]:
    """When images that get notice in this run will be deprecated: a preview has the days, and the date only `up` knows."""
    new = [
        child.decision.where
        for child in children
        if isinstance(child.schedule, Notice)
        and child.decision is not None
        and (child.key not in earlier or earlier[child.key].state.inputs.schedule != child.schedule)
    ]
    if new:
        yield f"deprecated in {_count(days, 'day')} (about {dates.in_days(now, days):%Y-%m-%d} if applied today): {_listed(new)}"


def _no_match(regions: Iterable[str]) -> str:
    return f"no image in {', '.join(regions)} matches"


def _outside_changes(
    children: Iterable[Child], earlier: Mapping[Key, Earlier], now: datetime, settle: timedelta
) -> Iterator[str]:
    """Dates that somebody else changed and this run leaves: the engine asks no provider about an unchanged resource."""
    changed = []
    for child in children:
        known = earlier.get(child.key)
        if child.decision is None or known is None or known.state.drifted:
            continue
        image = child.decision.image
        is_unchanged = child.schedule == known.state.inputs.schedule
        if is_unchanged and rules.is_changed_outside(known.state, image, now, settle):
            shown, ours = (
                "no date" if date is None else dates.to_text(date) for date in (image.date, known.state.live)
            )
            changed.append(f"{child.decision.where} has {shown} instead of {ours}")
    if changed:
        yield f"{_listed(changed)} (changed outside Pulumi): run `pulumi up --refresh` to repair that"


def _kept(
    read: RegionRead,
    earlier: Mapping[Key, Earlier] | None,
    declared: Collection[Key],
    now: datetime,
    settle: timedelta,
) -> tuple[list[Child], list[str]]:
    """The resources that stay as the stack's state has them, and why: what is not known must cancel nothing."""
    if read.trouble is not None and not read.barred:
        return [], []
    undeclared = [each for each in _of_region(earlier, read.name) if each.key not in declared]
    if read.unusable or read.barred:
        return list(filter(None, map(_as_it_is, undeclared))), [_kept_warning(read, len(undeclared))]
    shown = {image.id for image in (*read.images, *read.others)}
    # EC2 may still be spreading our write; a later run sees whether they are gone.
    not_shown = [
        each
        for each in undeclared
        if each.state.image_id not in shown and rules.is_settling(each.state, now, settle)
    ]
    return list(filter(None, map(_as_it_is, not_shown))), [
        f"{each.state.image_id} in {read.name} is not found, but was dated a moment ago: its resource does not change"
        for each in not_shown
    ]


def _of_region(earlier: Mapping[Key, Earlier] | None, region: str) -> list[Earlier]:
    return [each for (name, _), each in (earlier or {}).items() if name == region]


def _unless_in_use(
    decision: Decision, read: RegionRead, arguments: PolicyArguments, *, is_dated: bool
) -> Decision:
    """Leave out an image that is in use, unless it has a date or a resource: without one its date would be canceled."""
    image = decision.image
    users = read.references.get(image.id)
    if arguments.in_use != "skip" or decision.date is None or image.date is not None or not users or is_dated:
        return decision
    return replace(decision, date=None, rule="in_use", because=f"it is used by {_users(users)}")


def _child(
    decision: Decision,
    earlier: Mapping[Key, Earlier] | None,
    now: datetime,
    notice_days: int,
    *,
    may_move: bool,
) -> Child | None:
    image = decision.image
    known = (earlier or {}).get((image.region, image.id))
    if known is not None and not may_move:
        return _as_it_is(known)
    schedule: At | Notice | None
    if decision.date is None or (decision.leaves and known is None and earlier is not None):
        return None  # a date of somebody else's, which no rule asks for
    if decision.leaves or _has_passed(known, image, decision.date, now):
        schedule = (known and _schedule(known)) or At(decision.date)
    else:
        schedule = selection.schedule_of(image, decision.date, now, notice_days)
    if schedule is None:
        return None
    return Child(image.id, image.name, image.region, schedule, decision, known.name if known else None)


def _has_passed(known: Earlier | None, image: Image, later: datetime, now: datetime) -> bool:
    """Whether the policy's date has passed: it stays when another image disappears."""
    if known is None or image.date is None or image.date != known.state.live:
        return False
    return image.date <= now and image.date < later


def _schedule(earlier: Earlier) -> At | Notice | None:
    schedule = earlier.state.inputs.schedule
    return schedule if isinstance(schedule, (At, Notice)) else None


def _as_it_is(earlier: Earlier) -> Child | None:
    state = earlier.state
    schedule = _schedule(earlier)
    if schedule is None:
        return None
    return Child(state.image_id, state.image_name or "", state.region, schedule, None, earlier.name)


def _kept_warning(read: RegionRead, kept: int) -> str:
    stay = ""
    if kept:
        one, several = (
            "date of this policy there stays as it is",
            "dates of this policy there stay as they are",
        )
        stay = f", and {kept} {one if kept == 1 else several}"
    if read.barred:
        return f"{read.name} {LEFT_OUT}{stay}: {read.trouble}"
    return (
        f"{', '.join(read.unusable[:_NAMED])} in {read.name} cannot be judged, because EC2 gives no usable creation "
        f"date{stay}"
    )


def _use_warnings(child: Child, read: RegionRead, arguments: PolicyArguments, now: datetime) -> Iterable[str]:
    if child.decision is None:
        return
    users = read.references.get(child.image_id)
    if arguments.in_use != "warn" or not users:
        return
    when = date_of(child, now)
    stands = "has been deprecated since" if when <= now else "will be deprecated at"
    yield f"{child.decision.where} {stands} {dates.to_text(when)} and is still used by {_users(users)}"


def public_parameter_notes(plan: Plan, now: datetime) -> list[str]:
    """The images with a new date that a public SSM parameter names: a run of a stack reads this in each resource's check."""
    return [
        rules.public_parameter_note(child.decision.image)
        for child in plan.children
        if child.decision is not None
        and child.decision.image.public_ssm_parameter_name is not None
        and selection.changes(child.decision.image, child.schedule, now)
    ]


def _users(references: Sequence[Reference]) -> str:
    return _listed([f"{each.resource_type} {each.arn}" for each in references])


def date_of(child: Child, now: datetime) -> datetime:
    """The date that a child's image will have when it is applied now."""
    if isinstance(child.schedule, At) or child.decision is None:
        return (
            child.schedule.when if isinstance(child.schedule, At) else dates.in_days(now, child.schedule.days)
        )
    return rules.apply_in_days(child.schedule, child.decision.image.date, now, first=True)


def _cancellations(
    children: Iterable[Child],
    reads: Sequence[RegionRead],
    earlier: Mapping[Key, Earlier],
    now: datetime,
    settle: timedelta,
) -> list[Cancellation]:
    declared = {child.key for child in children}
    by_name = {read.name: read for read in reads}
    existing = {(image.region, image.id): image for read in reads for image in (*read.images, *read.others)}
    canceled = []
    for key, each in earlier.items():
        read = by_name.get(each.state.region)
        if key in declared:
            continue
        image = existing.get(key)
        # A date of somebody else's, or of a public image, stays.
        if image is not None and isinstance(rules.on_delete(each.state, image, now, settle), rules.Keep):
            continue
        # An image that is gone has no date any more, but only its owner can tell that it is gone.
        is_owner = read is not None and each.state.owner_id in (None, read.account)
        if image is None and read is not None and read.trouble is None and is_owner:
            continue
        canceled.append(
            Cancellation(
                each.state.image_id,
                each.state.image_name or (image.name if image else ""),
                each.state.region,
                region_removed=read is None or read.removed,
            )
        )
    return canceled


def images_to_ask_about(plan: Plan, arguments: PolicyArguments) -> dict[str, list[str]]:
    """By Region: the due images whose use decides or is worth a warning.

    An image that has a date is not skipped: without a resource, its date would be canceled.
    """
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for child in plan.children:
        image = child.decision.image if child.decision else None
        if image is not None and (arguments.in_use == "warn" or image.date is None):
            ids[child.region].append(child.image_id)
    return dict(ids)


def doubtful_regions(plan: Plan, earlier: Mapping[Key, Earlier] | None) -> set[str]:
    """The Regions in which an existing date would change or go: a wrong answer of EC2's can be the reason."""
    children = {child.key: child for child in plan.children}
    return {
        each.state.region
        for key, each in (earlier or {}).items()
        if key not in children or children[key].schedule != each.state.inputs.schedule
    }


def refusal(
    plan: Plan, arguments: PolicyArguments, earlier: Mapping[Key, Earlier] | None, now: datetime
) -> str | None:
    """Why a run is not allowed to go on, as a sentence; None when it is."""
    changed = [
        child.decision.where
        for child in plan.children
        if child.decision is not None and selection.changes(child.decision.image, child.schedule, now)
    ]
    canceled = [each.where for each in plan.cancellations]
    if arguments.max_changes is not None and len(changed) + len(canceled) > arguments.max_changes:
        counts = [f"{_count(len(changed), 'image')} would be dated or re-dated"] if changed else []
        counts += [f"{_count(len(canceled), 'date')} would be canceled"] if canceled else []
        return (
            f"{' and '.join(counts)}, more than max_changes={arguments.max_changes}: {_listed([*changed, *canceled])}; "
            "nothing is changed: raise max_changes for this run, or narrow the policy"
        )
    return None if arguments.allow_empty else loss(plan, arguments, earlier)


def loss(plan: Plan, arguments: PolicyArguments, earlier: Mapping[Key, Earlier] | None) -> str | None:
    """Why ``allow_empty`` is needed, as a sentence: the run would cancel all or most of the policy's dates."""
    # Excluding an image by its id is deliberate; so is giving it its own resource.
    excluded = {each.image_id for each in arguments.rules.exclude}
    canceled = [each.where for each in plan.cancellations if each.image_id not in excluded]
    if not canceled:
        return None
    judged = [child.key for child in plan.children if child.decision is not None]
    stay = sum(key in (earlier or {}) for key in judged)
    count = stay + len(canceled)
    if not stay:
        nothing = "no image is due" if plan.decisions else _no_match(plan.regions)
        why = "only other images are due" if judged else nothing
        amount = "the only date" if count == 1 else f"all {count} dates"
    elif len(canceled) > _FEW and len(canceled) * 2 > count:
        why, amount = "too many dates at once", f"{len(canceled)} of {count} dates"
    else:
        return None
    return (
        f"{why}: {amount} that this policy set would be canceled{_removed(plan)}: {_listed(canceled)}; nothing is "
        "changed: check name, tags, filters, keep_newest and regions, or set allow_empty to true for this run"
    )


def _removed(plan: Plan) -> str:
    """Say which Regions are not among the policy's any more."""
    removed = [each.region for each in plan.cancellations if each.region_removed]
    regions = dict.fromkeys(removed)
    counts = [f"{removed.count(region)} in {region}" for region in regions]
    if not counts:
        return ""
    verb = "which is" if len(counts) == 1 else "which are"
    return f" ({' and '.join(counts)}, {verb} no longer among its Regions)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def explain(plan: Plan) -> list[str]:
    """One line for each image: the date that it gets, the rule that decides, and why."""
    children = {child.key: child for child in plan.children}
    return [
        f"{each.where}: {_shown(each, children.get((each.image.region, each.image.id)))} ({each.rule}): {each.because}"
        for each in plan.decisions
    ]


def _shown(decision: Decision, child: Child | None) -> str:
    if child is None:
        return "no date" if decision.date is None else "its date is left alone"
    if isinstance(child.schedule, At):
        return dates.to_text(child.schedule.when)
    return f"{_count(child.schedule.days, 'day')} of notice"
