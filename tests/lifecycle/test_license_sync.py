"""A sync on demand: started or joined, waited for or not, and done again where a trigger changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from intune_vpp.core.errors import (
    SyncFailed,
    SyncTimedOut,
)
from intune_vpp_emulator.faults import Faults
from run_in_process import GET, LIST, REVOKE, SYNC, SYNCED, Run, at_once
from tenant_in_process import new_tenant, uploaded

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def asked(token_id: str, *triggers: object, **inputs: Any) -> dict[str, Any]:
    """What a program asks for."""
    return {"vppTokenId": token_id, **({"triggers": list(triggers)} if triggers else {}), **inputs}


def test_a_sync_is_run(tenant: Tenant) -> None:
    """One GET, one POST and a poll; what the token shows afterwards is reported, under the token's id."""
    token_id = uploaded(tenant)
    tenant.clock.advance(60)
    run = Run(tenant)
    kept = run.operate(SYNCED, asked(token_id, "nightly", 7))
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
    assert run.reporter.said == [("info", f"Syncs the licences of token {token_id}.")]


def test_nothing_is_due_afterwards(tenant: Tenant) -> None:
    """Done once, it is not done again until a trigger changes."""
    kept = Run(tenant).operate(SYNCED, asked(uploaded(tenant), 1))
    run = Run(tenant)
    assert not run.plan_operation(kept, kept.inputs)
    assert (run.requests, run.reporter.said) == ([], [])


def test_a_trigger_syncs_again(tenant: Tenant) -> None:
    """A changed trigger is a new sync, reported before, under the same id."""
    kept = Run(tenant).operate(SYNCED, asked(uploaded(tenant), 1))
    run = Run(tenant)
    again = run.update_operation(kept, asked(kept.id, 2))
    assert run.requests == [GET, SYNC, LIST]
    assert (again["triggers"], again.failure) == ([2], None)
    assert again["lastSyncDateTime"] > kept["lastSyncDateTime"]
    assert run.reporter.infos == [f"Syncs the licences of token {kept.id}."]


def test_whether_to_wait_changes_in_the_state_alone(tenant: Tenant) -> None:
    """No other input syncs: the new one is kept, the outputs stay, and nothing is sent."""
    kept = Run(tenant).operate(SYNCED, asked(uploaded(tenant), 1))
    run = Run(tenant)
    after = run.update_operation(kept, asked(kept.id, 1, waitForSync=False))
    assert run.log == []
    assert after.outputs == {**kept.outputs, "waitForSync": False}
    assert run.reporter.said == [
        ("info", f"Changes waitForSync of the LicenseSync of token {kept.id} in the state only.")
    ]


def test_a_running_sync_is_joined() -> None:
    """Where a sync runs already none is started; its end is waited for, and it is reported that it ended."""
    tenant = new_tenant(sync_seconds=20)
    token_id = uploaded(tenant)
    tenant.sync_licenses(token_id)
    run = Run(tenant)
    kept = run.operate(SYNCED, asked(token_id))
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
        shown = run.assembly.operation(SYNCED).read(looked_at, {})
        assert shown is not None
    tenant.clock.advance(10)
    before = len(run.requests)
    kept = run.operate(SYNCED, asked(york))
    assert run.requests[before:][:2] == [GET, SYNC]
    assert kept["lastSyncStatus"] == "completed"


def test_nobody_waits_where_that_is_not_wanted() -> None:
    """Without waiting, the sync is started and left alone, and nothing is pending."""
    tenant = new_tenant(sync_seconds=600)
    token_id = uploaded(tenant)
    run = Run(tenant)
    kept = run.operate(SYNCED, asked(token_id, waitForSync=False))
    assert run.requests == [GET, SYNC]
    assert run.time.slept == []
    assert (kept["lastSyncStatus"], kept["syncPending"], kept.failure) == ("inProgress", False, None)


def test_a_failed_sync_is_reported_and_tried_again(tenant: Tenant) -> None:
    """A sync that failed keeps the id and is repeated by the next update, until one is seen to succeed."""
    token_id = uploaded(tenant)
    tenant.ends_of_syncs.append(Faults([{"sync": "failed", "times": 2}]).for_sync)
    failed = Run(tenant).operate(SYNCED, asked(token_id))
    assert str(failed.failure) == (
        "The licence sync of Lincoln failed. Intune gives no reason; check the tenant status. "
        "The next update tries again."
    )
    assert (failed.id, failed["syncPending"], failed["lastSyncStatus"]) == (token_id, True, "failed")
    run = Run(tenant)
    still = run.update_operation(failed)
    assert isinstance(still.failure, SyncFailed)
    assert run.requests[:2] == [GET, SYNC]
    sentence = f"Syncs the licences of token {token_id} again (the previous sync was not confirmed)."
    assert run.reporter.infos == [sentence]
    well = Run(tenant).update_operation(still)
    assert (well.failure, well["syncPending"], well["lastSyncStatus"]) == (None, False, "completed")


def test_an_expired_token_does_not_sync(tenant: Tenant) -> None:
    """A token that cannot sync is reported with the cure of its state, as soon as its sync has failed."""
    token_id = uploaded(tenant)
    tenant.edit_by_hand(token_id, {"expirationDateTime": "2026-11-01T11:00:00Z"})
    run = Run(tenant)
    kept = run.operate(SYNCED, asked(token_id))
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
    kept = run.operate(SYNCED, asked(token_id), timeout=timedelta(seconds=30))
    assert isinstance(kept.failure, SyncTimedOut)
    assert "did not end within 30 seconds (its status is inProgress since " in str(kept.failure)
    assert 30 <= sum(run.time.slept) < 50
    assert (kept.id, kept["syncPending"]) == (token_id, True)
    later = Run(tenant)
    well = later.update_operation(kept)
    assert SYNC not in later.requests
    assert (well.failure, well["syncPending"]) == (None, False)


def test_a_refresh_shows_the_syncs_of_others(tenant: Tenant) -> None:
    """A refresh costs one GET and tells how the token's syncs stand; that is no drift."""
    kept = Run(tenant).operate(SYNCED, asked(uploaded(tenant), 1))
    quiet = Run(tenant)
    assert quiet.refresh_operation(kept) == kept
    assert quiet.requests == [GET]
    assert quiet.reporter.said == []
    tenant.edit_by_hand(kept.id, {"state": "invalid", "lastSyncStatus": "failed"})
    shown = Run(tenant).refresh_operation(kept)
    assert shown is not None
    assert shown.outputs == {**kept.outputs, "state": "invalid", "lastSyncStatus": "failed"}
    assert not Run(tenant).plan_operation(shown, kept.inputs)


def test_many_refreshes_share_a_listing(tenant: Tenant) -> None:
    """However many syncs a stack has, a refresh asks for the tokens once."""
    all_kept = [Run(tenant).operate(SYNCED, asked(uploaded(tenant, f"Location {number}"))) for number in range(5)]
    run = Run(tenant)
    assert all(run.refresh_operation(kept) for kept in all_kept)
    assert run.requests == [GET, LIST]


def test_a_sync_on_v1(tenant: Tenant) -> None:
    """A sync needs no beta."""
    token_id = uploaded(tenant)
    run = Run(tenant, settings={"graphVersion": "v1.0"})
    assert run.operate(SYNCED, asked(token_id))["lastSyncStatus"] == "completed"
    assert REVOKE not in run.requests


def test_two_for_one_token_start_one() -> None:
    """Two syncs of one token in one run are one: the second looks when the first has started it."""
    kept, requests = at_once(SYNCED, sync_seconds=20)
    assert requests.count(SYNC) == 1
    assert [one["syncPending"] for one in kept] == [False, False]


def test_a_token_that_cannot_be_synced_says_why(tenant: Tenant) -> None:
    """When the wait runs out on a token that had failed before, its state and the cure are reported."""
    token_id = uploaded(tenant)
    tenant.edit_by_hand(token_id, {"state": "invalid", "lastSyncStatus": "failed"})
    run = Run(tenant)
    kept = run.operate(SYNCED, asked(token_id), timeout=timedelta(seconds=5))
    assert str(kept.failure).startswith("Lincoln is invalid and was not synced. Apple no longer accepts it")
