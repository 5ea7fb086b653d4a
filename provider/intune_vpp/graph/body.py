"""Parses the JSON body of an answer without raising, whatever the body is."""

from __future__ import annotations

import json
import math

_LONGEST_INTEGER = 300
"""Digits. Python converts no more than 4,300, and no double has more than 309."""

_DEEPEST = 64
"""Levels of lists and objects. Graph's answers have fewer than 10, and recursive code needs a limit."""

_MOST_CONTAINERS = 50_000
"""Lists and objects. 2 MB of empty ones take over 50 MB of memory. A page of 1,000 tokens has fewer than 10,000."""

EXCESSIVE = object()
"""What `parse` returns for JSON with too many lists and objects, or too many levels of them."""


def parse(content: str | bytes) -> object:
    """Return the JSON value; None for text that is not JSON, and `EXCESSIVE` for JSON that is not parsed.

    One malformed member must not cost the others, such as the id of a token that was just created: an integer with too
    many digits is read as infinity, and bytes that are not UTF-8 as U+FFFD.
    """
    text = content.decode("utf-8-sig", errors="replace") if isinstance(content, bytes) else content
    if text.count("[") + text.count("{") > _MOST_CONTAINERS:
        return EXCESSIVE
    try:
        found = json.loads(text, parse_int=_integer)
    except RecursionError:
        return EXCESSIVE
    except ValueError:
        return None
    return EXCESSIVE if _is_deep(found) else found


def _is_deep(found: object) -> bool:
    level = [found]
    for _ in range(_DEEPEST):
        containers = [one for one in level if isinstance(one, dict | list)]
        if not containers:
            return False
        level = [child for one in containers for child in (one.values() if isinstance(one, dict) else one)]
    return any(isinstance(one, dict | list) for one in level)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf
