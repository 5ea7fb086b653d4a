"""Reads the values of Graph's answers and of states by the kind of their property.

A value that does not fit its kind is dropped from an answer (`core/graph_json.py`), and makes a state invalid
(`core/pulumi_state.py`). So the rest of the provider never receives a number in place of a date.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import times
from intune_vpp.core.resource_type import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from intune_vpp.core.resource_type import Property

    Unfit = Callable[[str, str], None]

LARGEST: Final = 1e308
"""The largest number that is kept: Pulumi stores numbers as doubles, and JSON may contain larger ones."""

DEEPEST: Final = 8
"""The depth of nested lists and objects that is kept in a member that the provider does not know."""

_LARGEST_COUNT = 2**53
"""The largest whole number up to which a double represents every whole number exactly."""

_TEXTS = frozenset({Kind.STRING, Kind.GUID, Kind.CHOICE, Kind.COUNTRY, Kind.FINGERPRINT})
_SURROGATES = re.compile("[\ud800-\udfff]")
_EXPECTED = {
    Kind.BOOL: "a boolean",
    Kind.STRINGS: "a list of strings",
    Kind.COUNT: "a whole number",
    Kind.OBJECT: "an object",
    Kind.OBJECTS: "a list of objects",
}


def read(properties: Iterable[Property], found: Mapping[str, Any], unfit: Unfit) -> dict[str, Any]:
    """Return the members of a JSON object by attribute; one that is absent or does not fit is None.

    `unfit` is called for each member that does not fit, with its name and what it should be, such as `a string`.
    """
    # Most members are absent, and each call of the engine reads dozens: `value` is called for the others only.
    return {
        prop.attribute: value(prop, found[prop.name], unfit) if found.get(prop.name) is not None else None
        for prop in properties
    }


def value(prop: Property, found: object, unfit: Unfit) -> Any:  # noqa: PLR0911 - one for each kind
    """Return the JSON value of a property as the model has it, None if it is absent, was never set or does not fit."""
    if isinstance(found, str) and prop.kind in _TEXTS:
        # Most members of a token, and each call of the engine reads dozens.
        return encodable(found)
    match prop.kind:
        case _ if found is None or prop.kind is Kind.JSON:
            return found
        case Kind.BOOL if isinstance(found, bool):
            return found
        case Kind.TIME if isinstance(found, str):
            return None if times.is_never(found) else encodable(found)
        case Kind.COUNT if _is_whole(found):
            return int(found)  # type: ignore[call-overload]
        case Kind.STRINGS if isinstance(found, (list, tuple)) and all(isinstance(item, str) for item in found):
            return tuple(map(encodable, found))
        case Kind.OBJECT if isinstance(found, dict):
            members = read(prop.members, found, _within(prop, unfit))
            return prop.model(**members) if prop.model else members
        case Kind.OBJECTS if isinstance(found, (list, tuple)):
            return tuple(_item(prop, item, unfit) for item in found if _is_object(prop, item, unfit))
    unfit(prop.name, _EXPECTED.get(prop.kind, "a string"))
    return None


def encodable(text: str) -> str:
    """Replace each lone surrogate, which is valid in JSON and cannot be encoded in UTF-8, with U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _is_whole(found: object) -> bool:
    """Whether a value is a whole number; a state contains all numbers as floats."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return False
    return abs(found) <= _LARGEST_COUNT and found == int(found)


def _within(prop: Property, unfit: Unfit) -> Unfit:
    """Report members of an object with the path to them."""
    return lambda name, expected: unfit(f"{prop.name}.{name}", expected)


def _is_object(prop: Property, item: object, unfit: Unfit) -> bool:
    if isinstance(item, dict):
        return True
    unfit(prop.name, _EXPECTED[Kind.OBJECTS])
    return False


def _item(prop: Property, item: Mapping[str, Any], unfit: Unfit) -> dict[str, Any]:
    """Read one object of a list: known members by their kind, the others as plain JSON."""
    known = [member for member in prop.members if member.name in item]
    unknown = {name: found for name, found in item.items() if all(name != member.name for member in known)}
    plain = _plain(unknown, DEEPEST)
    if plain != unknown:
        unfit(prop.name, "plain JSON")
    return {**plain, **{member.name: value(member, item[member.name], _within(prop, unfit)) for member in known}}


def _plain(found: object, depth: int) -> Any:
    """Return a value that every JSON parser accepts: a number that is too large, or a value too deep, is None."""
    match found:
        case str():
            return encodable(found)
        case bool():
            return found
        case int() | float():
            return found if -LARGEST <= found <= LARGEST else None
        case list() if depth:
            return [_plain(item, depth - 1) for item in found]
        case dict() if depth:
            return {encodable(name): _plain(item, depth - 1) for name, item in found.items()}
        case _:
            return None
