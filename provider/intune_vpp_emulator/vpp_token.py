"""One vppToken: what is stored of it, and what it shows at a moment. Nothing here waits; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .clock import moment, to_the_second, to_the_tick
from .licenses import Imported
from .members import SOUND, State
from .revocation import Revocation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .apple import ContentToken

# In the live answer of 2026-07-17 the modification follows the sync by 3.0054 ms.
_AFTER_SYNC = timedelta(microseconds=3005)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class VppToken:
    """A token as stored. `members` are those of beta; the `state` among them disregards time and duplicates."""

    number: int
    id: str
    file: ContentToken
    members: Mapping[str, Any] = field(repr=False)
    lag_ends: datetime | None = None
    sync_ends: datetime | None = None
    sync_fails: bool = False
    sync_dated: bool = False
    """Whether the running sync has moved its date already."""
    imported: Imported | None = None
    revocations: tuple[Revocation, ...] = ()
    """Those that run; the results of the others are in `members`."""

    @property
    def place(self) -> tuple[str, ...]:
        """The location at Apple: two tokens of one are duplicates."""
        named = (self.file.organization, self.file.location)
        return (*named, self.file.location_id) if self.file.location_id else named

    def changed(self, members: Mapping[str, Any], now: datetime) -> VppToken:
        """With these members, modified now."""
        return replace(self, members={**self.members, "lastModifiedDateTime": to_the_tick(now), **members})

    def renewed(self, file: ContentToken, now: datetime, lag: timedelta) -> VppToken:
        """With another file. Its expiration shows later: Microsoft advises administrators to wait until it changes."""
        fresh = self.changed({"organizationName": file.organization, "locationName": file.location}, now)
        return replace(fresh, file=file, lag_ends=now + lag)  # a guess: renewal-lag, a guess: other-location

    def forced(self, members: Mapping[str, Any], now: datetime) -> VppToken:
        """With read-only members set from outside of Graph."""
        forced = self.changed(members, now)
        if "lastSyncStatus" in members:
            forced = replace(forced, sync_ends=None, sync_fails=False, sync_dated=False)
        if "tokenActionResults" in members:
            forced = replace(forced, revocations=())
        if "expirationDateTime" in members:
            expires = moment(members["expirationDateTime"])
            forced = replace(forced, file=replace(self.file, expires=expires), lag_ends=None)
        return forced

    @property
    def used(self) -> Mapping[str, int]:
        """The licences of its apps that are in use at Apple, by bundle id."""
        return {} if self.imported is None else self.imported.used

    @property
    def is_syncing(self) -> bool:
        """Whether a sync runs."""
        return bool(self.members["lastSyncStatus"] == "inProgress")

    def syncing(self, now: datetime, duration: timedelta, *, end: str | None, dated: bool) -> VppToken:
        """With a sync started. `end` is `failed`, `hang` or None, by its state; `dated` moves its date now."""
        members = {"lastSyncStatus": "inProgress"}
        if dated:
            members["lastSyncDateTime"] = self._next_sync_date(now)
        return replace(
            self.changed(members, now),
            sync_ends=None if end == "hang" else now + duration,
            sync_fails=end == "failed",
            sync_dated=dated,
        )

    def revoking(self, now: datetime, duration: timedelta, end: Mapping[str, Any]) -> VppToken:
        """With a revocation started, beside those that run."""
        # a guess: revoke-while-busy, a guess: revoke-modified
        begun = {one.get("startDateTime") for one in self.action_results_at(now) or ()}
        while to_the_tick(now) in begun:  # two actions while the clock stands still
            now += _TICK
        # a guess: revoke-total
        started = Revocation.starting(now, duration, sum(self.used.values()), end)
        return replace(self, revocations=(*self.revocations, started))

    def action_results_at(self, when: datetime) -> list[dict[str, Any]] | None:
        """What Graph shows of the token's actions; those that run come last."""
        # a guess: action-history
        ended: list[dict[str, Any]] | None = self.members["tokenActionResults"]  # a control route may have set null
        return [*(ended or ()), *(one.shown_at(when) for one in self.revocations)] if self.revocations else ended

    def state_at(self, when: datetime, *, duplicate: bool) -> str:
        """The state, by the clock and by whether another token has this location."""
        stored: str = self.members["state"]
        if stored not in SOUND:
            return stored
        if self.file.expires <= when:
            return State.EXPIRED.value
        return State.DUPLICATE_LOCATION_ID.value if duplicate else stored

    def settled(self, now: datetime, *, duplicate: bool) -> VppToken:
        """With everything done that was due by now."""
        settled = self
        if settled.sync_ends is not None and settled.sync_ends <= now:
            settled = settled.revoked(settled.sync_ends).synced(settled.sync_ends, duplicate=duplicate)
        settled = settled.revoked(now)
        if settled.lag_ends is not None and settled.lag_ends <= now:
            settled = settled.caught_up()
        return settled

    def synced(self, ended: datetime, *, duplicate: bool) -> VppToken:
        """With its sync ended; only a token in a sound state completes one."""
        done = replace(self, sync_ends=None, sync_fails=False, sync_dated=False)
        if self.sync_fails or self.state_at(ended, duplicate=duplicate) not in SOUND:
            # a guess: sync-unsound
            return done.changed({"lastSyncStatus": "failed"}, ended + _AFTER_SYNC)  # a guess: failed-sync-date
        synced = {"lastSyncStatus": "completed"}
        if not self.sync_dated:  # a guess: sync-date
            synced["lastSyncDateTime"] = self._next_sync_date(ended)
        return replace(done, imported=self._imports(ended)).changed(synced, ended + _AFTER_SYNC).caught_up()

    def revoked(self, until: datetime) -> VppToken:
        """With every revocation ended that is over by then."""
        over = sorted((one for one in self.revocations if one.is_over_at(until)), key=lambda one: one.ends)
        if not over:
            return self
        results = [*(self.members["tokenActionResults"] or ()), *(one.result for one in over)]
        return replace(
            self,
            revocations=tuple(one for one in self.revocations if one not in over),
            members={**self.members, "tokenActionResults": results},
            imported=self.imported and self.imported.freed(sum(one.freed for one in over)),
        )

    def caught_up(self) -> VppToken:
        """With the expiration of its file shown."""
        shown = {**self.members, "expirationDateTime": to_the_second(self.file.expires)}
        return replace(self, members=shown if self.file.readable else self.members, lag_ends=None)

    def using(self, used: Mapping[str, Any]) -> VppToken:
        """With that many licences of its apps in use; raises ValueError."""
        if self.imported is None:
            raise ValueError("The token has no apps before its first sync.")
        return replace(self, imported=self.imported.using(used))

    def counted_anew(self) -> VppToken:
        """With its licences counted."""
        return replace(self, imported=self.imported and self.imported.counted_anew())

    def _next_sync_date(self, when: datetime) -> str:
        while to_the_tick(when) <= self.members["lastSyncDateTime"]:  # two syncs while the clock stands still
            when += _TICK
        return to_the_tick(when)

    def _imports(self, ended: datetime) -> Imported:
        # a guess: other-location-apps
        known = self.imported
        return known.counted_anew() if known and known.place == self.place else Imported.fresh(self.place, ended)
