"""At EC2's own limits: how near to them 200 new dates come, and what a refused image does to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_deprecation.testing import Limits
from benchmarks import lab
from benchmarks.outcome import Outcome, Table, Target

if TYPE_CHECKING:
    from benchmarks.lab import Lab, Timing, Wanted
    from tests.support.harness import Stack

REFUSAL = "OperationNotPermitted"


def measure(*, quick: bool) -> Outcome:
    """Measure 200 new dates under EC2's token buckets, and one refused image of them."""
    count = 60 if quick else 200
    with lab.open_lab() as place:
        full = _Scene(place, place.images(count, "full"))
        engine = full.time("floor", None)
        alone = full.time("dates", Limits())
        shared = _Scene(place, place.images(count, "shared"))
        half = shared.time("dates", Limits(taken=0.5))
        rows = [
            _row("a provider that does nothing", engine, None),
            _row("EC2's limits", alone, full.dated()),
            _row("half of them taken by somebody else", half, shared.dated()),
        ]
        targets = [
            Target.at_most(
                f"{count} new dates, beyond the engine's own time",
                alone.seconds - engine.seconds,
                1.05 * _seconds(Limits(), count),
                "s",
            ),
            Target.at_most("… refused calls", alone.refused, 5),
            Target.exactly("… failed", count - full.dated(), 0),
            Target.exactly("… failed, half of the limit taken by somebody else", count - shared.dated(), 0),
        ]
        more_rows, more_targets = _refused_image(place, count)
    columns = ("run", "seconds", "changing calls", "refused", "right dates", "exit code")
    return Outcome(
        (*targets, *more_targets),
        (Table(f"{count} images", columns, (*rows, *more_rows)),),
        (_how(count),),
    )


def _how(count: int) -> str:
    full, half = (_seconds(limits, count) for limits in (Limits(), Limits(taken=0.5)))
    return (
        f"EC2 takes {count} changes in {full:.0f} s at the soonest, and with half of its bucket taken by somebody else "
        f"in {half:.0f} s."
    )


def _seconds(limits: Limits, changes: int) -> float:
    tokens, refill = limits.bucket("EnableImageDeprecation")
    return (changes - tokens) / refill


class _Scene:
    """Some images, and what happens to them."""

    def __init__(self, place: Lab, images: list[Wanted]) -> None:
        self.place, self.images = place, images

    def time(self, program: lab.Program, limits: Limits | None) -> Timing:
        """The time of an update of a new stack, under fresh buckets."""
        stack = self.place.stack(program, self.images, {})
        self.place.ec2.set_limits(limits)
        timing = self.place.run(stack, *lab.UP, check=False)
        self.place.ec2.set_limits(None)
        return timing

    def dated(self) -> int:
        """How many of the images have their date."""
        return lab.dated(self.place.ec2, self.images)


def _refused_image(place: Lab, count: int) -> tuple[list[tuple[str, ...]], list[Target]]:
    """One image that EC2 refuses, without limits: it must stop no other."""
    scene = _Scene(place, place.images(count, "refused"))
    bad = scene.images[count // 2]
    stack = place.stack("dates", scene.images, lab.UNPACED)
    place.ec2.faults.add(
        "EnableImageDeprecation", code=REFUSAL, message="The image is protected.", image_id=bad.id, times=None
    )
    first = place.run(stack, *lab.UP, "--continue-on-error", check=False)
    after_first = scene.dated()
    again = _rerun(place, stack, "--continue-on-error")
    place.ec2.faults.clear()
    third = _rerun(place, stack)
    fourth = _rerun(place, stack)
    rows = [
        _row("one image refused, `--continue-on-error`", first, after_first),
        _row("… again", again, after_first),
        _row("… again, no longer refused", third, scene.dated()),
        _row("… again, all dates right", fourth, scene.dated()),
    ]
    touched = {image_id for call in again.calls if call.mutates for image_id in call.image_ids}
    return rows, [
        Target.exactly("one image refused: dated", after_first, count - 1),
        Target.exactly(
            "… the error names it", measured=bad.id in first.output and first.code != 0, expected=True
        ),
        Target.exactly("… a rerun touches", ", ".join(touched), bad.id),
        Target.exactly("calls of a rerun with all dates right", len(fourth.calls), 0),
    ]


def _rerun(place: Lab, stack: Stack, *flags: str) -> Timing:
    return place.run(stack, *lab.UP, *flags, check=False)


def _row(name: str, timing: Timing, right: int | None) -> tuple[str, ...]:
    changes = sum(call.mutates for call in timing.calls)
    shown = "" if right is None else str(right)
    return name, f"{timing.seconds:.1f}", str(changes), str(timing.refused), shown, str(timing.code)
