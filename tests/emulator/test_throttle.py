"""Throttling by Graph's documented buckets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emulator.client import APPS, FAULTS, TOKENS, TOKENS_V1, a_client, a_tenant, bearer, error_of
from intune_vpp_emulator.behavior import Throttling

if TYPE_CHECKING:
    import httpx

    from intune_vpp_emulator.directory import AppRegistration
    from intune_vpp_emulator.tenant import Tenant


def throttled(**habits: Any) -> Tenant:
    """A tenant that throttles."""
    return a_tenant(throttle=Throttling.DOCUMENTED, access_token_seconds=1e6, **habits)


def client_of(tenant: Tenant, app: AppRegistration | None = None) -> httpx.Client:
    """A client of an application that may write."""
    client = a_client(tenant)
    client.headers.update(bearer(tenant, app))
    return client


def apps_of(tenant: Tenant, count: int) -> list[AppRegistration]:
    """Applications that may write, that of the tenant first."""
    own = tenant.directory.app
    others = [replace(own, client_id=f"11111111-2222-3333-4444-{one:012}") for one in range(1, count)]
    return [own, *others]


def statuses(client: httpx.Client, times: int, method: str = "DELETE", path: str = f"{TOKENS}/x") -> list[int]:
    """What so many requests are answered; 404 where they are let through."""
    return [client.request(method, path).status_code for _ in range(times)]


def test_it_is_off_by_default() -> None:
    """A tenant throttles nobody until it is told to, also while it runs."""
    tenant = a_tenant()
    client = client_of(tenant)

    assert statuses(client, 250) == [404] * 250
    client.patch("/_emulator/behavior", json={"throttle": "documented"})
    assert statuses(client, 101) == [404] * 100 + [429]
    client.patch("/_emulator/behavior", json={"throttle": "off"})
    assert statuses(client, 1) == [404]


def test_an_application_may_write_100_times_in_20_seconds() -> None:
    """The 101st write of an application is refused in Graph's envelope; reads are not."""
    client = client_of(throttled())
    writes = [("DELETE", f"{TOKENS}/x"), ("PATCH", f"{TOKENS_V1}/x"), ("POST", f"{TOKENS}/x/syncLicenses")]

    assert {status for method, path in writes for status in statuses(client, 33, method, path)} <= {400, 404}
    assert statuses(client, 1) == [404]
    refused = client.post(TOKENS, json={})

    error = error_of(refused)
    assert (refused.status_code, error["code"], refused.headers["Retry-After"]) == (429, "TooManyRequests", "20")
    assert error["innerError"]["request-id"] == refused.headers["request-id"]
    assert statuses(client, 50, "GET", TOKENS) == [200] * 50


def test_the_window_slides() -> None:
    """There is room for as many writes as were made 20 seconds ago, and Retry-After says when, in whole seconds."""
    tenant = throttled()
    client = client_of(tenant)
    assert statuses(client, 60) == [404] * 60
    tenant.clock.advance(12.5)
    assert statuses(client, 40) == [404] * 40

    refused = client.delete(f"{TOKENS}/x")
    assert refused.headers["Retry-After"] == "8"
    tenant.clock.advance(7.5)

    assert statuses(client, 60) == [404] * 59 + [429]  # the refused one counts


def test_who_waits_as_long_as_asked_gets_through() -> None:
    """After the seconds of Retry-After the next write is let through, however many were refused before."""
    tenant = throttled()
    client = client_of(tenant)
    statuses(client, 100)
    for _ in range(3):
        tenant.clock.advance(0.3)
        statuses(client, 70)

    tenant.clock.advance(int(client.delete(f"{TOKENS}/x").headers["Retry-After"]))

    assert statuses(client, 1) == [404]


def test_refused_requests_count() -> None:
    """Who repeats a refused request at once fills the window again, and waits for longer."""
    tenant = throttled()
    client = client_of(tenant)
    statuses(client, 100)
    tenant.clock.advance(15)
    statuses(client, 100)
    tenant.clock.advance(5)

    assert client.delete(f"{TOKENS}/x").headers["Retry-After"] == "15"


def test_a_tenant_takes_200_writes_of_all_its_applications() -> None:
    """Each application has its bucket, and the tenant one for all."""
    tenant = throttled()
    clients = [client_of(tenant, app) for app in apps_of(tenant, 3)]

    assert [statuses(one, 100) for one in clients[:2]] == [[404] * 100] * 2
    assert statuses(clients[2], 1) == [429]
    assert statuses(clients[2], 1, "GET", TOKENS) == [200]


def test_an_application_may_ask_1000_times_and_a_tenant_is_asked_2000_times() -> None:
    """Reads have buckets of their own: one for each application and one for all."""
    tenant = throttled()
    first, second, third = apps_of(tenant, 3)
    for app in (first, second):
        for _ in range(999):
            tenant.admit(app.client_id, is_write=False)

    assert statuses(client_of(tenant, first), 2, "GET", TOKENS) == [200, 429]
    assert statuses(client_of(tenant, third), 1, "GET", TOKENS) == [429]
    tenant.clock.advance(20)
    assert statuses(client_of(tenant, third), 1, "GET", TOKENS) == [200]


def test_writes_count_as_requests() -> None:
    """The bucket of any request holds the writes."""
    tenant = throttled()
    client = client_of(tenant)
    statuses(client, 100)
    for _ in range(900):
        tenant.admit(tenant.directory.app.client_id, is_write=False)

    assert statuses(client, 1, "GET", TOKENS) == [429]


def test_only_the_tokens_are_throttled() -> None:
    """Apps, the sign-in, scripted answers and requests that are not allowed take no room."""
    tenant = throttled()
    client = client_of(tenant)
    reader = client_of(tenant, tenant.directory.reader)

    assert statuses(client, 150, "POST", APPS) == [400] * 150
    assert statuses(reader, 150) == [403] * 150
    client.post(FAULTS, json=[{"status": 503, "times": 150}])
    assert statuses(client, 150) == [503] * 150
    assert statuses(client, 101) == [404] * 100 + [429]


def test_a_clock_that_is_set_back_throttles_nobody() -> None:
    """Requests of the future fill no window."""
    tenant = throttled()
    client = client_of(tenant)
    statuses(client, 101)
    tenant.clock.advance(-60)

    assert statuses(client, 1) == [404]


def test_tenants_are_throttled_apart() -> None:
    """The writes of an application in one tenant take no room in another."""
    tenant = throttled()
    customer = tenant.customer()

    assert statuses(client_of(tenant), 101)[-1] == 429
    assert statuses(client_of(customer), 1) == [404]
