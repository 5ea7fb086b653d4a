"""The system clock, and the cancellation of all waits."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from intune_vpp.core.errors import Cure, WaitInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.core.ports import T


class SystemClock:
    """The machine's time; `stop` ends all waiting, now and later."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._waiting: set[threading.Event] = set()

    def stop(self) -> None:
        """End every wait, now and later."""
        self._stopped.set()
        for waiting in list(self._waiting):
            waiting.set()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Sleep. Raises WaitInterrupted once stopped."""
        if self._stopped.wait(seconds):
            raise _interrupted()

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run a call in a thread of its own, which does not keep the process alive."""
        answer: Future[T] = Future()
        # Log lines of the call belong to the resource that made it.
        here = contextvars.copy_context()
        threading.Thread(target=here.run, args=(_answer, answer, call), daemon=True).start()
        return answer

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """The answer of a call that may take long; it is not made once stopped. Raises what `wait_for` raises."""
        if self._stopped.is_set():
            raise _interrupted()
        return self.wait_for(self.start(call), timeout)

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """The answer of a call that was started.

        Raises WaitInterrupted once stopped, and TimeoutError after `timeout` seconds. The call
        then continues, and its result is dropped.
        """
        woken = threading.Event()
        self._waiting.add(woken)
        answer.add_done_callback(lambda _: woken.set())
        if self._stopped.is_set():
            woken.set()
        in_time = woken.wait(timeout)
        self._waiting.discard(woken)
        # Also where the answer has come: what depends on it must not begin any more.
        if self._stopped.is_set():
            raise _interrupted(asked=True)
        if not in_time:
            raise TimeoutError
        return answer.result()


def _answer(answer: Future[T], call: Callable[[], T]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - whoever waits raises it
        answer.set_exception(error)


def _interrupted(*, asked: bool = False) -> WaitInterrupted:
    msg = "Interrupted while waiting. The operation continues in Intune."
    return WaitInterrupted(msg, asked=asked, cure=Cure.RESUME)
