"""The measured values, for the limits and as lines of results.jsonl."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MILLISECONDS = 3


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

    @classmethod
    def of(cls, case: str, measures: Iterable[Measure], *, n: int, page: int) -> Result:
        """Combine the pairs of a case; requests and state are those of the worst pair."""
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
            "door": "plugin",
            "n": self.n,
            "requests": sum(self.requests.values()),
            "seconds": round(self.seconds, _MILLISECONDS),
            "yardstick_seconds": round(self.yardstick_seconds, _MILLISECONDS),
            "ratio": round(self.ratio, _MILLISECONDS),
            "state_bytes": self.state.record if self.state else None,
            "stored_bytes": self.state.stored if self.state else None,
            "ratios": [round(ratio, _MILLISECONDS) for ratio in self.ratios],
            "methods": dict(self.requests),
            "at": at,
            "load": round(load, 1),
        }
        return json.dumps(members)
