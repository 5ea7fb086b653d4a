"""Licence syncs: joined where one runs, started otherwise, and followed to their end."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core import sync
from intune_vpp.core.enums import SyncStatus
from intune_vpp.core.errors import NotFound
from intune_vpp.core.waiting import beginning

if TYPE_CHECKING:
    from intune_vpp.core.model import VppToken
    from intune_vpp.core.ports import Clock, VppTokens
    from intune_vpp.core.waiting import WaitResult
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.waiting import Waiting


class Syncing:
    """Syncs the licences of one token at a time; waits are shared."""

    def __init__(self, *, tokens: VppTokens, listing: TokenListing, waiting: Waiting, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._listing = listing
        self._waiting = waiting
        self._beginning: dict[str, threading.Lock] = {}

    def begin(self, token_id: str) -> tuple[VppToken, VppToken]:
        """A token before its sync and at the start of it; one that runs already is joined. Raises like `start`."""
        # Two resources of a program may be for one token: the second finds the sync that the first has started.
        with self._beginning.setdefault(token_id.lower(), threading.Lock()):
            # Not from a listing: a sync that ran when that was made would pass for the one that is asked for.
            with beginning(f"the licences of token {token_id} were synced"):
                seen = self._clock.unless_stopped(partial(self._listing.get, token_id))
            return seen, self.start(seen)

    def start(self, seen: VppToken) -> VppToken:
        """The token at the start of its sync, or of one that runs already. Raises GraphError and WaitInterrupted."""
        running = seen.last_sync_status == SyncStatus.IN_PROGRESS
        try:
            started = seen if running else self._clock.unless_stopped(partial(self._tokens.sync_licenses, seen.id))
        except NotFound as refusal:
            raise self._listing.explain(seen.id, refusal) from None
        self._listing.written(seen.id)
        return started

    def follow(self, watch: sync.Watch, seen: VppToken, started: VppToken) -> tuple[VppToken, WaitResult]:
        """The token after its sync, and how that ended; `seen` is the token before it."""
        watch = replace(
            watch,
            last_sync=seen.last_sync_date_time,
            stale_failure=seen.last_sync_status == SyncStatus.FAILED,
        )
        return self._waiting.wait(partial(sync.evaluate, watch), started, until=watch.started_at + watch.allowed)
