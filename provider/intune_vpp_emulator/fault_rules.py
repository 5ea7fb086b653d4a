"""The rules of scripted faults: one table of their members, which validates, documents and explains them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODILESS: Final = frozenset({204, 205, 304})
"""The statuses whose answers have no body."""

ALWAYS: Final = "always"
"""The `times` of a rule that is never used up."""

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_LONGEST_DELAY: Final = 3600
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
_OF_THE_CONNECTION: Final = frozenset({"content-length", "transfer-encoding", "connection"})


class UnusableRuleError(ValueError):
    """A rule that cannot be applied; the text is a sentence that says why."""


class When(StrEnum):
    """Whether the fault comes before the tenant has executed the request, or after."""

    BEFORE = "before"
    AFTER = "after"


class Drop(StrEnum):
    """How a connection ends."""

    CLOSE = "close"
    RESET = "reset"


class Pages(StrEnum):
    """Why the pages of a collection never end."""

    ENDLESS = "endless"
    SAME = "same"


class Part(StrEnum):
    """What a member of a rule is about."""

    REQUEST = "request"
    """Which requests the rule is for."""
    COUNT = "count"
    """How often it applies; of all rules."""
    EFFECT = "effect"
    """What happens; a rule for requests has at least one."""
    DETAIL = "detail"
    """More about an effect."""
    END = "end"
    """What a sync or a revocation ends in; such a rule has no other effect and no request."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The values of a member: a check, and the words for the values that pass it."""

    fits: Callable[[object], bool]
    words: str


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_count(value: object, least: int = 1, most: int | None = None) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return is_whole and least <= value and (most is None or value <= most)  # type: ignore[operator]


def _number(least: float, most: float, words: str) -> Kind:
    return Kind(lambda value: _is_number(value, least, most), words)


def _count(least: int, most: int | None = None) -> Kind:
    to = " on" if most is None else f" to {most}"
    return Kind(lambda value: _is_count(value, least, most), f"a whole number from {least}{to}")


def _one_of(values: tuple[str, ...] | type[StrEnum]) -> Kind:
    texts = tuple(str(one) for one in values)
    words = " or ".join(texts) if len(texts) < 3 else f"one of {', '.join(texts)}"  # noqa: PLR2004 - two are "a or b"
    return Kind(texts.__contains__, words)


def _are_headers(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and isinstance(text, str)
        and _HEADER_NAME.fullmatch(name)
        and name.lower() not in _OF_THE_CONNECTION
        and _HEADER_VALUE.fullmatch(text)
        for name, text in value.items()
    )


def _is_result(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value != {}
        and all(isinstance(value.get(name, ""), str) for name in ("actionState", "actionFailureReason"))
        and all(_is_count(value.get(name, 0), least=0) for name in ("failedLicensesCount", "totalLicensesCount"))
    )


def _member(  # noqa: PLR0913 - the columns of the table
    part: Part, kind: Kind, help_text: str, *, default: Any = None, only_with: str = "", of_body: bool = False
) -> Any:
    """A member; `only_with` names another that it needs, and `of_body` says that it needs an answer with a body."""
    columns = {"part": part, "kind": kind, "help": help_text, "only_with": only_with, "of_body": of_body}
    return field(default=default, metadata=columns)


_PATH: Final = Kind(
    lambda value: isinstance(value, str) and value.startswith(("/", "*")), "a glob that begins with / or *"
)
_TIMES: Final = Kind(lambda value: value == ALWAYS or _is_count(value), f"a whole number from 1 on, or {ALWAYS}")
_HEADERS: Final = Kind(_are_headers, "a JSON object of texts, without those that belong to the connection")
_SECONDS: Final = _number(0, _LONGEST_DELAY, f"a number of seconds, at most {_LONGEST_DELAY}")
_SPEED: Final = _number(0.01, 1e9, "a number of bytes a second, from 0.01 on")
_RESULT: Final = Kind(_is_result, "a JSON object of the members that the result ends with: texts, and counts from 0 on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, for requests, syncs or revocations. The members are described where they are declared."""

    method: str | None = _member(Part.REQUEST, _one_of(_METHODS), "The method of the requests; without it, any.")
    path: str = _member(
        Part.REQUEST,
        _PATH,
        "Their path without host and query; * also matches slashes. Any path but those of the control routes.",
        default="*",
    )
    times: int | str = _member(Part.COUNT, _TIMES, "How often the rule applies; without it, once.", default=1)
    after: int = _member(Part.COUNT, _count(0), "How many matches it lets pass first.", default=0)
    probability: float = _member(
        Part.COUNT, _number(0, 1, "a number from 0 to 1"), "How probably it applies to a match.", default=1.0
    )
    seed: int | None = _member(
        Part.COUNT,
        _count(0),
        "The seed of its random numbers; without it, --faults-seed and the position of the rule.",
        only_with="probability",
    )
    status: int | None = _member(
        Part.EFFECT, _count(200, 599), "The answer; without a body, an error has Intune's envelope."
    )
    headers: Mapping[str, str] | None = _member(Part.DETAIL, _HEADERS, "Headers of that answer.", only_with="status")
    body: Any = _member(  # noqa: RUF009 - a field of the dataclass
        Part.DETAIL,
        Kind(lambda _: True, "any JSON; a text is sent as it is"),
        "The body of that answer.",
        only_with="status",
        of_body=True,
    )
    delay: float = _member(Part.EFFECT, _SECONDS, "How long the answer is delayed.", default=0.0)
    when: str = _member(
        Part.DETAIL,
        _one_of(When),
        "before: without executing the request, where the rule has an answer or drops the connection. "
        "after: the tenant executes it, and its answer is lost.",
        default=When.BEFORE.value,
    )
    pages: str | None = _member(
        Part.EFFECT,
        _one_of(Pages),
        "endless: the last page of a collection links to a further one, and so on. same: each page links to itself.",
        of_body=True,
    )
    depth: int | None = _member(
        Part.EFFECT, _count(1, 10_000_000), "The body, in so many arrays, each inside another.", of_body=True
    )
    bytes: int | None = _member(
        Part.EFFECT,
        _count(1, 10**12),
        "The body is filled up to so many bytes with spaces, which JSON ignores.",
        of_body=True,
    )
    encoding: str | None = _member(
        Part.EFFECT, _one_of(("gzip",)), "The body is compressed, whoever asks for it.", of_body=True
    )
    drip: float | None = _member(Part.EFFECT, _SPEED, "The speed at which the body is sent.", of_body=True)
    drop: str | None = _member(
        Part.EFFECT,
        Kind(lambda value: value is True or value in [*Drop], "true, close or reset"),
        "The connection ends in place of the answer: it is closed (also true), or reset.",
    )
    sent: int | None = _member(
        Part.DETAIL,
        _count(0),
        "It ends within the answer instead: after its head and so many bytes of its body.",
        only_with="drop",
        of_body=True,
    )
    sync: str | None = _member(Part.END, _one_of(("failed", "hang")), "How the next sync ends; hang: never.")
    revoke: Mapping[str, Any] | None = _member(
        Part.END, _RESULT, "What the next revocation ends in; the other members are computed."
    )

    @property
    def is_for_requests(self) -> bool:
        """Whether it is for requests, not for syncs or revocations."""
        return self.sync is None and self.revoke is None

    @property
    def replaces_the_answer(self) -> bool:
        """Whether the tenant's own answer is not sent."""
        return self.status is not None or (self.drop is not None and self.sent is None)

    def matches(self, method: str, path: str) -> bool:
        """Whether it applies to such a request."""
        return self.is_for_requests and self.method in {None, method} and fnmatchcase(path, self.path)


def read_rules(document: object) -> list[Rule]:
    """The rules of a JSON array; raises UnusableRuleError."""
    if not isinstance(document, list):
        raise UnusableRuleError("Faults are a JSON array of rules.")
    return [_read(given, number) for number, given in enumerate(document, start=1)]


def described() -> Iterator[tuple[str, str, str]]:
    """Each member: its name, the words for its values, and what it does."""
    for one in fields(Rule):
        yield one.name, one.metadata["kind"].words, one.metadata["help"]


def _read(given: object, number: int) -> Rule:
    if not isinstance(given, Mapping):
        raise UnusableRuleError(f"Rule {number}: it is not a JSON object.")
    reason = _problem(given)
    if reason is not None:
        raise UnusableRuleError(f"Rule {number}: {reason}")
    return Rule(**given)


def _problem(given: Mapping[str, Any]) -> str | None:
    """Why a rule cannot be applied, in a sentence."""
    end = next((name for name in _of(Part.END) if name in given), None)
    known = {end, *_of(Part.COUNT)} if end else _MEMBERS.keys() - _of(Part.END)
    for name, value in given.items():
        if name not in known:
            return f"{name!r} is not a member of a rule{_PLURALS[end] if end else ''}."
        kind = _MEMBERS[name].metadata["kind"]
        if not kind.fits(value):
            return f"{name} is {kind.words}."
        needed = _MEMBERS[name].metadata["only_with"]
        if needed and needed not in given:
            return f"{name} is used only together with {needed}."
    return None if end else _contradiction(given)


def _contradiction(given: Mapping[str, Any]) -> str | None:
    """Why the members of a rule for requests do not go together."""
    effects = _of(Part.EFFECT)
    if not any(given.get(name) for name in effects):
        return f"it has no effect: it needs {', '.join(effects)}, {' or '.join(_of(Part.END))}."
    of_body = [name for name, one in _MEMBERS.items() if one.metadata["of_body"] and given.get(name) is not None]
    if given.get("status") in BODILESS and of_body:
        return f"an answer with {given['status']} has no body, which {of_body[0]} needs."
    of_answer = ["status"] if "status" in given else of_body
    if "drop" in given and "sent" not in given and of_answer:
        return f"drop without sent leaves no answer, which {of_answer[0]} needs."
    return None


def _of(part: Part) -> list[str]:
    return [name for name, one in _MEMBERS.items() if one.metadata["part"] is part]


_MEMBERS: Final[dict[str, Field[Any]]] = {one.name: one for one in fields(Rule)}
_PLURALS: Final = {"sync": " for syncs", "revoke": " for revocations"}
