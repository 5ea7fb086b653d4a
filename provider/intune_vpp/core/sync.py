"""Decides whether a licence sync has ended, and how: (what Graph showed before, what it shows now) → wait or result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from intune_vpp.core import identity, times
from intune_vpp.core.enums import SyncStatus
from intune_vpp.core.errors import SyncFailed, SyncTimedOut
from intune_vpp.core.health import CURES, Claim, cure
from intune_vpp.core.waiting import TIME_ALLOWED, TRIES_AGAIN, WaitResult, in_words

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppToken

STALE_STATE = timedelta(minutes=1)
"""How long Graph may still show the state and status from before a write. After that, they count as the new ones."""

STALE_EXPIRATION = timedelta(minutes=1)
"""How long the old expiration may stay after a renewal (Microsoft tells administrators to refresh until it changes)."""


JOINABLE = timedelta(minutes=10)
"""The age up to which a running sync of somebody else is joined. An older one may hang: Intune imports the apps of a
token within minutes, and shows a sync that hangs as `inProgress` for days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One sync to follow, and what Graph showed before it started.

    `last_sync` is the time of the sync before it, `stale_state` and `stale_failure` are what the token showed before
    the write, `expects` is the expiration of the file just applied, `allowed` is the longest wait. `seen_running` says
    that Graph showed a running sync at the start of the wait, and `running_since` when that one had started at the
    latest, if it was running before this process asked for one. `claimed` says
    that the location was claimed from another MDM.
    """

    started_at: datetime
    allowed: timedelta = TIME_ALLOWED
    last_sync: str | None = None
    stale_state: str | None = None
    stale_failure: bool = False
    expects: str | None = None
    claimed: bool = False
    seen_running: bool = False
    running_since: str | None = None


def is_joinable(shown: VppToken, now: datetime) -> bool:
    """Whether the token has a running sync that somebody else has just started.

    `shown` must be from before any PATCH, which also moves `lastModifiedDateTime`.
    """
    modified = times.parse(shown.last_modified_date_time)
    # `abs`, because the clock of this machine may be behind Graph's.
    return is_running(shown) and modified is not None and abs(now - modified) < JOINABLE


def running_since(before: VppToken | None, shown: VppToken) -> str | None:
    """When the sync that `shown` has running had started at the latest, if it already ran `before` a write."""
    if before is None or not (is_running(before) and is_running(shown)):
        return None
    same = before.last_sync_date_time == shown.last_sync_date_time
    return before.last_modified_date_time if same else None


def is_running(shown: VppToken) -> bool:
    """Whether Graph shows a running sync."""
    return shown.last_sync_status == SyncStatus.IN_PROGRESS


def evaluate(watch: Watch, observed: VppToken, now: datetime) -> WaitResult | None:
    """How the watched sync ended; None while it is still running."""
    waited = now - watch.started_at
    believed = waited >= STALE_STATE and not is_running(observed)
    # Whether Intune moves the date when a sync starts or when it ends is not documented. In the first case, the date
    # of a sync that was joined does not move any more.
    ended = _synced_since(watch, observed) or (watch.seen_running and believed)
    if ended and observed.last_sync_status == SyncStatus.COMPLETED:
        return _after_success(watch, observed, waited)
    if observed.state in CURES and (observed.state != watch.stale_state or believed):
        return WaitResult(_bad_state(watch, observed))
    if observed.last_sync_status == SyncStatus.FAILED and (
        believed or not watch.stale_failure or _synced_since(watch, observed)
    ):
        if observed.state in CURES and watch.expects is None:
            # No file was applied that could have repaired the state, so the state is the cause.
            return WaitResult(_bad_state(watch, observed))
        what = f"The licence sync of {observed.label} failed. Intune gives no reason; check the tenant status."
        return WaitResult(SyncFailed(f"{what} {TRIES_AGAIN}"))
    if waited >= watch.allowed:
        failed = observed.state in CURES and observed.last_sync_status == SyncStatus.FAILED
        return WaitResult(_bad_state(watch, observed) if failed else _timed_out(watch, observed))
    return None


def _after_success(watch: Watch, observed: VppToken, waited: timedelta) -> WaitResult | None:
    if observed.state in CURES and observed.state != watch.stale_state:
        return WaitResult(_bad_state(watch, observed))
    if not times.earlier(observed.expiration_date_time, watch.expects, by=identity.LARGEST_SHIFT):
        return WaitResult(_bad_state(watch, observed) if observed.state in CURES else None)
    if waited < STALE_EXPIRATION:
        return None
    shown, expected = times.day(observed.expiration_date_time), times.day(watch.expects)
    return WaitResult(
        warning=f"{observed.label} was renewed and synced, but Intune still shows the expiration {shown} instead of "
        f"{expected}. This is usually temporary: refresh later."
    )


def _synced_since(watch: Watch, observed: VppToken) -> bool:
    after, before = times.parse(observed.last_sync_date_time), times.parse(watch.last_sync)
    return after is not None and (before is None or after > before)


def _bad_state(watch: Watch, observed: VppToken) -> SyncFailed:
    what_to_do = cure(observed.state, Claim.SENT if watch.claimed else Claim.NOT_ASKED)
    return SyncFailed(f"{observed.label} is {observed.state} and was not synced. {what_to_do}")


def _timed_out(watch: Watch, observed: VppToken) -> SyncTimedOut:
    status = observed.last_sync_status
    if is_running(observed) and (since := _running_since(watch, observed)) is not None:
        status = f"{status} since {times.text(since)}"
    within = in_words(watch.allowed)
    what = f"The licence sync of {observed.label} did not end within {within} (its status is {status})."
    return SyncTimedOut(f"{what} {TRIES_AGAIN}")


def _running_since(watch: Watch, observed: VppToken) -> datetime | None:
    """When a running sync had started at the latest: the start moves `lastModifiedDateTime`, as any write does."""
    unmoved = None if _synced_since(watch, observed) else watch.running_since
    return times.parse(unmoved) or times.parse(observed.last_modified_date_time)
