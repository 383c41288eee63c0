"""A dynamic provider that does nothing: what is left is what Pulumi itself takes.

Its resource has the arguments and outputs of `AmiDeprecation`, and it answers as soon as it is asked.
"""

from __future__ import annotations

from typing import Any

import pulumi  # noqa: TC002  # the SDK reads the annotations
from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

FOUND = {
    "deprecation_time": "2030-06-01T00:00:00Z",
    "image_name": "image-00000",
    "owner_id": "123456789012",
    "creation_date": "2025-06-01T00:00:00Z",
}


class NothingProvider(ResourceProvider):
    """Says yes to everything."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Nothing is wrong."""
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only the date is looked at."""
        return DiffResult(changes=olds["deprecate_at"] != news["deprecate_at"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """It is there."""
        return CreateResult(f"eu-west-1/{props['image_id']}", {**props, **FOUND})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """It is changed."""
        return UpdateResult({**news, **FOUND})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """It is as it was."""
        return ReadResult(id_, props, {key: value for key, value in props.items() if key not in FOUND})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """It is gone."""


class Nothing(Resource, module="bench", name="Nothing"):
    """The arguments and outputs of AmiDeprecation, without what they are for."""

    image_id: pulumi.Output[str]
    deprecate_at: pulumi.Output[str | None]
    deprecate_after_days: pulumi.Output[int | None]
    deprecate_in_days: pulumi.Output[int | None]
    region: pulumi.Output[str]
    profile: pulumi.Output[str | None]
    role_arn: pulumi.Output[str | None]
    on_destroy: pulumi.Output[str]
    deprecation_time: pulumi.Output[str | None]
    image_name: pulumi.Output[str]
    owner_id: pulumi.Output[str]
    creation_date: pulumi.Output[str]
    previous_deprecation_time: pulumi.Output[str | None]

    def __init__(self, resource_name: str, *, image_id: str, deprecate_at: str) -> None:
        """Declare one."""
        given = {"image_id": image_id, "deprecate_at": deprecate_at}
        given |= {"region": "eu-west-1", "on_destroy": "cancel"}
        others = ("deprecate_after_days", "deprecate_in_days", "profile", "role_arn")
        outputs = (*FOUND, "previous_deprecation_time")
        super().__init__(NothingProvider(), resource_name, {**dict.fromkeys((*others, *outputs)), **given})
