"""Parses the JSON body of an answer without raising, whatever the body is."""

from __future__ import annotations

import json
import math

_LONGEST_INTEGER = 300
"""Digits. Python converts no more than 4,300, and no double has more than 309."""


def parse(content: str | bytes) -> object:
    """The JSON value; None for text that is not JSON, or is nested too deeply for Python.

    One malformed member must not cost the others, such as the id of a token that was just created: an integer with too
    many digits is read as infinity, and bytes that are not UTF-8 as U+FFFD.
    """
    text = content.decode("utf-8-sig", errors="replace") if isinstance(content, bytes) else content
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf
