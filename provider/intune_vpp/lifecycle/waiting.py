"""Waiting for a sync or a revocation in Intune: all waits of a process share one LIST per poll."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core.errors import (
    GraphUnavailable,
    GraphUnreachable,
    IntuneVppError,
    NotFound,
    NotYetVisible,
    Throttled,
    TokenGone,
)
from intune_vpp.core.waiting import WaitResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from intune_vpp.core.ports import Clock
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.lifecycle.listing import Snapshot, TokenListing

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 15.0
"""Seconds between polls; each pause is half as long again as the one before, up to the longest."""

POLLS_THAT_MAY_FAIL = 3
"""How many polls in a row may fail before a wait ends: the operation goes on in Intune meanwhile."""

_TEMPORARY = (GraphUnavailable, GraphUnreachable, Throttled, NotFound)


class Waiting:
    """The waits of one process, which share one LIST per poll."""

    def __init__(self, listing: TokenListing, clock: Clock) -> None:
        self._listing = listing
        self._clock = clock
        self._lock = threading.Lock()
        self._turn: Future[None] | None = None

    def wait(
        self,
        evaluate: Callable[[VppToken, datetime], WaitResult | None],
        observed: VppToken,
        *,
        until: datetime,
        contains: Callable[[VppToken], bool] = lambda _: True,
    ) -> tuple[VppToken, WaitResult]:
        """Poll a token until `evaluate` returns how the wait ended; from `until` on it must.

        `observed` is the token as seen last. Where a LIST has a token that does not contain what is waited for, a GET
        of the token follows: a LIST may lag, and whether it carries all members is not documented. Returns the token as
        seen last, and how the wait ended: an error of a poll ends it too, while the operation goes on in Intune.
        """
        pause, failed_in_a_row = FIRST_PAUSE, 0
        # A LIST that runs now may have passed this token already: only a later one counts.
        seen = self._listing.begun
        try:
            while (ended := evaluate(observed, self._clock.now())) is None:
                try:
                    snapshot = self._next_turn(seen, pause, until)
                    seen = snapshot.number
                    listed = snapshot.get(observed.id)
                    if listed is None or not contains(listed):
                        # A LIST may lag behind a create: the token itself is asked before it counts as deleted.
                        listed = self._clock.unless_stopped(partial(self._listing.get, observed.id), self._left(until))
                    observed, failed_in_a_row = listed, 0
                except TimeoutError:
                    continue
                except NotYetVisible:
                    # The listing that confirmed the 404 does not show the token either: a later one is needed.
                    seen = self._listing.begun
                except _TEMPORARY:
                    failed_in_a_row += 1
                    if failed_in_a_row > POLLS_THAT_MAY_FAIL:
                        raise
                pause = min(pause * 1.5, LONGEST_PAUSE)
        except TokenGone:
            what = f"{observed.label} was deleted in Intune while the provider waited for it."
            return observed, WaitResult(TokenGone(f"{what} Refresh the stack."))
        except IntuneVppError as error:
            return observed, WaitResult(error)
        return observed, ended

    def _next_turn(self, seen: int, pause: float, until: datetime) -> Snapshot:
        """The answer of a LIST that began after LIST `seen`: one pause and one LIST for all that wait meanwhile."""
        while True:
            with self._lock:
                if (latest := self._listing.latest(seen)) is not None:
                    return latest
                if self._turn is None or self._turn.done():
                    self._turn = self._clock.start(partial(self._take_turn, pause))
                turn = self._turn
            self._clock.wait_for(turn, self._left(until))

    def _take_turn(self, pause: float) -> None:
        self._clock.sleep(pause)
        self._listing.after(self._listing.begun)

    def _left(self, until: datetime) -> float:
        """Return the seconds until a wait must end, at least 0."""
        return max((until - self._clock.now()).total_seconds(), 0.0)
