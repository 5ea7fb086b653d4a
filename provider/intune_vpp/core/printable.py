"""Makes text from outside safe to print.

Our sentences quote Graph, Entra, token files and inputs. A terminal interprets control characters, and a pipeline
interprets lines and markers that look like its own commands.
"""

from __future__ import annotations

import re
from typing import Any

_REPLACEMENT = "\ufffd"

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, characters that change the text direction, lone surrogates.

No name contains one of them on purpose.
"""

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


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else _REPLACEMENT
