"""Text from outside, made safe to show.

Graph, Entra, token files and people decide about many words in our sentences. A terminal acts on control characters,
and a pipeline acts on lines and markers that look like its own commands.
"""

from __future__ import annotations

import re

_REPLACEMENT = "\ufffd"

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, characters that turn the direction of text, and lone surrogates.

No name holds one of them on purpose.
"""

_MARKER = re.compile(r"##(?=\w*\[)")
"""Azure Pipelines reads `##vso[...]` and `##[...]`, TeamCity `##teamcity[...]`, anywhere in a line.

https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""

_COLOR = re.compile(r"<(?=\{%)")
"""Pulumi's engine reads `<{%...%}>` in a message as a colour, and panics at one that it does not know."""

_WORKFLOW_COMMAND = "::"
"""GitHub Actions reads a line that begins with it, after any white space, as a command.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""


def printable(text: str) -> str:
    """The text on one line that a terminal shows and neither a terminal nor a pipeline acts on.

    Each run of white space becomes one space, each other character that cannot be printed (`str.isprintable`) becomes
    U+FFFD, and a space breaks the markers of pipeline commands and of Pulumi's colours. Applying it twice changes
    nothing more.
    """
    shown = text if text.isprintable() else "".join(map(_shown, text))
    line = _COLOR.sub("< ", _MARKER.sub("# #", " ".join(shown.split())))
    return line.replace(_WORKFLOW_COMMAND, ": :", 1) if line.startswith(_WORKFLOW_COMMAND) else line


def without_controls(text: str) -> str:
    """A value from outside as it may be stored: each of `CONTROLS` is U+FFFD, all else stays as it is.

    `pulumi stack output`, and `--diff` for a value of several lines, print values raw.
    """
    return CONTROLS.sub(_REPLACEMENT, text)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else _REPLACEMENT
