"""Revocations side by side: what runs is joined, what ended is not, and waits are shared."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from run_in_process import GET, LIST, REVOKE, REVOKED, OperationRecord, Run, at_once
from tenant_in_process import new_tenant, script, uploaded

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def asked(token_id: str) -> dict[str, Any]:
    """What a program asks for."""
    return {"vppTokenId": token_id}


def test_a_running_one_is_joined() -> None:
    """Where a revocation of the token runs already, none is begun; its end is reported under its own start."""
    tenant = new_tenant(revoke_seconds=60)
    token_id = uploaded(tenant)
    tenant.revoke_licenses(token_id, {"notifyManagedDevices": False})
    tenant.clock.advance(20)
    run = Run(tenant)
    kept = run.operate(REVOKED, asked(token_id))
    assert REVOKE not in run.requests
    assert kept.id == f"{token_id}/2026-11-01T12:00:01.0000000Z"
    assert (kept["actionState"], kept["requestedDateTime"]) == ("done", "2026-11-01T12:00:21Z")
    assert run.reporter.infos == ["Waiting for the revocation of the licences of Lincoln that is already running."]


def test_one_that_waits_without_a_start_is_joined(tenant: Tenant) -> None:
    """A revocation that Graph has not begun yet is not doubled."""
    token_id = uploaded(tenant)
    waiting = {
        "@odata.type": "#microsoft.graph.vppTokenRevokeLicensesActionResult",
        "actionName": "revokeLicenses",
        "actionState": "pending",
        "startDateTime": "0001-01-01T00:00:00Z",
        "lastUpdatedDateTime": "0001-01-01T00:00:00Z",
        "totalLicensesCount": 0,
        "failedLicensesCount": 0,
        "actionFailureReason": "none",
    }
    tenant.edit_by_hand(token_id, {"tokenActionResults": [waiting]})
    run = Run(tenant)
    kept = run.operate(REVOKED, asked(token_id), timeout=timedelta(seconds=10))
    assert REVOKE not in run.requests
    assert str(kept.failure).endswith("(it is pending).")
    begun = {**waiting, "actionState": "done", "startDateTime": "2026-11-01T12:00:09.0000000Z"}
    tenant.edit_by_hand(token_id, {"tokenActionResults": [begun]})
    later = Run(tenant)
    well = later.update_operation(kept)
    assert (well.failure, well["actionState"]) == (None, "done")
    assert REVOKE not in later.requests


def test_what_ended_before_is_another_one(tenant: Tenant) -> None:
    """A replacement revokes again, and is not taken for the one that failed a moment before."""
    script(tenant, actionState="failed", actionFailureReason="appleFailure")
    before = Run(tenant).operate(REVOKED, asked(uploaded(tenant)))
    run = Run(tenant)
    kept = run.operate(REVOKED, before.inputs)
    assert run.requests == [GET, REVOKE, LIST]
    assert (kept["actionState"], kept.failure) == ("done", None)
    assert kept.id != before.id


def test_two_resources_for_one_token_send_one_request() -> None:
    """Two revocations of one token in one run are one action: the second looks when the first has asked for it."""
    kept, requests = at_once(REVOKED, revoke_seconds=20)
    assert requests.count(REVOKE) == 1
    assert len({one.id for one in kept}) == 1
    assert [one["actionState"] for one in kept] == ["done", "done"]


def test_many_tokens_share_their_polls() -> None:
    """Revocations of many tokens that are waited for at once cost one listing a turn."""
    tenant = new_tenant(revoke_seconds=30)
    token_ids = [uploaded(tenant, f"Location {number}") for number in range(8)]
    run = Run(tenant)
    together = threading.Barrier(8)

    def revoke(token_id: str) -> OperationRecord:
        together.wait(5)
        return run.operate(REVOKED, asked(token_id))

    with ThreadPoolExecutor(8) as threads:
        kept = list(threads.map(revoke, token_ids))
    assert [one["actionState"] for one in kept] == ["done"] * 8
    assert (run.requests.count(REVOKE), run.requests.count(GET)) == (8, 8)
    assert run.requests.count(LIST) == len(run.time.slept) < 40
