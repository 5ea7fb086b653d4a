"""Waiting for what goes on in Intune: all that wait in one process share one poller."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core.errors import (
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    Throttled,
    TokenGone,
    WaitInterrupted,
)
from intune_vpp.core.waiting import Ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from intune_vpp.core.model import VppToken
    from intune_vpp.core.ports import Clock, VppTokens

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 15.0
"""Seconds between polls, growing by half from the first to the longest."""

LOOKS_THAT_MAY_FAIL = 3
"""How often in a row Graph may be out of reach before a wait is given up: what was begun goes on meanwhile."""


class Poller:
    """One listing a turn for all that wait.

    Whoever holds the lock pauses and lists; the others wait for the lock and find the turn taken for them.
    """

    def __init__(self, tokens: VppTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._turn_taking = threading.Lock()
        self._begun = 0
        self._done = 0
        self._listing: dict[str, VppToken] = {}

    def wait(
        self,
        judge: Callable[[VppToken, datetime], Ended | None],
        observed: VppToken,
        *,
        shows: Callable[[VppToken], bool] = lambda _: True,
    ) -> tuple[VppToken, Ended]:
        """Look at the token last seen as `observed` until `judge` says how it ended; the token as seen last, and how.

        Where a listing has the token without what it `shows` otherwise, the token itself is asked: a listing may lag,
        and whether it carries all members is not documented. What keeps it from looking is an end as well: what was
        begun is not lost with it.
        """
        pause, missed = FIRST_PAUSE, 0
        # A listing that is under way now may have passed this token already: only a later one counts.
        turn = self._begun
        try:
            while (ended := judge(observed, self._clock.now())) is None:
                try:
                    turn, listed = self._look(observed.id, turn, pause)
                    # A listing may lag behind a creation: only the token itself says that it is gone.
                    observed = listed if listed and shows(listed) else self._get(observed.id)
                    missed = 0
                except (GraphUnavailable, GraphUnreachable, Throttled):
                    missed += 1
                    if missed > LOOKS_THAT_MAY_FAIL:
                        raise
                pause = min(pause * 1.5, LONGEST_PAUSE)
        except TokenGone:
            return observed, Ended(TokenGone(f"{observed.label} was deleted while it was waited for."))
        except (GraphError, WaitInterrupted) as error:
            return observed, Ended(error)
        return observed, ended

    def _look(self, token_id: str, turn: int, pause: float) -> tuple[int, VppToken | None]:
        """The token in the first listing after a turn, None where it is not there; and that listing's turn."""
        with self._turn_taking:
            if self._done <= turn:
                self._take_turn(pause)
            return self._done, self._listing.get(token_id)

    def _get(self, token_id: str) -> VppToken:
        return self._clock.unless_stopped(partial(self._tokens.get, token_id))

    def _take_turn(self, pause: float) -> None:
        self._clock.sleep(pause)
        self._begun += 1
        self._listing = {found.id: found for found in self._clock.unless_stopped(self._tokens.list).tokens}
        self._done = self._begun
