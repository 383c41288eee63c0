"""The joint with moto: the only module here that imports it.

moto (https://docs.getmoto.org) keeps accounts, regions and images; this package adds what it lacks.
moto is untyped towards us, so what we use of it stands here as protocols.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Protocol, cast

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id
from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from _typeshed.wsgi import WSGIApplication

DEFAULT_ACCOUNT = cast("str", DEFAULT_ACCOUNT_ID)
_running = threading.Lock()


class Snapshot(Protocol):
    """moto's EBS snapshot."""

    id: str


class Image(Protocol):
    """moto's image (`moto.ec2.models.amis.Ami`), as far as it is used here."""

    id: str
    name: str | None
    description: str | None
    state: str
    owner_id: str
    owner_alias: str | None
    creation_date: datetime
    launch_permissions: list[dict[str, str]]
    architecture: str | None
    image_type: str
    image_location: str | None
    kernel_id: str | None
    platform: str | None
    hypervisor: str | None
    virtualization_type: str | None
    root_device_type: str
    root_device_name: str
    boot_mode: str | None
    instance_id: str | None
    ebs_snapshot: Snapshot

    @property
    def is_public(self) -> bool:
        """True when everybody may launch it."""


class Instance(Protocol):
    """moto's instance."""

    id: str
    image_id: str | None
    state: str


class Reservation(Protocol):
    """What RunInstances made at once."""

    instances: list[Instance]


class TemplateVersion(Protocol):
    """One version of a launch template."""

    image_id: str


class Template(Protocol):
    """moto's launch template; its versions are the oldest first."""

    id: str
    versions: list[TemplateVersion]


class Backend(Protocol):
    """moto's EC2 of one account in one region."""

    amis: dict[str, Image]
    deleted_amis: list[str]
    tags: dict[str, dict[str, str]]
    reservations: dict[str, Reservation]
    launch_templates: dict[str, Template]


class Role(Protocol):
    """moto's assumed role: temporary credentials that act in its account."""

    access_key_id: str
    secret_access_key: str
    session_token: str


def backend(account: str, region: str) -> Backend:
    """Return moto's EC2 of `account` in `region`, made when it was not there.

    Raises:
        KeyError: moto knows no such region.
    """
    return cast("Backend", get_backend("ec2")[account][region])


def backends(region: str) -> Iterator[tuple[str, Backend]]:
    """Yield (account, EC2) for each account that was ever used in `region`."""
    for account, regions in list(get_backend("ec2").items()):
        # dict.get does not make what is not there, [] would.
        found = cast("Mapping[str, Backend]", regions).get(region)
        if found is not None:
            yield account, found


def all_backends() -> Iterator[Backend]:
    """Yield the EC2 of each account and region that was ever used."""
    for regions in list(get_backend("ec2").values()):
        yield from list(cast("Mapping[str, Backend]", regions).values())


def account_of(access_key: str) -> str:
    """Return the account that a key belongs to; an unknown key acts in the default account."""
    return cast("str", get_account_id_from(access_key))


def assume(account: str) -> Role:
    """Return credentials that act in `account`, as sts:AssumeRole gives them."""
    return cast(
        "Role",
        get_backend("sts")[account]["aws"].assume_role(
            region_name="us-east-1",
            role_session_name="local-ec2",
            role_arn=f"arn:aws:iam::{account}:role/local-ec2",
            policy=None,
            duration=43200,
            external_id=None,
        ),
    )


def new_image(home: Backend, image_id: str | None, name: str, created: datetime) -> Image:
    """Make one private image of moto's, with its snapshot; it is not in `home.amis` yet."""
    made = Ami(home, image_id or random_ami_id(), name=name, creation_date=created, **_LOOKS)
    return cast("Image", made)


# What an everyday Linux image says of itself; moto's own defaults are those of 2008.
_LOOKS: Mapping[str, str] = {
    "architecture": "x86_64",
    "virtualization_type": "hvm",
    "hypervisor": "xen",
    "root_device_type": "ebs",
    "root_device_name": "/dev/xvda",
}


def new_image_id() -> str:
    """Return a fresh id, `ami-` and 17 hexadecimal digits."""
    return cast("str", random_ami_id())


def application() -> WSGIApplication:
    """Return moto's own server application."""
    return cast("WSGIApplication", DomainDispatcherApplication(create_backend_app))


@contextlib.contextmanager
def fresh_state() -> Iterator[None]:
    """Empty moto's state, which is one for the whole process, before and after.

    Raises:
        RuntimeError: another LocalEC2 of this process holds it.
    """
    if not _running.acquire(blocking=False):
        raise RuntimeError(
            "another LocalEC2 runs in this process, and moto keeps one state a process: share that one"
        )
    knob = "MOTO_EC2_LOAD_DEFAULT_AMIS"
    before = os.environ.get(knob)
    try:
        # Read by moto each time it makes a region. Amazon's hundreds of images would be in everyone's
        # way here; `add_image(account=..., public=True)` makes the one that a test needs.
        os.environ[knob] = "false"
        _reset()
        yield
    finally:
        _reset()
        if before is None:
            os.environ.pop(knob, None)
        else:
            os.environ[knob] = before
        _running.release()


def _reset() -> None:
    get_backend("moto_api")["global"].reset()
