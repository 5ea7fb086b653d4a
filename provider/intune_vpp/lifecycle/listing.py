"""The tokens of the tenant as Graph lists them: one LIST serves all concurrent callers of a process.

Reads, polls, the search before a create and the confirmation of a deletion all use it. No lock is held while a request
runs: a LIST that hangs must not delay the requests of other resources.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from intune_vpp.core import identity
from intune_vpp.core.enums import TokenState
from intune_vpp.core.errors import GraphUnreachable, IntuneVppError, NotFound, NotYetVisible, TokenGone
from intune_vpp.core.waiting import TIME_ALLOWED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from intune_vpp.core.errors import GraphError
    from intune_vpp.core.ports import Clock, VppTokens
    from intune_vpp.core.vpp_token import VppToken

_SECONDS_FOR_DUPLICATES = 30.0

FRESH = timedelta(minutes=3)
"""The maximum age of a listing that serves reads. A refresh of 3,000 tokens, the most of a tenant, takes 16 seconds
(`make bench-throttle`), and minutes on a slow machine that writes the state for each of them."""

VISIBLE = timedelta(seconds=60)
"""How long after its creation Graph may answer 404 for a token."""


@dataclass(frozen=True)
class Snapshot:
    """The answer of one LIST.

    `number` counts the LISTs of this process from 1, in the order in which they began. `tokens` are keyed by their ids
    in lower case. `complete` is False if Graph listed something that could not be read: a token that is not in `tokens`
    may then exist.
    """

    number: int
    begun_at: datetime
    tokens: Mapping[str, VppToken]
    complete: bool

    @cached_property
    def similar(self) -> identity.SimilarTokens:
        """The tokens by what makes them duplicates."""
        return identity.SimilarTokens(self.tokens.values())

    def get(self, token_id: str) -> VppToken | None:
        """Return the token with this id, None if the listing lacks it; ids are not case-sensitive."""
        return self.tokens.get(token_id.lower())


class _RunningList(NamedTuple):
    """The LIST that began last: its number, as in `Snapshot`, and its answer."""

    number: int
    answer: Future[Snapshot]


class TokenListing:
    """All LISTs of one process; requests that come while a LIST runs wait for its answer, or for its error."""

    def __init__(self, tokens: VppTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._begun = 0
        self._running: _RunningList | None = None
        self._latest: Snapshot | None = None
        self._written: dict[str, int] = {}
        self._created_at: dict[str, datetime] = {}
        self._confirmed: dict[tuple[int, str], Future[VppToken]] = {}
        self._answer_lost_at = 0
        self._one_was_read = False

    @property
    def begun(self) -> int:
        """The number of the LIST that began last; 0 before the first."""
        with self._lock:
            return self._begun

    def after(self, number: int, timeout: float | None = None) -> Snapshot:
        """Return the answer of a LIST that began after LIST `number`: the latest one, the running one, or a new one.

        `timeout` is in seconds. Raises TimeoutError, WaitInterrupted, and GraphError if the LIST failed.
        """
        with self._lock:
            if self._latest is not None and self._latest.number > number:
                return self._latest
            running = self._running
            if running is None or running.number <= number or running.answer.done():
                self._begun += 1
                begun = self._begun
                running = self._running = _RunningList(begun, self._clock.start(lambda: self._list(begun)))
        return self._clock.wait_for(running.answer, timeout)

    def within(self, age: timedelta) -> Snapshot:
        """Return a snapshot that is no older than `age`. Raises what `after` raises."""
        with self._lock:
            latest = self._latest
        if latest is not None and self._clock.now() - latest.begun_at <= age:
            return latest
        return self.after(latest.number if latest else 0)

    def latest(self, after: int) -> Snapshot | None:
        """Return the latest snapshot if its LIST began after LIST `after`. Sends nothing."""
        with self._lock:
            return self._latest if self._latest is not None and self._latest.number > after else None

    def written(self, token_id: str) -> None:
        """Record a write to a token, so that earlier LISTs no longer count for it."""
        with self._lock:
            self._written[token_id.lower()] = self._begun

    def created(self, token_id: str) -> None:
        """Record that this process has created a token, which Graph may not show yet."""
        self.written(token_id)
        with self._lock:
            self._created_at[token_id.lower()] = self._clock.now()

    def was_written(self, token_id: str) -> bool:
        """Whether this process has written to a token."""
        with self._lock:
            return token_id.lower() in self._written

    def answer_lost(self) -> None:
        """Record that a create may have made a token with an unknown id: the next create lists again."""
        with self._lock:
            self._answer_lost_at = self._begun

    def before_create(self, uncertain: Callable[[VppToken], bool]) -> list[VppToken]:
        """Return the tokens without those that this process has written since. Listed once in a process.

        Those that are `uncertain` are returned as a GET shows them. Raises GraphError.
        """
        left = self._clock.time_left()
        try:
            # A LIST that others have begun may take longer than this operation may.
            snapshot = self.after(self._answer_lost_at, None if left is None else max(left, 0.0))
        except TimeoutError:
            what = "Microsoft Graph did not list the tokens within the time of this operation. Nothing was created."
            raise GraphUnreachable(f"{what} Run it again, or allow more with the option customTimeouts.") from None
        with self._lock:
            listed = [one for key, one in snapshot.tokens.items() if self._written.get(key, 0) < snapshot.number]
        return self._without_blanks(snapshot, listed, uncertain)

    def _without_blanks(
        self, snapshot: Snapshot, listed: Iterable[VppToken], uncertain: Callable[[VppToken], bool]
    ) -> list[VppToken]:
        """Return the tokens, those that are `uncertain` as a GET shows them, without those that were deleted.

        A listing may leave blank what a GET shows.
        """
        shown = (self._confirm(snapshot, one.id) if uncertain(one) else one for one in listed)
        return [one for one in shown if one is not None]

    def _confirm(self, snapshot: Snapshot, token_id: str) -> VppToken | None:
        """Return a token as a GET shows it, one for all callers with this snapshot; None if it was deleted."""
        key = (snapshot.number, token_id)
        with self._lock:
            if key not in self._confirmed:
                self._confirmed[key] = self._clock.start(partial(self.get, token_id))
            answer = self._confirmed[key]
        try:
            return self._clock.wait_for(answer)
        except TokenGone:
            return None
        except IntuneVppError:
            with self._lock:
                self._confirmed.pop(key, None)
            raise

    def duplicates(self, token: VppToken, *, after: int, suspected: bool) -> tuple[VppToken, ...] | None:
        """Return the duplicates of a token by a LIST that began after LIST `after`, None if there was none.

        A LIST is sent only if duplicates are `suspected`, or Intune reports one. If it or the GET of what it leaves
        blank fails, the read or the write that was made before must not fail.
        """
        snapshot = self.latest(after)
        with suppress(IntuneVppError, TimeoutError):
            if snapshot is None and (suspected or token.state == TokenState.DUPLICATE_LOCATION_ID):
                snapshot = self.after(after, timeout=_SECONDS_FOR_DUPLICATES)
            if snapshot is not None:
                others = [one for one in snapshot.similar.to(token) if one.id.lower() != token.id.lower()]
                uncertain = partial(identity.may_be_duplicate, token)
                return identity.duplicates(token, self._without_blanks(snapshot, others, uncertain))
        return None

    def one(self, token_id: str, *, must_be_confirmed: Callable[[VppToken], bool] = lambda _: False) -> VppToken:
        """Return one token, not older than `FRESH`: the first read is a GET, later reads share listings.

        If `must_be_confirmed` is true of a token as a listing shows it, a GET follows, whose answer counts.
        Raises TokenGone for a token that was deleted (see `explain`), and GraphError.
        """
        with self._lock:
            first, self._one_was_read = not self._one_was_read, True
        if not first:
            snapshot = self.within(FRESH)
            found = snapshot.get(token_id)
            if found is not None and self._is_current(snapshot, token_id) and not must_be_confirmed(found):
                return found
        # A listing may lag behind a create or a write, so the provider reads a missing token by its id.
        return self.get(token_id)

    def get(self, token_id: str) -> VppToken:
        """Return one token by a GET. Raises TokenGone for a token that was deleted, and GraphError."""
        try:
            return self._tokens.get(token_id)
        except NotFound as refusal:
            raise self.explain(token_id, refusal) from None

    def explain(self, token_id: str, refusal: NotFound) -> GraphError:
        """Return the error that a 404 for a token's own path means.

        TokenGone needs two confirmations: Graph's own 404, and a LIST without the token. NotYetVisible replaces it for
        a token that this process has just created. A 404 alone may also come from a proxy, or from Intune for a token
        whose scope tags the caller may not see. Raises GraphError if LIST fails.
        """
        if not refusal.from_graph:
            return refusal
        # A LIST from before the 404 may lack a token for another reason: it was just created, or replication lagged.
        snapshot = self.after(self.begun)
        if snapshot.get(token_id) is None and snapshot.complete:
            if self._is_new(token_id):
                return NotYetVisible(
                    f"Token {token_id} was just created, and Microsoft Graph does not show it yet. Run it again.",
                    status=refusal.status,
                    code=refusal.code,
                    request_id=refusal.request_id,
                )
            return TokenGone(
                f"Token {token_id} was deleted in Intune: Microsoft Graph returned 404 and does not list it. "
                "Refresh the stack, then run the update again.",
                status=refusal.status,
                code=refusal.code,
                request_id=refusal.request_id,
            )
        unreadable = "lists an entry that cannot be read, which may be this token"
        listed = "still lists it" if snapshot.get(token_id) else unreadable
        what = f"Microsoft Graph returned 404 for token {token_id} but {listed}. Nothing was changed. Try again later."
        return NotFound(what, status=refusal.status, code=refusal.code, request_id=refusal.request_id)

    def _is_new(self, token_id: str) -> bool:
        """Whether Graph may not show a token yet, because this process has just created it."""
        with self._lock:
            created = self._created_at.get(token_id.lower())
        return created is not None and self._clock.now() - created < VISIBLE

    def _is_current(self, snapshot: Snapshot, token_id: str) -> bool:
        with self._lock:
            return snapshot.number > self._written.get(token_id.lower(), 0)

    def _list(self, number: int) -> Snapshot:
        begun_at = self._clock.now()
        # Not limited by the deadline of the caller that requested it, because others wait for it too.
        with self._clock.time_limit(TIME_ALLOWED):
            listed = self._tokens.list()
        found = Snapshot(number, begun_at, {one.id.lower(): one for one in listed.tokens}, listed.complete)
        with self._lock:
            # A LIST that began earlier may end later.
            if self._latest is None or self._latest.number < number:
                self._latest = found
        return found
