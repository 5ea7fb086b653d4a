"""Scripted faults: rules that are used up in their order."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_BODILESS: Final = frozenset({204, 205, 304})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, which applies `times` times: a fault of requests, or the end of syncs or revocations.

    `path` is a glob on the path without host and query, in which `*` also matches slashes. `status` is answered, with
    `headers` and `body`, after `delay` seconds; without a status there is only the delay. `sync` is how a sync ends:
    `failed`, or `hang` for never. `revoke` has members of the result of a revocation; the others are computed.
    """

    method: str | None = None
    path: str = "*"
    times: int = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    delay: float = 0.0
    when: str = When.BEFORE.value
    sync: str | None = None
    revoke: Mapping[str, Any] | None = None

    def matches(self, method: str, path: str) -> bool:
        """Whether it applies to such a request."""
        is_fault = self.sync is None and self.revoke is None
        return is_fault and self.method in {None, method} and fnmatchcase(path, self.path)


class Faults:
    """The rules that remain. Safe among threads; `sleep` waits for a delay."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = (), *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._waiting: list[tuple[Rule, Mapping[str, Any]]] = []
        self._lock = Lock()
        self.sleep = sleep
        self.add(list(rules))

    def add(self, rules: object) -> None:
        """Add these rules behind the others: all of them, or none and UnusableRuleError."""
        if not isinstance(rules, list):
            raise UnusableRuleError("The body must be a JSON array of rules.")
        read = [(_read(rule, number), dict(rule)) for number, rule in enumerate(rules, start=1)]
        with self._lock:
            self._waiting += read

    def waiting(self) -> list[dict[str, Any]]:
        """The rules as they were given, each with the `times` that remain of it."""
        with self._lock:
            return [{**given, "times": rule.times} for rule, given in self._waiting]

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._waiting.clear()

    def for_request(self, method: str, path: str) -> Rule | None:
        """The first rule that applies to a request, which uses it."""
        return self._use(lambda rule: rule.matches(method, path))

    def for_sync(self) -> str | None:
        """How a sync that starts now ends; None without a rule."""
        rule = self._use(lambda rule: rule.sync is not None)
        return None if rule is None else rule.sync

    def for_revocation(self) -> Mapping[str, Any] | None:
        """Members of the final result of a revocation that starts now; None without a rule."""
        rule = self._use(lambda rule: rule.revoke is not None)
        return None if rule is None else rule.revoke

    def _use(self, applies: Callable[[Rule], bool]) -> Rule | None:
        with self._lock:
            for place, (rule, given) in enumerate(self._waiting):
                if applies(rule):
                    rest = replace(rule, times=rule.times - 1)
                    self._waiting[place : place + 1] = [(rest, given)] if rest.times else []
                    return rule
        return None


def _read(given: object, number: int) -> Rule:
    if not isinstance(given, Mapping):
        raise UnusableRuleError(f"Rule {number}: it is not a JSON object.")
    reason = _problem(given)
    if reason is not None:
        raise UnusableRuleError(f"Rule {number}: {reason}")
    return Rule(**given)


def _problem(given: Mapping[str, Any]) -> str | None:
    end = next((name for name in _ENDS if name in given), None)
    known = {end, "times"} if end else set(_SHAPES) - set(_ENDS)
    for name, value in given.items():
        if name not in known:
            return f"{name!r} is not a member of a rule{_ENDS[end] if end else ''}."
        fits, sentence = _SHAPES[name]
        if not fits(value):
            return f"{name} is {sentence}."
    return None if end else _contradiction(given)


def _contradiction(given: Mapping[str, Any]) -> str | None:
    if "status" not in given:
        if not given.get("delay"):
            return "it needs a status, a delay, a sync or a revoke."
        return "headers and body need a status." if {"headers", "body"} & set(given) else None
    if given["status"] in _BODILESS and given.get("body") is not None:
        return f"an answer with {given['status']} has no body."
    return None


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_count(value: object, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_status(value: object) -> bool:
    return isinstance(value, int) and _is_number(value, 200, 599)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("/", "*"))


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


_ENDS: Final = {"sync": " for syncs", "revoke": " for revocations"}
_SHAPES: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "method": (_METHODS.__contains__, f"one of {', '.join(_METHODS)}"),
    "path": (_is_path, "a glob that begins with / or *"),
    "times": (_is_count, "a whole number from 1 on"),
    "status": (_is_status, "a whole number from 200 to 599"),
    "headers": (_are_headers, "a JSON object of texts, without those that belong to the connection"),
    "body": (lambda _: True, "any JSON"),
    "delay": (lambda value: _is_number(value, 0, _LONGEST_DELAY), f"a number of seconds, at most {_LONGEST_DELAY}"),
    "when": (lambda value: value in [*When], "before or after"),
    "sync": (lambda value: value in ("failed", "hang"), "failed or hang"),
    "revoke": (_is_result, "a JSON object of the members that the result ends with: texts, and counts from 0 on"),
}
