"""A sync on demand: started or joined, waited for or not, and done again where a trigger changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actions_in_process import REVOKE, SYNCED, Kept, done, planned, refreshed, updated, uploaded
from builders import TOKEN_ID
from intune_vpp.core.errors import (
    Conflict,
    GraphUnavailable,
    SyncFailed,
    SyncTimedOut,
    TokenGone,
    WaitInterrupted,
    WrongTenant,
)
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Tenant
from tenant_in_process import GET, LIST, SYNC, Run, TenantTime, new_tenant

if TYPE_CHECKING:
    from intune_vpp_emulator.clock import Clock


def asked(token_id: str, *triggers: object, **inputs: Any) -> dict[str, Any]:
    """What a program asks for."""
    return {"vppTokenId": token_id, **({"triggers": list(triggers)} if triggers else {}), **inputs}


class Interrupted(TenantTime):
    """Time in which somebody presses Ctrl-C at once."""

    def sleep(self, seconds: float) -> None:
        """Do not."""
        raise WaitInterrupted(f"Interrupted within {seconds} seconds.")


def test_a_sync_is_run(tenant: Tenant) -> None:
    """One GET, one POST and a poll; what the token shows afterwards is told, under the token's id."""
    token_id = uploaded(tenant)
    tenant.clock.advance(60)
    run = Run(tenant)
    kept = done(run, SYNCED, asked(token_id, "nightly", 7))
    assert run.requests == [GET, SYNC, LIST]
    assert (kept.id, kept.failure) == (token_id, None)
    assert kept.outputs == {
        "vppTokenId": token_id,
        "triggers": ["nightly", 7],
        "tenantId": tenant.directory.tenant_id,
        "state": "valid",
        "lastSyncStatus": "completed",
        "lastSyncDateTime": tenant.get(token_id)["lastSyncDateTime"],
        "syncPending": False,
    }
    assert kept["lastSyncDateTime"] > "2026-11-01T12:01"
    assert run.voice.said == [("note", f"syncs the licences of token {token_id}")]


def test_nothing_is_due_afterwards(tenant: Tenant) -> None:
    """Done once, it is not done again until a trigger changes."""
    kept = done(Run(tenant), SYNCED, asked(uploaded(tenant), 1))
    run = Run(tenant)
    assert not planned(run, kept, kept.inputs)
    assert (run.requests, run.voice.said) == ([], [])


def test_a_trigger_syncs_again(tenant: Tenant) -> None:
    """A changed trigger is a new sync, told before, under the same id."""
    kept = done(Run(tenant), SYNCED, asked(uploaded(tenant), 1))
    run = Run(tenant)
    again = updated(run, kept, asked(kept.id, 2))
    assert run.requests == [GET, SYNC, LIST]
    assert (again["triggers"], again.failure) == ([2], None)
    assert again["lastSyncDateTime"] > kept["lastSyncDateTime"]
    assert run.voice.notes == [f"syncs the licences of token {kept.id}"]


def test_whether_to_wait_changes_in_the_state_alone(tenant: Tenant) -> None:
    """No other input syncs: the new one is kept, the outputs stay, and nothing is sent."""
    kept = done(Run(tenant), SYNCED, asked(uploaded(tenant), 1))
    run = Run(tenant)
    after = updated(run, kept, asked(kept.id, 1, waitForSync=False))
    assert run.log == []
    assert after.outputs == {**kept.outputs, "waitForSync": False}
    assert run.voice.said == [("note", "changes waitForSync in the state only, without a request")]


def test_a_running_sync_is_joined() -> None:
    """Where a sync runs already none is started; its end is waited for, and it is told that it ended."""
    tenant = new_tenant(sync_seconds=20)
    token_id = uploaded(tenant)
    tenant.sync_licenses(token_id)
    run = Run(tenant)
    kept = done(run, SYNCED, asked(token_id))
    assert run.requests == [GET, *[LIST] * len(run.time.slept)]
    assert len(run.time.slept) > 1
    assert (kept["lastSyncStatus"], kept["syncPending"], kept.failure) == ("completed", False, None)


def test_a_sync_that_ended_meanwhile_is_not_joined() -> None:
    """A listing of the same run that shows a sync still running is not believed: another one is started."""
    tenant = new_tenant(sync_seconds=5)
    lincoln, york = uploaded(tenant), uploaded(tenant, "York")
    tenant.sync_licenses(york)
    run = Run(tenant)
    for looked_at in (lincoln, york):
        shown = run.assembly.action(SYNCED).look(looked_at, {})
        assert shown is not None
    tenant.clock.advance(10)
    before = len(run.requests)
    kept = done(run, SYNCED, asked(york))
    assert run.requests[before:][:2] == [GET, SYNC]
    assert kept["lastSyncStatus"] == "completed"


def test_nobody_waits_where_that_is_not_wanted() -> None:
    """Without waiting, the sync is started and left alone, and nothing is pending."""
    tenant = new_tenant(sync_seconds=600)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = done(run, SYNCED, asked(token_id, waitForSync=False))
    assert run.requests == [GET, SYNC]
    assert run.time.slept == []
    assert (kept["lastSyncStatus"], kept["syncPending"], kept.failure) == ("inProgress", False, None)


def test_a_failed_sync_is_told_and_tried_again(tenant: Tenant) -> None:
    """A sync that failed keeps the id and is repeated by the next update, until one is seen to succeed."""
    token_id = uploaded(tenant)
    tenant.ends_of_syncs.append(Faults([{"sync": "failed", "times": 2}]).for_sync)
    failed = done(Run(tenant), SYNCED, asked(token_id))
    assert str(failed.failure) == "The licence sync of Lincoln failed. Intune says no more; see its tenant status."
    assert (failed.id, failed["syncPending"], failed["lastSyncStatus"]) == (token_id, True, "failed")
    run = Run(tenant)
    still = updated(run, failed)
    assert isinstance(still.failure, SyncFailed)
    assert run.requests[:2] == [GET, SYNC]
    assert run.voice.notes == [
        f"syncs the licences of token {token_id} once more, since the last sync was not seen to succeed"
    ]
    well = updated(Run(tenant), still)
    assert (well.failure, well["syncPending"], well["lastSyncStatus"]) == (None, False, "completed")


def test_an_expired_token_does_not_sync(tenant: Tenant) -> None:
    """A token that cannot sync is told with the cure of its state, as soon as its sync has failed."""
    token_id = uploaded(tenant)
    tenant.edit_by_hand(token_id, {"expirationDateTime": "2026-11-01T11:00:00Z"})
    run = Run(tenant)
    kept = done(run, SYNCED, asked(token_id))
    assert str(kept.failure) == (
        "Lincoln is expired and was not synced. Its apps are no longer installed or updated. "
        "Renew it with a new content token from Apple."
    )
    assert (kept["state"], kept["lastSyncStatus"], kept["syncPending"]) == ("expired", "failed", True)
    assert sum(run.time.slept) < 10


def test_a_sync_that_never_ends_is_given_up() -> None:
    """After the time allowed the id is kept, and the next update joins what still runs."""
    tenant = new_tenant(sync_seconds=100)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = done(run, SYNCED, asked(token_id), patience=timedelta(seconds=30))
    assert isinstance(kept.failure, SyncTimedOut)
    assert "did not end within 30 seconds (its status is inProgress)" in str(kept.failure)
    assert 30 <= sum(run.time.slept) < 50
    assert (kept.id, kept["syncPending"]) == (token_id, True)
    later = Run(tenant)
    well = updated(later, kept)
    assert SYNC not in later.requests
    assert (well.failure, well["syncPending"]) == (None, False)


def test_an_interrupted_wait_keeps_the_id() -> None:
    """What was begun is kept, and the next update joins it."""
    tenant = new_tenant(sync_seconds=20)
    token_id = uploaded(tenant)
    kept = done(Run(tenant, time=Interrupted(tenant.clock)), SYNCED, asked(token_id, 1))
    assert str(kept.failure) == "Interrupted within 2.0 seconds."
    assert (kept.id, kept["syncPending"], kept["lastSyncStatus"]) == (token_id, True, "inProgress")
    run = Run(tenant)
    assert updated(run, kept)["syncPending"] is False
    assert SYNC not in run.requests


def test_a_refused_sync_leaves_nothing_behind() -> None:
    """A sync that cannot be started is an error: nothing is kept, and at an update the old state stays."""

    class Unwilling(Tenant):
        unwilling = False

        def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
            if self.unwilling:
                raise IntuneRefusal(409, "Conflict", "Another operation is in progress.")
            return super().sync_licenses(token_id, **options)

    tenant = new_tenant(Unwilling)
    assert isinstance(tenant, Unwilling)
    token_id = uploaded(tenant)
    kept = done(Run(tenant), SYNCED, asked(token_id, 1))
    tenant.unwilling = True
    with pytest.raises(Conflict):
        done(Run(tenant), SYNCED, asked(token_id))
    with pytest.raises(Conflict):
        updated(Run(tenant), kept, asked(token_id, 2))


def test_a_lost_answer_is_joined() -> None:
    """Where only the answer to the start was lost, the next try joins the sync."""

    class Losing(Tenant):
        loses = False

        def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
            answer = super().sync_licenses(token_id, **options)
            if self.loses:
                raise IntuneRefusal(504, "GatewayTimeout", "Too late.")
            return answer

    tenant = new_tenant(Losing, sync_seconds=20)
    assert isinstance(tenant, Losing)
    token_id = uploaded(tenant)
    tenant.loses = True
    with pytest.raises(GraphUnavailable):
        done(Run(tenant), SYNCED, asked(token_id))
    run = Run(tenant)
    assert done(run, SYNCED, asked(token_id))["lastSyncStatus"] == "completed"
    assert SYNC not in run.requests


def test_a_token_that_is_not_there(tenant: Tenant) -> None:
    """A sync of no token is an error, and nothing is sent but the question."""
    run = Run(tenant)
    with pytest.raises(TokenGone):
        done(run, SYNCED, asked(TOKEN_ID))
    assert run.requests == [GET]


def test_a_token_deleted_during_the_wait() -> None:
    """The wait ends with that sentence; a refresh then finds the sync gone with its token."""

    class Deleting(Tenant):
        def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
            answer = super().sync_licenses(token_id, **options)
            if self.clock.now().second > 30:
                self.delete(token_id)
            return answer

    tenant = new_tenant(Deleting)
    token_id = uploaded(tenant)
    tenant.clock.advance(40)
    kept = done(Run(tenant), SYNCED, asked(token_id))
    assert str(kept.failure) == "Lincoln was deleted while it was waited for."
    assert kept["syncPending"] is True
    assert refreshed(Run(tenant), kept) is None
    with pytest.raises(TokenGone):
        updated(Run(tenant), kept)


def test_a_refresh_shows_the_syncs_of_others(tenant: Tenant) -> None:
    """A refresh costs one GET and tells how the token's syncs stand; that is no drift."""
    kept = done(Run(tenant), SYNCED, asked(uploaded(tenant), 1))
    quiet = Run(tenant)
    assert refreshed(quiet, kept) == kept
    assert quiet.requests == [GET]
    assert quiet.voice.said == []
    tenant.edit_by_hand(kept.id, {"state": "invalid", "lastSyncStatus": "failed"})
    shown = refreshed(Run(tenant), kept)
    assert shown is not None
    assert shown.outputs == {**kept.outputs, "state": "invalid", "lastSyncStatus": "failed"}
    assert not planned(Run(tenant), shown, kept.inputs)


def test_many_refreshes_share_a_listing(tenant: Tenant) -> None:
    """However many syncs a stack has, a refresh asks for the tokens once."""
    all_kept = [done(Run(tenant), SYNCED, asked(uploaded(tenant, f"Location {number}"))) for number in range(5)]
    run = Run(tenant)
    assert all(refreshed(run, kept) for kept in all_kept)
    assert run.requests == [GET, LIST]


def test_a_token_that_is_gone_takes_its_sync_along(tenant: Tenant) -> None:
    """A refresh of a sync whose token was deleted finds nothing, so that it is done for another one."""
    kept = done(Run(tenant), SYNCED, asked(uploaded(tenant)))
    tenant.delete(kept.id)
    assert refreshed(Run(tenant), kept) is None


def test_another_tenant_is_never_asked(tenant: Tenant) -> None:
    """With another tenant's credentials nothing is looked at and nothing is done; what needs no request works."""
    kept = done(Run(tenant), SYNCED, asked(uploaded(tenant), 1))
    pending = Kept(kept.action, kept.id, kept.inputs, {**kept.outputs, "syncPending": True})
    run = Run(new_tenant())
    whose = f"^LicenseSync {kept.id} belongs to tenant .*Nothing was changed"
    with pytest.raises(WrongTenant, match=whose):
        refreshed(run, kept)
    with pytest.raises(WrongTenant, match=whose):
        updated(run, kept, asked(kept.id, 2))
    with pytest.raises(WrongTenant, match=whose):
        updated(run, pending)
    assert run.requests == []
    assert updated(run, kept, asked(kept.id, 1, waitForSync=False)).failure is None


def test_a_sync_on_v1(tenant: Tenant) -> None:
    """A sync needs no beta."""
    token_id = uploaded(tenant)
    run = Run(tenant, configuration={"graphVersion": "v1.0"})
    assert done(run, SYNCED, asked(token_id))["lastSyncStatus"] == "completed"
    assert REVOKE not in run.requests


class Clocked(TenantTime):
    """The machine's time, an hour before the tenant's or after it."""

    def __init__(self, clock: Clock, ahead: timedelta) -> None:
        super().__init__(clock)
        self._ahead = ahead

    def now(self) -> Any:
        """The machine's time."""
        return super().now() + self._ahead


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_that_differ(tenant: Tenant, hours: int) -> None:
    """A machine whose clock is wrong sees the end of a sync all the same."""
    token_id = uploaded(tenant)
    run = Run(tenant, time=Clocked(tenant.clock, timedelta(hours=hours)))
    assert done(run, SYNCED, asked(token_id)).failure is None
    assert run.requests == [GET, SYNC, LIST]
