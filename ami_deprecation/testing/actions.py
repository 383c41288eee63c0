"""The calls that moto lacks, and the rules that it leaves out of those it has."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from . import date_rules, describe_images, moto_backend, references, world
from .new_images import NewImages
from .wire import EC2Error, Reply, elements, item_set, success

if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Faults
    from .references import Registry
    from .wire import Request
    from .world import Record, World

_RETURN_TRUE = "<return>true</return>"
_MAX_WATERMARKS = 5
_WATERMARK_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
_COOLDOWN = timedelta(hours=24)


class Actions:
    """EC2's image calls over ``World``. Hold ``World.lock`` around every call."""

    def __init__(self, state: World, faults: Faults, registry: Registry) -> None:
        """Serve the images of ``state``; ``faults`` says which reads lag behind."""
        self._state, self._faults, self._registry = state, faults, registry
        self.pages = describe_images.Pages()
        new = NewImages(state)
        #: Ours alone. Each checks the request and returns what carries it out and writes the answer.
        self._own: dict[str, Callable[[str, Request], Callable[[], str]]] = {
            "AttachImageWatermark": self._attach_watermark,
            "CopyImage": new.copy,
            "CreateImage": new.create,
            "DescribeImageReferences": self._describe_references,
            "DescribeImages": self._describe,
            "DescribeInstanceImageMetadata": self._describe_instances,
            "DescribeRegions": self._describe_regions,
            "DetachImageWatermark": self._detach_watermark,
            "DisableImageDeprecation": self._disable_deprecation,
            "DisableImageDeregistrationProtection": self._disable_protection,
            "EnableImageDeprecation": self._enable_deprecation,
            "EnableImageDeregistrationProtection": self._enable_protection,
            "RegisterImage": new.register,
            "ResetImageAttribute": self._reset_attribute,
            "RestoreImageFromRecycleBin": self._restore,
        }
        # moto's, within EC2's rules: who may, and what follows for the date.
        self._moto: dict[str, Callable[[Record], None]] = {
            "DeregisterImage": self._after_deregister,
            "DisableImage": self._after_disable,
            "EnableImage": _nothing,
            "ModifyImageAttribute": self._after_modify,
        }

    def answer(self, account: str, request: Request, moto: Callable[[], Reply]) -> Reply:
        """Answer one EC2 call, by ourselves or through moto.

        With DryRun, a request that passes its checks is refused as DryRunOperation.

        Raises:
            EC2Error: the call is refused.
        """
        own = self._own.get(request.action)
        if own is not None:
            carry_out = own(account, request)
            _stop_dry_run(request)
            return success(request.action, carry_out())
        after = self._moto.get(request.action)
        if after is None:
            if moto_backend.has_action(request.action):
                _stop_dry_run(request)
            return moto()
        record = self._owned(account, request)
        if request.action == "DeregisterImage":
            self._check_protection(record)
        _stop_dry_run(request)
        reply = moto()
        if reply.error_code is None:
            after(record)
        return reply

    def _owned(self, account: str, request: Request) -> Record:
        """The image that a changing call names, which only its owner may change."""
        image_id = request.required("ImageId")
        record = self._state.find(request.region, image_id)
        if record is None:
            describe_images.check_id(image_id)
            if self._state.was_deregistered(request.region, image_id):
                date_rules.check_state(image_id, world.DEREGISTERED)
            # The wording differs from DescribeImages' (hashicorp/packer-plugin-amazon#259).
            raise EC2Error("InvalidAMIID.NotFound", f"Invalid ImageId: {image_id}")
        if record.account != account:
            # No public page shows what the deprecation calls say here; ModifyImageAttribute says this.
            raise EC2Error("AuthFailure", f"Not authorized for image:{image_id}", 403)
        return record

    def _enable_deprecation(self, account: str, request: Request) -> Callable[[], str]:
        record = self._owned(account, request)
        text = request.required("DeprecateAt")
        date_rules.check_state(record.image.id, record.image.state)
        when = date_rules.to_minute(date_rules.parse_time(text))
        date_rules.check_date(
            when,
            now=self._state.clock.now(),
            created=record.created,
            public=record.image.is_public,
            current=record.details.deprecation_time,
        )

        def carry_out() -> str:
            self._faults.wrote(record.region, record.image.id, record.details.deprecation_time)
            record.details.deprecation_time = when
            return _RETURN_TRUE

        return carry_out

    def _disable_deprecation(self, account: str, request: Request) -> Callable[[], str]:
        record = self._owned(account, request)
        date_rules.check_state(record.image.id, record.image.state)
        date_rules.check_cancel(public=record.image.is_public, current=record.details.deprecation_time)

        def carry_out() -> str:
            self._faults.wrote(record.region, record.image.id, record.details.deprecation_time)
            # Without a date nothing happens, and EC2 returns true. (A guess: no page says so.)
            record.details.deprecation_time = None
            return _RETURN_TRUE

        return carry_out

    def _describe(self, account: str, request: Request) -> Callable[[], str]:
        page, token = self.pages.page(self._state, account, request)

        def carry_out() -> str:
            items: list[str] = []
            for record in page:
                view = self._faults.view(request.region, record.image.id, record.details.deprecation_time)
                if view.unknown and request.image_ids:
                    raise describe_images.not_found([record.image.id])
                if view.shown:
                    items.append(f"<item>{describe_images.item(record, view.deprecation_time)}</item>")
            return f"<imagesSet>{''.join(items)}</imagesSet>{elements([('nextToken', token)])}"

        return carry_out

    def _describe_references(self, account: str, request: Request) -> Callable[[], str]:
        answer = references.references(self._state, self._registry, account, request)
        return lambda: answer

    def _describe_instances(self, account: str, request: Request) -> Callable[[], str]:
        answer = references.instance_image_metadata(self._state, account, request)
        return lambda: answer

    def _describe_regions(self, account: str, request: Request) -> Callable[[], str]:
        """The Regions of the endpoint's partition; without AllRegions those that the account can use."""
        names = request.many("RegionName")
        regions = {each.name: each for each in self._state.regions(request.region)}
        unknown = [name for name in names if name not in regions]
        if unknown:
            text = f"Invalid region names provided: {', '.join(unknown)}"
            raise EC2Error("InvalidParameterValue", text)
        enabled = self._state.enabled(account, request.region)
        items = [
            elements(
                (
                    ("regionName", name),
                    ("regionEndpoint", region.endpoint),
                    ("optInStatus", _opt_in_status(region.opt_in_status, enabled=name in enabled)),
                )
            )
            for name, region in regions.items()
            if (not names or name in names) and (request.flag("AllRegions") or name in enabled)
        ]
        return lambda: item_set("regionInfo", items)

    def _attach_watermark(self, account: str, request: Request) -> Callable[[], str]:
        record = self._owned(account, request)
        name = request.required("WatermarkName")
        if not _WATERMARK_NAME.fullmatch(name):
            raise EC2Error("InvalidParameterValue", f"Value ({name}) for parameter WatermarkName is invalid.")
        date_rules.check_state(record.image.id, record.image.state)
        # The rules are documented, the codes are our choice.
        if record.image.is_public:
            raise EC2Error("OperationNotPermitted", "Watermarks cannot be added to public AMIs.")
        key = f"{account}:{name}"
        kept = tuple(each for each in record.details.watermarks if each.key != key)
        if len(kept) >= _MAX_WATERMARKS:
            text = f"An AMI can have at most {_MAX_WATERMARKS} watermarks."
            raise EC2Error("ImageWatermarkLimitExceeded", text)

        def carry_out() -> str:
            record.details.watermarks = (*kept, self._state.watermark(record, key))
            return elements([("watermarkKey", key)])

        return carry_out

    def _detach_watermark(self, account: str, request: Request) -> Callable[[], str]:
        """Idempotent: a key that the image does not have is no error."""
        record = self._owned(account, request)
        key = request.required("WatermarkKey")

        def carry_out() -> str:
            record.details.watermarks = tuple(each for each in record.details.watermarks if each.key != key)
            return _RETURN_TRUE

        return carry_out

    def _enable_protection(self, account: str, request: Request) -> Callable[[], str]:
        record = self._owned(account, request)
        date_rules.check_state(record.image.id, record.image.state)

        def carry_out() -> str:
            cooldown = "with" if request.flag("WithCooldown") else "without"
            record.details.deregistration_protection = f"enabled-{cooldown}-cooldown"
            record.details.protected_until = None
            return elements([("return", record.details.deregistration_protection)])

        return carry_out

    def _disable_protection(self, account: str, request: Request) -> Callable[[], str]:
        record = self._owned(account, request)

        def carry_out() -> str:
            if record.details.deregistration_protection == "enabled-with-cooldown":
                record.details.protected_until = self._state.clock.now() + _COOLDOWN
            record.details.deregistration_protection = "disabled"
            return elements([("return", "disabled")])

        return carry_out

    def _check_protection(self, record: Record) -> None:
        """Raise when the image cannot be deregistered. The code is our choice."""
        details = record.details
        until = details.protected_until
        cooling_down = until is not None and self._state.clock.now() < until
        if details.deregistration_protection != "disabled" or cooling_down:
            text = f"The image {record.image.id} is protected from deregistration."
            raise EC2Error("OperationNotPermitted", text)

    def _reset_attribute(self, account: str, request: Request) -> Callable[[], str]:
        record = self._owned(account, request)
        if request.text("Attribute") != "launchPermission":
            raise EC2Error("InvalidParameterValue", "Only launchPermission can be reset")

        def carry_out() -> str:
            record.image.launch_permissions.clear()
            return _RETURN_TRUE

        return carry_out

    def _restore(self, account: str, request: Request) -> Callable[[], str]:
        image_id = request.required("ImageId")
        describe_images.check_id(image_id)
        record = self._state.in_recycle_bin(request.region, image_id)
        if record is None or record.account != account:
            raise describe_images.not_found([image_id])

        def carry_out() -> str:
            self._state.restore(request.region, image_id)
            return _RETURN_TRUE

        return carry_out

    def _after_deregister(self, record: Record) -> None:
        self._state.to_recycle_bin(record)

    def _after_disable(self, record: Record) -> None:
        record.image.launch_permissions.clear()

    def _after_modify(self, record: Record) -> None:
        if record.image.is_public:
            self._state.set_public_date(record)


def _opt_in_status(status: str, *, enabled: bool) -> str:
    if status == "opt-in-not-required":
        return status if enabled else "not-opted-in"
    return "opted-in" if enabled else "not-opted-in"


def _nothing(_: Record) -> None:
    """Moto's effect is all that there is."""


def _stop_dry_run(request: Request) -> None:
    if request.dry_run:
        raise EC2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)
