"""The traffic of a run, counted from the request log of the emulator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WRITES_IN_A_WINDOW = 100
WINDOW_SECONDS = 20.0
"""Graph's bucket for one application: learn.microsoft.com/graph/throttling-limits."""

_GRAPH = "/beta/"
_THROTTLED = 429
_FIRST_REFUSAL = 400


def ideal_seconds(writes: int) -> float:
    """Return the least seconds from the first of so many writes to the last, by the limit of Graph alone."""
    return (-(-writes // WRITES_IN_A_WINDOW) - 1) * WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests to Graph by method, refused ones included; how many were throttled; the writes that were accepted.

    `writes` are the seconds of the accepted ones after the first of them, in order.
    """

    requests: Mapping[str, int]
    throttled: int
    writes: tuple[float, ...]

    @property
    def write_seconds(self) -> float:
        """The seconds from the first accepted write to the last."""
        return self.writes[-1] if self.writes else 0.0

    def paced(self) -> float:
        """The least seconds from the first write to the last if the same writes had been throttled.

        Each is sent at its time, but not before the window has room for it. `ideal_seconds` assumes that the engine
        requests all of them at once; in fact that takes it some seconds.
        """
        sent: list[float] = []
        for number, came in enumerate(self.writes):
            room = sent[number - WRITES_IN_A_WINDOW] + WINDOW_SECONDS if number >= WRITES_IN_A_WINDOW else 0.0
            sent.append(max(came, room))
        return sent[-1] if sent else 0.0

    @classmethod
    def of(cls, log: Iterable[Mapping[str, Any]]) -> Self:
        """Read the log of `GET /_emulator/requests`."""
        to_graph = [one for one in log if one["path"].startswith(_GRAPH)]
        accepted = [one for one in to_graph if one["method"] != "GET" and (one["status"] or 999) < _FIRST_REFUSAL]
        times = sorted(datetime.fromisoformat(one["time"]) for one in accepted)
        return cls(
            requests=dict(Counter(one["method"] for one in to_graph)),
            throttled=sum(one["status"] == _THROTTLED for one in to_graph),
            writes=tuple((one - times[0]).total_seconds() for one in times),
        )
