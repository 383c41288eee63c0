"""One call to EC2: paced, retried while that can help, bounded in time, its errors made ours."""

from __future__ import annotations

import logging
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ..errors import AmiDeprecationError, WrongAccount
from ..settings import settings
from . import sessions, translate
from .pacing import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_ec2 import EC2Client

    from ..core.identity import Identity

logger = logging.getLogger("ami_deprecation")

Response = TypeVar("Response", bound="Mapping[str, object]")

_CHANGES = frozenset({"EnableImageDeprecation", "DisableImageDeprecation"})
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 8.0
_PROGRESS_EVERY = 10.0
#: EC2's bucket fills from when a call arrives, ours from when it is sent: the first call, which has to connect,
#: may take longer than the later ones, and so many calls make up for that.
_KEPT_BACK = 2
#: A clock that differs by less is only the network's delay and the header's whole seconds.
_CLOCK_TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Target:
    """Where a call goes: as whom, and in which Region."""

    identity: Identity
    region: str


class _Clock:
    """EC2's clock, from the Date of its answers: it is the one that judges what is past."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def learn(self, response: object) -> None:
        headers = _at(_at(response, "ResponseMetadata"), "HTTPHeaders")
        text = _at(headers, "date")
        if not isinstance(text, str):
            return
        try:
            ahead = parsedate_to_datetime(text).astimezone(timezone.utc) - datetime.now(timezone.utc)
        except ValueError:
            return
        self.ahead = ahead if abs(ahead) > _CLOCK_TOLERANCE else timedelta()


def _at(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


_clock = _Clock()
_lock = Lock()
_buckets: dict[tuple[Target, str], Bucket] = {}
_accounts: dict[Identity, str] = {}
_progress: dict[tuple[Target, str], float] = {}
_sent: defaultdict[tuple[Target, str], int] = defaultdict(int)


def now() -> datetime:
    """The time of day by EC2's clock, as far as an answer has told it, else by this machine's."""
    return datetime.now(timezone.utc) + _clock.ahead


def _bucket(target: Target, action: str) -> Bucket:
    limits = settings()
    with _lock:
        key = (target, action)
        if key not in _buckets:
            changing = action in _CHANGES
            burst = limits.changes_burst if changing else limits.reads_burst
            per_second = limits.changes_per_second if changing else limits.reads_per_second
            _buckets[key] = Bucket(max(1.0, burst - _KEPT_BACK), per_second)
        return _buckets[key]


def _pace(target: Target, action: str) -> None:
    bucket = _bucket(target, action)
    wait = bucket.reserve()
    with _lock:
        key = (target, action)
        _sent[key] += 1
        due = wait > 0 and time.monotonic() - _progress.get(key, 0.0) > _PROGRESS_EVERY
        if due:
            _progress[key] = time.monotonic()
            sent = _sent[key] - 1
    if due:
        logger.info(
            "%d %s calls sent in %s, the next ones wait for EC2's limit of %g a second",
            sent,
            action,
            target.region,
            bucket.per_second,
        )
    time.sleep(wait)


def call(
    target: Target,
    action: str,
    what: str,
    request: Callable[[EC2Client], Response],
    *,
    patience: float | None = None,
) -> Response:
    """Make one EC2 call.

    Args:
        target: as whom and where.
        action: the API action's name.
        what: the image or images and the Region, for sentences.
        request: makes the call on a client; it raises ``translate.NoAnswer`` for an answer that is none.
        patience: for how many seconds to retry, when not for the setting's.

    Raises:
        AmiDeprecationError: one of its subclasses, without a chain.
    """
    deadline = time.monotonic() + (settings().retry_seconds if patience is None else patience)
    tries = 0
    while True:
        outcome = _attempt(target, action, request)
        if not isinstance(outcome, translate.Failure):
            return outcome
        failure = outcome
        tries += 1
        wait = random.uniform(0.5, 1.0) * min(_FIRST_WAIT * 2**tries, _LONGEST_WAIT)  # noqa: S311  # jitter
        if failure.kind not in translate.RETRYABLE or time.monotonic() + wait > deadline:
            raise translate.to_error(failure, action, what, target.identity.label) from None
        time.sleep(wait)


def _attempt(
    target: Target, action: str, request: Callable[[EC2Client], Response]
) -> translate.Failure | Response:
    bucket = _bucket(target, action)
    try:
        client = _client(target)
        _pace(target, action)
        response = request(client)
    except AmiDeprecationError:
        raise
    except Exception as error:  # noqa: BLE001  # botocore's and its HTTP library's errors have no common base
        _clock.learn(getattr(error, "response", None))
        failure = translate.classify(error)
        if failure.kind is translate.Kind.THROTTLED:
            bucket.refused()
        return failure
    _clock.learn(response)
    bucket.accepted()
    return response


def _client(target: Target) -> EC2Client:
    identity = target.identity
    if identity.allowed_account_ids or identity.forbidden_account_ids:
        account = caller_account(target)
        allowed = not identity.allowed_account_ids or account in identity.allowed_account_ids
        if not allowed or account in identity.forbidden_account_ids:
            rule = "is forbidden by forbiddenAccountIds" if allowed else "is not among allowedAccountIds"
            raise WrongAccount(
                f"account {account} of {identity.label} {rule} of the aws configuration: use other credentials"
            )
    return sessions.ec2(identity, target.region)


def caller_account(target: Target) -> str:
    """The account that the credentials belong to; asked of STS once per identity.

    Raises:
        AmiDeprecationError: one of its subclasses, when STS does not tell.
    """
    with _lock:
        known = _accounts.get(target.identity)
    if known is not None:
        return known
    deadline = time.monotonic() + settings().retry_seconds / 2
    wait = _FIRST_WAIT
    while True:
        try:
            response = sessions.sts(target.identity, target.region).get_caller_identity()
            account = response["Account"]
        except AmiDeprecationError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            failure = translate.classify(error)
            if failure.kind not in translate.RETRYABLE or time.monotonic() + wait > deadline:
                action, what = "GetCallerIdentity", f"STS in {target.region}"
                raise translate.to_error(failure, action, what, target.identity.label) from None
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
            continue
        with _lock:
            _accounts[target.identity] = account
        return account
