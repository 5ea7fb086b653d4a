"""Keeps requests to Graph within Intune's documented limits if Graph enforces them, and slows down when it throttles.

Source: https://learn.microsoft.com/graph/throttling-limits, "Intune device enrollment service limits".
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from intune_vpp.core.ports import Clock

WINDOW: Final = timedelta(seconds=20)
REQUESTS: Final = 1000
WRITES: Final = 100
"""What one application may send to one tenant within `WINDOW`: requests of any kind, and writes."""

_GAIN: Final = 10
"""By how many requests the allowed number grows in each `WINDOW` without throttling."""
_FEWEST: Final = 5
"""The least number of requests that a window allows, however often Graph throttles."""
_LONGEST_SLEEP: Final = 5.0
"""Seconds."""
_SECONDS_TO_RECHECK: Final = 0.25
"""How long to wait before the next check if that depends on the answers of requests under way."""


class _Limit(Enum):
    """What is known about a documented limit."""

    UNTESTED = auto()
    TESTED = auto()
    """A request beyond the limit is under way; none is sent until all that are under way have their answers."""
    ABSENT = auto()
    """In one window, more requests have succeeded than the limit allows."""
    ENFORCED = auto()
    """Graph has throttled."""


class _Sent(NamedTuple):
    """A request under way: when it was sent, and how often the window was slowed down before it."""

    at: datetime
    slowed: int


class _Answer(NamedTuple):
    at: datetime
    sent: datetime
    succeeded: bool


class Window:
    """One limit as a sliding window. It is not thread-safe.

    When the limit is reached for the first time, one request is sent beyond it. If Graph throttles that, the limit
    holds from then on, at the cost of one request; otherwise there is no limit until Graph throttles.

    A request counts from the time it is sent until `WINDOW` after its answer, because it is not known when Graph counts
    it. Graph also counts the requests of other processes. So throttling halves the number of requests that the window
    allows, which then grows by a constant number: processes that share a limit end with about equal shares. While the
    number is reduced, requests are spread evenly, because if two processes sent in bursts, the second would always be
    throttled.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known = _Limit.UNTESTED
        self._allowed = float(limit)
        self._slowed = 0
        self._under_way = 0
        self._answered: deque[_Answer] = deque()
        self._closed_until: datetime | None = None
        self._sent: datetime | None = None

    def wait(self, ahead: int, now: datetime) -> float:
        """Return the seconds until a request may be sent after `ahead` others that wait; 0 if it may be sent now."""
        # A time in the future is from before the clock was set back.
        while self._answered and not timedelta() <= now - self._answered[0].at < WINDOW:
            self._answered.popleft()
        earliest = max(self._closed(now), self._spaced(ahead, now))
        surplus = self._under_way + len(self._answered) + ahead + 1 - int(self._allowed)
        if surplus <= 0 or self._known is _Limit.ABSENT or (self._known is _Limit.UNTESTED and not ahead):
            return earliest
        if self._known is not _Limit.ENFORCED or surplus > len(self._answered):
            return max(earliest, _SECONDS_TO_RECHECK)
        leaves = (self._answered[surplus - 1].at + WINDOW - now).total_seconds()
        return max(earliest, min(leaves, WINDOW.total_seconds()))

    def _closed(self, now: datetime) -> float:
        """Return the seconds that remain of the wait that Graph asked for."""
        seconds = 0.0 if self._closed_until is None else (self._closed_until - now).total_seconds()
        # If it is longer than a window, the clock was set back.
        return max(seconds, 0.0) if seconds <= WINDOW.total_seconds() else 0.0

    def _spaced(self, ahead: int, now: datetime) -> float:
        """Return the seconds until a request may be sent at a reduced, even rate; 0 at the full rate."""
        # A time in the future is from before the clock was set back.
        if self._sent is None or self._sent > now or self._allowed >= self._limit:
            return 0.0
        space = WINDOW / self._allowed
        return (max(self._sent + space - now, timedelta()) + ahead * space).total_seconds()

    def send(self, now: datetime) -> _Sent:
        """Count a request that is sent now, and return what `answered` needs."""
        if self._known is _Limit.UNTESTED and self._under_way + len(self._answered) >= int(self._allowed):
            self._known = _Limit.TESTED
        self._sent = now
        self._under_way += 1
        return _Sent(now, self._slowed)

    def answered(self, now: datetime, sent: _Sent, throttled_for: float | None, *, succeeded: bool = True) -> None:
        """Count the end of a request for which `send` returned `sent`.

        `throttled_for` is how many seconds to wait if Graph throttled the request, otherwise None. `succeeded` is False
        if Graph may not have counted it.
        """
        self._under_way -= 1
        self._answered.append(_Answer(now, sent.at, succeeded))
        if throttled_for is None:
            self._allowed = min(self._allowed + _GAIN / self._allowed, self._limit)
            if self._known is _Limit.TESTED and not self._under_way:
                # Others may have reached Graph in an earlier window. Without enough of them the next request tests.
                together = sum(one.succeeded and timedelta() <= now - one.sent < WINDOW for one in self._answered)
                self._known = _Limit.ABSENT if together > int(self._allowed) else _Limit.UNTESTED
        else:
            self._slow_down(now, sent.slowed, throttled_for)

    def _slow_down(self, now: datetime, slowed: int, throttled_for: float) -> None:
        known, self._known = self._known, _Limit.ENFORCED
        # Concurrent requests are throttled together, so they slow the window down once.
        if slowed == self._slowed:
            self._slowed += 1
            # A request beyond the limit says nothing about other processes that share it.
            if known in {_Limit.UNTESTED, _Limit.ENFORCED}:
                self._allowed = max(self._allowed / 2, _FEWEST)
        seconds = WINDOW.total_seconds()
        # The test was sent beyond the limit, and `wait` says when there is room; `Retry-After` has whole seconds only.
        if known is not _Limit.TESTED or throttled_for > seconds:
            # At most one window: each throttled request waits for its own `Retry-After` in the sender.
            resumes = now + timedelta(seconds=min(throttled_for, seconds))
            self._closed_until = max(self._closed_until or resumes, resumes)


class Pacing:
    """The limits of one application in one tenant, shared by all threads of the process.

    `report_wait` is called with the reason and the seconds of each wait.
    """

    def __init__(self, clock: Clock, report_wait: Callable[[str, float], None]) -> None:
        self._clock = clock
        self._report_wait = report_wait
        self._lock = threading.Lock()
        self._all = Window(REQUESTS)
        self._writes = Window(WRITES)
        self._reported_at: datetime | None = None
        self._queue: dict[bool, list[object]] = {False: [], True: []}

    @contextmanager
    def permit(self, *, writes: bool) -> Iterator[Permit]:
        """Wait, in the order of the calls, until a request may be sent in the `with` block. Raises WaitInterrupted."""
        windows = (self._all, self._writes) if writes else (self._all,)
        sent = self._wait(windows, self._queue[writes])
        permit = Permit()
        try:
            yield permit
        finally:
            with self._lock:
                now = self._clock.now()
                for window, one in zip(windows, sent, strict=True):
                    # A throttled write has reached the limit of writes, because it is by far the smaller one.
                    throttled_for = permit.throttled_for if window is windows[-1] else None
                    window.answered(now, one, throttled_for, succeeded=permit.succeeded)

    def _wait(self, windows: tuple[Window, ...], queue: list[object]) -> list[_Sent]:
        ticket = object()
        with self._lock:
            queue.append(ticket)
        try:
            while True:
                seconds, sent = self._try(windows, queue, ticket)
                if seconds <= 0:
                    return sent
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
        self._report_wait("Intune's limit for requests is reached", seconds)

    def _try(self, windows: tuple[Window, ...], queue: list[object], ticket: object) -> tuple[float, list[_Sent]]:
        """Return the seconds that this ticket has to wait. With 0, its request counts as sent: what `send` returned."""
        with self._lock:
            ahead, now = queue.index(ticket), self._clock.now()
            seconds = max(window.wait(ahead, now) for window in windows)
            if seconds > 0:
                return seconds, []
            queue.remove(ticket)
            return 0.0, [window.send(now) for window in windows]


class Permit:
    """The permission to send one request. The sender sets `throttled_for`, in seconds, if Graph throttled it."""

    throttled_for: float | None = None
    succeeded = False
