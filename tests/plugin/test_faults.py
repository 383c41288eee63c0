"""The fault matrix: every fault of the wire and of credentials, at every verb; then state and EC2 agree again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from ami_deprecation.testing import ENCODED_MESSAGE, Limits
from tests.support.dates import EARLY, LATE, MIDDLE, text
from tests.support.program import dated, made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ami_deprecation.testing import Fault, FaultKind, LocalEC2
    from tests.plugin.conftest import MakeEngine
    from tests.support.engine import Engine
    from tests.support.operation import Outcome

Verb = Literal["create", "update", "read", "delete"]

SECRET = "made-up-secret-key"
MFA_PROFILE = Path(__file__).parent.parent / "data" / "profile-with-mfa"
#: How long the provider may retry, in seconds, in a run that has to fail and in one that has to succeed.
IMPATIENT, PATIENT = "0.3", "6"
#: And with the machine's other work, in seconds.
LONGEST = 15


@dataclass(frozen=True)
class Trouble:
    """A fault, and what the last line says when it lasts.

    Attributes:
        kind: LocalEC2's; or what is wrong with the environment: its variables, None for one that is not set.
        says: (error, part of the sentence).
        mends: a retry helps when the fault is over.
    """

    kind: FaultKind | Callable[[LocalEC2], Mapping[str, str | None]]
    says: tuple[str, str]
    mends: bool = True
    status: int | None = None

    def play(self, ec2: LocalEC2, action: str, image: str, times: int | None) -> Fault | None:
        if callable(self.kind):
            return None
        return ec2.faults.add(action, self.kind, times=times, image_id=image, status=self.status)


def profile_with_mfa(_ec2: LocalEC2) -> Mapping[str, str | None]:
    return {"AWS_ACCESS_KEY_ID": None, "AWS_PROFILE": "mfa", "AWS_CONFIG_FILE": str(MFA_PROFILE)}


TROUBLES = {
    "dead Region": Trouble(
        lambda ec2: {"AWS_ENDPOINT_URL_EC2": ec2.refused_url}, ("EC2Unavailable", "the connection to")
    ),
    "untrusted certificate": Trouble(
        lambda ec2: {"AWS_ENDPOINT_URL_EC2": ec2.serve_tls()[0]}, ("EC2Unavailable", "TLS with")
    ),
    "mfa": Trouble(profile_with_mfa, ("CredentialsError", "needs an MFA code (mfa_serial)")),
    "throttled": Trouble(
        "throttled", ("Throttled", "was throttled until retries ran out (RequestLimitExceeded)")
    ),
    "ec2-throttled": Trouble("ec2-throttled", ("Throttled", "(EC2ThrottledException)")),
    "internal": Trouble("internal", ("EC2Unavailable", "(InternalError)")),
    "unavailable": Trouble("unavailable", ("EC2Unavailable", "(Unavailable)")),
    "drop": Trouble("drop", ("EC2Unavailable", "failed or was cut")),
    "drop-after": Trouble("drop-after", ("EC2Unavailable", "failed or was cut")),
    "hang": Trouble("hang", ("EC2Unavailable", "did not respond in time")),
    "garbage": Trouble("garbage", ("EC2Unavailable", "EC2's response could not be read")),
    "html 200": Trouble("html", ("EC2Unavailable", "the response did not come from EC2"), status=200),
    "html 503": Trouble("html", ("EC2Unavailable", "EC2 had an internal error")),
    "truncated": Trouble("truncated", ("EC2Unavailable", "EC2's response could not be read")),
    "cut": Trouble("cut", ("EC2Unavailable", "EC2's response could not be read")),
    "return-false": Trouble("return-false", ("EC2Unavailable", "EC2")),
    "denied": Trouble("denied", ("PermissionDenied", "grant that IAM action"), mends=False),
    "expired": Trouble("expired", ("CredentialsError", "have expired"), mends=False),
    "expired-token": Trouble("expired-token", ("CredentialsError", "have expired"), mends=False),
    "invalid-token": Trouble("invalid-token", ("CredentialsError", "are not accepted"), mends=False),
    "invalid-client-token": Trouble(
        "invalid-client-token", ("CredentialsError", "are not accepted"), mends=False
    ),
    "clock-off": Trouble("clock-off", ("CredentialsError", "this machine's clock is off"), mends=False),
    "no credentials": Trouble(
        lambda _ec2: {"AWS_ACCESS_KEY_ID": None}, ("CredentialsError", "there are no AWS credentials")
    ),
}
#: One for each way in which a call can end. The others have another sentence, which the calls of a create show.
ENDS = (
    "throttled",
    "internal",
    "drop-after",
    "hang",
    "garbage",
    "return-false",
    "denied",
    "expired-token",
    "no credentials",
    "dead Region",
    "untrusted certificate",
    "mfa",
)


def many(dates: Mapping[str, tuple[str, datetime]], **more: object) -> Callable[[], None]:
    """A program with one resource for each name: its image and its date."""

    def program() -> None:
        for name, (image, when) in dates.items():
            made(name, image_id=image, deprecate_at=when, **more)()

    return program


@dataclass
class Case:
    """One fault at one call of one verb, on an image and a stack of its own."""

    engine: Engine
    ec2: LocalEC2
    verb: Verb
    action: str
    trouble: Trouble
    name: str
    image: str

    def run(self) -> None:
        self.lasting()
        self.passing()
        self.agree()

    def verbs(self) -> Outcome:
        if self.verb == "read":
            return self.engine.refresh(check=False)
        if self.verb == "delete":
            return self.engine.destroy(check=False)
        return self.engine.up(made(self.name, image_id=self.image, deprecate_at=LATE), check=False)

    def lasting(self) -> None:
        """The fault goes on: the verb fails in time and with a sentence, and nothing wrong is in the state."""
        before = self.engine.export()
        fault = self.trouble.play(self.ec2, self.action, self.image, times=None)
        environment = dict(self.engine.environment)
        changed: dict[str, str | None] = {**environment, "AMI_DEPRECATION_RETRY_SECONDS": IMPATIENT}
        if callable(self.trouble.kind):
            changed |= self.trouble.kind(self.ec2)
        self.engine.environment = {key: value for key, value in changed.items() if value is not None}
        outcome = self.verbs()
        self.engine.environment = environment
        if fault is not None:
            assert fault.played, "the fault was not played"
            fault.times = 0
        assert outcome.seconds < LONGEST
        assert self.engine.export() == before
        self.check_sentence(outcome)

    def check_sentence(self, outcome: Outcome) -> None:
        [error] = outcome.errors
        name, part = self.trouble.says
        action = "DescribeImages" if callable(self.trouble.kind) else self.action
        assert error.startswith(self.engine.begins(name)), error
        for wanted in (part, self.image, "eu-west-1", action):
            assert wanted in error, (wanted, error)
        assert "\n" not in error, error
        for forbidden in (ENCODED_MESSAGE, SECRET, "Traceback", "botocore"):
            assert forbidden not in str(outcome), str(outcome)

    def passing(self) -> None:
        """The fault comes once more: a retry helps where it can, else the next run does."""
        self.trouble.play(self.ec2, self.action, self.image, times=1)
        outcome = self.verbs()
        if not outcome.ok:
            assert not self.trouble.mends, str(outcome)
            self.check_sentence(outcome)
            rerun = self.verbs()
            assert rerun.ok, str(rerun)

    def agree(self) -> None:
        """State and EC2 say the same."""
        date = self.ec2.image(self.image).deprecation_time
        if self.verb == "delete":
            restored = self.action == "EnableImageDeprecation"
            assert (date, self.engine.state) == (LATE if restored else None, [])
            return
        assert date == (MIDDLE if self.verb == "read" else LATE)
        assert self.engine.outputs(self.name)["deprecation_time"] == text(date)


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        ("create", "DescribeImages"),
        ("create", "EnableImageDeprecation"),
        ("update", "DescribeImages"),
        ("update", "EnableImageDeprecation"),
        ("read", "DescribeImages"),
        ("delete", "DescribeImages"),
        ("delete", "DisableImageDeprecation"),
        ("delete", "EnableImageDeprecation"),
    ],
)
def test_faults_are_retried_or_reported_and_state_matches_ec2(
    make_engine: MakeEngine, ec2: LocalEC2, verb: Verb, action: str
) -> None:
    images = {name: ec2.add_image(name) for name in (TROUBLES if verb == "create" else ENDS)}
    start = make_engine()
    restored = (verb, action) == ("delete", "EnableImageDeprecation")
    for image in images.values() if restored else ():
        ec2.set_deprecation_time(image, LATE)
    if verb != "create":
        on_destroy = "restore" if restored else "cancel"
        start.up(many({name: (image, EARLY) for name, image in images.items()}, on_destroy=on_destroy))
    if verb == "read":
        for image in images.values():
            ec2.set_deprecation_time(image, MIDDLE)

    def run(name: str) -> str | None:
        engine = make_engine(AWS_SECRET_ACCESS_KEY=SECRET, AMI_DEPRECATION_RETRY_SECONDS=PATIENT)
        engine.state = [entry for entry in start.state if entry.name == name]
        case = Case(engine, ec2, verb, action, TROUBLES[name], name, images[name])
        try:
            case.run()
        except AssertionError as failed:
            return f"{name}: {failed}"
        return None

    with ThreadPoolExecutor(4) as pool:  # most of the time is spent in waiting for the next try
        wrong = [complaint for complaint in pool.map(run, images) if complaint]
    assert not wrong, "\n\n".join(wrong)


# One by one.


@pytest.mark.parametrize(
    "kind", ["throttled", "internal", "drop", "hang", "garbage", "denied", "expired-token"]
)
def test_sts_faults_are_retried_or_reported(make_engine: MakeEngine, ec2: LocalEC2, kind: FaultKind) -> None:
    engine = make_engine(AMI_DEPRECATION_RETRY_SECONDS="2")
    image = ec2.add_image()
    fault = ec2.faults.add("GetCallerIdentity", kind, times=None)
    failed = engine.up(dated(image, EARLY), check=False)
    [error] = failed.errors
    assert error.startswith(engine.begins(TROUBLES[kind].says[0]))
    assert "GetCallerIdentity" in error
    assert ENCODED_MESSAGE not in str(failed)
    assert failed.mutations == []
    assert engine.state == []
    fault.times = fault.played + 1
    up = engine.up(dated(image, EARLY), check=False)
    assert up.ok or not TROUBLES[kind].mends, str(up)
    assert engine.up(dated(image, EARLY)).ok
    assert ec2.image(image).deprecation_time == EARLY


def test_intermittent_throttling_fails_no_update(make_engine: MakeEngine, ec2: LocalEC2) -> None:
    engine = make_engine(AMI_DEPRECATION_RETRY_SECONDS="60")
    engine.parallel = 4
    images = {f"web-{number}": ec2.add_image() for number in range(12)}
    ec2.set_limits(Limits(mutating_tokens=3, mutating_per_second=8))
    up = engine.up(many({name: (image, EARLY) for name, image in images.items()}))
    refused = [call for call in up.calls if call.error_code == "RequestLimitExceeded"]
    assert refused
    assert all(ec2.image(image).deprecation_time == EARLY for image in images.values())


def test_denied_cancel_stays_in_state_until_granted(engine: Engine, ec2: LocalEC2) -> None:
    image = ec2.add_image()
    engine.up(dated(image, EARLY))
    denied = ec2.faults.add("DisableImageDeprecation", "denied", times=None)
    destroyed = engine.destroy(check=False)
    assert destroyed.sentence.startswith(engine.begins("PermissionDenied"))
    assert "ec2:DisableImageDeprecation" in destroyed.sentence
    assert engine.names() == ["web"]
    denied.times = 0
    assert engine.destroy().mutations == ["DisableImageDeprecation"]
    assert engine.state == []


@pytest.mark.parametrize("kind", ["denied", "expired", "throttled", "internal"])
def test_refresh_that_cannot_read_keeps_state(engine: Engine, ec2: LocalEC2, kind: FaultKind) -> None:
    engine.environment["AMI_DEPRECATION_RETRY_SECONDS"] = IMPATIENT
    image = ec2.add_image()
    engine.up(dated(image, EARLY))
    before = engine.export()
    ec2.faults.add("DescribeImages", kind, times=None)
    assert not engine.refresh(check=False).ok
    assert engine.export() == before


def test_failing_image_does_not_lose_others_records(engine: Engine, ec2: LocalEC2) -> None:
    engine.environment["AMI_DEPRECATION_RETRY_SECONDS"] = IMPATIENT
    images = {f"web-{number}": ec2.add_image() for number in range(8)}
    program = many({name: (image, EARLY) for name, image in images.items()})
    ec2.faults.add("EnableImageDeprecation", "denied", image_id=images["web-5"], times=None)
    engine.parallel = 4
    up = engine.up(program, check=False)
    [error] = up.errors
    assert images["web-5"] in error
    dated_images = {name for name, image in images.items() if ec2.image(image).deprecation_time == EARLY}
    assert set(engine.names()) == dated_images
    ec2.faults.clear()
    rest = engine.up(program)
    assert len(rest.mutations) == len(images) - len(dated_images)
    assert len(engine.state) == 8
