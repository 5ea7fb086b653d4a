"""Operations that were begun and have not ended well: the engine is informed, and the next update goes on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2

from intune_vpp_emulator.faults import Faults
from plugin.door import DIFF, partial_failure, plain
from plugin.test_partial_failure import left_behind
from tenant_in_process import script, uploaded

if TYPE_CHECKING:
    from builders import Record
    from plugin.conftest import Open
    from plugin.door import Door, Listener
    from tenant_in_process import RefusesSyncs

REVOCATION = "LicenseRevocation"


@pytest.fixture
def token_id(tenant: RefusesSyncs) -> str:
    """The id of a token that is there."""
    return uploaded(tenant)


def revocations(tenant: RefusesSyncs) -> list[dict[str, Any]]:
    """All that was ever begun on the one token that is there."""
    (token,) = tenant.tokens
    found = tenant.get(token.id)["tokenActionResults"]
    assert isinstance(found, list)
    return found


def failed(door: Door, news: dict[str, Any], *, timeout: float = 0) -> tuple[Record, str]:
    """A creation that failed when something was begun: what the engine keeps, and the reason."""
    with pytest.raises(grpc.RpcError) as caught:
        door.made(news, timeout=timeout)
    return left_behind(caught.value), str(caught.value.details())


def failed_again(door: Door, kept: Record, news: dict[str, Any], *, timeout: float = 0) -> tuple[Record, str]:
    """The same of an update."""
    with pytest.raises(grpc.RpcError) as caught:
        door.update(kept, door.good(news, kept.inputs), timeout=timeout)
    return left_behind(caught.value), str(caught.value.details())


def test_a_failed_revocation(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """Id, inputs and each output come with the reason; the engine's next update fails alike, without a request."""
    script(tenant, actionState="failed", actionFailureReason="expiredVppToken")
    asked = {"vppTokenId": token_id, "notifyManagedDevices": True}
    kept, why = failed(start().about(REVOCATION), asked)
    (result,) = revocations(tenant)
    total = result["totalLicensesCount"]
    assert why.startswith(f"The licences of Lincoln could not be revoked ({total} of {total}): the token has expired (")
    assert kept.id == f"{token_id}/{result['startDateTime']}"
    assert kept.inputs == asked
    reported = {key: value for key, value in result.items() if key != "@odata.type"}
    assert {key: kept.outputs[key] for key in reported} == reported

    assert start().about(REVOCATION).planned(kept, asked).changes == DIFF.DIFF_NONE
    again, still = failed_again(start().about(REVOCATION), kept, asked)
    assert again == kept
    assert still == why.replace("Lincoln", f"token {token_id}")
    assert len(revocations(tenant)) == 1


def test_a_refresh_keeps_the_failure(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """A read that succeeded would take the failure from the state: so it is half done, with all that is kept."""
    script(tenant, actionState="failed", actionFailureReason="appleFailure")
    kept, why = failed(start().about(REVOCATION), {"vppTokenId": token_id})
    with pytest.raises(grpc.RpcError) as caught:
        start().about(REVOCATION).read(kept)
    reported = partial_failure(caught.value)
    assert (reported.id, plain(reported.inputs), plain(reported.properties)) == (kept.id, kept.inputs, kept.outputs)
    assert list(reported.reasons) == [why.replace("Lincoln", f"Lincoln (token {token_id})")]


def test_a_partly_failed_revocation(start: Open, tenant: RefusesSyncs, token_id: str, engine: Listener) -> None:
    """It is a resource that is well, with a warning in which both counts stand."""
    script(tenant, actionState="failed", actionFailureReason="internalError", failedLicensesCount=2)
    kept = start().about(REVOCATION).made({"vppTokenId": token_id})
    total = revocations(tenant)[0]["totalLicensesCount"]
    warnings = [sentence for _, severity, sentence in engine.about if severity == "WARNING"]
    assert any(one.startswith(f"2 of {total} licences of Lincoln could not be revoked: ") for one in warnings)
    assert start().about(REVOCATION).planned(kept, kept.inputs).changes == DIFF.DIFF_NONE


def test_an_interrupted_revocation(start: Open, tenant: RefusesSyncs, token_id: str, engine: Listener) -> None:
    """Ctrl-C keeps the id; the next update says that it goes on, and follows what was begun without a second one."""
    tenant.revoke_seconds = 600
    door = start().about(REVOCATION)
    with ThreadPoolExecutor(1) as threads:
        creation = threads.submit(failed, door, {"vppTokenId": token_id})
        while not revocations(tenant):
            time.sleep(0.01)
        begun = time.monotonic()
        door.ask("Cancel", empty_pb2.Empty())
        kept, why = creation.result(timeout=20)
        assert time.monotonic() - begun < 1
    expected = "Interrupted. Whatever was already started continues in Intune. The next pulumi up continues from there."
    assert why == expected
    assert kept.id.startswith(f"{token_id}/")

    planned = start().about(REVOCATION).planned(kept, kept.inputs)
    assert (list(planned.detailedDiff), list(planned.replaces)) == (["actionState"], [])
    assert planned.detailedDiff["actionState"].inputDiff is False
    said = f"Continues waiting for the revocation of the licences of token {token_id}."
    assert (door.urn, "INFO", said) in engine.about
    tenant.clock.advance(600)
    well = start().about(REVOCATION).updated(kept, kept.inputs)
    assert (well.id, well.outputs["actionState"]) == (kept.id, "done")
    assert len(revocations(tenant)) == 1
    assert start().about(REVOCATION).planned(well, kept.inputs).changes == DIFF.DIFF_NONE


def test_a_timeout(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """`customTimeouts` end a wait, at create and at update; each time the id and what was seen is kept."""
    tenant.revoke_seconds = 600
    kept, why = failed(start().about(REVOCATION), {"vppTokenId": token_id}, timeout=0.2)
    assert "did not end within 0.2 seconds (it is pending). Run pulumi again to continue waiting." in why
    assert kept.outputs["actionState"] == "pending"
    again, _ = failed_again(start().about(REVOCATION), kept, kept.inputs, timeout=0.2)
    assert again == kept
    assert len(revocations(tenant)) == 1


def test_a_failed_sync(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """A sync that failed is repeated by the next update, which shows as `syncPending`."""
    tenant.ends_of_syncs.append(Faults([{"sync": "failed"}]).for_sync)
    asked = {"vppTokenId": token_id, "triggers": [1, "a"]}
    kept, why = failed(start().about("LicenseSync"), asked)
    assert why == (
        "The licence sync of Lincoln failed. Intune gives no reason; check the tenant status. "
        "The next update tries again."
    )
    assert (kept.id, kept.inputs, kept.outputs["syncPending"]) == (token_id, asked, True)
    assert list(start().about("LicenseSync").planned(kept, asked).detailedDiff) == ["syncPending"]
    well = start().about("LicenseSync").updated(kept, asked)
    assert (well.id, well.outputs["syncPending"]) == (token_id, False)


def test_what_could_not_be_begun_leaves_nothing(start: Open, tenant: RefusesSyncs, token_id: str) -> None:
    """A refusal is no half creation: the engine keeps nothing, and at an update what it had."""
    kept = start().about("LicenseSync").made({"vppTokenId": token_id})
    tenant.delete(token_id)
    for name in ("LicenseSync", REVOCATION):
        with pytest.raises(grpc.RpcError) as caught:
            start().about(name).made({"vppTokenId": token_id})
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    door = start().about("LicenseSync")
    with pytest.raises(grpc.RpcError) as caught:
        door.update(kept, {"vppTokenId": token_id, "triggers": 1})
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
