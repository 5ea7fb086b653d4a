"""Threads in virtual time: only one runs at a time, the one whose sleep ends first."""

from __future__ import annotations

import heapq
import threading
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from clocks import InlineCalls

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)


class VirtualClock(InlineCalls):
    """A clock that moves when all jobs of `run` sleep. Its order of events is always the same."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.offset = timedelta()
        self._sleeping: list[tuple[float, int, threading.Event]] = []
        self._numbers = count()
        self._ended = threading.Event()
        self._failed: BaseException | None = None

    def now(self) -> datetime:
        """The virtual time; `offset` is the error of the machine's clock."""
        return BEGIN + timedelta(seconds=self.elapsed) + self.offset

    def sleep(self, seconds: float) -> None:
        """Let the other jobs run until this many seconds have passed."""
        woken = threading.Event()
        heapq.heappush(self._sleeping, (self.elapsed + seconds, next(self._numbers), woken))
        self._wake_next()
        woken.wait()

    def run(self, *jobs: Callable[[], object]) -> None:
        """Run the jobs, in this order, to their end. Raises the first error of one."""
        for job in jobs:
            begins = threading.Event()
            heapq.heappush(self._sleeping, (self.elapsed, next(self._numbers), begins))
            threading.Thread(target=self._job, args=(begins, job), daemon=True).start()
        self._ended.clear()
        self._wake_next()
        assert self._ended.wait(120), "the jobs do not end"
        if self._failed is not None:
            raise self._failed

    def _job(self, begins: threading.Event, job: Callable[[], object]) -> None:
        begins.wait()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - `run` raises it
            self._failed = self._failed or error
        self._wake_next()

    def _wake_next(self) -> None:
        if not self._sleeping:
            self._ended.set()
            return
        when, _, woken = heapq.heappop(self._sleeping)
        self.elapsed = max(self.elapsed, when)
        woken.set()
