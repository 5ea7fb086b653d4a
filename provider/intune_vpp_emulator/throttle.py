"""Throttling of vppTokens by Graph's documented buckets, as sliding windows."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from .refusals import GatewayRefusal

if TYPE_CHECKING:
    from datetime import datetime

_WINDOW_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in a window: writes or any, by one application of the tenant or by all."""

    requests: int
    writes_only: bool
    by_app: bool


# learn.microsoft.com/graph/throttling-limits, "Intune device enrollment service limits"
LIMITS: Final = (
    Limit(100, writes_only=True, by_app=True),
    Limit(200, writes_only=True, by_app=False),
    Limit(1_000, writes_only=False, by_app=True),
    Limit(2_000, writes_only=False, by_app=False),
)


class Throttle:
    """The latest requests to one tenant. Safe among threads; time is an argument."""

    def __init__(self) -> None:
        self._windows: dict[tuple[Limit, str], deque[datetime]] = {}
        self._lock = Lock()

    def admit(self, app_id: str, now: datetime, *, is_write: bool) -> None:
        """Count a request; raises GatewayRefusal where one of its buckets is full.

        A refused request is counted too: "all requests accrue against your usage limits", says Graph's guidance.
        """
        with self._lock:
            waits = [self._count(one, app_id, now) for one in LIMITS if is_write or not one.writes_only]
        if max(waits) > 0:
            seconds = math.ceil(max(waits))
            # a guess: throttled-answer
            raise GatewayRefusal(
                429, "TooManyRequests", "Please retry again later.", headers={"Retry-After": str(seconds)}
            )

    def _count(self, limit: Limit, app_id: str, now: datetime) -> float:
        """Count a request in one window; the seconds until that has room again, 0 where it has room now."""
        key = limit, app_id if limit.by_app else ""
        window = self._windows.setdefault(key, deque(maxlen=limit.requests))
        is_full = _left(window, now) > 0
        window.append(now)  # a guess: throttled-requests
        return _left(window, now) if is_full else 0


def _left(window: deque[datetime], now: datetime) -> float:
    """How long as many requests as the window holds lie within its seconds."""
    if len(window) < (window.maxlen or 0):
        return 0
    age = (now - window[0]).total_seconds()
    return _WINDOW_SECONDS - age if 0 <= age < _WINDOW_SECONDS else 0  # less than 0: the clock was set back
