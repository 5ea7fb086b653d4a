"""Whether a licence sync has ended, and how, as time passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, observed
from core.case_tables import each, timestamp, value
from core.strategies import INSTANTS, TIMESTAMPS, tokens
from intune_vpp.core import sync
from intune_vpp.core.errors import SyncFailed, SyncTimedOut
from intune_vpp.core.sync import STALE_EXPIRATION, Watch
from intune_vpp.core.waiting import TIME_ALLOWED

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.core.waiting import WaitResult


@dataclass(frozen=True, kw_only=True)
class Step:
    """One answer of Graph, and what is made of it."""

    after: int
    then: str
    says: str = ""
    state: str = "valid"
    status: str = "inProgress"
    synced: str = "11:00:00"
    expires: str = "2027-11-01"
    modified: str = "<nothing>"

    @property
    def seen(self) -> VppToken:
        """The token as Graph shows it."""
        return observed(
            state=self.state,
            last_sync_status=self.status,
            last_sync_date_time=None if value(self.synced) is None else f"2026-11-01T{self.synced}Z",
            expiration_date_time=None if value(self.expires) is None else timestamp(self.expires),
            last_modified_date_time=value(self.modified),
        )


@dataclass(frozen=True, kw_only=True)
class Sync:
    """What was before a sync, and what is seen of it."""

    case: str
    steps: list[dict[str, Any]]
    last_sync: str = "2026-11-01T11:00:00Z"
    stale_state: str | None = None
    stale_failure: bool = False
    expects: str | None = None
    seen_running: bool = False
    running_since: str | None = None

    @property
    def watch(self) -> Watch:
        """The sync to follow."""
        return Watch(
            started_at=NOW,
            last_sync=value(self.last_sync),
            stale_state=self.stale_state,
            stale_failure=self.stale_failure,
            expects=timestamp(self.expects) if self.expects else None,
            seen_running=self.seen_running,
            running_since=self.running_since,
        )


def verdict(ended: WaitResult | None) -> tuple[str, str]:
    """The outcome in a word, and its sentence."""
    if ended is None:
        return "waits", ""
    if ended.failure is None:
        return ("warns", ended.warning) if ended.warning else ("well", "")
    assert ended.warning is None
    return "times out" if isinstance(ended.failure, SyncTimedOut) else "fails", str(ended.failure)


@each("sync", Sync)
def test_how_a_sync_is_judged_over_time(case: Sync) -> None:
    """Success is a completed sync with a new time; everything else is waited out or reported in its own sentence."""
    for step in (Step(**given_step) for given_step in case.steps):
        then, said = verdict(sync.evaluate(case.watch, step.seen, NOW + timedelta(seconds=step.after)))
        assert then == step.then, step
        assert step.says in said
        assert bool(step.says) is bool(said)


def test_running_out_of_time_is_a_failure_of_its_own_kind() -> None:
    """Whoever treats a failed sync treats one that did not end in time too, and can tell them apart."""
    ended = sync.evaluate(Watch(started_at=NOW), observed(last_sync_status="none"), NOW + TIME_ALLOWED)
    assert ended is not None
    assert isinstance(ended.failure, SyncTimedOut)
    assert isinstance(ended.failure, SyncFailed)


@dataclass(frozen=True, kw_only=True)
class Running:
    """What Graph shows of a sync at noon, and whether it is joined."""

    case: str
    joined: bool
    status: str = "inProgress"
    modified: str = "2026-11-01T11:58:00Z"


@each("sync", Running, table="joined")
def test_which_syncs_of_others_are_joined(case: Running) -> None:
    """A sync of somebody else is joined while it is minutes old; one that may hang, or whose age is unknown, is not."""
    shown = observed(last_sync_status=case.status, last_modified_date_time=value(case.modified))
    assert sync.is_joinable(shown, NOW) is case.joined


WATCHES = st.builds(
    Watch,
    started_at=INSTANTS,
    last_sync=st.none() | TIMESTAMPS,
    stale_state=st.none() | st.sampled_from(["expired", "valid"]),
    stale_failure=st.booleans(),
    expects=st.none() | TIMESTAMPS,
    seen_running=st.booleans(),
    running_since=st.none() | TIMESTAMPS,
)


@given(WATCHES, tokens())
def test_no_wait_is_for_ever(watch: Watch, shown: VppToken) -> None:
    """Whatever Graph shows, a wait ends within the time allowed."""
    last_moment = watch.started_at + max(TIME_ALLOWED, STALE_EXPIRATION)
    assert sync.evaluate(watch, shown, last_moment) is not None
