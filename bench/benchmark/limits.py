"""The table of limits, and the check of the results against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmark.results import Result

AT_FULL_SIZE = 300
"""The number of tokens for which the time limits hold: with fewer, the fixed cost of a run dominates."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of one measured value."""

    case: str
    of: str
    measured: Callable[[Result], float]
    most: Callable[[Result], float]
    from_tokens: int = 0

    def breach(self, result: Result) -> str | None:
        """Return the message about a result that exceeds the limit, None for any other."""
        measured, most = self.measured(result), self.most(result)
        if measured <= most:
            return None
        return f"{self.case.capitalize()}: {self.of} = {round(measured, 3):g}, above the limit of {most:g}."


def _ratio(result: Result) -> float:
    return result.ratio


def _requests(result: Result) -> float:
    return sum(result.requests.values())


def _of_method(method: str) -> Callable[[Result], float]:
    return lambda result: result.requests.get(method, 0)


def _state_bytes(result: Result) -> float:
    return result.state.record if result.state else 0


LIMITS = (
    Limit("ready", "ratio", _ratio, lambda _: 1.3),
    Limit("create", "ratio", _ratio, lambda _: 1.15, from_tokens=AT_FULL_SIZE),
    Limit("create", "POST requests", _of_method("POST"), lambda result: result.n),
    Limit("create", "GET requests", _of_method("GET"), lambda result: result.pages),
    Limit("create", "requests", _requests, lambda result: result.n + result.pages),
    Limit("create", "bytes of state per token", _state_bytes, lambda _: 4000),
    Limit("no-op", "requests", _requests, lambda _: 0),
    Limit("refresh", "requests", _requests, lambda result: result.pages + 2),
    Limit("refresh", "bytes of state per token", _state_bytes, lambda _: 4000),
    Limit("destroy", "DELETE requests", _of_method("DELETE"), lambda result: result.n),
    Limit("destroy", "requests", _requests, lambda result: result.n),
)


def breaches(results: Iterable[Result]) -> list[str]:
    """Return a message for each limit that is exceeded."""
    judged = [(limit, result) for result in results for limit in LIMITS if limit.case == result.case]
    found = [limit.breach(result) for limit, result in judged if result.n >= limit.from_tokens]
    return [sentence for sentence in found if sentence is not None]
