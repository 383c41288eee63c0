"""Faults on the wire: what EC2, the network or the credentials can do to a call.

Among them eventual consistency: for a while after a write, DescribeImages shows something else.
Source: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html; seen for these very
calls in hashicorp/terraform-provider-aws#34691.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from .wire import EC2_NAMESPACE, EC2Error, Reply, failure

if TYPE_CHECKING:
    from datetime import datetime

    from .wire import Request

FaultKind = Literal[
    "throttled",
    "ec2-throttled",
    "internal",
    "unavailable",
    "denied",
    "expired",
    "expired-token",
    "invalid-token",
    "invalid-client-token",
    "clock-off",
    "error",
    "return-false",
    "garbage",
    "html",
    "empty",
    "repeated-token",
    "lacks-image",
    "lacks-date",
    "lacks-creation-date",
    "truncated",
    "cut",
    "drop",
    "drop-after",
    "hang",
]
LagMode = Literal["old", "none", "absent", "empty", "flap"]

# A made-up blob: real ones are long, and no tool may print them.
ENCODED_MESSAGE = "4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcdefghijklmnopqrstuvwxyz0123456789-EncodedExample"

# Codes, texts and statuses: EC2 Developer Guide, "Error codes for the Amazon EC2 API"; the common
# errors of STS for its part.
_ERRORS: dict[str, EC2Error] = {
    "throttled": EC2Error("RequestLimitExceeded", "Request limit exceeded.", 503),
    "ec2-throttled": EC2Error("EC2ThrottledException", "Request limit exceeded.", 503),
    "internal": EC2Error("InternalError", "An internal error has occurred", 500),
    "unavailable": EC2Error("Unavailable", "The service is unavailable. Please try again shortly.", 503),
    "denied": EC2Error(
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. Encoded authorization failure message: "
        + ENCODED_MESSAGE,
        403,
    ),
    "expired": EC2Error("RequestExpired", "Request has expired.", 400),
    "expired-token": EC2Error("ExpiredToken", "The security token included in the request is expired", 400),
    "invalid-token": EC2Error(
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401
    ),
    "invalid-client-token": EC2Error(
        "InvalidClientTokenId", "The security token included in the request is invalid.", 403
    ),
    "clock-off": EC2Error(
        "SignatureDoesNotMatch",
        "Signature expired: 20200101T000000Z is now earlier than 20200101T000500Z (20200101T001000Z - 5 min.)",
        403,
    ),
}
_HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Bad gateway</h1></body></html>\n"
# These change an answer, so the call has to be carried out first.
_IN_ANSWER = frozenset({"lacks-image", "lacks-date", "lacks-creation-date"})
_AFTER_EFFECT = frozenset({"repeated-token", "truncated", "cut", "drop-after"}) | _IN_ANSWER


@dataclass
class Fault:
    """One injected fault. ``Faults.add`` documents the fields."""

    action: str
    kind: FaultKind
    times: int | None
    after_effect: bool
    image_id: str | None
    region: str | None
    seconds: float
    rate: float
    dry_run: bool | None
    error: EC2Error | None
    status: int
    #: How many calls it has been played on.
    played: int = field(default=0, init=False)

    def fits(self, request: Request) -> bool:
        """Whether to play it on this call."""
        return (
            (self.times is None or self.played < self.times)
            and self.action in ("*", request.action)
            and (self._in_answer(request) or self.image_id in (None, *request.image_ids))
            and self.region in (None, request.region)
            and self.dry_run in (None, request.dry_run)
        )

    def _in_answer(self, request: Request) -> bool:
        """Whether the image is one that the answer may show, not one that the request names."""
        return self.kind in _IN_ANSWER and (not request.image_ids or self.image_id in request.image_ids)

    def play(self, request: Request, reply: Reply | None) -> Reply:
        """What is sent instead of ``reply``, which is None when the call was not carried out."""
        if self.error is not None:
            return failure(request.service, self.error)
        if self.kind == "empty":
            return Reply(200, b"")
        if self.kind == "html":
            return Reply(self.status, _HTML, "text/html")
        if self.kind == "garbage":
            noise = random.Random(self.played).randbytes(512)  # noqa: S311  # not for cryptography
            return Reply(self.status, noise, "application/octet-stream")
        if self.kind == "return-false":
            inner = "<requestId>req-false</requestId><return>false</return>"
            name = f"{request.action}Response"
            return Reply(200, f'<{name} xmlns="{EC2_NAMESPACE}">{inner}</{name}>'.encode())
        if reply is None:
            return Reply(200, b"", cut=-1)
        if self.kind == "repeated-token" or self.kind in _IN_ANSWER:
            return self._edited(request, reply)
        return self._half(reply)

    def _edited(self, request: Request, reply: Reply) -> Reply:
        """The right answer with one thing wrong."""
        if reply.error_code is not None:
            return reply
        answer = ET.fromstring(reply.body)  # noqa: S314  # our own
        if self.kind == "repeated-token":
            token = answer.find(f"{{{EC2_NAMESPACE}}}nextToken")
            if token is not None:
                token.text = request.text("NextToken") or token.text
        for images in answer.iter(f"{{{EC2_NAMESPACE}}}imagesSet"):
            for item in list(images):
                if item.findtext(f"{{{EC2_NAMESPACE}}}imageId") != self.image_id:
                    continue
                date = item.find(f"{{{EC2_NAMESPACE}}}deprecationTime")
                created = item.find(f"{{{EC2_NAMESPACE}}}creationDate")
                if self.kind == "lacks-image":
                    images.remove(item)
                elif self.kind == "lacks-date" and date is not None:
                    item.remove(date)
                elif self.kind == "lacks-creation-date" and created is not None:
                    created.text = ""
        body = ET.tostring(answer, encoding="utf-8", default_namespace=EC2_NAMESPACE)
        return replace(reply, body=body)

    def _half(self, reply: Reply) -> Reply:
        middle = len(reply.body) // 2
        if self.kind == "truncated":
            return replace(reply, body=reply.body[:middle])
        return replace(reply, cut=middle if self.kind == "cut" else -1)


class Faults:
    """The fault injection of ``LocalEC2``. Thread-safe."""

    def __init__(self) -> None:
        """Start without a fault."""
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._lag = _Lag()
        self._random = random.Random(0)  # noqa: S311  # a fixed seed makes a failing run repeatable
        self._interrupted = threading.Event()

    def add(  # noqa: PLR0913  # one hook instead of many
        self,
        action: str = "*",
        kind: FaultKind = "error",
        *,
        times: int | None = 1,
        after_effect: bool = False,
        image_id: str | None = None,
        region: str | None = None,
        seconds: float = 30.0,
        rate: float = 1.0,
        dry_run: bool | None = None,
        code: str | None = None,
        status: int | None = None,
        message: str = "A fault of LocalEC2.",
    ) -> Fault:
        """Play a fault on coming calls; of several that fit a call, the one added first.

        Args:
            action: EC2's or STS's name of the call, or ``*``.
            kind: EC2's own errors: ``throttled`` (RequestLimitExceeded), ``ec2-throttled``
                (EC2ThrottledException), ``internal`` (500), ``unavailable`` (503), ``denied``
                (UnauthorizedOperation with an encoded blob), ``expired`` (RequestExpired),
                ``expired-token`` (ExpiredToken), ``invalid-token`` (AuthFailure),
                ``invalid-client-token``, ``clock-off`` (SignatureDoesNotMatch), ``error`` (any
                ``code``). Broken answers: ``return-false``, ``garbage`` (random bytes), ``html``,
                ``empty`` (a success without a body), ``truncated`` (half of the right answer, complete
                as far as HTTP knows), ``cut`` (the connection ends half way through the right answer).
                Wrong answers of DescribeImages: ``repeated-token`` (the next page's token is the one
                that was sent), ``lacks-image`` (without ``image_id``), ``lacks-date`` and
                ``lacks-creation-date`` (``image_id`` without this date). Connections: ``drop`` (closed without an answer), ``drop-after``
                (the call takes effect, then closed), ``hang`` (no answer for ``seconds``, then closed).
            times: how many calls it is played on; None: all, until ``clear``.
            after_effect: carry the call out first, then play the fault. Always so for ``truncated``,
                ``cut``, ``drop-after`` and the wrong answers of DescribeImages.
            image_id: only calls that name this image; for ``lacks-…``, the image in the answer.
            region: only calls to this Region.
            seconds: how long ``hang`` lasts.
            dry_run: True: only calls with DryRun; False: only calls without.
            rate: the share of fitting calls it is played on, drawn with a fixed seed.
            code: the error code; its default comes with the kind.
            status: the HTTP status of an error, ``html`` (503) or ``garbage`` (200).
            message: the text that goes with ``code``.

        Returns:
            The fault, whose ``played`` counts.

        Raises:
            ValueError: ``error`` without a code, or ``lacks-…`` without an image.
        """
        if kind in _IN_ANSWER and image_id is None:
            raise ValueError(f"a fault of the kind '{kind}' needs an image_id")
        error = _ERRORS.get(kind)
        if code is not None:
            error = EC2Error(code, message, status or (error.status if error else 400))
        elif kind == "error":
            raise ValueError("a fault of the kind 'error' needs a code")
        fault = Fault(
            action=action,
            kind=kind,
            times=times,
            after_effect=after_effect or kind in _AFTER_EFFECT,
            image_id=image_id,
            region=region,
            seconds=seconds,
            rate=rate,
            dry_run=dry_run,
            error=error,
            status=status or (503 if kind == "html" else 200),
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def lag(
        self,
        *,
        seconds: float | None = None,
        reads: int | None = None,
        mode: LagMode = "old",
        image_id: str | None = None,
    ) -> None:
        """Let DescribeImages lag behind each later Enable- or DisableImageDeprecation.

        Changes made by ``LocalEC2``'s own methods are seen at once.

        Args:
            seconds: for how long after the write, in real time.
            reads: or for how many answers that would show the image. Neither: until ``clear``.
            mode: what is shown meanwhile: the ``old`` date, ``none`` for no date, ``absent`` for
                InvalidAMIID.NotFound, ``empty`` for an answer without the image, ``flap`` for the old
                and the new date in turn.
            image_id: only for this image.
        """
        self._lag.set(mode, seconds, reads, image_id)

    def clear(self) -> None:
        """Stop all faults and lags; hanging calls end."""
        with self._lock:
            self._faults.clear()
        self._lag.clear()
        self._interrupted.set()
        self._interrupted = threading.Event()

    def take(self, request: Request) -> Fault | None:
        """The fault for this call, counted as played."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(request) and (fault.rate >= 1 or self._random.random() < fault.rate):
                    fault.played += 1
                    return fault
        return None

    def hang(self, seconds: float) -> None:
        """Wait as long as a hanging call does."""
        self._interrupted.wait(seconds)

    def wrote(self, region: str, image_id: str, before: datetime | None) -> None:
        """Note a write, for ``lag``."""
        self._lag.wrote(region, image_id, before)

    def view(self, region: str, image_id: str, truth: datetime | None) -> View:
        """What a read shows of an image, under ``lag``."""
        return self._lag.view(region, image_id, truth)


@dataclass(frozen=True)
class View:
    """What one read shows of an image."""

    #: The date to show, or None.
    deprecation_time: datetime | None
    #: False when the image is not in the answer.
    shown: bool = True
    #: True when a read by its id is refused as InvalidAMIID.NotFound.
    unknown: bool = False


@dataclass(frozen=True)
class _LagRule:
    mode: LagMode
    seconds: float | None
    reads: int | None
    image_id: str | None


@dataclass
class _Stale:
    rule: _LagRule
    before: datetime | None
    until: float | None
    reads: int = 0


class _Lag:
    """Which images lag behind, and how. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_LagRule] = []
        self._stale: dict[tuple[str, str], _Stale] = {}

    def set(self, mode: LagMode, seconds: float | None, reads: int | None, image_id: str | None) -> None:
        """Let every later write lag; the newest rule that fits an image counts."""
        with self._lock:
            self._rules.insert(0, _LagRule(mode, seconds, reads, image_id))

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()
            self._stale.clear()

    def wrote(self, region: str, image_id: str, before: datetime | None) -> None:
        """Note that a client wrote the date of an image, which was ``before``."""
        with self._lock:
            for rule in self._rules:
                if rule.image_id in (None, image_id):
                    until = None if rule.seconds is None else time.monotonic() + rule.seconds
                    self._stale[region, image_id] = _Stale(rule, before, until)
                    return

    def view(self, region: str, image_id: str, truth: datetime | None) -> View:
        """What this read shows; it counts as one of the rule's ``reads``."""
        with self._lock:
            stale = self._stale.get((region, image_id))
            if stale is None:
                return View(truth)
            stale.reads += 1
            late = stale.until is not None and time.monotonic() >= stale.until
            if late or (stale.rule.reads is not None and stale.reads > stale.rule.reads):
                del self._stale[region, image_id]
                return View(truth)
            return _view(stale, truth)


def _view(stale: _Stale, truth: datetime | None) -> View:
    mode = stale.rule.mode
    if mode == "absent":
        return View(None, shown=False, unknown=True)
    if mode == "empty":
        return View(None, shown=False)
    if mode == "none":
        return View(None)
    if mode == "flap" and stale.reads % 2 == 0:
        return View(truth)
    return View(stale.before)
