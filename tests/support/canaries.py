"""Dynamic providers that show what the SDK does; a plugin process imports them, by the name that is pickled."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, ConfigureRequest, CreateResult, ReadResult, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from ami_deprecation import ImageNotFound


class Canary(ResourceProvider):
    """Answers with what it sees."""

    def configure(self, req: ConfigureRequest) -> None:
        global _region  # noqa: PLW0603  # one of a process
        _region = req.config.get("aws:region")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        given = {key: value for key, value in news.items() if key != "__provider"}
        seen = {f"{key} is": type(value).__name__ for key, value in given.items()}
        unknown = {f"{key} is unknown": pulumi.contains_unknowns(value) for key, value in given.items()}
        return CheckResult({**given, **seen, **unknown, "region": _region}, [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        if "foreign" in props:
            raise LookupError("a fault of another provider")
        if "ours" in props:
            raise ImageNotFound("ami-x is not there: run pulumi refresh")
        return CreateResult("id", {"something": 1, "nothing": None})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        if "as the SDK's default" in props:
            return ReadResult()
        return ReadResult("", {}) if id_ == "gone" else ReadResult(id_, props)


_region: str | None = None


def pickled(provider: ResourceProvider) -> str:
    """What a resource of this provider has as its `__provider`."""
    return str(serialize_provider(provider))
