"""OData's resource paths: key segments, parentheses, namespaces and function arguments in one form.

`/vppTokens('1')/microsoft.graph.syncLicenses/` and `/vppTokens/1/syncLicenses` are the same resource.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .edm import unqualified

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT: Final = r"'((?:[^']|'')*)'"
_CALL: Final = re.compile(r"([\w.]+)\((.*)\)", re.ASCII | re.DOTALL)
_KEY: Final = re.compile(_TEXT, re.DOTALL)
_ARGUMENT: Final = re.compile(rf"\s*(\w+)={_TEXT}\s*(?:,|$)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as it was sent; `name` is without a namespace, `arguments` are those of a function."""

    text: str
    name: str
    arguments: Mapping[str, str] | None = None


def segments(path: str) -> list[Segment]:
    """The segments of a path below the version. A trailing slash changes nothing."""
    # a guess: path-forms
    return [segment for text in _split(path.removesuffix("/")) for segment in _read(text)]


def _split(path: str) -> list[str]:
    """The texts between the slashes that are not in quotes."""
    texts, quoted = [""], False
    for letter in path:
        quoted ^= letter == "'"
        if letter == "/" and not quoted:
            texts.append("")
        else:
            texts[-1] += letter
    return texts


def _read(text: str) -> list[Segment]:
    call = _CALL.fullmatch(text)
    if call is None:
        return [Segment(text, unqualified(text))]
    name, inner = call.groups()
    key = _KEY.fullmatch(inner)
    if key is not None:
        literal = _unquoted(key[1])
        return [Segment(name, unqualified(name)), Segment(literal, literal)]
    return [Segment(text, unqualified(name), _arguments(inner))]


def _arguments(inner: str) -> dict[str, str]:
    """The arguments by name, all of them texts; none where one cannot be read, so that they fit no function."""
    arguments, position = {}, 0
    while position < len(inner):
        argument = _ARGUMENT.match(inner, position)
        if argument is None:
            return {}
        arguments[argument[1]] = _unquoted(argument[2])
        position = argument.end()
    return arguments


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
