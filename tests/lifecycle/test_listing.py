"""One LIST serves all that ask at the same time; each caller keeps its own time limit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from builders import NOW, TOKEN_ID, observed
from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import GraphUnavailable, GraphUnreachable, IntuneVppError
from intune_vpp.core.vpp_token import Listing
from intune_vpp.lifecycle.listing import FRESH, Snapshot, TokenListing
from intune_vpp.lifecycle.waiting import Waiting

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from intune_vpp.core.ports import T, VppTokens
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.core.waiting import WaitResult

TOGETHER = 16


class Held:
    """A tenant whose LISTs answer once they are let go; it counts them."""

    def __init__(self, answer: Listing | Exception) -> None:
        self.answer = answer
        self.lists = 0
        self.let_go = threading.Event()

    def list(self) -> Listing:
        """The answer, or the error."""
        self.lists += 1
        assert self.let_go.wait(30)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class CountsWaiters(SystemClock):
    """The machine's clock, which lets the LIST go when so many wait for it."""

    def __init__(self, tenant: Held, waiters: int) -> None:
        super().__init__()
        self._tenant = tenant
        self._left = threading.Semaphore(waiters - 1)

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """Wait, as one more."""
        if not self._left.acquire(blocking=False):
            self._tenant.let_go.set()
        return super().wait_for(answer, timeout)


def listing_of(tenant: Held, waiters: int) -> TokenListing:
    """The listing of a tenant for which so many wait together."""
    return TokenListing(cast("VppTokens", tenant), CountsWaiters(tenant, waiters))


def test_one_list_answers_all_that_wait() -> None:
    """Whoever asks while a LIST runs gets its answer."""
    tenant = Held(Listing((observed(),)))
    listing = listing_of(tenant, TOGETHER)
    with ThreadPoolExecutor(TOGETHER) as threads:
        found = list(threads.map(lambda _: listing.after(0), range(TOGETHER)))
    assert tenant.lists == 1
    assert {one.number for one in found} == {1}
    assert found[0].get(TOKEN_ID.upper()) == observed()


def test_one_error_ends_all_that_wait() -> None:
    """A LIST that fails counts once for all that wait for it: nobody sends it again."""
    tenant = Held(GraphUnavailable("Microsoft Graph failed."))
    listing = listing_of(tenant, TOGETHER)

    def error(_: int) -> str:
        with pytest.raises(GraphUnavailable) as raised:
            listing.after(0)
        return str(raised.value)

    with ThreadPoolExecutor(TOGETHER) as threads:
        assert set(threads.map(error, range(TOGETHER))) == {"Microsoft Graph failed."}
    assert tenant.lists == 1
    # The next one to ask sends a new LIST.
    tenant.answer = Listing(())
    assert listing.after(0).number == 2


def test_a_caller_keeps_its_own_time_limit() -> None:
    """A LIST that hangs holds nobody longer than the caller allows."""
    tenant = Held(Listing(()))
    listing = TokenListing(cast("VppTokens", tenant), SystemClock())
    with pytest.raises(TimeoutError):
        listing.after(0, timeout=0.01)
    tenant.let_go.set()
    assert listing.after(0).tokens == {}
    assert tenant.lists == 1


def test_a_create_keeps_the_time_of_its_operation() -> None:
    """A create waits for a LIST that hangs no longer than its operation may take; without a limit it waits for it."""
    tenant, clock = Held(Listing(())), SystemClock()
    listing = TokenListing(cast("VppTokens", tenant), clock)
    with (
        clock.time_limit(timedelta(seconds=0.01)),
        pytest.raises(GraphUnreachable, match=r"did not list the tokens within the time .* Nothing was created\."),
    ):
        listing.before_create(lambda _: False)
    tenant.let_go.set()
    assert listing.before_create(lambda _: False) == []
    assert tenant.lists == 1


def test_waits_end_in_time_beside_a_list_that_hangs() -> None:
    """Many waits beside a LIST that hangs all end when their own time is over, and send one LIST together."""
    tenant, clock = Held(Listing(())), Hurried()
    waiting = Waiting(TokenListing(cast("VppTokens", tenant), clock), clock)

    def wait(_: int) -> tuple[VppToken, WaitResult]:
        return waiting.wait(ends_at_noon, observed(), until=NOW)

    try:
        with ThreadPoolExecutor(TOGETHER) as threads:
            ends = list(threads.map(wait, range(TOGETHER)))
    finally:
        tenant.let_go.set()
    assert {str(ended.failure) for _, ended in ends} == {"The time is over."}
    assert tenant.lists <= 1


class Hurried(SystemClock):
    """A clock on which no pause takes long, and on which it is noon once somebody has waited in vain."""

    def __init__(self) -> None:
        super().__init__()
        self._noon = threading.local()

    def now(self) -> datetime:
        """A moment before noon, or noon."""
        return NOW if getattr(self._noon, "over", False) else NOW.replace(hour=11)

    def sleep(self, seconds: float) -> None:
        """No time."""

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """The answer, if it comes at once."""
        try:
            return super().wait_for(answer, None if timeout is None else 0.05)
        except TimeoutError:
            self._noon.over = True
            raise


def ends_at_noon(token: VppToken, now: datetime) -> WaitResult | None:
    """The end of a wait that lasts until NOW."""
    from intune_vpp.core.waiting import WaitResult  # noqa: PLC0415 - a name for the type alone above

    del token
    return WaitResult(IntuneVppError("The time is over.")) if now >= NOW else None


def test_a_late_answer_does_not_hide_a_newer_one() -> None:
    """A LIST that began earlier and ends later is not the latest one."""
    answers = {1: Listing(()), 2: Listing((observed(),))}
    first_may_end = threading.Event()

    class Crossing:
        lists = 0

        def list(self) -> Listing:
            self.lists += 1
            number = self.lists
            if number == 1:
                assert first_may_end.wait(30)
            return answers[number]

    listing = TokenListing(cast("VppTokens", Crossing()), SystemClock())
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(listing.after, 0)
        while listing.begun == 0:
            pass
        newer = listing.after(1)
        first_may_end.set()
        assert first.result(30).number == 1
    assert newer.number == 2
    latest = listing.latest(after=0)
    assert isinstance(latest, Snapshot)
    assert latest.number == 2
    assert listing.within(FRESH).number == 2
