"""Ten minutes on an account of yours: does EC2 do what ami-deprecation expects?

    python check.py --region eu-west-1 [--profile NAME] [--yes]

Copies one small image and asks EC2 about deprecation dates on the copy. LocalEC2, the EC2 of this package's tests, is
asked the same, and every difference is printed. Then a Pulumi program sets, moves, repairs and cancels the copy's date.
At the end the copy is deregistered and its snapshots are deleted, also after an error or Ctrl-C.

Exit code 0: no difference. 1: differences. 2: the check could not run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from pulumi import automation

from ami_deprecation import AmiDeprecation
from ami_deprecation.testing import LocalEC2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.client import BaseClient

TAG = "ami-deprecation-check"
SMALL = "al2023-ami-minimal-*-x86_64"
DAY = timedelta(days=1)
VISIBLE_SECONDS = 180
COPY_SECONDS = 1200


@dataclass
class Account:
    """An EC2, and the copy in it that questions are asked about.

    Attributes:
        ec2: a client.
        image_id: the copy.
        foreign_id: an image of another account.
        delays: for each write, the seconds until DescribeImages showed it.
    """

    ec2: BaseClient
    image_id: str
    foreign_id: str
    delays: list[float] = field(default_factory=list)

    def enable(self, when: datetime, image_id: str | None = None, **more: bool) -> str:
        """Set a date; `accepted`, or EC2's error code."""
        return answer(
            lambda: self.ec2.enable_image_deprecation(
                ImageId=image_id or self.image_id, DeprecateAt=when, **more
            )
        )

    def cancel(self) -> str:
        """Cancel the date; `accepted`, or EC2's error code."""
        return answer(lambda: self.ec2.disable_image_deprecation(ImageId=self.image_id))

    def date(self) -> datetime | None:
        """The copy's date, as EC2 shows it now."""
        images = self.ec2.describe_images(ImageIds=[self.image_id], IncludeDisabled=True)["Images"]
        text = images[0].get("DeprecationTime") if images else None
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None

    def date_after(self, before: datetime | None) -> datetime | None:
        """The date once EC2 no longer shows the one before the last write."""
        began = time.monotonic()
        while (now := self.date()) == before and time.monotonic() - began < VISIBLE_SECONDS:
            time.sleep(1)
        self.delays.append(time.monotonic() - began)
        return now


def answer(call: Callable[[], object]) -> str:
    """`accepted`, or the code of EC2's error."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "accepted"


def questions(account: Account) -> Iterator[tuple[str, str]]:
    """Ask about deprecation dates: pairs of a question and EC2's answer, which has nothing of the time or the account."""
    minute = (datetime.now(timezone.utc) + 400 * DAY).replace(second=0, microsecond=0)

    yield "a date with 29 seconds", account.enable(minute + timedelta(seconds=29))
    first = account.date_after(None)
    yield "... is rounded to", describe(first, minute)
    yield "a date with 30 seconds", account.enable(minute + DAY + timedelta(seconds=30))
    second = account.date_after(first)
    yield "... is rounded to", describe(second, minute + DAY)
    yield "the same date again", account.enable(second or minute)
    yield "an earlier date", account.enable(minute)
    yield "... is shown as", describe(account.date_after(second), minute)

    now = datetime.now(timezone.utc)
    yield "a date in the past", account.enable(now - DAY)
    yield "a date in two minutes", account.enable(now + timedelta(minutes=2), DryRun=True)
    yield "a date in ten years less two days", account.enable(years(now, 10) - 2 * DAY)
    yield "a date in ten years and two days", account.enable(years(now, 10) + 2 * DAY)
    yield "an image that does not exist", account.enable(minute, "ami-0ffffffffffffffff")
    yield "an id that is malformed", account.enable(minute, "ami-1")
    yield "an image of another account", account.enable(minute, account.foreign_id)
    yield "a dry run", account.enable(minute, DryRun=True)

    before = account.date_after(minute)
    yield "cancel", account.cancel()
    yield "... leaves", describe(account.date_after(before), minute)
    yield "cancel without a date", account.cancel()

    yield "disable the image", answer(lambda: account.ec2.disable_image(ImageId=account.image_id))
    wait_for_state(account, "disabled")
    given = account.enable(minute)
    yield "a date on a disabled image", given
    yield "... is shown as", describe(account.date_after(None) if given == "accepted" else None, minute)
    yield "enable the image", answer(lambda: account.ec2.enable_image(ImageId=account.image_id))
    wait_for_state(account, "available")
    yield "... its date is", describe(account.date(), minute)
    account.cancel()


def describe(date: datetime | None, asked: datetime) -> str:
    """A date in words that do not depend on today."""
    return "no date" if date is None else f"the date asked for, {(date - asked).total_seconds():+.0f} s"


def years(when: datetime, number: int) -> datetime:
    """The same day, years later."""
    return (when - DAY if (when.month, when.day) == (2, 29) else when).replace(year=when.year + number)


def wait_for_state(account: Account, state: str, seconds: float = VISIBLE_SECONDS) -> None:
    """Wait until the copy has a state."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with contextlib.suppress(ClientError):  # a new image is not visible everywhere at once
            images = account.ec2.describe_images(ImageIds=[account.image_id], IncludeDisabled=True)["Images"]
            if images and images[0]["State"] == state:
                return
        time.sleep(1)
    raise TimeoutError(f"{account.image_id} did not become {state} in {seconds:.0f} seconds")


@contextlib.contextmanager
def copied(ec2: BaseClient, region: str, source: str, foreign: str) -> Iterator[Account]:
    """A copy of an image, which is gone afterwards."""
    tags = [{"Key": TAG, "Value": "delete me"}]
    copy = ec2.copy_image(
        Name=f"{TAG}-{int(time.time())}",
        SourceImageId=source,
        SourceRegion=region,
        TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")],
    )
    account = Account(ec2, copy["ImageId"], foreign)
    try:
        wait_for_state(account, "available", COPY_SECONDS)
        yield account
    finally:
        remove(ec2, account.image_id)


def remove(ec2: BaseClient, image_id: str) -> None:
    """Deregister an image and delete its snapshots."""
    images = ec2.describe_images(ImageIds=[image_id], IncludeDisabled=True)["Images"]
    snapshots = [
        device["Ebs"]["SnapshotId"]
        for image in images
        for device in image.get("BlockDeviceMappings", [])
        if device.get("Ebs", {}).get("SnapshotId")
    ]
    ec2.deregister_image(ImageId=image_id)
    for snapshot in snapshots:
        ec2.delete_snapshot(SnapshotId=snapshot)


def smallest(ec2: BaseClient) -> str:
    """The newest of Amazon's smallest Linux images."""
    images = ec2.describe_images(
        Owners=["amazon"],
        Filters=[{"Name": "name", "Values": [SMALL]}, {"Name": "state", "Values": ["available"]}],
    )["Images"]
    if not images:
        raise LookupError(f"there is no {SMALL} of Amazon's in this Region: name a small image with --source")
    return str(max(images, key=lambda image: image["CreationDate"])["ImageId"])


def expected() -> dict[str, str]:
    """LocalEC2's answers to the same questions."""
    with LocalEC2() as local:
        source, foreign = (
            local.add_image("source"),
            local.add_image("foreign", account="999999999999", public=True),
        )
        with copied(local.client("ec2", region="eu-west-1"), "eu-west-1", source, foreign) as account:
            return numbered(questions(account))


def numbered(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """The answers by question, each with its number because some are asked twice."""
    return {f"{number:2}. {question}": given for number, (question, given) in enumerate(pairs, 1)}


def resource(account: Account, region: str, profile: str | None) -> Iterator[tuple[str, bool]]:
    """Let Pulumi manage the copy's date: pairs of what has to be true and whether it is."""
    first, moved, outside = (
        (datetime.now(timezone.utc) + days * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        for days in (100, 200, 300)
    )
    wanted = first

    def program() -> None:
        AmiDeprecation("copy", image_id=account.image_id, deprecate_at=wanted, region=region, profile=profile)
        pulumi.export("image", account.image_id)

    with tempfile.TemporaryDirectory(prefix=TAG) as folder:
        stack = automation.create_stack(
            "check",
            project_name=TAG,
            program=program,
            opts=automation.LocalWorkspaceOptions(
                work_dir=folder,
                project_settings=automation.ProjectSettings(
                    TAG,
                    automation.ProjectRuntimeInfo("python", {"virtualenv": sys.prefix}),
                ),
                # A variable: PULUMI_BACKEND_URL in the user's environment would win over the project's backend.
                env_vars={
                    "PULUMI_BACKEND_URL": Path(folder).as_uri(),
                    "PULUMI_CONFIG_PASSPHRASE": "check",
                },
            ),
        )
        before = account.date()
        stack.preview()
        yield "a preview changes nothing", account.date() == before
        stack.up()
        yield "up sets the date", account.date_after(before) == first
        yield "a second up changes nothing", "update" not in (stack.up().summary.resource_changes or {})
        wanted = moved
        stack.up()
        yield "another date is moved in place", account.date_after(first) == moved
        account.enable(outside)
        account.date_after(moved)
        stack.up(refresh=True)
        yield "a date changed by hand is put back", account.date_after(outside) == moved
        stack.destroy()
        yield "destroy cancels the date", account.date_after(moved) is None


def say(line: str) -> None:
    """Progress goes to stderr, the result to stdout."""
    sys.stderr.write(f"{line}\n")


def check(region: str, profile: str | None, source: str | None, foreign: str | None) -> int:
    """Ask EC2 and LocalEC2, run Pulumi, and print what differs."""
    ec2 = boto3.Session(profile_name=profile, region_name=region).client("ec2")
    say("asking LocalEC2")
    wanted = expected()
    say("copying an image: this takes some minutes")
    differences = []
    foreign = foreign or smallest(ec2)
    with copied(ec2, region, source or foreign, foreign) as account:
        say(f"asking EC2 about {account.image_id}")
        for question, given in numbered(questions(account)).items():
            same = given == wanted[question]
            print(f"{'same' if same else 'DIFFERENT':9}  {question}: {given}")
            if not same:
                differences.append(f"{question}: EC2 {given}; LocalEC2 {wanted[question]}")
        if shutil.which("pulumi"):
            say("running a Pulumi program")
            for claim, true in resource(account, region, profile):
                print(f"{'as said' if true else 'DIFFERENT':9}  {claim}")
                if not true:
                    differences.append(f"not so: {claim}")
        else:
            print("not run: the Pulumi program, because there is no pulumi on PATH")
        print(f"EC2 showed a write after at most {max(account.delays):.0f} s")
    say(f"removed {account.image_id} and its snapshots")
    print(f"{len(differences)} difference{'' if len(differences) == 1 else 's'}", *differences, sep="\n  ")
    return 1 if differences else 0


def main(arguments: list[str]) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--region", default=os.environ.get("AWS_REGION"))
    parser.add_argument("--profile")
    parser.add_argument(
        "--source", metavar="AMI", help="a small image to copy; default: Amazon Linux's smallest"
    )
    parser.add_argument(
        "--foreign", metavar="AMI", help="another account's image; default: Amazon Linux's smallest"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before the copy is made")
    parser.add_argument(
        "--clean", action="store_true", help="only remove what an earlier run has left behind"
    )
    given = parser.parse_args(arguments)
    if not given.region:
        parser.error("name a Region: --region eu-west-1")
    try:
        if given.clean:
            ec2 = boto3.Session(profile_name=given.profile, region_name=given.region).client("ec2")
            left = ec2.describe_images(
                Owners=["self"], IncludeDisabled=True, Filters=[{"Name": "tag-key", "Values": [TAG]}]
            )["Images"]
            for image in left:
                remove(ec2, image["ImageId"])
            print(f"{len(left)} images removed")
            return 0
        if not given.yes:
            question = f"This makes and removes one image and its snapshots in {given.region}. Go on? [y/N] "
            if input(question).strip().lower() not in {"y", "yes"}:
                return 2
        return check(given.region, given.profile, given.source, given.foreign)
    except (BotoCoreError, ClientError, LookupError, TimeoutError, automation.errors.CommandError) as error:
        say(f"error: {str(error).strip().splitlines()[-1]}")
        return 2
    except EOFError:
        say("error: nobody is there to answer: give --yes")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
