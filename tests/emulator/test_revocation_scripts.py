"""What revocations end in by a script."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.client import FAULTS, TOKENS, a_tenant, graph, synced
from intune_vpp_emulator.faults import Faults, UnusableRuleError
from tenant_in_process import script

QUIETLY = {"notifyManagedDevices": False}


def revoked(**end: Any) -> tuple[dict[str, Any], int]:
    """The result of a scripted revocation, long after, and how many licences it has freed."""
    tenant = a_tenant()
    made = synced(tenant)
    before = sum(tenant.use_licenses(made, {}).values())
    script(tenant, **end)
    tenant.revoke_licenses(made, QUIETLY)
    tenant.clock.advance(86_400)
    (result,) = tenant.get(made)["tokenActionResults"]
    assert result["totalLicensesCount"] == end.get("totalLicensesCount", before)
    return result, before - sum(tenant.use_licenses(made, {}).values())


@pytest.mark.parametrize("state", ["canceled", "failed", "notSupported", "none", "novel"])
def test_a_revocation_ends_in_any_state(state: str) -> None:
    """Each state can be the end, one that nobody knows too; where it is not done, nothing is freed."""
    result, freed = revoked(actionState=state)

    assert (result["actionState"], result["actionFailureReason"]) == (state, "none")
    assert result["failedLicensesCount"] == result["totalLicensesCount"] > 0
    assert freed == 0


@pytest.mark.parametrize(
    "reason", ["appleFailure", "internalError", "expiredVppToken", "expiredApplePushNotificationCertificate", "novel"]
)
def test_a_revocation_fails_for_any_reason(reason: str) -> None:
    """Each reason can be given, one that nobody knows too."""
    result, freed = revoked(actionState="failed", actionFailureReason=reason)

    assert (result["actionState"], result["actionFailureReason"], freed) == ("failed", reason, 0)


@pytest.mark.parametrize("state", ["done", "failed"])
def test_a_revocation_fails_in_part(state: str) -> None:
    """Whatever it ends in, the licences that did not fail are free."""
    result, freed = revoked(actionState=state, failedLicensesCount=3)

    assert (result["actionState"], result["failedLicensesCount"]) == (state, 3)
    assert freed == result["totalLicensesCount"] - 3


@pytest.mark.parametrize(("total", "failed", "free"), [(5, 2, 3), (2, 5, 0)])
def test_counts_can_be_made_up(total: int, failed: int, free: int) -> None:
    """A total that is scripted stands, and no more is freed than it leaves."""
    assert revoked(totalLicensesCount=total, failedLicensesCount=failed)[1] == free


@pytest.mark.parametrize("state", ["pending", "active"])
def test_a_revocation_never_ends(state: str) -> None:
    """One that is to end in a state on the way stays in it, with neither reason nor failed licences to show."""
    result, freed = revoked(actionState=state, actionFailureReason="appleFailure", failedLicensesCount=1)

    assert (result["actionState"], freed) == (state, 0)
    assert (result["actionFailureReason"], result["failedLicensesCount"]) == ("none", 0)


def test_a_result_of_a_type_that_nobody_knows() -> None:
    """A type and members that nobody knows are there from the start to the end, as they were given."""
    tenant = a_tenant()
    made = synced(tenant)
    novel = {"@odata.type": "#microsoft.graph.vppTokenNovelActionResult", "novel": {"x": [1]}, "actionName": "novel"}
    script(tenant, **novel)
    tenant.revoke_licenses(made, QUIETLY)

    for state in ("pending", "done"):
        (result,) = tenant.get(made)["tokenActionResults"]
        assert {**result, **novel} == result
        assert (next(iter(result)), result["actionState"]) == ("@odata.type", state)
        tenant.clock.advance(1)


def test_a_script_beats_the_state_of_the_token() -> None:
    """A revocation of an expired token ends as its script says."""
    tenant = a_tenant(revoke_seconds=0)
    made = synced(tenant)
    tenant.edit_by_hand(made, {"state": "expired"})
    script(tenant, actionState="done")
    tenant.revoke_licenses(made, QUIETLY)

    (result,) = tenant.get(made)["tokenActionResults"]
    assert (result["actionState"], result["actionFailureReason"]) == ("done", "none")


def test_rules_for_revocations_are_used_up() -> None:
    """Each revocation that starts uses a rule once; a refused one, a sync or another request uses none."""
    tenant = a_tenant(revoke_seconds=0, sync_seconds=0)
    client, made = graph(tenant), synced(tenant)
    canceled: dict[str, Any] = {"revoke": {"actionState": "canceled"}, "times": 2}
    nowhere: dict[str, Any] = {"path": "*/no", "status": 500, "times": 1}
    assert client.post(FAULTS, json=[canceled, {"sync": "failed"}, nowhere]).status_code == 201
    revoke = f"{TOKENS}/{made}/revokeLicenses"

    assert client.post(revoke, json={}).status_code == 400
    assert client.post(f"{TOKENS}/x/revokeLicenses", json=QUIETLY).status_code == 404
    assert client.post(f"{TOKENS}/{made}/syncLicenses").json()["lastSyncStatus"] == "failed"
    assert client.get(FAULTS).json() == [canceled, nowhere]
    for _ in range(3):
        assert client.post(revoke, json=QUIETLY).status_code == 204
        tenant.clock.advance(1)
    assert [one["actionState"] for one in tenant.get(made)["tokenActionResults"]] == ["canceled", "canceled", "done"]
    assert client.get(FAULTS).json() == [nowhere]


@pytest.mark.parametrize(
    "revoke",
    [
        {},
        None,
        "failed",
        ["failed"],
        {"actionState": None},
        {"actionFailureReason": 3},
        {"failedLicensesCount": -1},
        {"failedLicensesCount": True},
        {"totalLicensesCount": "3"},
    ],
)
def test_a_bad_end_is_refused_in_a_sentence(revoke: Any) -> None:
    """A revoke that is no object of members, or has members of other kinds, is refused."""
    with pytest.raises(UnusableRuleError) as refused:
        Faults([{"revoke": revoke}])

    assert str(refused.value) == (
        "Rule 1: revoke is a JSON object of the members that the result ends with: texts, and counts from 0 on."
    )


def test_a_rule_is_of_one_kind() -> None:
    """A rule for revocations takes nothing but its times."""
    with pytest.raises(UnusableRuleError, match="'status' is not a member of a rule for revocations"):
        Faults([{"revoke": {"actionState": "failed"}, "status": 503}])
