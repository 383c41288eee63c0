"""Values as the protocol carries them <-> plain values of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from ...core.inputs import UNKNOWN
from .. import names

if TYPE_CHECKING:
    from collections.abc import Mapping


def values(message: Struct) -> dict[str, object]:
    """What a message holds: unknown values as the core's UNKNOWN, secrets in clear, whole numbers as integers."""
    return {key: _value(value) for key, value in MessageToDict(message).items()}


def _value(value: object) -> object:
    if value == rpc.UNKNOWN:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, dict):
        if rpc.is_rpc_secret(value):
            return _value(rpc.unwrap_rpc_secret(value))
        if value.get(rpc._special_sig_key) == rpc._special_output_value_sig:  # noqa: SLF001  # the SDK has no function for it
            return _value(value.get("value", rpc.UNKNOWN))
        return {key: _value(each) for key, each in value.items()}
    return value


def has_unknown(value: object) -> bool:
    """Whether a part of a value is not known yet."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    return any(map(has_unknown, value)) if isinstance(value, list) else value is UNKNOWN


def properties(message: Struct) -> dict[str, object]:
    """A resource's properties under Python's names; without what the dynamic provider keeps for itself."""
    props = names.to_python(values(message))
    props.pop("__provider", None)
    return props


def message(props: Mapping[str, object], secrets: tuple[str, ...] = ()) -> Struct:
    """Plain values as a message, these keys as secrets."""
    carried = {key: rpc.UNKNOWN if value is UNKNOWN else value for key, value in props.items()}
    wrapped = {key: rpc.wrap_rpc_secret(value) if key in secrets else value for key, value in carried.items()}
    made = Struct()
    made.update(wrapped)
    return made


def secrets(*messages: Struct) -> tuple[str, ...]:
    """The keys whose values are secrets: what a program has marked so stays so in what this provider answers."""
    return tuple(
        key
        for each in messages
        for key, value in MessageToDict(each).items()
        if rpc.is_rpc_secret(value) or (isinstance(value, dict) and value.get("secret") is True)
    )


def camel_message(props: Mapping[str, object], secrets: tuple[str, ...] = ()) -> Struct:
    """A resource's properties under Pulumi's names, these of them as secrets."""
    return message(names.to_camel(props), secrets)
