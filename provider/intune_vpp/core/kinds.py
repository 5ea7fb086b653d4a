"""Reads the values of Graph's answers and of states by the kind of their property.

A value that does not fit its kind is dropped from an answer (`core/graph_json.py`), and makes a state invalid
(`core/pulumi_state.py`). So the rest of the provider never receives a number in place of a date.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core import times
from intune_vpp.core.resource_type import Kind, camel_case
from intune_vpp.core.vpp_token import ACTION_RESULT, TokenFile

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

_SURROGATES = re.compile("[\ud800-\udfff]")
_RESULT_MEMBERS = {prop.name: prop for prop in ACTION_RESULT}
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
    return {prop.attribute: value(prop.kind, prop.name, found.get(prop.name), unfit) for prop in properties}


def value(kind: Kind, name: str, found: object, unfit: Unfit) -> Any:  # noqa: PLR0911 - one for each kind
    """Return a JSON value as the model has it, None if it is absent, was never set or does not fit."""
    match kind:
        case _ if found is None or kind is Kind.JSON:
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
            return _token_file(name, found, unfit)
        case Kind.OBJECTS if isinstance(found, (list, tuple)):
            return tuple(_result(name, item, unfit) for item in found if _is_object(name, item, unfit))
        case _ if kind not in _EXPECTED and isinstance(found, str):
            return encodable(found)
    unfit(name, _EXPECTED.get(kind, "a string"))
    return None


def encodable(text: str) -> str:
    """Replace each lone surrogate, which is valid in JSON and cannot be encoded in UTF-8, with U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def _is_whole(found: object) -> bool:
    """Whether a value is a whole number; a state contains all numbers as floats."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return False
    return abs(found) <= _LARGEST_COUNT and found == int(found)


def _token_file(name: str, found: Mapping[str, Any], unfit: Unfit) -> TokenFile:
    members = {
        attribute: value(Kind.STRING, f"{name}.{camel_case(attribute)}", found.get(camel_case(attribute)), unfit)
        for attribute in TokenFile.__slots__
    }
    return TokenFile(**{**members, "fingerprint": members["fingerprint"] or ""})


def _is_object(name: str, item: object, unfit: Unfit) -> bool:
    if isinstance(item, dict):
        return True
    unfit(name, _EXPECTED[Kind.OBJECTS])
    return False


def _result(name: str, item: Mapping[str, Any], unfit: Unfit) -> dict[str, Any]:
    """Read one of `tokenActionResults`: known members by their kind, the others as plain JSON."""
    unknown = {member: found for member, found in item.items() if member not in _RESULT_MEMBERS}
    plain = _plain(unknown, DEEPEST)
    if plain != unknown:
        unfit(name, "plain JSON")
    known = {
        member: value(prop.kind, f"{name}.{member}", item[member], unfit)
        for member, prop in _RESULT_MEMBERS.items()
        if member in item
    }
    return {**plain, **known}


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
