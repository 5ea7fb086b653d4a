"""What the clocks of the tests share: a call runs in the thread of its caller, and the engine does not ask to stop."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from intune_vpp.clock import OperationTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.core.ports import T


class InlineCalls(OperationTime):
    """A clock without threads and time limits; a subclass adds the time."""

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Make the call."""
        answer: Future[T] = Future()
        answer.set_result(call())
        return answer

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """Return the answer."""
        del timeout
        return answer.result()

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Make the call."""
        del timeout
        return call()

    def request(self, call: Callable[[], T], timeout: float) -> T:
        """Make the call."""
        del timeout
        return call()
