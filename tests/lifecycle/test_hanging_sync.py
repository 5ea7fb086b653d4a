"""A sync that Intune shows as running for days is not waited for; one that has just started is joined."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NOW, token_inputs, vpptoken
from intune_vpp.core import times
from intune_vpp.core.errors import SyncTimedOut
from intune_vpp_emulator.tenant import Tenant
from run_in_process import GET, LIST, PATCH, SYNC, SYNCED, Run
from tenant_in_process import new_tenant, uploaded

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenState

DAYS_AGO = times.text(NOW - timedelta(days=3))
A_MINUTE_AGO = times.text(NOW - timedelta(minutes=1))
SOON = NOW + timedelta(days=90)


class Restarting(Tenant):
    """A tenant whose syncLicenses starts a sync although one is running."""

    def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
        """Start a new sync in any case."""
        self.edit_by_hand(token_id, {"lastSyncStatus": "none"})
        return super().sync_licenses(token_id, **options)


class DatedAtStart(Tenant):
    """A tenant that moves `lastSyncDateTime` when a sync starts, and not when it ends."""

    def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
        """Start a sync, and date it."""
        super().sync_licenses(token_id, **options)
        (token,) = self.tokens
        self.tokens = [token.changed({"lastSyncDateTime": times.text(self.clock.now())}, self.clock.now())]
        return self.get(token_id, **options)

    def get(self, token_id: str, **options: Any) -> dict[str, Any]:
        """The token, with its date as it was when the sync started."""
        return self._dated(super().get(token_id, **options))

    def list_tokens(self, **options: Any) -> Any:
        """The page, with the dates as they were when the syncs started."""
        page = super().list_tokens(**options)
        page.tokens[:] = map(self._dated, page.tokens)
        return page

    started = times.text(NOW)

    def _dated(self, shown: dict[str, Any]) -> dict[str, Any]:
        return {**shown, "lastSyncDateTime": self.started}


def created(tenant: Tenant, *, since: str, status: str = "inProgress") -> VppTokenState:
    """The refreshed state of a token whose sync runs since then."""
    state = Run(tenant).create(token_inputs(vpptoken(expires=SOON))).state
    tenant.edit_by_hand(state.id, {"lastSyncStatus": status, "lastModifiedDateTime": since})
    # Within minutes of the create, an earlier date would be that of a replica that lags.
    now = Run(tenant).refresh(replace(state, observed_at=DAYS_AGO))
    assert now is not None
    return now


@pytest.mark.parametrize("since", [DAYS_AGO, A_MINUTE_AGO])
def test_a_renewal_always_starts_a_sync(since: str) -> None:
    """After a PATCH of the file a sync is started, also where one runs: it may be one of the old file."""
    tenant = new_tenant(Restarting)
    state = created(tenant, since=since)
    run = Run(tenant)
    outcome = run.up(state, token_inputs(vpptoken()))
    assert run.requests == [PATCH, SYNC, LIST]
    assert (outcome.failure, outcome.state.observed.last_sync_status) == (None, "completed")


def test_a_pending_sync_is_started_again() -> None:
    """The sync that the preview announces is really started where the previous one has been running for too long."""
    tenant = new_tenant(Restarting)
    inputs = token_inputs(vpptoken())
    tenant.sync_seconds = 7200
    state = Run(tenant).create(inputs).state
    assert state.sync_pending
    tenant.sync_seconds = 1
    run = Run(tenant)
    outcome = run.up(state, inputs)
    assert run.reporter.infos == ["Syncs Lincoln again (the previous sync was not confirmed); id and apps are kept."]
    assert run.requests == [SYNC, LIST]
    assert (outcome.failure, outcome.state.sync_pending) == (None, False)


def test_a_pending_sync_is_joined_while_it_is_fresh() -> None:
    """A sync that was started minutes ago is waited for, without another request to start it."""
    tenant = new_tenant(sync_seconds=120)
    inputs = token_inputs(vpptoken(), waitForSync=True)
    run = Run(tenant)
    state = run.assembly.tokens.create(run.check(inputs).args, timeout=timedelta(seconds=30)).state
    assert state.sync_pending
    later = Run(tenant)
    outcome = later.up(state, inputs)
    assert set(later.requests) == {LIST}
    assert (outcome.failure, outcome.state.sync_pending) == (None, False)


def test_what_this_run_has_started_is_joined() -> None:
    """A run starts one sync of a token, however long it takes: a LicenseSync joins that of its token."""
    tenant = new_tenant(sync_seconds=3000)
    run = Run(tenant)
    state = run.create(token_inputs(vpptoken())).state
    kept = run.operate(SYNCED, {"vppTokenId": state.id}, timeout=timedelta(hours=1))
    assert run.requests.count(SYNC) == 1
    assert (kept.failure, kept["lastSyncStatus"]) == (None, "completed")


def test_a_sync_on_demand_does_not_join_one_that_hangs() -> None:
    """A LicenseSync starts a sync where the one that is running may hang."""
    tenant = new_tenant(Restarting)
    token_id = uploaded(tenant)
    tenant.edit_by_hand(token_id, {"lastSyncStatus": "inProgress", "lastModifiedDateTime": DAYS_AGO})
    run = Run(tenant)
    kept = run.operate(SYNCED, {"vppTokenId": token_id})
    assert run.requests == [GET, SYNC, LIST]
    assert (kept.failure, kept["lastSyncStatus"]) == (None, "completed")


@pytest.mark.parametrize("renews", [True, False])
def test_a_sync_that_hangs_on_says_since_when(renews: bool) -> None:  # noqa: FBT001 - a table
    """Where Intune starts no other sync, the message says since when the one that hangs has been running."""
    tenant = new_tenant()
    state = created(tenant, since=DAYS_AGO)
    run = Run(tenant)
    if renews:
        failure = run.up(state, token_inputs(vpptoken())).failure
    else:
        failure = run.operate(SYNCED, {"vppTokenId": state.id}).failure
    assert isinstance(failure, SyncTimedOut)
    assert f"did not end within 20 minutes (its status is inProgress since {DAYS_AGO})" in str(failure)


@pytest.mark.parametrize(("since", "warns"), [(DAYS_AGO, True), (A_MINUTE_AGO, False)])
def test_a_sync_that_hangs_is_warned_of(since: str, warns: bool) -> None:  # noqa: FBT001 - a table
    """Refresh and preview warn of a sync that has been running for more than a day."""
    tenant = new_tenant()
    text = vpptoken(expires=SOON)
    state = Run(tenant).create(token_inputs(text)).state
    tenant.edit_by_hand(state.id, {"lastSyncStatus": "inProgress", "lastModifiedDateTime": since})
    refresh = Run(tenant)
    now = refresh.refresh(replace(state, observed_at=DAYS_AGO))
    assert now is not None
    preview = Run(tenant)
    preview.preview(now, token_inputs(text))
    sentence = f"The licence sync of Lincoln has been inProgress since {DAYS_AGO} (seen 2026-11-01): it probably hangs."
    for run in (refresh, preview):
        assert any(warning.startswith(sentence) for warning in run.reporter.warnings) is warns
    assert preview.requests == []


def test_a_joined_sync_whose_date_moved_at_its_start() -> None:
    """A sync that was seen running and then completed has ended, although its date did not move meanwhile."""
    tenant = new_tenant(DatedAtStart, sync_seconds=30)
    token_id = uploaded(tenant)
    tenant.sync_licenses(token_id)
    run = Run(tenant)
    kept = run.operate(SYNCED, {"vppTokenId": token_id})
    assert SYNC not in run.requests
    assert (kept.failure, kept["syncPending"], kept["lastSyncStatus"]) == (None, False, "completed")
    assert sum(run.time.slept) < 120


def test_a_sync_that_hangs_is_not_joined_after_a_change_of_this_run() -> None:
    """A PATCH of this run moves the date by which a sync counts as fresh: a LicenseSync after it starts one."""
    tenant = new_tenant(Restarting)
    state = created(tenant, since=DAYS_AGO)
    run = Run(tenant)
    renamed = run.up(state, token_inputs(None, displayName="Renamed"))
    assert renamed.failure is None
    record = run.operate(SYNCED, {"vppTokenId": state.id})
    assert (record.failure, record["lastSyncStatus"]) == (None, "completed")
    assert SYNC in run.requests


def test_a_fresh_sync_is_joined_by_two_resources() -> None:
    """Two LicenseSync of one token join the same fresh sync: none is started."""
    tenant = new_tenant(sync_seconds=60)
    token_id = uploaded(tenant)
    tenant.sync_licenses(token_id)
    run = Run(tenant)
    for _ in range(2):
        assert run.operate(SYNCED, {"vppTokenId": token_id, "waitForSync": False}).failure is None
    assert SYNC not in run.requests
