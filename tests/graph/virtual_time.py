"""Threads in virtual time: of many that sleep, the one whose sleep ends first runs, and only that one."""

from __future__ import annotations

import heapq
import threading
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from intune_vpp.clock import OperationTime

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from intune_vpp.core.ports import T

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)


class VirtualClock(OperationTime):
    """A clock that moves when all jobs of `run` sleep. Its order of events is always the same."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.offset = timedelta()
        self._sleeping: list[tuple[float, int, threading.Event]] = []
        self._numbers = count()
        self._ended = threading.Event()
        self._failed: BaseException | None = None

    def now(self) -> datetime:
        """The time of the machine, which `offset` makes wrong."""
        return BEGIN + timedelta(seconds=self.elapsed) + self.offset

    def sleep(self, seconds: float) -> None:
        """Let the other jobs run until the time has come."""
        woken = threading.Event()
        heapq.heappush(self._sleeping, (self.elapsed + seconds, next(self._numbers), woken))
        self._wake_next()
        woken.wait()

    def request(self, call: Callable[[], T], timeout: float) -> T:
        """Make the call."""
        del timeout
        return call()

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Make the call."""
        del timeout
        return call()

    def start(self, call: Callable[[], T]) -> Future[T]:
        """No job starts a call."""
        raise NotImplementedError

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """No job waits for one."""
        raise NotImplementedError

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
