"""What the emulator saw of a run: its request log in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GRAPH = "/beta/"
_THROTTLED = 429
_FIRST_REFUSAL = 400


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests to Graph by method, refused ones included; how many were throttled; the writes that were accepted.

    `write_seconds` lie between the first and the last accepted write.
    """

    requests: Mapping[str, int]
    throttled: int
    writes: int
    write_seconds: float

    @classmethod
    def of(cls, log: Iterable[Mapping[str, Any]], *, site: str | None = None) -> Self:
        """Read the log of `GET /_emulator/requests`; `site` counts only the creates of display names that begin so."""
        to_graph = [one for one in log if one["path"].startswith(_GRAPH) and _is_of(one, site)]
        accepted = [one for one in to_graph if one["method"] != "GET" and (one["status"] or 999) < _FIRST_REFUSAL]
        times = [datetime.fromisoformat(one["time"]) for one in accepted]
        return cls(
            requests=dict(Counter(one["method"] for one in to_graph)),
            throttled=sum(one["status"] == _THROTTLED for one in to_graph),
            writes=len(accepted),
            write_seconds=(max(times) - min(times)).total_seconds() if times else 0.0,
        )


def _is_of(one: Mapping[str, Any], site: str | None) -> bool:
    return site is None or str(one["body"].get("displayName", "")).startswith(f"{site} ")
