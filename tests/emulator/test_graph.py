"""Graph's routes, over HTTP inside the process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from emulator.client import APPS, NOW, TOKENS, TOKENS_V1, a_body, a_body_v1, a_client, a_tenant, bearer, error_of, graph
from intune_vpp_emulator.app import ROOT
from intune_vpp_emulator.clock import Clock
from intune_vpp_emulator.identity.access_tokens import issue

if TYPE_CHECKING:
    import httpx

    from intune_vpp_emulator.tenant import Tenant


def a_full_tenant(count: int, **habits: Any) -> tuple[Tenant, list[str]]:
    """A tenant with so many tokens, and their ids."""
    tenant = a_tenant(**habits)
    return tenant, [tenant.create(a_body(f"Location {number}"))["id"] for number in range(count)]


@pytest.mark.parametrize(("tokens", "body"), [(TOKENS, a_body()), (TOKENS_V1, a_body_v1())])
def test_the_life_of_a_token(tokens: str, body: dict[str, Any]) -> None:
    """Create 201, get 200, patch 200 with the object, sync 200, delete 204 and then 404, on both versions."""
    tenant = a_tenant()
    client = graph(tenant)

    made = client.post(tokens, json=body)
    one = f"{tokens}/{made.json()['id']}"
    patched = client.patch(one, json={"automaticallyUpdateApps": True})
    synced = client.post(f"{one}/syncLicenses")
    tenant.clock.advance(2)
    again = client.post(f"{one}/microsoft.graph.syncLicenses")
    got = client.get(one)

    assert [answer.status_code for answer in (made, patched, synced, again, got)] == [201, 200, 200, 200, 200]
    assert patched.json()["automaticallyUpdateApps"] is True
    assert got.json() == again.json()
    assert made.json()["@odata.context"] == f"{ROOT}{tokens.replace('/dev', '/$metadata#dev', 1)}/$entity"
    assert (client.delete(one).status_code, client.delete(one).status_code, client.get(one).status_code) == (
        204,
        404,
        404,
    )


def test_pages_are_linked() -> None:
    """A LIST is cut into pages whose links lead through all tokens once and keep the query."""
    tenant, ids = a_full_tenant(5, page_size=2)
    client, found = graph(tenant), []

    url: str | None = f"{TOKENS}?$select=id&$top=1000"
    while url is not None:
        page = client.get(url).json()
        assert [list(one) for one in page["value"]] == [["id"]] * len(page["value"])
        found += [one["id"] for one in page["value"]]
        url = page.get("@odata.nextLink")
        assert url is None or url.startswith(f"{ROOT}{TOKENS}?")

    assert found == ids


def test_top_makes_pages_smaller() -> None:
    """$top asks for less than a page."""
    tenant, ids = a_full_tenant(3)

    page = graph(tenant).get(TOKENS, params={"$top": "1"}).json()

    assert [one["id"] for one in page["value"]] == ids[:1]
    assert "@odata.nextLink" in page


def test_a_last_page_has_no_link() -> None:
    """A page that ends with the last token has no next one, also when it is full."""
    tenant, _ = a_full_tenant(2, page_size=2)

    assert "@odata.nextLink" not in graph(tenant).get(TOKENS).json()


def test_select_answers_what_was_selected() -> None:
    """$select answers the named members only, and the context says so."""
    tenant, ids = a_full_tenant(1)

    one = graph(tenant).get(f"{TOKENS}/{ids[0]}", params={"$select": "state, appleId"}).json()

    assert one == {
        "@odata.context": f"{ROOT}/beta/$metadata#deviceAppManagement/vppTokens(appleId,state)/$entity",
        "appleId": "vpp@contoso.example",
        "state": "valid",
    }


def test_v1_selects_no_beta_member() -> None:
    """$select on v1.0 knows the members of v1.0."""
    assert graph(a_tenant()).get(TOKENS_V1, params={"$select": "displayName"}).status_code == 400


def test_other_parameters_are_ignored() -> None:
    """A parameter without a dollar is none of OData's business."""
    assert graph(a_tenant()).get(TOKENS, params={"because": "I can"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/beta/deviceAppManagement/mobileAppCategories", "mobileAppCategories"),
        ("/beta/deviceAppManagement/mobileApps/x/assign", "assign"),
        ("/v1.0/users/me", "users"),
        (f"{TOKENS_V1}/x/revokeLicenses", "revokeLicenses"),
        (f"{TOKENS_V1}/x/microsoft.graph.revokeLicenses", "microsoft.graph.revokeLicenses"),
        (f"{TOKENS}/x/syncLicenses/y", "y"),
    ],
)
def test_unknown_segments_are_named(path: str, segment: str) -> None:
    """A path that does not exist is a flat 400 that names its first unknown segment."""
    answer = graph(a_tenant()).post(path)

    assert answer.status_code == 400
    assert error_of(answer)["message"] == f"Resource not found for the segment '{segment}'."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"{TOKENS}/x"),
        ("GET", f"{TOKENS}/x/syncLicenses"),
        ("GET", f"{TOKENS}/x/revokeLicenses"),
        ("POST", f"{TOKENS_V1}/syncLicenseCounts"),
        ("PATCH", f"{APPS}/x"),
        ("DELETE", f"{APPS}/x"),
    ],
)
def test_a_method_that_does_not_fit_is_refused(method: str, path: str) -> None:
    """A known path with another method is a flat 405."""
    answer = graph(a_tenant()).request(method, path)

    assert answer.status_code == 405
    assert error_of(answer)["code"] == "MethodNotAllowed"


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, b"{}", 400),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b"[]", 400),
        ({"Content-Type": "application/json"}, b"", 400),
    ],
)
def test_a_body_must_be_json_and_say_so(headers: dict[str, str], content: bytes, status: int) -> None:
    """A write without a content type, of another one, or with something that is no JSON object is refused flatly."""
    answer = graph(a_tenant()).post(TOKENS, headers=headers, content=content)

    assert answer.status_code == status
    assert "intune" not in error_of(answer)


def test_a_content_type_may_have_parameters() -> None:
    """A content type with a charset is JSON all the same."""
    headers = {"Content-Type": "application/json; charset=utf-8; odata=verbose"}

    assert graph(a_tenant()).post(TOKENS, headers=headers, content=json.dumps(a_body())).status_code == 201


def test_half_a_character_is_answered() -> None:
    """A name with half a surrogate pair, which JSON allows, breaks nothing."""
    content = json.dumps(a_body(displayName="\ud83d"))

    answer = graph(a_tenant()).post(TOKENS, headers={"Content-Type": "application/json"}, content=content)

    assert answer.status_code == 201


def test_every_answer_names_its_request() -> None:
    """An answer carries the request's ids and the tenant's date, also when it is an error."""
    client = graph(a_tenant())

    mine = client.get(TOKENS, headers={"client-request-id": "mine"})
    missing = client.get(f"{TOKENS}/x")

    assert mine.headers["client-request-id"] == "mine"
    assert mine.headers["request-id"] != missing.headers["request-id"]
    assert mine.headers["Date"] == "Sun, 01 Nov 2026 12:00:00 GMT"
    assert error_of(missing)["innerError"] == {
        "date": "2026-11-01T12:00:00",
        "request-id": missing.headers["request-id"],
        "client-request-id": missing.headers["request-id"],
    }
    assert error_of(missing)["code"] == "ResourceNotFound"
    assert missing.headers["request-id"] in error_of(missing)["intune"]["Message"]


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """What of an answer says that nobody is let in."""
    error = error_of(answer)
    assert "intune" not in error
    return answer.status_code, error["code"], error["message"]


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer", "Bearer "])
def test_nobody_without_an_access_token(header: str | None) -> None:
    """A request without a bearer is a flat 401, also on a path that does not exist."""
    headers = {} if header is None else {"Authorization": header}
    client = a_client(a_tenant())

    for path in (TOKENS, "/v1.0/nowhere"):
        status, code, _ = refused(client.get(path, headers=headers))
        assert (status, code) == (401, "InvalidAuthenticationToken")


def test_nobody_with_a_foreign_access_token() -> None:
    """An access token of another tenant, of another audience, broken or expired is a flat 401."""
    tenant, other = a_tenant(), a_tenant()
    past = issue(tenant.directory, tenant.directory.app, audience=ROOT, now=Clock().now())
    foreign = [
        bearer(other),
        bearer(tenant, audience="https://graph.microsoft.com"),
        {"Authorization": "Bearer x.y.z"},
        {"Authorization": bearer(tenant)["Authorization"][:-4]},
    ]
    client = a_client(tenant)

    assert past
    assert {refused(client.get(TOKENS, headers=one))[:2] for one in foreign} == {(401, "InvalidAuthenticationToken")}


def test_access_tokens_end_by_the_tenants_clock() -> None:
    """An access token opens for an hour of the tenant's clock, whatever the machine's says."""
    tenant = a_tenant()
    client = graph(tenant)

    tenant.clock.advance(3599)
    assert client.get(TOKENS).status_code == 200
    tenant.clock.advance(1)
    assert refused(client.get(TOKENS)) == (
        401,
        "InvalidAuthenticationToken",
        "Lifetime validation failed, the token is expired.",
    )
    tenant.clock.set(NOW.replace(year=2020))
    assert client.get(TOKENS).status_code == 401


def test_an_application_without_permission_is_refused_by_intune() -> None:
    """An application that may nothing gets Intune's 403, which names the permissions."""
    tenant = a_tenant()
    answer = a_client(tenant).get(TOKENS, headers=bearer(tenant, tenant.directory.visitor))

    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (403, "Forbidden")
    assert "DeviceManagementServiceConfig.ReadWrite.All" in error["intune"]["Message"]
    assert "urn:intune:service" in json.loads(error["intune"]["HttpHeaders"])["WWW-Authenticate"]


def test_an_application_that_may_read_may_not_write() -> None:
    """An application with the reading permission reads and is refused when it writes."""
    tenant = a_tenant()
    client = a_client(tenant)
    client.headers.update(bearer(tenant, tenant.directory.reader))

    assert client.get(TOKENS).status_code == 200
    assert client.post(TOKENS, json=a_body()).status_code == 403
    assert tenant.list_tokens().tokens == []


def test_nothing_lives_elsewhere() -> None:
    """A path outside of Graph and the sign-in is a plain 404."""
    answer = graph(a_tenant()).get("/nothing")

    assert (answer.status_code, error_of(answer)["code"]) == (404, "NotFound")


def test_an_answer_can_be_late() -> None:
    """With a latency each answer of Graph takes at least that long; the control routes do not."""
    tenant = a_tenant(latency_ms=50)
    client = a_client(tenant)

    assert client.get(TOKENS, headers=bearer(tenant)).elapsed.total_seconds() >= 0.05
    assert client.get("/_emulator/clock").elapsed.total_seconds() < 0.05


def test_an_accident_is_a_500_in_graphs_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the emulator's own is answered in Graph's envelope, and logged like any request."""
    tenant = a_tenant()
    client = graph(tenant)

    def broken(**_: Any) -> None:
        raise LookupError("broken")

    monkeypatch.setattr(tenant, "list_tokens", broken)
    answer = client.get(TOKENS)

    assert (answer.status_code, error_of(answer)["code"]) == (500, "InternalServerError")
    assert client.get("/_emulator/requests").json()[-1]["status"] == 500
