"""Keeps requests to Graph within Intune's documented limits, and slows down when Graph still throttles.

Source: https://learn.microsoft.com/graph/throttling-limits, "Intune device enrollment service limits".
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from intune_vpp.core.ports import Clock

WINDOW: Final = timedelta(seconds=20)
REQUESTS: Final = 1000
WRITES: Final = 100
"""What one application may send to one tenant within `WINDOW`: requests of any kind, and writes."""

_GAIN: Final = 10
"""By how many requests a window grows in the time of one window without throttling."""
_FEWEST: Final = 5
_LONGEST_SLEEP: Final = 5.0
"""Seconds."""
_SECONDS_TO_LOOK: Final = 0.25
"""How long to wait for the answer to a request of which there are as many as are allowed."""


class Window:
    """One limit as a sliding window. It is not safe among threads.

    A request counts from the moment when it is sent until `WINDOW` after its answer: when Graph counts it is not known.
    Graph also counts the requests of other processes, so after a 429 the window has half of its size, and grows again
    by a constant number: processes that share a limit then end with equal parts of it. Until the window has its full
    size, requests are spread evenly: of two bursts in each window, the second one would always be refused.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = float(limit)
        self._slowed = 0
        self._under_way = 0
        self._answered: deque[datetime] = deque()
        self._closed_until: datetime | None = None
        self._sent: datetime | None = None

    def wait(self, ahead: int, now: datetime) -> float:
        """Return the seconds until a request may be sent, if `ahead` others are sent before it; 0 if it may now."""
        # A time after now is one from before the clock was set back.
        while self._answered and not timedelta() <= now - self._answered[0] < WINDOW:
            self._answered.popleft()
        earliest = max(self._closed(now), self._spaced(ahead, now))
        surplus = self._under_way + len(self._answered) + ahead + 1 - int(self._allowed)
        if surplus <= 0:
            return earliest
        if surplus > len(self._answered):
            return max(earliest, _SECONDS_TO_LOOK)
        leaves = (self._answered[surplus - 1] + WINDOW - now).total_seconds()
        return max(earliest, min(leaves, WINDOW.total_seconds()))

    def _closed(self, now: datetime) -> float:
        """Return the seconds for which Graph has asked to wait."""
        seconds = 0.0 if self._closed_until is None else (self._closed_until - now).total_seconds()
        # More than a window: the clock was set back.
        return max(seconds, 0.0) if seconds <= WINDOW.total_seconds() else 0.0

    def _spaced(self, ahead: int, now: datetime) -> float:
        """Return the seconds until a request may be sent, if requests are spread evenly."""
        # A time after now is one from before the clock was set back.
        if self._sent is None or self._sent > now or self._allowed >= self._limit:
            return 0.0
        space = WINDOW / self._allowed
        return (max(self._sent + space - now, timedelta()) + ahead * space).total_seconds()

    def send(self, now: datetime) -> int:
        """Count a request that is sent now, and return how often the window has slowed down until then."""
        self._sent = now
        self._under_way += 1
        return self._slowed

    def answered(self, now: datetime, slowed: int, throttled_for: float | None) -> None:
        """Count the end of a request for which `send` has returned `slowed`.

        `throttled_for` are the seconds that Graph asked to wait, if it did.
        """
        self._under_way -= 1
        self._answered.append(now)
        if throttled_for is None:
            self._allowed = min(self._allowed + _GAIN / self._allowed, self._limit)
            return
        # Requests that were under way together are refused together, which is one reason to slow down.
        if slowed == self._slowed:
            self._slowed += 1
            self._allowed = max(self._allowed / 2, _FEWEST)
        # No longer than a window: each request learns for itself how long Graph wants it to wait.
        resumes = now + timedelta(seconds=min(throttled_for, WINDOW.total_seconds()))
        self._closed_until = max(self._closed_until or resumes, resumes)


class Pacing:
    """The limits of one application in one tenant, which all threads of a process share."""

    def __init__(self, clock: Clock, tell: Callable[[str, float], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._all = Window(REQUESTS)
        self._writes = Window(WRITES)
        self._reported_at: datetime | None = None
        self._queue: dict[bool, list[object]] = {False: [], True: []}

    @contextmanager
    def turn(self, *, writes: bool) -> Iterator[Turn]:
        """Wait until a request may be sent, in the order of the calls. Raises WaitInterrupted."""
        windows = (self._all, self._writes) if writes else (self._all,)
        slowed = self._wait(windows, self._queue[writes])
        turn = Turn()
        try:
            yield turn
        finally:
            with self._lock:
                now = self._clock.now()
                for window, before in zip(windows, slowed, strict=True):
                    # The limit of writes is by far the smaller one, so it is the one that a write has met.
                    window.answered(now, before, turn.throttled_for if window is windows[-1] else None)

    def _wait(self, windows: tuple[Window, ...], queue: list[object]) -> list[int]:
        ticket = object()
        with self._lock:
            queue.append(ticket)
        try:
            while True:
                seconds, slowed = self._try(windows, queue, ticket)
                if seconds <= 0:
                    return slowed
                self._report(seconds)
                # The rate may grow meanwhile, and the turn comes earlier than it seems now.
                self._clock.sleep(min(seconds, _LONGEST_SLEEP))
        except BaseException:
            with self._lock:
                queue.remove(ticket)
            raise

    def _report(self, seconds: float) -> None:
        """Report a long wait, once in a window: each request that waits ends its wait at another time."""
        with self._lock:
            now, before = self._clock.now(), self._reported_at
            recent = before is not None and timedelta() <= now - before < WINDOW
            if recent or seconds < WINDOW.total_seconds() / 2:
                return
            self._reported_at = now
        self._tell("Intune's limit for requests is reached", seconds)

    def _try(self, windows: tuple[Window, ...], queue: list[object], ticket: object) -> tuple[float, list[int]]:
        """Return how long this ticket has to wait. With 0, its request counts as sent."""
        with self._lock:
            ahead, now = queue.index(ticket), self._clock.now()
            seconds = max(window.wait(ahead, now) for window in windows)
            if seconds > 0:
                return seconds, []
            queue.remove(ticket)
            return 0.0, [window.send(now) for window in windows]


class Turn:
    """One request that may be sent; `throttled_for` are the seconds that Graph asked to wait, if it refused it."""

    throttled_for: float | None = None
