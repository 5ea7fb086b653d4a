"""Revocations, which run by the clock and whose results stand in the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.captured import ACTION_RESULT, REVOKE_RESULT
from emulator.client import TOKENS, TOKENS_V1, a_body, a_client, a_tenant, bearer, error_of, graph, synced
from tenant_in_process import script

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant

QUIETLY = {"notifyManagedDevices": False, "revokeUntrackedLicenses": None}


def in_use(tenant: Tenant, token_id: str) -> int:
    """How many licences of the token's apps are in use at Apple."""
    return sum(tenant.use_licenses(token_id, {}).values())


def results(tenant: Tenant, token_id: str) -> list[dict[str, Any]]:
    """What the token shows of its actions."""
    found: list[dict[str, Any]] = tenant.get(token_id)["tokenActionResults"]
    return found


def states(tenant: Tenant, token_id: str) -> list[str]:
    """The states of the token's actions."""
    return [one["actionState"] for one in results(tenant, token_id)]


def test_a_revocation_runs_its_time() -> None:
    """A revocation is pending, then active, then done, each from its moment on, and then the licences are free."""
    tenant = a_tenant(revoke_seconds=10)
    made = synced(tenant)
    licenses = in_use(tenant, made)
    tenant.revoke_licenses(made, QUIETLY)

    seen = []
    for seconds in (0, 4.9, 0.1, 4.9, 0.1, 600):
        tenant.clock.advance(seconds)
        (one,) = results(tenant, made)
        seen.append((one["actionState"], one["lastUpdatedDateTime"][17:22], in_use(tenant, made)))

    assert seen == [
        *[("pending", "01.25", licenses)] * 2,
        *[("active", "06.25", licenses)] * 2,
        *[("done", "11.25", 0)] * 2,
    ]
    assert licenses > 0


def test_a_result_has_the_published_members() -> None:
    """A result has its type first, then its members in the alphabet's order, and the total from the start on."""
    tenant = a_tenant()
    made = synced(tenant)
    licenses = in_use(tenant, made)
    tenant.revoke_licenses(made, QUIETLY)
    (running,) = results(tenant, made)
    tenant.clock.advance(1)
    (ended,) = results(tenant, made)

    assert list(running) == list(ended) == ["@odata.type", *sorted(ACTION_RESULT | REVOKE_RESULT)]
    assert ended == {
        "@odata.type": "#microsoft.graph.vppTokenRevokeLicensesActionResult",
        "actionFailureReason": "none",
        "actionName": "revokeLicenses",
        "actionState": "done",
        "failedLicensesCount": 0,
        "lastUpdatedDateTime": "2026-11-01T12:00:02.2500000Z",
        "startDateTime": "2026-11-01T12:00:01.2500000Z",
        "totalLicensesCount": licenses,
    }
    assert running == {**ended, "actionState": "pending", "lastUpdatedDateTime": ended["startDateTime"]}


def test_an_action_changes_nothing_else_of_its_token() -> None:
    """Neither the start nor the end of a revocation changes another member."""
    tenant = a_tenant()
    made = synced(tenant)
    before = tenant.get(made)
    tenant.revoke_licenses(made, QUIETLY)
    tenant.clock.advance(1)

    after = tenant.get(made)
    assert {name for name in after if after[name] != before[name]} == {"tokenActionResults"}


def test_an_expired_token_cannot_revoke() -> None:
    """The revocation of an expired token is taken, fails for that reason and frees nothing."""
    tenant = a_tenant()
    made = synced(tenant)
    licenses = in_use(tenant, made)
    tenant.clock.advance(301 * 86_400)
    tenant.revoke_licenses(made, QUIETLY)
    tenant.clock.advance(1)

    (failed,) = results(tenant, made)
    assert (failed["actionState"], failed["actionFailureReason"]) == ("failed", "expiredVppToken")
    assert failed["failedLicensesCount"] == failed["totalLicensesCount"] == in_use(tenant, made) == licenses


@pytest.mark.parametrize(
    ("state", "end"),
    [
        ("valid", ("done", "none")),
        ("unknown", ("done", "none")),
        ("duplicateLocationId", ("done", "none")),
        ("expired", ("failed", "expiredVppToken")),
        ("invalid", ("failed", "appleFailure")),
        ("assignedToExternalMDM", ("failed", "appleFailure")),
        ("novel", ("failed", "appleFailure")),
    ],
)
def test_the_state_of_a_token_decides(state: str, end: tuple[str, str]) -> None:
    """A revocation ends as the token's state lets it, and a duplicate's as well as any."""
    tenant = a_tenant(revoke_seconds=0)
    made = tenant.create(a_body())["id"]
    tenant.edit_by_hand(made, {"state": state})
    tenant.revoke_licenses(made, QUIETLY)

    (one,) = results(tenant, made)
    assert (one["actionState"], one["actionFailureReason"]) == end


def test_a_token_without_apps_has_nothing_to_revoke() -> None:
    """Before the first sync a revocation is one of no licences."""
    tenant = a_tenant(revoke_seconds=0)
    made = tenant.create(a_body())["id"]
    tenant.revoke_licenses(made, QUIETLY)

    (one,) = results(tenant, made)
    assert (one["actionState"], one["totalLicensesCount"], one["failedLicensesCount"]) == ("done", 0, 0)


def test_two_revocations_overlap() -> None:
    """A second revocation runs beside the first, each with its own result, and no licence is freed twice."""
    tenant = a_tenant(revoke_seconds=10)
    made = synced(tenant)
    licenses = in_use(tenant, made)
    script(tenant, failedLicensesCount=licenses - 1)
    tenant.revoke_licenses(made, QUIETLY)
    tenant.clock.advance(6)
    tenant.revoke_licenses(made, QUIETLY)

    assert states(tenant, made) == ["active", "pending"]
    tenant.clock.advance(4)
    assert (states(tenant, made), in_use(tenant, made)) == (["done", "pending"], licenses - 1)
    tenant.clock.advance(6)
    assert (states(tenant, made), in_use(tenant, made)) == (["done", "done"], 0)
    assert [one["totalLicensesCount"] for one in results(tenant, made)] == [licenses, licenses]


def test_two_actions_never_start_together() -> None:
    """Each action of a token has its own start, even on a clock that stands still."""
    tenant = a_tenant(revoke_seconds=0)
    made = synced(tenant)
    for _ in range(4):
        tenant.revoke_licenses(made, QUIETLY)

    starts = [one["startDateTime"] for one in results(tenant, made)]
    assert starts == sorted(set(starts))
    assert len(starts) == 4


def test_a_sync_runs_beside_a_revocation() -> None:
    """Neither hinders the other, and the sync counts what is in use at its end, whoever looks when."""
    tenant = a_tenant(sync_seconds=1, revoke_seconds=10)
    made = synced(tenant)
    tenant.revoke_licenses(made, QUIETLY)
    tenant.sync_licenses(made)
    tenant.clock.advance(9)
    tenant.sync_seconds = 5
    assert sum(one["usedLicenseCount"] for one in tenant.list_apps().apps) == in_use(tenant, made) > 0
    tenant.sync_licenses(made)
    tenant.clock.advance(3600)

    assert (tenant.get(made)["lastSyncStatus"], states(tenant, made)) == ("completed", ["done"])
    assert sum(one["usedLicenseCount"] for one in tenant.list_apps().apps) == in_use(tenant, made) == 0


def test_an_action_goes_with_its_token() -> None:
    """Deleting a token while it revokes drops the action, and a token of the same location knows nothing of it."""
    tenant = a_tenant(sync_seconds=0, revoke_seconds=10)
    gone = synced(tenant)
    licenses = in_use(tenant, gone)
    tenant.revoke_licenses(gone, QUIETLY)
    tenant.delete(gone)
    tenant.clock.advance(10)

    assert graph(tenant).get(f"{TOKENS}/{gone}").status_code == 404
    again = synced(tenant)
    assert (results(tenant, again), in_use(tenant, again)) == ([], licenses)


@pytest.mark.parametrize("by_hand", [[], None, [{"actionName": "wipe", "actionState": "done"}]])
def test_results_set_by_hand_end_what_runs(by_hand: Any) -> None:
    """Results that somebody sets stand in place of what ran, and the next action stands behind them."""
    tenant = a_tenant(revoke_seconds=10)
    made = synced(tenant)
    tenant.revoke_licenses(made, QUIETLY)
    tenant.edit_by_hand(made, {"tokenActionResults": by_hand})
    tenant.clock.advance(10)

    assert tenant.get(made)["tokenActionResults"] == by_hand
    assert in_use(tenant, made) > 0
    for seconds, state in ((0, "pending"), (10, "done")):
        if not seconds:
            tenant.revoke_licenses(made, QUIETLY)
        tenant.clock.advance(seconds)
        assert results(tenant, made)[:-1] == (by_hand or [])
        assert states(tenant, made)[-1] == state


@pytest.mark.parametrize("name", ["revokeLicenses", "microsoft.graph.revokeLicenses"])
def test_revoke_is_asked_over_http(name: str) -> None:
    """The route answers 204 with nothing in it, the log shows what was asked, and LIST shows what GET shows."""
    tenant = a_tenant()
    client, made = graph(tenant), synced(tenant)
    body = {"notifyManagedDevices": True, "revokeUntrackedLicenses": False}

    answer = client.post(f"{TOKENS}/{made}/{name}", json=body)

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get("/_emulator/requests").json()[-1]["body"] == body
    assert client.get(TOKENS).json()["value"][0]["tokenActionResults"] == results(tenant, made) != []
    assert "tokenActionResults" not in client.get(f"{TOKENS_V1}/{made}").json()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "notifyManagedDevices"),
        ({"notifyManagedDevices": None}, "notifyManagedDevices"),
        ({"notifyManagedDevices": "true"}, "notifyManagedDevices"),
        ({"notifyManagedDevices": True, "revokeUntrackedLicenses": 1}, "revokeUntrackedLicenses"),
        ({"notifyManagedDevices": True, "unheardOf": 1}, "unheardOf"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(body: dict[str, Any], named: str) -> None:
    """A parameter that is missing, null where it may not be, of another type or unknown is a flat 400 that names it."""
    tenant = a_tenant()
    made = synced(tenant)
    answer = graph(tenant).post(f"{TOKENS}/{made}/revokeLicenses", json=body)

    assert answer.status_code == 400
    assert f"'{named}'" in error_of(answer)["message"]
    assert "intune" not in error_of(answer)
    assert results(tenant, made) == []


def test_who_may_not_revoke() -> None:
    """A token that is not there is Intune's 404, and an application that may only read gets 403."""
    tenant = a_tenant()
    made = synced(tenant)
    reader = bearer(tenant, tenant.directory.reader)

    assert graph(tenant).post(f"{TOKENS}/x/revokeLicenses", json=QUIETLY).status_code == 404
    answer = a_client(tenant).post(f"{TOKENS}/{made}/revokeLicenses", json=QUIETLY, headers=reader)
    assert answer.status_code == 403
    assert results(tenant, made) == []
