"""A sync is started, or joined, and waited for: how it may end, and what then stays known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from builders import NEXT_YEAR, NOW, token_inputs, vpptoken
from intune_vpp.core import times
from intune_vpp.core.errors import Conflict, PermissionMissing, SyncFailed, SyncTimedOut, WrongLocation
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Page, Tenant
from run_in_process import GET, LIST, PATCH, POST, SYNC, Run
from tenant_in_process import CONFLICT, RefusesSyncs, new_tenant

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenState

SOON = NOW + timedelta(days=90)


class Afterwards(Tenant):
    """A tenant in which something befalls a token when its sync has been started."""

    befalls: dict[str, Any]

    def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
        """Start it, then let it happen."""
        answer = super().sync_licenses(token_id, **options)
        self.edit_by_hand(token_id, self.befalls)
        return answer


def ends_in(**befalls: str) -> Afterwards:
    """A tenant whose syncs leave these members behind."""
    tenant = new_tenant(Afterwards)
    tenant.befalls = befalls
    return tenant


def test_completed_sync_is_seen(tenant: Tenant) -> None:
    """The state after the wait is the one after the sync."""
    outcome = Run(tenant).create(token_inputs(vpptoken()))
    assert outcome.failure is None
    assert outcome.state.sync_pending is False
    assert outcome.state.observed.last_sync_status == "completed"
    assert outcome.state.observed.last_sync_date_time == "2026-11-01T12:00:01.0000000Z"


def test_failed_sync_keeps_the_token() -> None:
    """A sync that failed is reported; the id, the file and the need of another sync are kept."""
    tenant = ends_in(lastSyncStatus="failed")
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert str(outcome.failure) == (
        "The licence sync of Lincoln failed. Intune gives no reason; check the tenant status. "
        "The next update tries again."
    )
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert outcome.state.sync_pending is True
    assert outcome.state.token_file is not None
    assert outcome.state.observed.last_sync_status == "failed"


def test_sync_that_never_ends_is_given_up() -> None:
    """After twenty minutes, polled ever more seldom, the wait is given up and the token kept."""
    tenant = new_tenant(sync_seconds=7200)
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert isinstance(outcome.failure, SyncTimedOut)
    assert str(outcome.failure) == (
        "The licence sync of Lincoln did not end within 20 minutes (its status is inProgress since "
        "2026-11-01T12:00:00Z). "
        "The next update tries again."
    )
    assert run.time.slept[:7] == [2, 3, 4.5, 6.75, 10.125, 15, 15]
    assert sum(run.time.slept[:-1]) < timedelta(minutes=20).total_seconds() <= sum(run.time.slept)
    assert run.requests == [LIST, POST, SYNC, *[LIST] * len(run.time.slept)]
    assert (outcome.state.sync_pending, len(tenant.tokens)) == (True, 1)


@pytest.mark.parametrize(
    ("state", "cure"),
    [
        ("invalid", "Download the content token again and renew it."),
        ("expired", "Renew it with a new content token from Apple."),
        ("assignedToExternalMDM", "Claim it (claimTokenManagementFromExternalMdm: true, together with the token file)"),
        ("duplicateLocationId", "Another token of this tenant is for the same location"),
    ],
)
def test_bad_states_are_distinguished(state: str, cure: str) -> None:
    """Each state in which Intune does not sync has its own sentence and cure."""
    outcome = Run(ends_in(state=state)).create(token_inputs(vpptoken()))
    assert isinstance(outcome.failure, SyncFailed)
    assert str(outcome.failure).startswith(f"Lincoln is {state} and was not synced. ")
    assert cure in str(outcome.failure)
    assert (outcome.state.sync_pending, outcome.state.observed.state) == (True, state)


def test_claim_that_intune_did_not_grant() -> None:
    """Who has sent the claim is not advised to set it."""
    inputs = token_inputs(vpptoken(), claimTokenManagementFromExternalMdm=True)
    outcome = Run(ends_in(state="assignedToExternalMDM")).create(inputs)
    assert str(outcome.failure) == (
        "Lincoln is assignedToExternalMDM and was not synced. Another MDM still manages this location, although the "
        "claim was sent. Remove it there, or see whether Intune grants the claim later."
    )


def test_real_duplicate_location_is_reported(tenant: Tenant) -> None:
    """A second token for a location is created, and reported as one too many."""
    run = Run(tenant)
    run.create(token_inputs(vpptoken("Lincoln")))
    outcome = run.create(token_inputs(vpptoken("Lincoln", expires=SOON), displayName="Twin"))
    assert outcome.state.observed.state == "duplicateLocationId"
    assert f"Token {outcome.state.id}" in str(outcome.failure)
    assert "has a duplicate in this tenant" in str(outcome.failure)


class Stale(Tenant):
    """A tenant whose lists show an old expiration until a moment."""

    shows: str = ""
    until = NEXT_YEAR

    def list_tokens(self, **options: Any) -> Page:
        """The page, an old date in it."""
        page = super().list_tokens(**options)
        if self.clock.now() < self.until:
            for entity in page.tokens:
                entity["expirationDateTime"] = self.shows
        return page


def renewed(tenant: Stale) -> tuple[Run, VppTokenState]:
    """The run of a renewal in a tenant that lags behind, and the state after it."""
    state = Run(tenant).create(token_inputs(vpptoken(expires=SOON), waitForSync=False)).state
    tenant.shows = times.text(SOON)
    run = Run(tenant)
    outcome = run.up(state, token_inputs(vpptoken()))
    assert outcome.failure is None
    assert run.requests[:2] == [PATCH, SYNC]
    assert outcome.state.sync_pending is False
    return run, outcome.state


def test_stale_expiration_is_waited_out() -> None:
    """The old expiration right after a renewal is normal: the wait goes on until the new one shows."""
    tenant = new_tenant(Stale)
    tenant.until = NOW + timedelta(seconds=30)
    run, state = renewed(tenant)
    assert state.observed.expiration_date_time == times.text(NEXT_YEAR)
    assert sum(run.time.slept) == pytest.approx(41.375)
    assert run.reporter.warnings == []


def test_stale_expiration_is_accepted_in_the_end() -> None:
    """An expiration that stays old a minute after a completed sync is accepted with a warning, and is no drift."""
    tenant = new_tenant(Stale)
    run, state = renewed(tenant)
    assert state.observed.expiration_date_time == times.text(SOON)
    assert 60 <= sum(run.time.slept) < 80
    assert run.reporter.warnings == [
        (
            "Lincoln was renewed and synced, but Intune still shows the expiration 2027-01-30 instead of 2027-11-01. "
            "This is usually temporary: refresh later."
        )
    ]
    later = Run(tenant)
    assert not later.drift(state)


def test_refused_sync_is_tried_again_by_the_next_run() -> None:
    """A sync that cannot be started keeps the id and says so; the next run starts it and nothing else."""
    tenant = new_tenant(RefusesSyncs)
    tenant.refusal = CONFLICT
    inputs = token_inputs(vpptoken())
    run = Run(tenant)
    outcome = run.create(inputs)
    assert run.requests == [LIST, POST, SYNC]
    assert isinstance(outcome.failure, Conflict)
    assert outcome.state.sync_pending is True
    still = Run(tenant)
    again = still.up(outcome.state, inputs)
    assert still.requests == [SYNC]
    assert (again.state.sync_pending, again.state.id) == (True, outcome.state.id)
    tenant.refusal = None
    last = Run(tenant)
    done = last.up(again.state, inputs)
    assert last.requests == [SYNC, LIST]
    assert last.reporter.infos == ["Syncs Lincoln again (the previous sync was not confirmed); id and apps are kept."]
    assert (done.failure, done.state.sync_pending) == (None, False)
    assert not Run(tenant).preview(done.state, inputs)


def test_pending_sync_is_no_drift() -> None:
    """A refresh of a token whose sync is to be repeated is quiet; the update after it repeats it."""
    tenant = new_tenant(RefusesSyncs)
    tenant.refusal = CONFLICT
    inputs = token_inputs(vpptoken())
    state = Run(tenant).create(inputs).state
    assert state.sync_pending is True
    refresh = Run(tenant)
    assert not refresh.drift(state)
    assert refresh.reporter.said == []
    now = Run(tenant).refresh(state)
    assert now is not None
    assert Run(tenant).preview(now, inputs).resyncs


def test_pending_sync_is_remembered_while_nobody_waits() -> None:
    """Without waiting, a pending sync is neither repeated nor forgotten."""
    tenant = new_tenant(RefusesSyncs)
    tenant.refusal = CONFLICT
    text = vpptoken()
    state = Run(tenant).create(token_inputs(text)).state
    run = Run(tenant)
    patient = run.up(state, token_inputs(text, waitForSync=False)).state
    assert run.requests == []
    assert patient.sync_pending is True
    assert Run(tenant).preview(patient, token_inputs(text)).resyncs


def test_failing_poll_keeps_the_token() -> None:
    """A list that is refused during the wait ends it; the token and the pending sync are kept."""

    class Blind(Tenant):
        lists = 0

        def list_tokens(self, **options: Any) -> Page:
            self.lists += 1
            if self.lists > 1:
                raise IntuneRefusal(403, "Forbidden", "Not any more.")
            return super().list_tokens(**options)

    tenant = new_tenant(Blind)
    run = Run(tenant)
    outcome = run.create(token_inputs(vpptoken()))
    assert run.requests == [LIST, POST, SYNC, LIST]
    assert isinstance(outcome.failure, PermissionMissing)
    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    assert outcome.state.sync_pending is True


def test_token_deleted_during_the_wait() -> None:
    """A token that somebody deletes during the wait ends it, after the minute in which Graph may not show a new one."""

    class Deleting(Tenant):
        def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
            answer = super().sync_licenses(token_id, **options)
            self.delete(token_id)
            return answer

    run = Run(new_tenant(Deleting))
    outcome = run.create(token_inputs(vpptoken()))
    assert str(outcome.failure) == "Lincoln was deleted in Intune while the provider waited for it. Refresh the stack."
    assert run.requests[:6] == [LIST, POST, SYNC, LIST, GET, LIST]
    assert 60 < sum(run.time.slept) < 90
    assert outcome.state.sync_pending is True


def test_token_that_a_list_misses_is_asked_for() -> None:
    """A list that lags behind a creation does not pass for a deletion."""

    class Lagging(Tenant):
        def list_tokens(self, **_options: Any) -> Page:
            return Page([], None)

    run = Run(new_tenant(Lagging))
    outcome = run.create(token_inputs(vpptoken()))
    assert (outcome.failure, outcome.state.observed.last_sync_status) == (None, "completed")
    assert run.requests == [LIST, POST, SYNC, LIST, GET]


def test_wrong_location_outweighs_a_failed_sync() -> None:
    """Where both go wrong, the location is what is reported, and the sync stays pending."""
    outcome = Run(ends_in(lastSyncStatus="failed")).create(
        token_inputs(vpptoken("Monroe"), expectedLocationName="Lincoln")
    )
    assert isinstance(outcome.failure, WrongLocation)
    assert outcome.state.sync_pending is True
