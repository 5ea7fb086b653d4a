"""Revocations: joined where one runs, begun otherwise, and followed to their end."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core import revocation
from intune_vpp.core.errors import GraphUnavailable, GraphUnreachable
from intune_vpp.core.revocation import Result, Watch
from intune_vpp.core.waiting import TIME_ALLOWED

if TYPE_CHECKING:
    from datetime import timedelta

    from intune_vpp.core.model import VppToken
    from intune_vpp.core.ports import Clock, Voice, VppTokens
    from intune_vpp.core.waiting import Ended
    from intune_vpp.lifecycle.polling import Poller
    from intune_vpp.lifecycle.reading import Reading


class Revoking:
    """Takes back the licences of one token at a time; waits are shared."""

    def __init__(self, *, tokens: VppTokens, reading: Reading, poller: Poller, voice: Voice, clock: Clock) -> None:
        self._tokens = tokens
        self._reading = reading
        self._poller = poller
        self._voice = voice
        self._clock = clock
        self._beginning: dict[str, threading.Lock] = {}

    def begin(
        self,
        token_id: str,
        *,
        notify_managed_devices: bool = False,
        revoke_untracked_licenses: bool = False,
        patience: timedelta = TIME_ALLOWED,
    ) -> tuple[VppToken, Watch]:
        """Revoke all licences, unless that is going on already; the token then, and what to watch. Raises GraphError.

        A run that was killed between the request and its answer has begun one as well.
        """
        # Two resources of a program may be for one token: the second finds what the first has begun.
        with self._beginning.setdefault(token_id.lower(), threading.Lock()):
            return self._begun(
                token_id,
                notify_managed_devices=notify_managed_devices,
                revoke_untracked_licenses=revoke_untracked_licenses,
                patience=patience,
            )

    def _begun(
        self, token_id: str, *, notify_managed_devices: bool, revoke_untracked_licenses: bool, patience: timedelta
    ) -> tuple[VppToken, Watch]:
        now = self._clock.now()
        seen = self._tokens.get(token_id)
        watch = Watch(requested_at=now, since=now, earlier=revocation.starts(seen), allowed=patience)
        running = revocation.running(seen)
        if running is not None:
            self._voice.note(f"waits for the revocation of the licences of {seen.label} that is going on already")
            return seen, replace(watch, start=running.start_date_time)
        try:
            self._tokens.revoke_licenses(
                token_id,
                notify_managed_devices=notify_managed_devices,
                revoke_untracked_licenses=revoke_untracked_licenses,
            )
        except (GraphUnreachable, GraphUnavailable):
            # Only the answer may be lost.
            seen = self._tokens.get(token_id)
            if revocation.find(watch, seen) is None:
                raise
        return seen, watch

    def follow(self, watch: Watch, seen: VppToken) -> tuple[VppToken, Result | None, Ended]:
        """The token when the revocation has ended or could no longer be waited for, what it shows of it, and how."""
        observed, ended = self._poller.wait(partial(revocation.judge, watch), seen)
        self._reading.forget(seen.id)
        return observed, revocation.find(watch, observed), ended
