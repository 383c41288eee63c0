"""The provider: check, diff, create, update, read and delete, as the engine calls them.

Its import path is pickled by reference into every user's state, and any attribute would be too: it
has none, and takes no argument. What a process remembers is a `Run`, which `doors.dynamic` keeps. Only the plugin
imports that: a program declares resources and calls none of these, and its start should not pay for them.
Source: https://www.pulumi.com/docs/iac/guides/building-extending/providers/dynamic-providers/
"""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

__all__ = ["AmiDeprecationProvider"]


class AmiDeprecationProvider(ResourceProvider):
    """Sets, moves and cancels the deprecation date of one image."""

    # There is no secret in a class that is pickled by reference, and a readable state is worth having.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Take the default aws provider's configuration from the stack."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        dynamic.configure(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Bring inputs into their normal form, and say what EC2 would refuse."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        return dynamic.check(_olds, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another image, Region or identity is a replacement; another date is an update."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        return dynamic.diff(_id, _olds, _news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Give the image its date, or adopt the date when the image has it."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        return dynamic.create(props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Move the date in place."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        return dynamic.update(_id, _olds, _news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The date on the image now; an empty id when the image is gone."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        return dynamic.read(id_, props)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Cancel the date that this resource set, or put back the one it found."""
        from .doors import dynamic  # noqa: PLC0415  # lazily: see above

        dynamic.delete(_id, _props)
