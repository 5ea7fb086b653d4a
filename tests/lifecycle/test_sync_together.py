"""Many tokens wait at once: one list a turn for all of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from builders import token_inputs, vpptoken
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import LIST, POST, SYNC, Run
from tenant_in_process import TenantTime, new_tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from intune_vpp_emulator.clock import Clock

WAITING = 12
_thread = threading.local()


class SyncStarted(Tenant):
    """A tenant that marks each thread whose sync it has started."""

    def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
        """Start it."""
        answer = super().sync_licenses(token_id, **options)
        _thread.waits = True
        return answer


class Watched(TenantTime):
    """Time that calls back when a thread whose sync was started first looks at the clock: then it is waiting."""

    def __init__(self, clock: Clock, at_wait: Callable[[], object]) -> None:
        super().__init__(clock)
        self._at_wait = at_wait

    def now(self) -> datetime:
        """The tenant's time."""
        if getattr(_thread, "waits", False):
            _thread.waits = False
            self._at_wait()
        return super().now()


def in_many_threads(run: Run) -> list[str | None]:
    """How each of many creations ended that run side by side."""

    def create(number: int) -> str | None:
        failure = run.create(token_inputs(vpptoken(f"Location {number}"), displayName=f"Token {number}")).failure
        return str(failure) if failure else None

    with ThreadPoolExecutor(WAITING) as threads:
        return list(threads.map(create, range(WAITING)))


def test_waits_that_end_together_share_one_list() -> None:
    """Many tokens whose syncs are done by the first turn cost one list of the tenant."""
    tenant = new_tenant(SyncStarted)
    run = Run(tenant, time=Watched(tenant.clock, threading.Barrier(WAITING).wait))
    assert in_many_threads(run) == [None] * WAITING
    assert sorted(run.requests) == sorted([LIST, *[POST] * WAITING, *[SYNC] * WAITING, LIST])
    assert run.time.slept == [2]


def test_long_waits_share_their_turns() -> None:
    """Over many turns there is one list for each pause, and never one for each token."""
    tenant = new_tenant(SyncStarted, sync_seconds=60)
    run = Run(tenant, time=Watched(tenant.clock, threading.Barrier(WAITING).wait))
    assert in_many_threads(run) == [None] * WAITING
    polls = run.requests.count(LIST) - 1
    assert polls == len(run.time.slept)
    # Pauses of 2 s at the least, none of them twice for the same turn.
    assert sum(run.time.slept) < 60 + 15
    assert polls <= 30


def test_list_under_way_is_not_believed_about_a_later_token() -> None:
    """A token created while another one's list is under way is not taken for deleted because that list misses it."""
    waiting = threading.Event()
    failures: list[BaseException | None] = []

    class Overtaken(SyncStarted):
        lists = 0

        def list_tokens(self, **options: Any) -> Page:
            page = super().list_tokens(**options)
            self.lists += 1
            if self.lists == 2:
                second.start()
                assert waiting.wait(5)
            return page

    def create_second() -> None:
        failures.append(run.create(token_inputs(vpptoken("Monroe"), displayName="Monroe")).failure)

    def at_wait() -> None:
        if threading.current_thread() is second:
            waiting.set()

    second = threading.Thread(target=create_second)
    tenant = new_tenant(Overtaken)
    run = Run(tenant, time=Watched(tenant.clock, at_wait))
    first = run.create(token_inputs(vpptoken()))
    second.join(10)
    assert (first.failure, failures) == (None, [None])
    assert run.requests == [LIST, POST, SYNC, POST, SYNC, LIST, LIST]


class Unreachable(SyncStarted):
    """A tenant that answers no listing for a while."""

    lists, away = 0, 0

    def list_tokens(self, **options: Any) -> Page:
        """A page, but for so many times after the first."""
        self.lists += 1
        if 1 < self.lists <= 1 + self.away:
            raise IntuneRefusal(503, "ServiceUnavailable", "Try again.")
        return super().list_tokens(**options)


@pytest.mark.parametrize(("away", "ends_well"), [(3, True), (4, False)])
def test_looks_that_fail_in_a_row(away: int, ends_well: bool) -> None:  # noqa: FBT001 - a table
    """Graph may be out of reach for three looks at what goes on; the fourth ends the wait, and the id is kept."""
    Unreachable.away = away
    tenant = new_tenant(Unreachable)
    outcome = Run(tenant).create(token_inputs(vpptoken()))
    assert (outcome.failure is None) is ends_well
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert outcome.state.sync_pending is not ends_well


class Flickering(Tenant):
    """A tenant that answers every third listing only, and none twice in a row."""

    lists = 0

    def list_tokens(self, **options: Any) -> Page:
        """A page, or a failure."""
        self.lists += 1
        if self.lists % 3 != 1:
            raise IntuneRefusal(503, "ServiceUnavailable", "Try again.")
        return super().list_tokens(**options)


def test_polls_that_fail_now_and_then() -> None:
    """However many polls fail in a long wait, it goes on while not too many of them fail in a row."""
    tenant = new_tenant(Flickering, sync_seconds=200)
    outcome = Run(tenant).create(token_inputs(vpptoken()))
    assert (outcome.failure, outcome.state.observed.last_sync_status) == (None, "completed")
    assert tenant.lists > 12
