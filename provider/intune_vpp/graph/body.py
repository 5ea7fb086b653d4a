"""The JSON in the body of an answer, whatever it is: nothing here raises."""

from __future__ import annotations

import json
import math

_LONGEST_INTEGER = 300
"""Digits. Python converts no more than 4,300, and no double has more than 309."""


def parse(content: str | bytes) -> object:
    """The JSON value, None where there is none.

    One odd member must not cost the rest, such as the id of a token that was just created: an integer beyond all
    measure is read as infinite, and bytes that are no UTF-8 as U+FFFD. What is nested too deeply for Python is no JSON.
    """
    text = content.decode("utf-8-sig", errors="replace") if isinstance(content, bytes) else content
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf
