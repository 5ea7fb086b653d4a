"""Converts between the engine's property values and plain Python values.

The engine writes values as a protobuf Struct in which unknown values are sentinels, and secrets and assets are objects
with a signature, nested in either order (pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go). Decoded values are
plain: UNKNOWN for an unknown one, the classes of `engine/assets.py` for assets. `secrets`
returns which of them are secret, and `encode` marks these again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from google.protobuf import struct_pb2

from intune_vpp.core.check import trim
from intune_vpp.core.printable import printable
from intune_vpp.core.resource_type import UNKNOWN, Unknown
from intune_vpp.engine import assets, unknowns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_SHORTEST_SECRET = 4
_SIGNATURE = "4dabf18193072939515e22adb298388d"


class _Kind(StrEnum):
    """The signatures that mark an object as a special value (pulumi/pulumi, sdk/go/common/resource/sig)."""

    SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
    OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
    ASSET = "c44067f5952c0a294b673a41bacd8c17"
    ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def decode(properties: struct_pb2.Struct, names: Collection[str] | None = None) -> dict[str, Any]:
    """A property map, or only the members of these names; members that are null are absent."""
    fields = properties.fields
    wanted = fields if names is None else [name for name in names if name in fields]
    # Not `items()`, which takes as long as the rest: every call of the engine passes dozens of members.
    return {name: value for name in wanted if (value := _plain(fields[name])) is not None}


def secrets(properties: struct_pb2.Struct) -> frozenset[str]:
    """The members that are secret or hold something that is."""
    return frozenset(name for name, _ in _secret_members(properties))


def secret_texts(properties: struct_pb2.Struct) -> frozenset[str]:
    """The texts within the members that are secret or hold something that is, also as messages show them."""
    found = [_plain(value) for _, value in _secret_members(properties)]
    return frozenset(text for value in found for text in _texts(value))


def _secret_members(properties: struct_pb2.Struct) -> list[tuple[str, struct_pb2.Value]]:
    # Every call passes here, and few programs mark anything secret: the search of the bytes takes a tenth of the time.
    written = properties.SerializeToString()
    if not any(kind.encode() in written for kind in (_Kind.SECRET, _Kind.OUTPUT)):
        return []
    fields = properties.fields
    return [(name, fields[name]) for name in fields if _holds_secret(fields[name])]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        # Check takes the blanks around names away.
        trimmed = trim(value)
        shown = (value, printable(value), trimmed, printable(trimmed))
        # A shorter one would hide parts of dates and numbers in every message.
        yield from (text for text in shown if len(text) >= _SHORTEST_SECRET)
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def encode(properties: Mapping[str, Any], *, secrets: Collection[str] = ()) -> struct_pb2.Struct:
    """A property map for the engine, with the members named marked secret; members that are None are absent."""
    found = {_encodable(name): _value(one) for name, one in properties.items() if one is not None}
    return struct_pb2.Struct(fields={name: _secret(one) if name in secrets else one for name, one in found.items()})


def _encodable(text: str) -> str:
    """The text with `?` for each lone surrogate. JSON may contain one; protobuf raises at it, and a new id is lost."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _plain(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in unknowns.SENTINELS else value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            items = [_plain(item) for item in value.list_value.values]
            return UNKNOWN if any(item is UNKNOWN for item in items) else items
        case "struct_value":
            return _object(value.struct_value)
        case _:
            return None


def _object(value: struct_pb2.Struct) -> Any:
    members = decode(value)
    match members.get(_SIGNATURE):
        case _Kind.SECRET:
            return members.get("value")
        case _Kind.OUTPUT:
            # An output that is known to be null has the member, one that is not known yet has none.
            return members.get("value") if "value" in value.fields else UNKNOWN
        case _Kind.ASSET:
            return _asset(members)
        case _Kind.ARCHIVE:
            return assets.OtherAsset("AssetArchive")
        case _:
            return members


def _asset(members: dict[str, Any]) -> Any:
    if UNKNOWN in members.values():
        return UNKNOWN
    match members:
        case {"path": str(path)}:
            return assets.FileAsset(path)
        case {"uri": str()}:
            return assets.OtherAsset("RemoteAsset")
        case {"text": str(text)}:
            return assets.StringAsset(text)
        case {"path": _} | {"uri": _} | {"text": _}:
            # The engine never writes this: it stays an object, which Check refuses.
            return members
        case _:
            return assets.StringAsset("")


def _holds_secret(value: struct_pb2.Value) -> bool:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        return any(_holds_secret(item) for item in value.list_value.values)
    if kind != "struct_value":
        return False
    members = value.struct_value.fields
    signature = members[_SIGNATURE].string_value if _SIGNATURE in members else None
    secret_output = signature == _Kind.OUTPUT and "secret" in members and members["secret"].bool_value
    return signature == _Kind.SECRET or secret_output or any(_holds_secret(members[name]) for name in members)


def _secret(value: struct_pb2.Value) -> struct_pb2.Value:
    signature = struct_pb2.Value(string_value=_Kind.SECRET)
    return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={_SIGNATURE: signature, "value": value}))


def _value(value: Any) -> struct_pb2.Value:
    kind: dict[str, Any]
    match value:
        case None:
            kind = {"null_value": struct_pb2.NULL_VALUE}
        case Unknown.UNKNOWN:
            kind = {"string_value": unknowns.to_engine(value)}
        case bool():
            kind = {"bool_value": value}
        case int() | float():
            kind = {"number_value": value}
        case list() | tuple():
            kind = {"list_value": struct_pb2.ListValue(values=[_value(item) for item in value])}
        case dict():
            kind = {"struct_value": encode(value)}
        case _:
            kind = {"string_value": _encodable(str(value))}
    return struct_pb2.Value(**kind)
