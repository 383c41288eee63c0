"""What a test does with images beside the wire: make them, look at them, be somebody outside."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ami_deprecation.testing import joint, world
from ami_deprecation.testing.references import Reference, References
from ami_deprecation.testing.world import Facts, Found, LocalImage, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "eu-west-1"


class Images:
    """The part of `LocalEC2` that makes, shows and changes images."""

    def __init__(self, state: World) -> None:
        """Work on the images of `state`."""
        self.account = joint.DEFAULT_ACCOUNT
        self._world = state
        self._references = References()

    def add_image(  # noqa: PLR0913 - an image has as many sides
        self,
        name: str = "image",
        *,
        region: str = REGION,
        account: str | None = None,
        created: datetime | None = None,
        image_id: str | None = None,
        public: bool = False,
        state: str = "available",
        tags: Mapping[str, str] | None = None,
        deprecation_time: datetime | None = None,
        last_launched: datetime | None = None,
    ) -> str:
        """Make an image and return its id.

        Args:
            name: its name.
            region: its region.
            account: its owner; None: the default account.
            created: its CreationDate; None: now.
            image_id: a given id, which may exist in other regions too; None: a fresh one.
            public: launchable by everybody, with the date that EC2 gives a public image.
            state: EC2's ImageState.
            tags: key to value.
            deprecation_time: a date it has already, past or future, as if set long ago.
            last_launched: its LastLaunchedTime.

        Raises:
            ValueError: the id is taken in this region, or a time carries no offset.
            KeyError: no such region.
        """
        facts = Facts(_aware(deprecation_time), _aware(last_launched))
        with self._world.lock:
            return self._world.add(
                account or self.account,
                region,
                name,
                image_id=image_id,
                created=_aware(created) or self._world.clock.now().replace(microsecond=0),
                public=public,
                state=state,
                tags=tags or {},
                facts=facts,
            )[0]

    def add_images(  # noqa: PLR0913 - as add_image
        self,
        count: int,
        name: str = "image",
        *,
        region: str = REGION,
        account: str | None = None,
        created: datetime | None = None,
        public: bool = False,
        tags: Mapping[str, str] | None = None,
        deprecation_time: datetime | None = None,
    ) -> list[str]:
        """Make `count` images, called `<name>-00000` and so on, and return their ids. 20,000 take a second."""
        with self._world.lock:
            return self._world.add(
                account or self.account,
                region,
                name,
                image_id=None,
                created=_aware(created) or self._world.clock.now().replace(microsecond=0),
                public=public,
                state="available",
                tags=tags or {},
                facts=Facts(_aware(deprecation_time)),
                copies=count,
            )

    def image(self, image_id: str, *, region: str = REGION) -> LocalImage:
        """Return how an image stands now, whoever owns it. A deregistered one has that state.

        Raises:
            LookupError: there is none.
        """
        with self._world.lock:
            found = self._world.find(region, image_id)
            if found is not None:
                return world.snapshot(found)
            kept = self._world.in_bin(region, image_id)
            if kept is not None:
                return world.snapshot(kept, world.DEREGISTERED)
        raise LookupError(f"no image {image_id} in {region} of LocalEC2")

    def images(self, *, region: str = REGION, account: str | None = None) -> list[LocalImage]:
        """Return how all images of an account in a region stand now."""
        owner = account or self.account
        with self._world.lock:
            return [world.snapshot(f) for f in self._world.visible(region, owner) if f.account == owner]

    # What others do to images. None of these is in the call log or bound by EC2's rules.

    def set_deprecation_time(self, image_id: str, when: datetime | None, *, region: str = REGION) -> None:
        """Set or, with None, take away the date, as somebody outside could have done long ago."""
        with self._found(image_id, region) as found:
            found.facts.deprecation_time = _aware(when)

    def set_state(self, image_id: str, state: str, *, region: str = REGION) -> None:
        """Put an image into one of EC2's states.

        `disabled` makes it private, as DisableImage does. `deregistered` still shows it, with that
        state, as EC2 does for a short while; `deregister_image` is the next stage, `remove_image` the last.
        """
        with self._found(image_id, region) as found:
            if state == world.DEREGISTERED:
                self._world.keep_for_restore(found)
            if state == "disabled":
                found.image.launch_permissions.clear()
            found.image.state = state

    def make_public(self, image_id: str, *, region: str = REGION) -> None:
        """Share an image with everybody; EC2 gives it a date, or pulls its date in."""
        with self._found(image_id, region) as found:
            found.image.launch_permissions.append({"Group": "all"})
            self._world.set_public_date(region, found.image)

    def make_private(self, image_id: str, *, region: str = REGION) -> None:
        """Take all launch permissions away; the date stays."""
        with self._found(image_id, region) as found:
            found.image.launch_permissions.clear()

    def share(self, image_id: str, account: str, *, region: str = REGION) -> None:
        """Give one account the launch permission."""
        with self._found(image_id, region) as found:
            found.image.launch_permissions.append({"UserId": account})

    def deregister_image(self, image_id: str, *, region: str = REGION) -> None:
        """Deregister: DescribeImages by the id is empty, changes are InvalidAMIID.Unavailable."""
        with self._found(image_id, region) as found:
            self._world.deregister(found)

    def remove_image(self, image_id: str, *, region: str = REGION) -> None:
        """Let EC2 forget an image: the id is InvalidAMIID.NotFound."""
        with self._world.lock:
            self._world.forget(region, image_id)

    def restore_image(self, image_id: str, *, region: str = REGION) -> None:
        """Take a deregistered image out of the Recycle Bin: same id, private, without a date.

        Raises:
            LookupError: it was not deregistered.
        """
        with self._world.lock:
            if self._world.in_bin(region, image_id) is None:
                raise LookupError(f"{image_id} is not in the Recycle Bin of {region}")
            self._world.restore(region, image_id)

    def add_reference(
        self, image_id: str, resource_type: str, arn: str, *, region: str = REGION, account: str | None = None
    ) -> None:
        """Let DescribeImageReferences name a resource of `account`, beside its instances and launch templates.

        Raises:
            ValueError: the resource type is none of EC2's, such as `ssm:Parameter`.
        """
        with self._world.lock:
            self._references.add(account or self.account, region, Reference(image_id, resource_type, arn))

    @contextlib.contextmanager
    def _found(self, image_id: str, region: str) -> Iterator[Found]:
        with self._world.lock:
            found = self._world.find(region, image_id)
            if found is None:
                raise LookupError(f"no image {image_id} in {region} of LocalEC2")
            yield found


def _aware(when: datetime | None) -> datetime | None:
    if when is not None and when.tzinfo is None:
        raise ValueError(f"LocalEC2 needs times with an offset, not {when.isoformat()}")
    return None if when is None else when.astimezone(timezone.utc)
