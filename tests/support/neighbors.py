"""A resource beside the ones under test, whose create and update work or fail."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class _Provider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("neighbor", self._made(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=olds["fails"] != news["fails"])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(self._made(news))

    @staticmethod
    def _made(props: dict[str, Any]) -> dict[str, Any]:
        if props["fails"]:
            raise ValueError("the neighbor fails")
        return props


class Neighbor(Resource):
    """Depends on nothing, and costs no call to EC2."""

    def __init__(self, name: str, *, fails: bool) -> None:
        super().__init__(_Provider(), name, {"fails": fails})
