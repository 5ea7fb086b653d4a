"""Many tokens wait at once: one list a turn for all of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.lifecycle.waiting import Waiting
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import LIST, POST, SYNC, Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.core.waiting import WaitResult

    Evaluate = Callable[[VppToken, datetime], WaitResult | None]

WAITING = 12


def watched(tenant: Tenant, at_wait: Callable[[], object]) -> Run:
    """A run that calls back whenever a sync was started and a wait for it begins."""

    class Watched(Waiting):
        def wait(self, evaluate: Evaluate, *given: Any, **options: Any) -> tuple[VppToken, WaitResult]:
            calls = chain([at_wait], repeat(lambda: None))

            def watched(observed: VppToken, now: datetime) -> WaitResult | None:
                next(calls)()
                return evaluate(observed, now)

            return super().wait(watched, *given, **options)

    run = Run(tenant)
    syncs = run.assembly._syncs
    syncs._waiting = Watched(syncs._listing, run.time)
    return run


def in_many_threads(run: Run) -> list[str | None]:
    """How each of many creations ended that run side by side."""

    def create(number: int) -> str | None:
        failure = run.create(token_inputs(vpptoken(f"Location {number}"), displayName=f"Token {number}")).failure
        return str(failure) if failure else None

    with ThreadPoolExecutor(WAITING) as threads:
        return list(threads.map(create, range(WAITING)))


def test_waits_that_end_together_share_one_list() -> None:
    """Many tokens whose syncs are done by the first turn cost one list of the tenant."""
    run = watched(new_tenant(), threading.Barrier(WAITING).wait)
    assert in_many_threads(run) == [None] * WAITING
    assert sorted(run.requests) == sorted([LIST, *[POST] * WAITING, *[SYNC] * WAITING, LIST])
    assert run.time.slept == [2]


def test_long_waits_share_their_turns() -> None:
    """Over many turns there is one list for each pause, and never one for each token."""
    run = watched(new_tenant(sync_seconds=60), threading.Barrier(WAITING).wait)
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

    class Overtaken(Tenant):
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
    run = watched(new_tenant(Overtaken), at_wait)
    first = run.create(token_inputs(vpptoken()))
    second.join(10)
    assert (first.failure, failures) == (None, [None])
    assert run.requests == [LIST, POST, SYNC, POST, SYNC, LIST, LIST]


class Unreachable(Tenant):
    """A tenant that answers no listing for a while."""

    lists, away = 0, 0

    def list_tokens(self, **options: Any) -> Page:
        """A page, but for so many times after the first."""
        self.lists += 1
        if 1 < self.lists <= 1 + self.away:
            raise IntuneRefusal(503, "ServiceUnavailable", "Try again.")
        return super().list_tokens(**options)


@pytest.mark.parametrize(("away", "ends_well"), [(15, True), (20, False)])
def test_looks_that_fail_in_a_row(away: int, ends_well: bool) -> None:  # noqa: FBT001 - a table
    """Three listings in a row may fail, five requests each; the fourth ends the wait, and the id is kept."""
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
