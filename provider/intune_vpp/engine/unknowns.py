"""Converts between UNKNOWN and the engine's sentinels for values that are not known before the update.

The engine has one sentinel for each type (pulumi/pulumi, pkg/resource/plugin/rpc.go).
"""

from __future__ import annotations

from typing import Any

from intune_vpp.core.resource_type import UNKNOWN

STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

SENTINELS = frozenset(
    {
        STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The sentinels of strings, booleans, numbers, arrays, assets, archives and objects, in this order."""


def from_engine(value: Any) -> Any:
    """Return a value with UNKNOWN for each sentinel; a list with an unknown item is unknown as a whole."""
    if isinstance(value, str):
        return UNKNOWN if value in SENTINELS else value
    if isinstance(value, list):
        items = [from_engine(item) for item in value]
        return UNKNOWN if any(item is UNKNOWN for item in items) else items
    if isinstance(value, dict):
        return {name: from_engine(item) for name, item in value.items()}
    return value


def to_engine(value: Any) -> Any:
    """Return a value with the sentinel of strings, which the engine accepts for any type, for each UNKNOWN."""
    if value is UNKNOWN:
        return STRING
    if isinstance(value, dict):
        return {name: to_engine(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_engine(item) for item in value]
    return value
