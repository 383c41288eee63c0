"""The calls that moto lacks, and the rules that it leaves out of those it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_deprecation.testing import describe, references, render, rules, world
from ami_deprecation.testing.wire import EC2Error, Reply, success

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_deprecation.testing.faults import Faults
    from ami_deprecation.testing.references import References
    from ami_deprecation.testing.wire import Request
    from ami_deprecation.testing.world import Found, World

_TRUE = "<return>true</return>"


class Actions:
    """EC2's image calls over `World`. Call with `World.lock` held."""

    def __init__(self, state: World, faults: Faults, registered: References) -> None:
        """Serve the images of `state`; `faults` says which reads lag behind."""
        self._state, self._faults, self._references = state, faults, registered
        self._pages = describe.Pages()
        self._own: dict[str, Callable[[str, Request], str]] = {
            "DescribeImageReferences": self._describe_references,
            "DescribeImages": self._describe,
            "DisableImageDeprecation": self._disable_deprecation,
            "EnableImageDeprecation": self._enable_deprecation,
            "ResetImageAttribute": self._reset_attribute,
            "RestoreImageFromRecycleBin": self._restore,
        }
        # What moto does, within EC2's rules: who may, and what follows for the date.
        self._moto: dict[str, Callable[[Found], None]] = {
            "DeregisterImage": self._after_deregister,
            "DisableImage": self._after_disable,
            "EnableImage": _nothing,
            "ModifyImageAttribute": self._after_modify,
        }

    def answer(self, account: str, request: Request, moto: Callable[[], Reply]) -> Reply:
        """Answer one EC2 call, by ourselves or through moto.

        Raises:
            EC2Error: the call is refused.
        """
        own = self._own.get(request.action)
        if own is not None:
            return success(request.action, own(account, request))
        after = self._moto.get(request.action)
        if after is None:
            return moto()
        found = self._owned(account, request)
        reply = moto()
        if reply.error_code is None:
            after(found)
        return reply

    def _owned(self, account: str, request: Request) -> Found:
        """Return the image that a changing call names, which only its owner may change."""
        image_id = request.text("ImageId")
        if image_id is None:
            raise EC2Error("MissingParameter", "The request must contain the parameter ImageId")
        describe.check_id(image_id)
        found = self._state.find(request.region, image_id)
        if found is None:
            if self._state.was_deregistered(request.region, image_id):
                rules.check_state(image_id, world.DEREGISTERED)
            # The wording differs from DescribeImages' (hashicorp/packer-plugin-amazon#259).
            raise EC2Error("InvalidAMIID.NotFound", f"Invalid ImageId: {image_id}")
        if found.account != account:
            # No public page shows what the deprecation calls say here; ModifyImageAttribute says this.
            raise EC2Error("AuthFailure", f"Not authorized for image:{image_id}", 403)
        return found

    def _enable_deprecation(self, account: str, request: Request) -> str:
        found = self._owned(account, request)
        text = request.text("DeprecateAt")
        if text is None:
            raise EC2Error("MissingParameter", "The request must contain the parameter DeprecateAt")
        rules.check_state(found.image.id, found.image.state)
        when = rules.to_minute(rules.parse_time(text))
        rules.check_date(
            when,
            now=self._state.clock.now(),
            created=world.utc(found.image.creation_date),
            public=found.image.is_public,
            current=found.facts.deprecation_time,
        )
        _stop_dry_run(request)
        self._faults.wrote(found.region, found.image.id, found.facts.deprecation_time)
        found.facts.deprecation_time = when
        return _TRUE

    def _disable_deprecation(self, account: str, request: Request) -> str:
        found = self._owned(account, request)
        rules.check_state(found.image.id, found.image.state)
        rules.check_cancel(public=found.image.is_public, current=found.facts.deprecation_time)
        _stop_dry_run(request)
        self._faults.wrote(found.region, found.image.id, found.facts.deprecation_time)
        # Without a date nothing happens, and EC2 says true. (A guess: no page tells.)
        found.facts.deprecation_time = None
        return _TRUE

    def _describe(self, account: str, request: Request) -> str:
        _stop_dry_run(request)
        page, token = self._pages.page(self._state, account, request)
        items: list[str] = []
        for found in page:
            view = self._faults.view(request.region, found.image.id, found.facts.deprecation_time)
            if view.unknown and request.image_ids:
                raise describe.not_found([found.image.id])
            if view.shown:
                items.append(render.image(found, view.deprecation_time))
        after = f"<nextToken>{token}</nextToken>" if token else ""
        return f"<imagesSet>{''.join(items)}</imagesSet>{after}"

    def _describe_references(self, account: str, request: Request) -> str:
        _stop_dry_run(request)
        return references.answer(self._state, self._references, account, request)

    def _reset_attribute(self, account: str, request: Request) -> str:
        found = self._owned(account, request)
        if request.text("Attribute") != "launchPermission":
            raise EC2Error("InvalidParameterValue", "Only launchPermission can be reset")
        _stop_dry_run(request)
        found.image.launch_permissions.clear()
        return _TRUE

    def _restore(self, account: str, request: Request) -> str:
        image_id = request.text("ImageId") or ""
        describe.check_id(image_id)
        kept = self._state.in_bin(request.region, image_id)
        if kept is None or kept.account != account:
            raise describe.not_found([image_id])
        _stop_dry_run(request)
        self._state.restore(request.region, image_id)
        return _TRUE

    def _after_deregister(self, found: Found) -> None:
        self._state.keep_for_restore(found)

    def _after_disable(self, found: Found) -> None:
        found.image.launch_permissions.clear()

    def _after_modify(self, found: Found) -> None:
        if found.image.is_public:
            self._state.set_public_date(found.region, found.image)


def _nothing(_: Found) -> None:
    """Leave it at what moto did."""


def _stop_dry_run(request: Request) -> None:
    if request.flag("DryRun", "dryRun"):
        raise EC2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)
