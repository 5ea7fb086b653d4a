"""What goes wrong by a script."""

from __future__ import annotations

import json
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from emulator.client import FAULTS, NOW, TOKENS, TOKENS_V1, a_body, a_client, a_file, a_tenant, bearer, error_of, graph
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.serve import serve
from tenant_in_process import fail_next_sync

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def spoiled(tenant: Tenant, *rules: dict[str, Any]) -> httpx.Client:
    """A client that may write, of a tenant where these things go wrong and delays pass by its clock."""
    client = a_client(tenant, faults=Faults(rules, sleep=tenant.clock.advance))
    client.headers.update(bearer(tenant))
    return client


def statuses(client: httpx.Client, times: int, path: str = TOKENS) -> list[int]:
    """What so many GETs are answered."""
    return [client.get(path).status_code for _ in range(times)]


def test_rules_are_used_up_in_their_order() -> None:
    """The first rule that fits is used, each as often as it says and once by default, and then all is well."""
    client = spoiled(a_tenant(), {"status": 503, "times": 2}, {"status": 429}, {"status": 500})

    assert statuses(client, 5) == [503, 503, 429, 500, 200]


def test_a_rule_waits_for_its_request() -> None:
    """Method and path must fit; a rule that does not fit lets others before it."""
    tenant = a_tenant()
    client = spoiled(
        tenant,
        {"method": "POST", "path": "*/syncLicenses", "status": 502},
        {"method": "GET", "path": "/v1.0/*", "status": 504},
        {"method": "GET", "path": f"{TOKENS}/*", "status": 500},
    )
    made = client.post(TOKENS, json=a_body()).json()["id"]

    assert statuses(client, 1) == [200]
    assert statuses(client, 2, f"{TOKENS}/{made}") == [500, 200]
    assert statuses(client, 2, f"{TOKENS_V1}?$top=1") == [504, 200]
    assert [client.post(f"{TOKENS}/{made}/syncLicenses").status_code for _ in range(2)] == [502, 200]


def test_the_tenant_does_nothing_before() -> None:
    """A fault before acting leaves the tenant as it was."""
    tenant = a_tenant()
    answer = spoiled(tenant, {"method": "POST", "status": 503, "when": "before"}).post(TOKENS, json=a_body())

    assert answer.status_code == 503
    assert tenant.tokens == []


def test_the_tenant_processes_before_it_answers_after() -> None:
    """A fault after acting is answered although the token was made."""
    tenant = a_tenant()
    answer = spoiled(tenant, {"method": "POST", "status": 504, "when": "after"}).post(TOKENS, json=a_body())

    assert (answer.status_code, error_of(answer)["code"]) == (504, "GatewayTimeout")
    assert len(tenant.tokens) == 1


def test_a_fault_after_acting_hides_a_refusal_too() -> None:
    """What the tenant would have said, were it an error, is not seen either."""
    assert statuses(spoiled(a_tenant(), {"status": 500, "when": "after"}), 2, f"{TOKENS}/x") == [500, 404]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "ResourceNotFound"),
        (409, "Conflict"),
        (429, "TooManyRequests"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
        (599, "UnknownError"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_without_a_body_it_is_intunes_envelope(status: int, code: str, when: str) -> None:
    """A status alone is answered with a document in a string and a code that fits, and says not when to come back."""
    answer = spoiled(a_tenant(), {"status": status, "when": when}).get(TOKENS)

    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["intune"]["Message"].startswith("An error has occurred - Operation ID")
    assert error["intune"]["RetryAfter"] is None
    assert answer.headers["request-id"] in error["intune"]["Message"]
    assert "Retry-After" not in answer.headers


def test_headers_are_answered() -> None:
    """Headers come as the rule has them, also those that the emulator would set itself."""
    headers = {"Retry-After": "2.128", "request-id": "mine", "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    answer = spoiled(a_tenant(), {"status": 429, "headers": headers}).get(TOKENS)

    assert {name: answer.headers[name] for name in headers} == headers
    assert answer.headers["client-request-id"]


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ({"error": {"code": "x"}}, '{"error": {"code": "x"}}', "application/json"),
        ([], "[]", "application/json"),
        (False, "false", "application/json"),
        ("<h1>Sorry</h1>", "<h1>Sorry</h1>", "text/plain; charset=utf-8"),
        ("\ud83d", "?", "text/plain; charset=utf-8"),
        ("", "", "text/plain; charset=utf-8"),
    ],
)
def test_a_body_is_answered(body: Any, text: str, kind: str) -> None:
    """JSON is answered as JSON, a text as it is."""
    answer = spoiled(a_tenant(), {"status": 502, "body": body}).get(TOKENS)

    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (502, text, kind)


def test_a_text_may_be_of_another_type() -> None:
    """The rule's Content-Type beats the one that its body would have."""
    rule = {"status": 200, "body": "<html>", "headers": {"content-type": "text/html"}}

    assert spoiled(a_tenant(), rule).get(TOKENS).headers.get_list("Content-Type") == ["text/html"]


@pytest.mark.parametrize("status", [200, 204, 302])
def test_no_error_has_no_envelope(status: int) -> None:
    """A status that is no error is answered empty unless the rule has a body."""
    answer = spoiled(a_tenant(), {"status": status, "body": None}).get(TOKENS)

    assert (answer.status_code, answer.content) == (status, b"")


def test_a_delay_alone_only_delays() -> None:
    """A rule without a status lets the time pass and the answer be what it would have been."""
    tenant = a_tenant()
    client = spoiled(tenant, {"delay": 1.5, "when": "before"}, {"delay": 2, "when": "after", "method": "POST"})

    assert client.get(TOKENS).json()["value"] == []
    assert (tenant.clock.now() - NOW).total_seconds() == 1.5
    made = client.post(TOKENS, json=a_body())
    assert made.status_code == 201
    assert made.json()["lastModifiedDateTime"] == "2026-11-01T12:00:01.7500000Z"
    assert (tenant.clock.now() - NOW).total_seconds() == 3.5


def test_a_delay_comes_before_the_fault() -> None:
    """With a status the delay passes first, and a request that is processed is processed before it."""
    tenant = a_tenant()
    client = spoiled(tenant, {"method": "POST", "status": 503, "delay": 30, "when": "after"})

    answer = client.post(TOKENS, json=a_body())

    assert error_of(answer)["innerError"]["date"] == "2026-11-01T12:00:30"
    assert tenant.list_tokens().tokens[0]["lastModifiedDateTime"].startswith("2026-11-01T12:00:00")


def test_sign_ins_go_wrong_alike() -> None:
    """A rule whose path is the sign-in's is answered there."""
    tenant = a_tenant()
    path = f"/{tenant.directory.tenant_id}/v2.0/.well-known/openid-configuration"
    client = spoiled(tenant, {"path": "*/openid-configuration", "status": 503})

    assert statuses(client, 1) == [200]
    assert statuses(client, 2, path) == [503, 200]


def test_a_fault_comes_before_the_access_token() -> None:
    """Who is not signed in gets the fault as well; nobody was asked for it yet."""
    client = spoiled(a_tenant(), {"status": 503})
    del client.headers["Authorization"]

    assert statuses(client, 2) == [503, 401]


def test_control_routes_never_go_wrong() -> None:
    """A rule for everything spares the emulator's own routes, and is not used up by them."""
    client = spoiled(a_tenant(), {"path": "*", "status": 500})

    assert statuses(client, 2, "/_emulator/clock") == [200, 200]
    assert statuses(client, 2) == [500, 200]


def test_faults_are_logged_as_answered() -> None:
    """The log has a faulted request with its body, secrets masked, and the status that was answered."""
    client = spoiled(a_tenant(), {"status": 503}, {"status": 504, "when": "after"})
    for _ in range(2):
        client.post(TOKENS, json=a_body())
    client.get(TOKENS)

    log = client.get("/_emulator/requests").json()

    assert [one["status"] for one in log] == [503, 504, 200]
    assert log[0]["body"] == log[1]["body"] == a_body(token="***")


def test_a_sync_can_fail() -> None:
    """The next sync that starts fails after its time, brings no apps, and the one after it completes."""
    tenant = a_tenant()
    client = spoiled(tenant, {"sync": "failed"})
    made = client.post(TOKENS, json=a_body()).json()["id"]

    ends = []
    for _ in range(2):
        assert client.post(f"{TOKENS}/{made}/syncLicenses").json()["lastSyncStatus"] == "inProgress"
        tenant.clock.advance(1)
        ends.append(tenant.get(made)["lastSyncStatus"])
        assert bool(tenant.list_apps().apps) == (ends[-1] == "completed")

    assert ends == ["failed", "completed"]


def test_every_application_of_a_tenant_can_fail_its_syncs() -> None:
    """A rule holds for the tenant's next sync, through whichever application that is started."""
    tenant = a_tenant(sync_seconds=0)
    spoiled(tenant, {"sync": "failed"})
    client = spoiled(tenant, {"sync": "failed"})
    made = client.post(TOKENS, json=a_body()).json()["id"]

    ends = [client.post(f"{TOKENS}/{made}/syncLicenses").json()["lastSyncStatus"] for _ in range(3)]

    assert ends == ["failed", "failed", "completed"]


def test_a_sync_that_runs_uses_up_nothing() -> None:
    """A call that finds a sync running, or no token, leaves the rule to the next sync that starts."""
    tenant = a_tenant()
    client = graph(tenant)
    made = client.post(TOKENS, json=a_body()).json()["id"]
    client.post(f"{TOKENS}/{made}/syncLicenses")
    client.post(FAULTS, json=[{"sync": "failed"}])
    client.post(f"{TOKENS}/{made}/syncLicenses")
    client.post(f"{TOKENS}/x/syncLicenses")
    tenant.clock.advance(1)

    assert tenant.get(made)["lastSyncStatus"] == "completed"
    client.post(f"{TOKENS_V1}/{made}/syncLicenses")
    tenant.clock.advance(1)
    assert tenant.get(made)["lastSyncStatus"] == "failed"


def test_a_sync_that_is_to_fail_can_be_ended_by_hand() -> None:
    """A status that somebody sets is the end of a sync, whatever it was to end in."""
    tenant = a_tenant()
    made = tenant.create(a_body())["id"]
    fail_next_sync(tenant)
    tenant.sync_licenses(made)
    tenant.edit_by_hand(made, {"lastSyncStatus": "completed"})
    tenant.clock.advance(10)

    assert tenant.get(made)["lastSyncStatus"] == "completed"
    assert not tenant.tokens[0].sync_fails


def test_rules_for_syncs_and_for_requests_do_not_mix() -> None:
    """A request passes by a rule for syncs, and a sync by one for requests."""
    tenant = a_tenant()
    client = spoiled(tenant, {"sync": "failed"}, {"path": "*/nowhere", "status": 500})
    made = client.post(TOKENS, json=a_body()).json()["id"]
    client.post(f"{TOKENS}/{made}/syncLicenses")
    tenant.clock.advance(1)

    assert tenant.get(made)["lastSyncStatus"] == "failed"
    assert client.get(FAULTS).json() == [{"path": "*/nowhere", "status": 500, "times": 1}]


def test_what_waits_can_be_read_and_cleared() -> None:
    """POST adds behind what waits, GET shows each rule with what is left of it, DELETE forgets them."""
    client = graph(a_tenant())
    first, second = {"method": "GET", "status": 503, "times": 3}, {"sync": "failed"}

    assert client.get(FAULTS).json() == []
    assert client.post(FAULTS, json=[first]).status_code == 201
    statuses(client, 1)
    added = client.post(FAULTS, json=[second])
    assert added.json() == client.get(FAULTS).json() == [{**first, "times": 2}, {**second, "times": 1}]
    assert client.delete(FAULTS).status_code == 204
    assert client.get(FAULTS).json() == []
    assert statuses(client, 1) == [200]


def test_a_real_delay_holds_up_nobody_else() -> None:
    """Served, a delay takes real time, and other requests are answered meanwhile."""
    took: dict[str, float] = {}
    with serve(a_tenant()) as service:
        context = ssl.create_default_context(cafile=str(service.ca_bundle_path))
        headers = bearer(service.tenant, audience=service.url)
        with httpx.Client(base_url=service.url, headers=headers, verify=context, trust_env=False) as client:

            def ask(path: str) -> None:
                start = time.monotonic()
                client.get(path)
                took[path] = time.monotonic() - start

            client.post(FAULTS, json=[{"path": f"{TOKENS}/*", "delay": 1.0}])
            slow = threading.Thread(target=ask, args=(f"{TOKENS}/x",))
            slow.start()
            while client.get(FAULTS).json():
                time.sleep(0.01)
            ask(TOKENS)
            still_waiting = slow.is_alive()
            slow.join()

    assert still_waiting
    assert took[TOKENS] < 1.0 <= took[f"{TOKENS}/x"]


def test_a_file_in_a_faulted_request_is_not_kept() -> None:
    """A request that goes wrong leaves its file nowhere either."""
    text = a_file()
    client = spoiled(a_tenant(), {"status": 503})
    client.post(TOKENS, json=a_body(token=text))

    assert text[40:80] not in json.dumps([client.get("/_emulator/requests").json(), client.get(FAULTS).json()])
