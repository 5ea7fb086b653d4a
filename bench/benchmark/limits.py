"""The tables of limits, and the check of the results against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from benchmark.results import MOST_MEGABYTES, MOST_WITH_ALL_TOKENS, Door, Outcome, Peak, Result, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Measured(Protocol):
    """The result of a case with so many tokens."""

    @property
    def case(self) -> str:
        """The name of the case."""

    @property
    def n(self) -> int:
        """The number of tokens."""


R = TypeVar("R", bound=Measured)

AT_FULL_SIZE = 300
"""The number of tokens for which the time limits hold: with fewer, the fixed cost of a run dominates."""


@dataclass(frozen=True, slots=True)
class Limit(Generic[R]):
    """The limit of one measured value, of one case or of all (`case` is empty)."""

    case: str
    of: str
    measured: Callable[[R], float]
    most: Callable[[R], float]
    from_tokens: int = 0

    def breach(self, result: R) -> str | None:
        """Return the message about a result that exceeds the limit, None for any other."""
        measured, most = self.measured(result), self.most(result)
        if self.case not in {"", result.case} or result.n < self.from_tokens or measured <= most:
            return None
        case = f"{result.case[0].upper()}{result.case[1:]}"
        return f"{case}: {self.of} = {round(measured, 3):g}, above the limit of {most:g}."


def _ratio(result: Result) -> float:
    """Return the ratio on the plugin, 0 for a tenant with latency, where it depends on that."""
    return 0 if result.latency_ms or result.door is not Door.PLUGIN else result.ratio


def _requests(result: Result) -> float:
    return sum(result.requests.values())


def _of_method(method: str) -> Callable[[Result], float]:
    return lambda result: result.requests.get(method, 0)


def _state_bytes(result: Result) -> float:
    """Return the bytes on the plugin: a dynamic provider also stores itself with each resource."""
    return result.state.record if result.state and result.door is Door.PLUGIN else 0


PAIRED: tuple[Limit[Result], ...] = (
    Limit("ready", "ratio", _ratio, lambda _: 1.3),
    Limit("create", "ratio", _ratio, lambda _: 1.08, from_tokens=AT_FULL_SIZE),
    Limit("create", "POST requests", _of_method("POST"), lambda result: result.n),
    Limit("create", "GET requests", _of_method("GET"), lambda result: result.pages),
    Limit("create", "requests", _requests, lambda result: result.n + result.pages),
    Limit("create", "bytes of state per token", _state_bytes, lambda _: 2000),
    Limit("no-op", "ratio", _ratio, lambda _: 1.1, from_tokens=AT_FULL_SIZE),
    Limit("no-op", "requests", _requests, lambda _: 0),
    Limit("one change", "requests", _requests, lambda _: 1),
    Limit("renew all", "requests", _requests, lambda result: result.n),
    Limit("renew all", "bytes of state per token", _state_bytes, lambda _: 2000),
    Limit("refresh", "ratio", _ratio, lambda _: 1.1, from_tokens=AT_FULL_SIZE),
    Limit("refresh", "requests", _requests, lambda result: result.pages + 2),
    Limit("refresh", "bytes of state per token", _state_bytes, lambda _: 2000),
    Limit("destroy", "ratio", _ratio, lambda _: 1.05, from_tokens=AT_FULL_SIZE),
    Limit("destroy", "DELETE requests", _of_method("DELETE"), lambda result: result.n),
    Limit("destroy", "requests", _requests, lambda result: result.n),
)

GROWS_FROM, GROWS_TO = 100, 1000
"""Between these numbers of tokens, the cost may grow no faster than that of the yardstick."""
_NOISE = 1.05
"""How much two ratios of the same cost may differ: 1,000 tokens are measured once."""


def growth(results: Iterable[Result]) -> list[str]:
    """Return a message for each case whose cost grows faster than the yardstick's."""
    ratios = {(one.case, one.n): one.ratio for one in results if _ratio(one)}
    found = []
    for case in dict.fromkeys(case for case, _ in ratios):
        few, many = ratios.get((case, GROWS_FROM)), ratios.get((case, GROWS_TO))
        if few is not None and many is not None and many > few * _NOISE:
            found.append(
                f"{case[0].upper()}{case[1:]}: ratio = {few:.2f} at {GROWS_FROM} tokens and {many:.2f} at {GROWS_TO}:"
                " the cost must grow no faster than the yardstick's."
            )
    return found


OF_THE_IDEAL = 0.95
"""How much of the ideal speed the writes must reach under the throttle."""

_FIRST_TO_LAST = "seconds from the first write to the last"


def _write_seconds(result: Throttled) -> float:
    return result.traffic.write_seconds


def _nearly_ideal(result: Throttled) -> float:
    return result.ideal_seconds / OF_THE_IDEAL


THROTTLED: tuple[Limit[Throttled], ...] = (
    Limit("", "failed tokens", lambda result: result.failures, lambda _: 0),
    Limit("", "tokens that are not as they must be", lambda result: abs(result.n - result.right), lambda _: 0),
    Limit("throttled creates", _FIRST_TO_LAST, _write_seconds, _nearly_ideal, from_tokens=AT_FULL_SIZE),
    Limit("throttled renewals", _FIRST_TO_LAST, _write_seconds, _nearly_ideal, from_tokens=AT_FULL_SIZE),
    Limit("throttled refresh", "requests", lambda result: sum(result.traffic.requests.values()), lambda r: r.pages + 2),
    Limit("throttled refresh", "megabytes", lambda result: result.megabytes, lambda _: MOST_WITH_ALL_TOKENS),
    Limit("throttled refresh", "throttled requests", lambda result: result.traffic.throttled, lambda _: 0),
)

MEMORY: tuple[Limit[Peak], ...] = (
    Limit("", "megabytes", lambda peak: peak.megabytes, lambda _: MOST_MEGABYTES),
    Limit("", "calls that did not end", lambda peak: peak.outcome is not Outcome.ENDED, lambda _: 0),
)


def breaches(results: Iterable[R], limits: Iterable[Limit[R]]) -> list[str]:
    """Return a message for each limit that is exceeded."""
    limits = tuple(limits)
    found = [limit.breach(result) for result in results for limit in limits]
    return [sentence for sentence in found if sentence is not None]
