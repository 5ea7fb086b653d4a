"""The system clock, the cancellation of all waits, and the deadline of an operation."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from intune_vpp.core.errors import Cure, WaitInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from intune_vpp.core.ports import T

GRACE = 0.5
"""Seconds for which a stopped process still waits for an answer, because it may have the id of a new token."""

_ends: ContextVar[datetime | None] = ContextVar("_ends", default=None)


class OperationTime:
    """The deadline of the operation of this thread, and of the threads that it starts with `start`."""

    @contextmanager
    def time_limit(self, allowed: timedelta) -> Iterator[None]:
        """Limit the time of the `with` block. Nested limits replace the outer one until they end."""
        before = _ends.set(self.now() + allowed)
        try:
            yield
        finally:
            _ends.reset(before)

    def time_left(self) -> float | None:
        """Return the seconds that the operation has left, negative after its deadline; None if it has no limit."""
        ends = _ends.get()
        return None if ends is None else (ends - self.now()).total_seconds()

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)


class SystemClock(OperationTime):
    """The time of the machine, and waits that `stop` cancels. One instance serves the process."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._waiting: set[threading.Event] = set()

    def stop(self) -> None:
        """Cancel every wait: those that run, and those that begin later."""
        self._stopped.set()
        for waiting in list(self._waiting):
            waiting.set()

    def sleep(self, seconds: float) -> None:
        """Sleep for a number of seconds. Raises WaitInterrupted once `stop` was called."""
        if self._stopped.wait(seconds):
            raise _interrupted()

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run a call in its own daemon thread, and return its future result."""
        answer: Future[T] = Future()
        # A context variable of engine/log.py names the resource of a log line: the thread needs it.
        here = contextvars.copy_context()
        threading.Thread(target=here.run, args=(_answer, answer, call), daemon=True).start()
        return answer

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Run a call that may take long, and return its result.

        Raises WaitInterrupted without making the call once `stop` was called, and what `wait_for` raises.
        """
        if self._stopped.is_set():
            raise _interrupted()
        return self.wait_for(self.start(call), timeout)

    def request(self, call: Callable[[], T], timeout: float) -> T:
        """Send a request and return its answer, also if it arrives within `GRACE` seconds after `stop`.

        Raises WaitInterrupted and TimeoutError like `unless_stopped`.
        """
        if self._stopped.is_set():
            raise _interrupted()
        answer = self.start(call)
        try:
            return self.wait_for(answer, timeout)
        except WaitInterrupted:
            with suppress(TimeoutError):
                return answer.result(GRACE)
            raise

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """Return the result of a call that was started, or raise its error.

        Raises WaitInterrupted once `stop` was called, and TimeoutError after `timeout` seconds. The call continues in
        its thread, and its result is dropped: after Cancel the engine waits for each call to end, and an HTTP request
        cannot be aborted.
        """
        woken = threading.Event()
        self._waiting.add(woken)
        answer.add_done_callback(lambda _: woken.set())
        if self._stopped.is_set():
            woken.set()
        in_time = woken.wait(timeout)
        self._waiting.discard(woken)
        # Raised even if the result has arrived, because the caller must not start its next step.
        if self._stopped.is_set():
            raise _interrupted(asked=True)
        if not in_time:
            raise TimeoutError
        return answer.result()


def _answer(answer: Future[T], call: Callable[[], T]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
        answer.set_exception(error)


def _interrupted(*, asked: bool = False) -> WaitInterrupted:
    msg = "Interrupted. Whatever was already started continues in Intune."
    return WaitInterrupted(msg, asked=asked, cure=Cure.RESUME)
