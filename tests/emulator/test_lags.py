"""Reads that lag behind the writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.client import TOKENS, TOKENS_V1, a_body, a_client, a_file, a_tenant, graph, synced

if TYPE_CHECKING:
    import httpx


def listed(client: httpx.Client, path: str = TOKENS) -> list[Any]:
    """The display names or, on v1.0, the Apple IDs that LIST shows."""
    return [one.get("displayName") or one["appleId"] for one in client.get(path).json()["value"]]


def test_a_new_token_is_not_found_at_first() -> None:
    """With a lag of GET a token that was just created is a 404, and then there."""
    tenant = a_tenant(get_lag_seconds=10)
    client = graph(tenant)
    path = f"{TOKENS}/{client.post(TOKENS, json=a_body()).json()['id']}"

    assert client.get(path).status_code == 404
    tenant.clock.advance(9)
    assert client.get(path).status_code == 404
    tenant.clock.advance(1)
    assert client.get(path.upper().replace("/BETA/DEVICEAPPMANAGEMENT/VPPTOKENS", TOKENS)).status_code == 200


def test_a_get_is_stale_after_a_write() -> None:
    """Each write shows after the lag, one after the other; the answer to the write itself never lags."""
    tenant = a_tenant(get_lag_seconds=10)
    client = graph(tenant)
    path = f"{TOKENS}/{tenant.create(a_body(displayName='first'))['id']}"
    tenant.clock.advance(60)

    assert client.patch(path, json={"displayName": "second"}).json()["displayName"] == "second"
    tenant.clock.advance(4)
    assert client.patch(path, json={"displayName": "third"}).json()["displayName"] == "third"
    shown = []
    for _ in range(4):
        shown.append(client.get(path).json()["displayName"])
        tenant.clock.advance(4)

    assert shown == ["first", "first", "second", "third"]


def test_a_deleted_token_still_answers() -> None:
    """With a lag of GET alone a deleted token answers GET although LIST has it no longer, and a DELETE is a 404."""
    tenant = a_tenant(get_lag_seconds=10)
    client = graph(tenant)
    path = f"{TOKENS}/{tenant.create(a_body())['id']}"
    tenant.clock.advance(60)

    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 200
    assert client.delete(path).status_code == 404
    assert listed(client) == []
    tenant.clock.advance(10)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", [TOKENS, TOKENS_V1])
def test_a_list_lags(path: str) -> None:
    """With a lag of LIST it lacks what is new, has what was deleted, and shows old values, in the order of creation."""
    tenant = a_tenant(list_lag_seconds=10, page_size=1)
    client = graph(tenant)
    ids = [tenant.create(a_body(one, displayName=one, appleId=one))["id"] for one in ("Lincoln", "Denver", "Boston")]
    tenant.clock.advance(60)
    client.delete(f"{TOKENS}/{ids[0]}")
    client.patch(f"{TOKENS}/{ids[1]}", json={"displayName": "Dover", "appleId": "Dover"})
    client.post(TOKENS, json=a_body("Austin", displayName="Austin", appleId="Austin"))

    def everything() -> list[Any]:
        return [name for skip in range(4) for name in listed(client, f"{path}?$skip={skip}&$top=1")]

    assert everything() == ["Lincoln", "Denver", "Boston"]
    assert client.get(f"{path}/$count").text == "3"
    assert client.get(f"{TOKENS}/{ids[0]}").status_code == 404
    tenant.clock.advance(10)
    assert everything() == ["Dover", "Boston", "Austin"]


def test_the_end_of_a_sync_lags() -> None:
    """A lagging GET shows a sync in progress for longer than it runs, whoever has seen its end meanwhile."""
    tenant = a_tenant(sync_seconds=5)
    made = synced(tenant)
    client = graph(tenant)
    tenant.clock.advance(60)
    client.post(f"{TOKENS}/{made}/syncLicenses")
    tenant.clock.advance(6)
    assert tenant.list_tokens().tokens[0]["lastSyncStatus"] == "completed"

    tenant.get_lag_seconds = 3
    assert tenant.get(made)["lastSyncStatus"] == "inProgress"
    tenant.clock.advance(2)
    assert tenant.get(made)["lastSyncStatus"] == "completed"


def test_a_renewal_lags() -> None:
    """The lag comes on top of that of the expiration after a renewal."""
    tenant = a_tenant(renewal_lag_seconds=5, get_lag_seconds=10)
    made = tenant.create(a_body())["id"]
    tenant.clock.advance(60)
    before = tenant.get(made)["expirationDateTime"]
    tenant.patch(made, {"token": a_file(days=600)})

    seen = []
    for _ in range(4):
        tenant.clock.advance(5)
        seen.append(tenant.get(made)["expirationDateTime"] == before)

    assert seen == [True, True, False, False]


def test_a_lag_can_be_changed_at_any_time() -> None:
    """What was written before the lag was set lags too, for ten minutes at most; without a lag nothing does."""
    tenant = a_tenant()
    client = a_client(tenant)
    made = tenant.create(a_body())["id"]

    client.patch("/_emulator/behavior", json={"getLagSeconds": 600, "listLagSeconds": 600})
    assert graph(tenant).get(f"{TOKENS}/{made}").status_code == 404
    assert tenant.list_tokens().tokens == []
    client.patch("/_emulator/behavior", json={"getLagSeconds": 0, "listLagSeconds": 0})
    assert tenant.get(made) == tenant.list_tokens().tokens[0]
    assert client.patch("/_emulator/behavior", json={"getLagSeconds": 601}).status_code == 400


def test_the_past_is_kept_for_ten_minutes() -> None:
    """A tenant that runs for long keeps the writes of the last ten minutes and no more."""
    tenant = a_tenant()
    made = tenant.create(a_body())["id"]
    for number in range(200):
        tenant.clock.advance(60)
        tenant.patch(made, {"displayName": f"{number}"})

    assert len(tenant._history._writes) == 11
    tenant.get_lag_seconds = 600
    assert tenant.get(made)["displayName"] == "189"


def test_scope_tags_hide_the_past_too() -> None:
    """A caller that may not see a token does not see what it was."""
    tenant = a_tenant(get_lag_seconds=10)
    made = tenant.create(a_body(roleScopeTagIds=["1"]))["id"]
    tenant.clock.advance(60)
    tenant.delete(made)
    tenant.allowed_scope_tags = frozenset({"2"})

    assert "does not contain a tag" in graph(tenant).get(f"{TOKENS}/{made}").text
