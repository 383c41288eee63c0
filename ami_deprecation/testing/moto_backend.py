"""moto, as far as it is used here: the only module that imports it, beside the server.

moto (https://docs.getmoto.org) keeps accounts, Regions and images; this package adds what it lacks.
moto has no types that we could use, so the parts that we need are described here as protocols.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Protocol, cast

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import camelcase_to_underscores
from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_ami_id
from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from _typeshed.wsgi import WSGIApplication

DEFAULT_ACCOUNT = cast("str", DEFAULT_ACCOUNT_ID)
_running = threading.Lock()


class Volume(Protocol):
    """moto's EBS volume."""

    id: str


class Snapshot(Protocol):
    """moto's EBS snapshot."""

    id: str
    description: str


class Image(Protocol):
    """moto's image (``moto.ec2.models.amis.Ami``)."""

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
    sriov: str | None
    product_codes: set[str]
    ebs_snapshot: Snapshot

    @property
    def is_public(self) -> bool:
        """Whether every account may launch it."""


class Placement(Protocol):
    """Where an instance runs."""

    zone: str


class Instance(Protocol):
    """moto's instance."""

    id: str
    image_id: str | None
    instance_type: str
    launch_time: datetime
    state: str
    placement: Placement
    architecture: str | None
    kernel: str | None
    platform: str | None
    virtualization_type: str | None


class Reservation(Protocol):
    """The instances that one RunInstances call made."""

    instances: list[Instance]


class TemplateVersion(Protocol):
    """One version of a launch template."""

    image_id: str


class Template(Protocol):
    """moto's launch template; the oldest version comes first."""

    id: str
    versions: list[TemplateVersion]


class RegionInfo(Protocol):
    """A Region as moto's DescribeRegions has it."""

    name: str
    endpoint: str
    opt_in_status: str


class Backend(Protocol):
    """moto's EC2 of one account in one Region."""

    amis: dict[str, Image]
    deleted_amis: list[str]
    tags: dict[str, dict[str, str]]
    reservations: dict[str, Reservation]
    launch_templates: dict[str, Template]

    def create_volume(self, *, size: int, zone_name: str) -> Volume:
        """A volume."""

    def create_snapshot(self, volume_id: str, description: str, owner_id: str) -> Snapshot:
        """A snapshot of a volume."""

    def delete_volume(self, volume_id: str) -> object:
        """Delete a volume; its snapshots stay."""

    def describe_regions(self, region_names: Sequence[str] = ...) -> list[RegionInfo]:
        """The Regions with these names; every Region when there are none."""


class Role(Protocol):
    """moto's assumed role: temporary credentials that act in its account."""

    access_key_id: str
    secret_access_key: str
    session_token: str


def backend(account: str, region: str) -> Backend:
    """Moto's EC2 of ``account`` in ``region``, created on first use.

    Raises:
        KeyError: moto does not know the Region.
    """
    return cast("Backend", get_backend("ec2")[account][region])


def backends(region: str) -> Iterator[tuple[str, Backend]]:
    """(account, EC2) for each account that has been used in ``region``."""
    for account, regions in list(get_backend("ec2").items()):
        # dict.get creates nothing, [] would.
        there = cast("Mapping[str, Backend]", regions).get(region)
        if there is not None:
            yield account, there


def all_backends() -> Iterator[Backend]:
    """The EC2 of each account and Region that has been used."""
    for regions in list(get_backend("ec2").values()):
        yield from list(cast("Mapping[str, Backend]", regions).values())


def has_action(action: str) -> bool:
    """Whether moto's EC2 knows a call by this name."""
    return hasattr(EC2Response, camelcase_to_underscores(action))


def account_of(access_key: str) -> str:
    """The account that a key belongs to; an unknown key acts in the default account."""
    return cast("str", get_account_id_from(access_key))


def assume(account: str) -> Role:
    """Credentials that act in ``account``, as sts:AssumeRole gives them."""
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
    """A private image of moto's, with its snapshot; the caller adds it to ``home.amis``."""
    made = Ami(home, image_id or random_ami_id(), name=name, creation_date=created, **_DEFAULTS)
    return cast("Image", made)


# A current Linux image; moto's own defaults are those of 2008.
_DEFAULTS: Mapping[str, str] = {
    "architecture": "x86_64",
    "virtualization_type": "hvm",
    "hypervisor": "xen",
    "root_device_type": "ebs",
    "root_device_name": "/dev/xvda",
}


def new_snapshot(home: Backend, account: str, region: str, size: int, description: str) -> str:
    """Make a snapshot, and return its id."""
    volume = home.create_volume(size=size, zone_name=region)
    snapshot = home.create_snapshot(volume.id, description, account)
    home.delete_volume(volume.id)
    return snapshot.id


def new_image_id() -> str:
    """A fresh id, ``ami-`` and 17 hexadecimal digits."""
    return cast("str", random_ami_id())


def application() -> WSGIApplication:
    """Moto's own server application."""
    return cast("WSGIApplication", DomainDispatcherApplication(create_backend_app))


@contextlib.contextmanager
def fresh_state() -> Iterator[None]:
    """Empty moto's state, of which a process has only one, before and after.

    Raises:
        RuntimeError: another LocalEC2 of this process uses it.
    """
    if not _running.acquire(blocking=False):
        raise RuntimeError(
            "another LocalEC2 is running in this process, and moto keeps one state per process: share that one"
        )
    variable = "MOTO_EC2_LOAD_DEFAULT_AMIS"
    before = os.environ.get(variable)
    try:
        # moto reads it each time it sets up a Region. Its own hundreds of Amazon images would only be
        # in the way: ``add_image(owner_alias="amazon", public=True)`` makes the one that a test needs.
        os.environ[variable] = "false"
        _reset()
        yield
    finally:
        _reset()
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before
        _running.release()


def _reset() -> None:
    get_backend("moto_api")["global"].reset()
