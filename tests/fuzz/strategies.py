"""Answers and states that are odd, but near to real ones: a few members of a real document are something else."""

from __future__ import annotations

import copy
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from core.strategies import LATIN, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
EVERYDAY = 25
"""Examples of each test in an everyday run; the profile `thorough` says how many else."""

fuzzed = settings(
    max_examples=settings.default.max_examples if THOROUGH else EVERYDAY,  # type: ignore[union-attr]
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

CANARY = "hunter2"
"""What must not be reported when it stands where no text belongs."""

_USABLE = re.compile(r"[!-~]{1,1000}")


@dataclass(frozen=True)
class Raw:
    """A piece of JSON that no Python value is written as."""

    text: str


@dataclass(frozen=True)
class Odd:
    """Something else at one place of a document, None to leave it out; with a name, a member more."""

    where: int
    value: Any
    name: str | None = None


@dataclass(frozen=True)
class Spelling:
    """How a document becomes bytes: in an encoding, with bytes in the middle, and cut off; or bytes of their own."""

    encoding: str = "utf-8"
    at: int = 0
    inserted: bytes = b""
    end: int | None = None
    instead: bytes | None = None

    @property
    def is_intact(self) -> bool:
        """Whether the document is still what the bytes say."""
        return self.encoding.startswith("utf-8") and not self.inserted and self.end is None and self.instead is None

    def bytes_of(self, document: object) -> bytes:
        """The document, spelled so."""
        if self.instead is not None:
            return self.instead
        content = written(document).encode(self.encoding)
        at = self.at % (len(content) + 1)
        return (content[:at] + self.inserted + content[at:])[: self.end]


NUMBERS = [
    Raw(text) for text in ("1e400", "-1e400", "NaN", "-Infinity", "9" * 400, "-" + "9" * 5000, "1E-400", "1e308")
]
DEEP = [Raw("[" * depth + "]" * depth) for depth in (9, 60, 300)] + [Raw('{"a":' * 60 + "1" + "}" * 60)]
LETTERS = [Raw(r'"\ud800"'), Raw(r'"a\udfffb"'), Raw(r'"\u202e"'), Raw(r'{"\ud800": "\udc00"}')]
PLAIN: list[Any] = [
    *(None, True, False, 0, 7, -1, 7.5, 2**53 + 1, "", " ", "text", "a\nb", "\x00", "\x1b[31m", "x" * 1001),
    *([], [None], [[]], ["a", 7], {}, {CANARY: CANARY}, [{CANARY: CANARY}], {"value": []}, {"a": [{}]}),
    *NEVER,
    *("9999-12-31T23:59:59.9999999-14:00", "2027-11-01T12:00:00", "2027-11-01T12:00:00Z"),
    *("inProgress", "completed", "failed", "done", "active", "invalid", "assignedToExternalMDM"),
]
STATE_VALUES = st.sampled_from(PLAIN) | st.floats() | LATIN
"""What a state can hold: it went through protobuf."""

ANSWER_VALUES = st.sampled_from([*PLAIN, *NUMBERS, *DEEP, *LETTERS]) | st.integers() | st.floats()
"""What JSON can spell."""


def _odds(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Odd]]:
    names = st.none() | st.sampled_from(["value", "error", "@odata.type", "@odata.nextLink", "unheardOf", "__proto__"])
    return st.lists(st.builds(Odd, st.integers(0, 200), values, names), min_size=1, max_size=3)


ANSWERS = _odds(ANSWER_VALUES)
STATES = _odds(STATE_VALUES)
SPELLINGS = st.one_of(
    *[st.just(Spelling())] * 4,
    st.sampled_from([Spelling("utf-8-sig"), Spelling("utf-16"), Spelling("utf-32-be"), Spelling("utf-7")]),
    st.builds(Spelling, at=st.integers(0, 500), inserted=st.binary(min_size=1, max_size=3)),
    st.builds(Spelling, end=st.integers(0, 500)),
    st.builds(
        Spelling,
        instead=st.binary(max_size=60)
        | st.sampled_from([b"[" * 200_000, b'{"id":' * 50_000, b"9" * 5000, b"<html>", b'"\xff"', b"null", b"{}"]),
    ),
)


def changed(document: Any, odds: list[Odd], *, within: bool = False) -> Any:
    """A copy of a document with these changes; those `within` leave the whole of it what it was."""
    made = [copy.deepcopy(document)]
    for odd in odds:
        places = list(_places(made[0] if within else made))
        if not places:
            made[0][odd.name or "unheardOf"] = copy.deepcopy(odd.value)
            continue
        holder, key = places[odd.where % len(places)]
        if odd.name is not None and isinstance(holder[key], dict):
            holder[key][odd.name] = copy.deepcopy(odd.value)
        elif odd.value is None and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(odd.value)
    return made[0]


def _places(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a document, the whole of it among them, as what holds it and by which key."""
    for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
        yield holder, key
        if isinstance(holder[key], (dict, list)):
            yield from _places(holder[key])


def written(value: Any) -> str:
    """A document as JSON, odd pieces as they are."""
    match value:
        case Raw():
            return value.text
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {written(member)}" for name, member in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case _:
            return json.dumps(value)


def usable_id(document: object) -> str | None:
    """The id that an answer holds and that must not be lost, by other words than the provider's."""
    found = document.get("id") if isinstance(document, dict) else None
    is_usable = isinstance(found, str) and _USABLE.fullmatch(found) and set(found) != {"."}
    return found if is_usable else None
