"""Listings that many share: a run reads the tenant's pages once, however many resources ask.

A single question costs one GET of one token. From the second on, one listing answers all.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from intune_vpp.core.model import VppToken
    from intune_vpp.core.ports import Clock, VppTokens

FRESH = timedelta(seconds=60)
"""How long a listing may answer reads: a refresh of the 3,000 tokens a tenant can have takes less."""


class Reading:
    """Reads tokens for many resources at once."""

    def __init__(self, tokens: VppTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = False
        self._listed_at: datetime | None = None
        self._listing: dict[str, VppToken] = {}
        self._before_first: dict[str, VppToken] | None = None

    def one(self, token_id: str) -> VppToken:
        """The token as it is now, or was within `FRESH`. Raises TokenGone where it is not there."""
        with self._lock:
            first, self._asked = not self._asked, True
        if first:
            return self._tokens.get(token_id)
        found = self._listed().get(token_id)
        # A listing may lag behind a creation: only the token itself says that it is gone.
        return found if found is not None else self._tokens.get(token_id)

    def before_first_create(self) -> list[VppToken]:
        """What was in the tenant before this process created anything, listed once; see `forget_first_listing`."""
        with self._lock:
            if self._before_first is None:
                self._before_first = {found.id: found for found in self._tokens.list().tokens}
            return list(self._before_first.values())

    def forget_first_listing(self) -> None:
        """A creation may have left a token that nobody knows: the next one lists again."""
        with self._lock:
            self._before_first = None

    def forget(self, token_id: str) -> None:
        """A write changed this token: what was listed of it is old."""
        with self._lock:
            self._listing.pop(token_id, None)
            if self._before_first is not None:
                self._before_first.pop(token_id, None)

    def _listed(self) -> dict[str, VppToken]:
        with self._lock:
            now = self._clock.now()
            if self._listed_at is None or now - self._listed_at > FRESH:
                self._listing = {found.id: found for found in self._tokens.list().tokens}
                self._listed_at = now
            return self._listing
