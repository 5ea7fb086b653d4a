"""The measured values, for the limits and as lines of results.jsonl."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from benchmark.traffic import Traffic, ideal_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmark.projects import Run

_MILLISECONDS = 3
MOST_MEGABYTES = 150.0
"""The limit of the memory of the plugin process, for any answer."""
MOST_WITH_ALL_TOKENS = 120.0
"""The limit for 3,000 tokens, the most of a tenant."""


class Door(StrEnum):
    """The ways into the provider."""

    PLUGIN = "plugin"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True, order=True)
class State:
    """The bytes of a token in the state: `record` without the data of the language host, `stored` with it."""

    record: int
    stored: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One command, run with the plugin and then with the yardstick."""

    seconds: float
    yardstick_seconds: float
    requests: Mapping[str, int] = field(default_factory=dict)
    state: State | None = None
    megabytes: float = 0.0

    @property
    def ratio(self) -> float:
        """The time of the plugin divided by that of the yardstick."""
        return self.seconds / self.yardstick_seconds


@dataclass(frozen=True, slots=True)
class Result:
    """All measures of one case. Times are medians; the ratio is the median of the pairs' ratios."""

    case: str
    n: int
    page: int
    seconds: float
    yardstick_seconds: float
    ratios: tuple[float, ...]
    requests: Mapping[str, int]
    state: State | None
    megabytes: float = 0.0
    latency_ms: int = 0
    door: Door = Door.PLUGIN

    @classmethod
    def of(  # noqa: PLR0913 - the conditions of a run
        cls,
        case: str,
        measures: Iterable[Measure],
        *,
        n: int,
        page: int,
        latency_ms: int = 0,
        door: Door = Door.PLUGIN,
    ) -> Result:
        """Combine the pairs of a case; requests, state and memory are those of the worst pair."""
        pairs = list(measures)
        most: Counter[str] = Counter()
        for pair in pairs:
            most |= Counter(pair.requests)
        return cls(
            case=case,
            n=n,
            page=page,
            seconds=median(pair.seconds for pair in pairs),
            yardstick_seconds=median(pair.yardstick_seconds for pair in pairs),
            ratios=tuple(pair.ratio for pair in pairs),
            requests=dict(most),
            state=max((pair.state for pair in pairs if pair.state is not None), default=None),
            megabytes=max(pair.megabytes for pair in pairs),
            latency_ms=latency_ms,
            door=door,
        )

    @property
    def pages(self) -> int:
        """The number of pages in a listing of all tokens."""
        return -(-self.n // self.page)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(self.ratios)

    def line(self, *, at: str, load: float) -> str:
        """Return the line for results.jsonl, with the time of the run and the load of the machine before it."""
        members = {
            "case": self.case,
            "door": self.door,
            "n": self.n,
            "latency_ms": self.latency_ms,
            "throttle": "off",
            "requests": sum(self.requests.values()),
            "seconds": round(self.seconds, _MILLISECONDS),
            "yardstick_seconds": round(self.yardstick_seconds, _MILLISECONDS),
            "ratio": round(self.ratio, _MILLISECONDS),
            "state_bytes": self.state.record if self.state else None,
            "stored_bytes": self.state.stored if self.state else None,
            "ratios": [round(ratio, _MILLISECONDS) for ratio in self.ratios],
            "megabytes": round(self.megabytes, 1),
            "methods": dict(self.requests),
            "at": at,
            "load": round(load, 1),
        }
        return json.dumps(members)


@dataclass(frozen=True, slots=True)
class Throttled:
    """One run under the documented throttle, or several at once.

    `seconds` are those of each `pulumi`; `free_seconds` and `free` are the seconds and the traffic of the same run
    without the throttle, None if there was none. `right` is the number of tokens that are as they must be afterwards,
    `megabytes` the peak memory of the plugin.
    """

    case: str
    n: int
    page: int
    seconds: tuple[float, ...]
    traffic: Traffic
    right: int
    failures: int
    free_seconds: float | None = None
    free: Traffic | None = None
    error: str = ""
    megabytes: float = 0.0

    @classmethod
    def of(  # noqa: PLR0913 - the results of a run
        cls,
        case: str,
        runs: Sequence[Run],
        traffic: Traffic,
        *,
        n: int,
        page: int,
        right: int,
        free: tuple[Run, Traffic] | None = None,
    ) -> Throttled:
        """Combine the runs of a case."""
        return cls(
            case=case,
            n=n,
            page=page,
            seconds=tuple(run.seconds for run in runs),
            traffic=traffic,
            right=right,
            failures=sum(run.failures for run in runs),
            free_seconds=free[0].seconds if free else None,
            free=free[1] if free else None,
            error=next((run.error for run in runs if run.error), ""),
            megabytes=max(run.megabytes for run in runs),
        )

    @property
    def pages(self) -> int:
        """The number of pages in a listing of all tokens."""
        return -(-self.n // self.page)

    @property
    def ideal_seconds(self) -> float:
        """The least seconds from the first write to the last one, if each token has one write."""
        return ideal_seconds(self.n)

    def line(self, *, at: str, load: float) -> str:
        """Return the line for results.jsonl, with the time of the run and the load of the machine before it."""
        slowest = max(self.seconds)
        free = self.free if self.traffic.writes else None
        members = {
            "case": self.case,
            "door": "plugin",
            "n": self.n,
            "latency_ms": 0,
            "throttle": "documented",
            "requests": sum(self.traffic.requests.values()),
            "seconds": round(slowest, _MILLISECONDS),
            "yardstick_seconds": _rounded(self.free_seconds),
            "ratio": _rounded(slowest / self.free_seconds if self.free_seconds else None),
            "all_seconds": [round(one, _MILLISECONDS) for one in self.seconds],
            "write_seconds": round(self.traffic.write_seconds, _MILLISECONDS),
            "ideal_seconds": self.ideal_seconds if self.traffic.writes else None,
            "paced_seconds": _rounded(free.paced() if free else None),
            "free_write_seconds": _rounded(free.write_seconds if free else None),
            "throttled": self.traffic.throttled,
            "failures": self.failures,
            "right": self.right,
            "megabytes": round(self.megabytes, 1),
            "methods": dict(self.traffic.requests),
            "at": at,
            "load": round(load, 1),
        }
        return json.dumps(members)


class Outcome(StrEnum):
    """How the call that received a hostile answer ended."""

    ENDED = "ended"
    """With a result or an error."""
    ENDLESS = "did not end"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Peak:
    """The peak memory of the plugin process after a kind of answer; `size` is the bytes of the last body.

    The memory of a process that crashed cannot be read, and counts as infinite.
    """

    kind: str
    place: str
    megabytes: float
    outcome: Outcome = Outcome.ENDED
    size: int = 0
    n: int = 1

    @property
    def case(self) -> str:
        """The name in messages."""
        return f"{self.kind} ({self.place})"

    def line(self, *, at: str, load: float) -> str:
        """Return the line for results.jsonl, with the time of the run and the load of the machine before it."""
        members = {
            "case": "memory",
            "door": "plugin",
            "kind": self.kind,
            "place": self.place,
            "megabytes": None if self.outcome is Outcome.CRASHED else round(self.megabytes, 1),
            "outcome": self.outcome,
            "body_bytes": self.size or None,
            "at": at,
            "load": round(load, 1),
        }
        return json.dumps(members)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, _MILLISECONDS)
