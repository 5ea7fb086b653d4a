"""The machine's time, and an end to waiting."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from intune_vpp.core.errors import WaitInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.core.ports import T


class SystemClock:
    """The machine's time; `stop` ends all waiting, now and later."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._waiting: set[threading.Event] = set()

    def stop(self) -> None:
        """Let no time pass any more."""
        self._stopped.set()
        for waiting in list(self._waiting):
            waiting.set()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass. Raises WaitInterrupted once stopped."""
        if self._stopped.wait(seconds):
            raise _interrupted()

    def unless_stopped(self, call: Callable[[], T]) -> T:
        """The answer of a call that may take long. Raises WaitInterrupted once stopped; nobody hears of it then."""
        if self._stopped.is_set():
            raise _interrupted()
        answer: Future[T] = Future()
        woken = threading.Event()
        self._waiting.add(woken)
        answer.add_done_callback(lambda _: woken.set())
        # What the call says belongs to whoever made it.
        here = contextvars.copy_context()
        threading.Thread(target=here.run, args=(_answer, answer, call), daemon=True).start()
        if self._stopped.is_set():
            woken.set()
        woken.wait()
        self._waiting.discard(woken)
        # Also where the answer is there: what it was asked for must not begin any more.
        if self._stopped.is_set():
            raise _interrupted(asked=True)
        return answer.result()


def _answer(answer: Future[T], call: Callable[[], T]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - whoever waits raises it
        answer.set_exception(error)


def _interrupted(*, asked: bool = False) -> WaitInterrupted:
    msg = "The wait was interrupted; what was begun goes on in Intune."
    return WaitInterrupted(f"{msg} The next update sees to the rest.", asked=asked)
