"""A sync on demand that is lost sight of, or has nothing to be done to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from builders import TOKEN_ID
from intune_vpp.core.errors import Conflict, GraphUnavailable, TokenGone, WaitInterrupted, WrongTenant
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Tenant
from run_in_process import GET, LIST, SYNC, SYNCED, OperationRecord, Run
from tenant_in_process import CONFLICT, Clocked, Interrupted, RefusesSyncs, StopRequested, new_tenant, uploaded


def asked(token_id: str, *triggers: object, **inputs: Any) -> dict[str, Any]:
    """What a program asks for."""
    return {"vppTokenId": token_id, **({"triggers": list(triggers)} if triggers else {}), **inputs}


def test_an_interrupted_wait_keeps_the_id() -> None:
    """What was begun is kept, and the next update joins it."""
    tenant = new_tenant(sync_seconds=20)
    token_id = uploaded(tenant)
    kept = Run(tenant, time=Interrupted(tenant.clock)).operate(SYNCED, asked(token_id, 1))
    assert str(kept.failure) == "The wait was interrupted."
    assert (kept.id, kept["syncPending"], kept["lastSyncStatus"]) == (token_id, True, "inProgress")
    run = Run(tenant)
    assert run.update_operation(kept)["syncPending"] is False
    assert SYNC not in run.requests


def test_an_interruption_before_it() -> None:
    """Where the engine asks to stop before the sync is asked for, it says that nothing was begun."""
    tenant = new_tenant()
    token_id = uploaded(tenant)
    for early in (1, 2):
        run = Run(tenant, time=StopRequested(tenant.clock, during=early))
        with pytest.raises(WaitInterrupted, match=rf"^Stopped before .* token {token_id}.*: nothing was started\.$"):
            run.operate(SYNCED, asked(token_id))
        assert SYNC not in run.requests


def test_a_refused_sync_leaves_nothing_behind() -> None:
    """A sync that cannot be started is an error: nothing is kept, and at an update the old state stays."""
    tenant = new_tenant(RefusesSyncs)
    token_id = uploaded(tenant)
    kept = Run(tenant).operate(SYNCED, asked(token_id, 1))
    tenant.refusal = CONFLICT
    with pytest.raises(Conflict):
        Run(tenant).operate(SYNCED, asked(token_id))
    with pytest.raises(Conflict):
        Run(tenant).update_operation(kept, asked(token_id, 2))


def test_a_lost_answer_is_joined() -> None:
    """Where only the answer to the start was lost, the next try joins the sync."""

    class LosesSyncAnswers(Tenant):
        loses = False

        def sync_licenses(self, token_id: str, **options: Any) -> dict[str, Any]:
            answer = super().sync_licenses(token_id, **options)
            if self.loses:
                raise IntuneRefusal(504, "GatewayTimeout", "Too late.")
            return answer

    tenant = new_tenant(LosesSyncAnswers, sync_seconds=20)
    token_id = uploaded(tenant)
    tenant.loses = True
    with pytest.raises(GraphUnavailable):
        Run(tenant).operate(SYNCED, asked(token_id))
    run = Run(tenant)
    assert run.operate(SYNCED, asked(token_id))["lastSyncStatus"] == "completed"
    assert SYNC not in run.requests


def test_a_token_that_is_not_there(tenant: Tenant) -> None:
    """A sync of no token is an error, and nothing is sent but the question."""
    run = Run(tenant)
    with pytest.raises(TokenGone):
        run.operate(SYNCED, asked(TOKEN_ID))
    assert run.requests == [GET, LIST]


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
    kept = Run(tenant).operate(SYNCED, asked(token_id))
    assert str(kept.failure) == "Lincoln was deleted in Intune while the provider waited for it. Refresh the stack."
    assert kept["syncPending"] is True
    assert Run(tenant).refresh_operation(kept) is None
    with pytest.raises(TokenGone):
        Run(tenant).update_operation(kept)


def test_a_token_that_is_gone_takes_its_sync_along(tenant: Tenant) -> None:
    """A refresh of a sync whose token was deleted finds nothing, so that it is done for another one."""
    kept = Run(tenant).operate(SYNCED, asked(uploaded(tenant)))
    tenant.delete(kept.id)
    assert Run(tenant).refresh_operation(kept) is None


def test_another_tenant_is_never_asked(tenant: Tenant) -> None:
    """With another tenant's credentials nothing is looked at and nothing is done; what needs no request works."""
    kept = Run(tenant).operate(SYNCED, asked(uploaded(tenant), 1))
    pending = OperationRecord(kept.operation, kept.id, kept.inputs, {**kept.outputs, "syncPending": True})
    run = Run(new_tenant())
    whose = f"^LicenseSync {kept.id} belongs to tenant .*Nothing was changed"
    with pytest.raises(WrongTenant, match=whose):
        run.refresh_operation(kept)
    with pytest.raises(WrongTenant, match=whose):
        run.update_operation(kept, asked(kept.id, 2))
    with pytest.raises(WrongTenant, match=whose):
        run.update_operation(pending)
    assert run.requests == []
    assert run.update_operation(kept, asked(kept.id, 1, waitForSync=False)).failure is None


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_that_differ(tenant: Tenant, hours: int) -> None:
    """A machine whose clock is wrong sees the end of a sync all the same."""
    token_id = uploaded(tenant)
    run = Run(tenant, time=Clocked(tenant.clock, timedelta(hours=hours)))
    assert run.operate(SYNCED, asked(token_id)).failure is None
    assert run.requests == [GET, SYNC, LIST]
