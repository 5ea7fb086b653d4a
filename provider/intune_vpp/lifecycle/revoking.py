"""Revocations: joined where one runs, begun otherwise, and followed to their end."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core import revocation
from intune_vpp.core.errors import GraphUnavailable, GraphUnreachable, NotFound, RequestNotSent, WaitInterrupted
from intune_vpp.core.revocation import Result, Watch
from intune_vpp.core.waiting import TIME_ALLOWED, WaitResult, beginning, stopped_before

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from intune_vpp.core.errors import GraphError
    from intune_vpp.core.model import VppToken
    from intune_vpp.core.ports import Clock, Reporter, VppTokens
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.waiting import Waiting


class Revoking:
    """Revokes the licences of one token at a time; waits are shared."""

    def __init__(
        self, *, tokens: VppTokens, listing: TokenListing, waiting: Waiting, reporter: Reporter, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._listing = listing
        self._waiting = waiting
        self._reporter = reporter
        self._clock = clock
        self._beginning: dict[str, threading.Lock] = {}

    def begin(
        self,
        token_id: str,
        *,
        notify_managed_devices: bool = False,
        revoke_untracked_licenses: bool = False,
        timeout: timedelta = TIME_ALLOWED,
        known: VppToken | None = None,
    ) -> tuple[VppToken, Watch]:
        """Revoke all licences, unless that is going on already; the token then, and what to watch.

        A run that was killed between the request and its answer has begun one as well. `known` is the token as it was
        seen before: an answer that lags must not make an older revocation look new. Raises GraphError, and
        WaitInterrupted with nothing begun.
        """
        # A resource and a deletion may be for one token: the second finds what the first has begun.
        with self._beginning.setdefault(token_id.lower(), threading.Lock()):
            # An engine that asks to stop must not see a revocation begin: it cannot be undone.
            with beginning(_what(token_id)):
                seen = self._clock.unless_stopped(partial(self._listing.get, token_id))
            now = self._clock.now()
            earlier = revocation.starts(seen) | (revocation.starts(known) if known else frozenset())
            watch = Watch(requested_at=now, since=now, earlier=earlier, allowed=timeout)
            there = revocation.running(seen)
            if there is not None:
                self._tell_of(there, seen, asked=notify_managed_devices or revoke_untracked_licenses)
                return seen, replace(watch, start=there.start_date_time)
            self._listing.written(token_id)
            return self._revoke(seen, watch, notify_managed_devices, revoke_untracked_licenses)

    def _tell_of(self, there: Result, seen: VppToken, *, asked: bool) -> None:
        self._reporter.info(f"Waiting for the revocation of the licences of {seen.label} that is already running")
        if asked:
            started = (
                f"started at {there.start_date_time} is already running" if there.start_date_time else "is pending"
            )
            self._reporter.warn(f"A revocation {started}. Intune does not say which options it was started with.")

    def _revoke(self, seen: VppToken, watch: Watch, notify: bool, untracked: bool) -> tuple[VppToken, Watch]:  # noqa: FBT001 - Graph's parameters, in Graph's order
        revoke = partial(
            self._tokens.revoke_licenses,
            seen.id,
            notify_managed_devices=notify,
            revoke_untracked_licenses=untracked,
        )
        try:
            self._clock.unless_stopped(revoke)
        except WaitInterrupted as stopped:
            if not stopped.asked:
                raise stopped_before(_what(seen.id)) from None
            # Nobody heard the answer: whoever follows it keeps what there is to find it by.
        except RequestNotSent:
            raise
        except NotFound as refusal:
            raise self._listing.explain(seen.id, refusal) from None
        except (GraphUnreachable, GraphUnavailable) as error:
            return self._poll_for_lost_response(seen, watch, error), watch
        return seen, watch

    def _poll_for_lost_response(self, seen: VppToken, watch: Watch, lost: GraphError) -> VppToken:
        """The token with a revocation whose answer was lost; raises that error where none showed in a while.

        Where Graph stays out of reach nobody knows: then it counts as begun, since a second one must not follow.
        """
        never_showed = WaitResult(lost)
        lost_at = self._clock.now()

        def evaluate(observed: VppToken, now: datetime) -> WaitResult | None:
            if observed is seen:
                # From before the request: it tells nothing.
                return None
            if revocation.shows(watch, observed):
                return WaitResult()
            return never_showed if now - lost_at >= revocation.UNANSWERED else None

        observed, ended = self._waiting.wait(
            evaluate, seen, until=lost_at + revocation.UNANSWERED, shows=partial(revocation.shows, watch)
        )
        if ended is never_showed:
            raise lost
        return observed

    def follow(self, watch: Watch, seen: VppToken) -> tuple[VppToken, Result | None, WaitResult]:
        """The token when the revocation has ended or could no longer be waited for, what was seen of it, and how."""
        sight = _Tracker(watch)
        observed, ended = self._waiting.wait(sight, seen, until=watch.since + watch.allowed, shows=sight.shows)
        self._listing.written(seen.id)
        return observed, sight.last, ended


class _Tracker:
    """Judges what is watched, and keeps what was seen of it: a listing that lags must not make it forgotten."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.last: Result | None = None

    def shows(self, observed: VppToken) -> bool:
        """Whether a token shows what is watched."""
        return revocation.shows(self._watch, observed)

    def __call__(self, observed: VppToken, now: datetime) -> WaitResult | None:
        found = revocation.find(self._watch, observed)
        if found is not None:
            self.last = found
            self._watch = replace(self._watch, start=found.start_date_time, seen_at=now)
        elif self.shows(observed):
            self._watch = replace(self._watch, seen_at=now)
        return revocation.evaluate(self._watch, observed, now)


def _what(token_id: str) -> str:
    return f"the licences of token {token_id} were revoked"
