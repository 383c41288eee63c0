"""The resource ``ami-deprecation:index:AmiDeprecation``: the verbs of its life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.runtime.proto import provider_pb2 as pb

from ...core import inputs, keys, lifecycle, state
from ...core.inputs import UNKNOWN
from ...errors import InvalidInput
from .. import names, verbs
from . import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.run import Run

#: Known after an update whatever happens, so a preview that does not know one shows it as unknown.
_ALWAYS_KNOWN = (keys.LIVE_KEY, keys.NAME_KEY, keys.OWNER_KEY, keys.CREATED_KEY)
_INPUTS = [each.camel for each in inputs.DEFINITIONS]
_KINDS = pb.PropertyDiff
#: (was there, is there, replaces) -> how the engine shows a property.
_KIND = {
    (False, True, False): _KINDS.ADD,
    (False, True, True): _KINDS.ADD_REPLACE,
    (True, False, False): _KINDS.DELETE,
    (True, False, True): _KINDS.DELETE_REPLACE,
    (True, True, False): _KINDS.UPDATE,
    (True, True, True): _KINDS.UPDATE_REPLACE,
}


def check(run: Run, request: Any) -> pb.CheckResponse:
    """Check one resource's inputs."""
    wrong = _unknown_properties(wire.values(request.news), wire.values(request.olds))
    if wrong:
        return pb.CheckResponse(inputs=request.news, failures=wrong)
    news = wire.properties(request.news) | {keys.RESOURCE_KEY: names.resource_of(request.urn)}
    checked, problems = verbs.check(run, wire.properties(request.olds), news)
    return pb.CheckResponse(
        inputs=wire.camel_message(checked, wire.secrets(request.news)),
        failures=[
            pb.CheckFailure(
                property=names.CAMEL.get(each.property, each.property), reason=names.in_camel(each.sentence)
            )
            for each in problems
        ],
    )


def _unknown_properties(news: Mapping[str, object], olds: Mapping[str, object]) -> list[pb.CheckFailure]:
    """Refuse a property that does not exist: a program without a generated SDK may have misspelled one that does."""
    return [
        pb.CheckFailure(property=key, reason=f"there is no such property: {inputs.meant(key, _INPUTS)}")
        for key in news
        # The engine hands back what the last check answered, for properties under ignoreChanges.
        if key not in names.CAMEL.values() and not key.startswith("__") and key not in olds
    ]


def diff(run: Run, request: Any) -> pb.DiffResponse:
    """Compare the last run's outputs with the checked inputs."""
    news = wire.properties(request.news)
    change = verbs.diff(
        run,
        request.id,
        wire.properties(request.olds),
        news,
        ignored=names.in_python(request.ignoreChanges),
        moves=names.is_python(wire.values(request.olds)),
    )
    if not change.changes:
        return pb.DiffResponse(changes=pb.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    detailed = _detailed(wire.properties(request.old_inputs), news, change.replaces)
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME,
        replaces=[names.CAMEL.get(key, key) for key in change.replaces],
        diffs=list(detailed),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        # Create first: a delete that comes first would cancel a date that may have passed.
        deleteBeforeReplace=False,
    )


def _detailed(
    olds: Mapping[str, object], news: Mapping[str, object], replaces: tuple[str, ...]
) -> dict[str, pb.PropertyDiff]:
    """The inputs that a reader sees change."""
    return {
        names.CAMEL.get(key, key): _KINDS(
            kind=_KIND[key in olds, key in news, key in replaces], inputDiff=True
        )
        for key in sorted({*olds, *news})
        if not key.startswith("__") and olds.get(key) != news.get(key)
    }


def create(run: Run, request: Any) -> pb.CreateResponse:
    """Give the image its date."""
    news, secrets = wire.properties(request.properties), wire.secrets(request.properties)
    if request.preview:
        return pb.CreateResponse(properties=wire.camel_message(_expected(news), secrets))
    id_, outs = verbs.create(run, news, request.timeout or None)
    return pb.CreateResponse(id=id_, properties=wire.camel_message(outs, secrets))


def update(run: Run, request: Any) -> pb.UpdateResponse:
    """Move the date in place."""
    olds, news, secrets = (
        wire.properties(request.olds),
        wire.properties(request.news),
        wire.secrets(request.news),
    )
    if request.preview:
        return pb.UpdateResponse(properties=wire.camel_message(_expected(news), secrets))
    outs = verbs.update(run, request.id, olds, news, request.timeout or None)
    return pb.UpdateResponse(properties=wire.camel_message(outs, secrets))


def _expected(checked: Mapping[str, object]) -> Mapping[str, object]:
    """What a preview knows of the outputs: what the check has read."""
    return dict.fromkeys(_ALWAYS_KNOWN, UNKNOWN) | dict(checked)


def read(run: Run, request: Any) -> pb.ReadResponse:
    """Read the image: of a resource in the state (refresh), or of one that is to be (import, get)."""
    known = wire.properties(request.properties)
    if known:
        live = verbs.read(run, request.id, known)
        id_ = request.id
    else:
        imported = lifecycle.take_over(run, _imported(request))
        live, id_ = state.refreshed(imported), verbs.id_of(imported)
    if live is None:
        return pb.ReadResponse()
    live_inputs, outs = live
    secrets = wire.secrets(request.properties, request.inputs)
    return pb.ReadResponse(
        id=id_,
        inputs=wire.camel_message(live_inputs, secrets),
        properties=wire.camel_message(outs, secrets),
    )


def _imported(request: Any) -> inputs.Inputs:
    """The inputs of a resource that is known by its id only: ``eu-west-1/ami-…``, or an image id in the Region in force."""
    region, _, image_id = request.id.rpartition("/")
    if not inputs.IMAGE_ID.fullmatch(image_id):
        raise InvalidInput(
            f"{request.id!r} is not the id of a resource: it is REGION/IMAGE, like eu-west-1/ami-0123456789abcdef0, or an image "
            "in the provider's Region"
        )
    return inputs.Inputs(image_id, UNKNOWN, region=region or None, resource=names.resource_of(request.urn))


def delete(run: Run, request: Any) -> None:
    """Cancel the date, or put back the one that was found."""
    verbs.delete(run, request.id, wire.properties(request.properties), names.resource_of(request.urn))
