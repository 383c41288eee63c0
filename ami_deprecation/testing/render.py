"""An image as DescribeImages writes it. Plain text formatting, as accounts have thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from ami_deprecation.testing import rules, world

if TYPE_CHECKING:
    from datetime import datetime

    from ami_deprecation.testing.world import Found


def image(found: Found, deprecation_time: datetime | None) -> str:
    """Return the `item` element of one image, with the date that this answer shows for it."""
    at, last = deprecation_time, found.facts.last_launched_time
    it = found.image
    tags = found.home.tags.get(it.id)
    fields = {
        "imageId": it.id,
        "imageLocation": it.image_location or f"{found.account}/{it.name}",
        "imageState": it.state,
        "imageOwnerId": it.owner_id,
        "creationDate": rules.format_time(world.utc(it.creation_date)),
        "isPublic": "true" if it.is_public else "false",
        "architecture": it.architecture,
        "imageType": it.image_type,
        "kernelId": it.kernel_id,
        "platform": it.platform,
        "imageOwnerAlias": it.owner_alias,
        "name": it.name,
        "description": it.description,
        "rootDeviceType": it.root_device_type,
        "rootDeviceName": it.root_device_name,
        "virtualizationType": it.virtualization_type,
        "hypervisor": it.hypervisor,
        "bootMode": it.boot_mode,
        "sourceInstanceId": it.instance_id,
        "deprecationTime": None if at is None else rules.format_time(at),
        "lastLaunchedTime": None if last is None else rules.format_time(last),
        "deregistrationProtection": "disabled",
    }
    text = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value)
    return f"<item>{text}{_disk(found)}{_tags(tags) if tags else ''}</item>"


def _disk(found: Found) -> str:
    return (
        f"<blockDeviceMapping><item><deviceName>{found.image.root_device_name}</deviceName><ebs>"
        f"<snapshotId>{found.image.ebs_snapshot.id}</snapshotId><volumeSize>15</volumeSize>"
        "<deleteOnTermination>true</deleteOnTermination><volumeType>gp3</volumeType>"
        "<encrypted>false</encrypted></ebs></item></blockDeviceMapping>"
    )


def _tags(tags: dict[str, str]) -> str:
    items = (f"<item><key>{escape(k)}</key><value>{escape(v)}</value></item>" for k, v in tags.items())
    return f"<tagSet>{''.join(items)}</tagSet>"
