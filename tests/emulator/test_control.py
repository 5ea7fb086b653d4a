"""The emulator's own routes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.client import NOW, TOKENS, a_body, a_client, a_file, a_tenant, bearer, error_of, graph
from intune_vpp_emulator.request_log import masked


def test_requests_are_logged_without_their_secrets() -> None:
    """The log tells each request in order with its body, and no secret value."""
    tenant = a_tenant()
    client = graph(tenant)
    secret = tenant.directory.app.client_secret
    client.post(
        f"/{tenant.directory.tenant_id}/oauth2/v2.0/token?x=1",
        data={"grant_type": "client_credentials", "client_secret": secret},
    )
    text = a_file()
    client.post(f"{TOKENS}?y=2", json=a_body(token=text, displayName="Books"))
    client.get(f"{TOKENS}/x")

    log = client.get("/_emulator/requests").json()

    assert [(one["method"], one["path"], one["status"]) for one in log] == [
        ("POST", f"/{tenant.directory.tenant_id}/oauth2/v2.0/token", 400),
        ("POST", TOKENS, 201),
        ("GET", f"{TOKENS}/x", 404),
    ]
    assert all(list(one) == ["time", "method", "path", "status", "body"] for one in log)
    assert log[0]["body"] == {"grant_type": "client_credentials", "client_secret": "***"}
    assert log[1]["body"] == a_body(token="***", displayName="Books")
    assert log[2]["body"] == {}
    assert log[2]["time"] == "2026-11-01T12:00:00.2500000Z"
    assert text not in json.dumps(log)


def test_the_log_can_be_emptied() -> None:
    """After a DELETE the log starts anew, and the control routes themselves are never in it."""
    client = graph(a_tenant())
    client.get(TOKENS)

    assert client.delete("/_emulator/requests").status_code == 204
    client.get("/_emulator/clock")
    assert client.get("/_emulator/requests").json() == []


@pytest.mark.parametrize("content", [b"{", b"[1]", b""])
def test_a_body_that_is_no_object_is_logged_empty(content: bytes) -> None:
    """Whatever was sent, the body in the log is an object."""
    client = graph(a_tenant())
    client.post(TOKENS, content=content, headers={"Content-Type": "application/json"})

    assert client.get("/_emulator/requests").json()[0]["body"] == {}


def test_masking_goes_deep() -> None:
    """A secret is masked wherever it is and however its name is spelt; its absence stays visible."""
    document = {"Token": "s", "a": [{"token": "s", "b": 1}], "token": None, "client_assertion": "s", "displayName": "d"}

    assert masked(document) == {
        "Token": "***",
        "a": [{"token": "***", "b": 1}],
        "token": None,
        "client_assertion": "***",
        "displayName": "d",
    }


def test_somebody_edits_in_the_portal() -> None:
    """A portal edit sets any member, read-only ones too, and moves the time of modification."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.clock.advance(5)
    edit = {
        "displayName": "Renamed",
        "state": "invalid",
        "lastSyncStatus": "failed",
        "lastSyncDateTime": "2026-10-31T00:00:00.0000000Z",
        "locationName": "Moved",
        "tokenActionResults": [{"actionName": "revokeLicenses"}],
    }

    answer = a_client(tenant).post(f"/_emulator/portal/{made['id']}", json=edit)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in edit} == edit
    assert answer.json()["lastModifiedDateTime"] > made["lastModifiedDateTime"]
    assert answer.json() == tenant.get(made["id"])


def test_an_id_cannot_be_edited() -> None:
    """An id in a portal edit is ignored."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    assert tenant.edit_by_hand(made["id"], {"id": "other"})["id"] == made["id"]


def test_an_expiration_set_by_hand_counts() -> None:
    """An expirationDateTime set in the portal shows at once, and the token expires by it."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    answer = tenant.edit_by_hand(made["id"], {"expirationDateTime": "2026-11-01T12:00:05Z"})
    tenant.clock.advance(5)

    assert (answer["expirationDateTime"], answer["state"]) == ("2026-11-01T12:00:05Z", "valid")
    assert tenant.get(made["id"])["state"] == "expired"


def test_somebody_renews_in_the_portal() -> None:
    """A token in a portal edit is an upload: it renews with the lag, and garbage is refused."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    client = a_client(tenant)

    answer = client.post(f"/_emulator/portal/{made['id']}", json={"token": a_file(days=365)})
    tenant.clock.advance(1)

    assert answer.json()["expirationDateTime"] == made["expirationDateTime"]
    assert tenant.get(made["id"])["expirationDateTime"] > made["expirationDateTime"]
    assert client.post(f"/_emulator/portal/{made['id']}", json={"token": "garbage"}).status_code == 400


def test_somebody_creates_and_deletes_in_the_portal() -> None:
    """A token made in the portal has the consent that the wizard asks for; deleting it there is final."""
    tenant = a_tenant()
    client = a_client(tenant)

    made = client.post("/_emulator/portal", json={"token": a_file(), "appleId": "vpp@contoso.example"})

    assert made.status_code == 201
    assert made.json()["dataSharingConsentGranted"] is True
    assert client.delete(f"/_emulator/portal/{made.json()['id']}").status_code == 204
    assert client.delete(f"/_emulator/portal/{made.json()['id']}").status_code == 404


@pytest.mark.parametrize(
    "edit", [{"unheardOf": 1}, {"displayName": 1}, {"expirationDateTime": "soon"}, {"expirationDateTime": None}, []]
)
def test_an_edit_that_makes_no_sense_is_refused(edit: Any) -> None:
    """A portal edit with an unknown member or a value of another kind changes nothing."""
    tenant = a_tenant()
    made = tenant.create(a_body())

    assert a_client(tenant).post(f"/_emulator/portal/{made['id']}", json=edit).status_code == 400
    assert tenant.get(made["id"]) == made


def test_the_clock_can_be_moved() -> None:
    """The clock is read, advanced and set, and a time without an offset is UTC."""
    client = a_client(a_tenant())

    def move(**how: Any) -> str:
        now: str = client.post("/_emulator/clock", json=how).json()["now"]
        return now

    assert client.get("/_emulator/clock").json() == {"now": "2026-11-01T12:00:00.2500000Z"}
    assert move(advanceSeconds=90) == "2026-11-01T12:01:30.2500000Z"
    assert move(advanceSeconds=-30.25) == "2026-11-01T12:01:00.0000000Z"
    assert move(now="2027-01-31T12:00:00") == "2027-01-31T12:00:00.0000000Z"
    assert move(now="2027-01-31T12:00:00+02:00") == "2027-01-31T10:00:00.0000000Z"


@pytest.mark.parametrize(
    "body",
    [{}, {"now": "soon"}, {"now": 5}, {"advanceSeconds": "x"}, {"advanceSeconds": 1e12}, {"advanceSeconds": 1e300}],
)
def test_a_clock_cannot_be_broken(body: dict[str, Any]) -> None:
    """A move that makes no sense, or leads beyond the calendar, is refused and moves nothing."""
    tenant = a_tenant()
    answer = a_client(tenant).post("/_emulator/clock", json=body)

    assert answer.status_code == 400
    assert "advanceSeconds" in error_of(answer)["message"]
    assert tenant.clock.now() == NOW


def test_the_tenant_shows_its_applications() -> None:
    """The control routes tell who may sign in, so that a test can be an application without permission."""
    tenant = a_tenant()

    shown = a_client(tenant).get("/_emulator/tenant").json()

    assert shown["tenantId"] == tenant.directory.tenant_id
    assert {name: app["roles"] for name, app in shown["apps"].items()} == {
        "app": ["DeviceManagementServiceConfig.ReadWrite.All"],
        "reader": ["DeviceManagementServiceConfig.Read.All"],
        "visitor": [],
    }
    assert shown["apps"]["visitor"]["clientSecret"] == tenant.directory.visitor.client_secret
    assert {name: len(app["federatedCredentials"]) for name, app in shown["apps"].items()} == {
        "app": 3,
        "reader": 3,
        "visitor": 0,
    }
    assert shown["apps"]["reader"]["federatedCredentials"][0] == {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:contoso/tablets:pull_request",
    }
    assert shown["managedIdentities"]["user"] == {
        "clientId": tenant.directory.user_identity.client_id,
        "roles": ["DeviceManagementServiceConfig.ReadWrite.All"],
    }


def test_sign_ins_and_refusals_are_logged() -> None:
    """A request that was let in by nobody is in the log as well."""
    tenant = a_tenant()
    client = a_client(tenant)
    client.get(TOKENS)
    client.get(TOKENS, headers=bearer(tenant))

    assert [one["status"] for one in client.get("/_emulator/requests").json()] == [401, 200]
