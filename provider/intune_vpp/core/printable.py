"""Makes text from outside safe to print.

Our sentences quote Graph, Entra, token files and inputs. A terminal interprets control characters, and a pipeline
interprets lines and markers that look like its own commands.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import zip_longest
from typing import Any

_REPLACEMENT = "\ufffd"

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, characters that change the text direction, lone surrogates.

No name contains one of them on purpose.
"""

_INVISIBLE = re.compile(r"[\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f]")
"""Joiners, fillers and variation selectors: invisible, although Unicode counts them among letters and marks."""

_MARKER = re.compile(r"##(?=\w*\[)")
"""Azure Pipelines reads `##vso[...]` and `##[...]`, TeamCity `##teamcity[...]`, anywhere in a line.

https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""

_COLOR = re.compile(r"<(?=\{%)")
"""Pulumi's engine reads `<{%...%}>` in a message as a colour, and panics at an unknown one."""

_WORKFLOW_COMMAND = "::"
"""GitHub Actions reads a line that begins with it, after optional white space, as a command.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""


def printable(text: str) -> str:
    """The text as one line in which neither a terminal nor a pipeline finds a command.

    Each run of white space becomes one space, each other character that is not printable (`str.isprintable`) becomes
    U+FFFD, and a space breaks the markers of pipeline commands and of Pulumi's colours. The function is idempotent.
    """
    shown = text if text.isprintable() else "".join(map(_shown, text))
    line = _COLOR.sub("< ", _MARKER.sub("# #", " ".join(shown.split())))
    return line.replace(_WORKFLOW_COMMAND, ": :", 1) if line.startswith(_WORKFLOW_COMMAND) else line


def without_controls(value: Any) -> Any:
    """A JSON value from outside for the state: in each text in it, each of `CONTROLS` becomes U+FFFD.

    The engine prints values of the state raw (`pulumi stack output`, and `--diff` for a value of several lines).
    """
    match value:
        case str():
            return CONTROLS.sub(_REPLACEMENT, value)
        case tuple() | list():
            return type(value)(without_controls(item) for item in value)
        case dict():
            return {without_controls(name): without_controls(item) for name, item in value.items()}
        case _:
            return value


def look_alike(one: str, other: str) -> str:
    """Return a sentence, after a blank, that names the first difference of two names that look the same; else empty."""
    if one == other or _look(one) != _look(other):
        return ""
    pairs = enumerate(zip_longest(one, other), start=1)
    place, first, second = next((place, *pair) for place, pair in pairs if pair[0] != pair[1])
    return f" The names look the same, but differ at character {place}: {_name(first)} and {_name(second)}."


def _look(name: str) -> str:
    """Return a form that is equal for names that look the same: letters composed, blanks alike, nothing invisible."""
    composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", name))
    return " ".join("".join(one for one in composed if unicodedata.category(one) != "Cf").split())


def _name(character: str | None) -> str:
    if character is None:
        return "the end of the name"
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    return f"{name} ({code})" if name else code


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else _REPLACEMENT
