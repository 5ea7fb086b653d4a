"""Several tenants behind one address, with one application."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from emulator.client import NOW, TOKENS, a_body, a_tenant, error_of
from intune_vpp_emulator.app import ROOT
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.identity.workload import KUBERNETES
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenants import serve_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intune_vpp_emulator.tenant import Tenant

SIGN_IN = "oauth2/v2.0/token"


@contextlib.contextmanager
def three() -> Iterator[tuple[list[Tenant], httpx.Client]]:
    """Three tenants with one application, the last without its consent, and a client of all."""
    home = a_tenant()
    tenants = [home, home.customer(), home.customer()]
    tenants[2].app_consented = False
    with httpx.Client(transport=httpx.WSGITransport(serve_all(tenants, [ROOT], Faults())), base_url=ROOT) as client:
        yield tenants, client


def sign_in(client: httpx.Client, tenant: Tenant, **fields: str) -> httpx.Response:
    """The answer of a tenant's token endpoint to the application of the first."""
    app = tenant.directory.app
    form = {"grant_type": "client_credentials", "scope": f"{ROOT}/.default", "client_id": app.client_id}
    return client.post(f"/{tenant.directory.tenant_id}/{SIGN_IN}", data={**form, **fields})


def header(client: httpx.Client, tenant: Tenant) -> dict[str, str]:
    """The application's access token for a tenant."""
    answer = sign_in(client, tenant, client_secret=tenant.directory.app.client_secret)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_each_tenant_has_its_tokens() -> None:
    """The tenant of an access token is the one whose vppTokens Graph shows, and each has its own."""
    with three() as ((home, customer, _), client):
        for tenant, names in ((home, ["A", "B"]), (customer, ["C"])):
            for name in names:
                made = client.post(TOKENS, json=a_body(displayName=name), headers=header(client, tenant))
                assert made.status_code == 201

        def shown(tenant: Tenant) -> list[str]:
            return [one["displayName"] for one in client.get(TOKENS, headers=header(client, tenant)).json()["value"]]

        assert (shown(home), shown(customer)) == (["A", "B"], ["C"])


def test_one_application_signs_in_where_it_has_consent() -> None:
    """The credentials of the first tenant's application open each tenant with consent; without it, AADSTS700016."""
    with three() as ((home, customer, stranger), client):
        secret = home.directory.app.client_secret
        assertion = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": KUBERNETES.assertion(now=NOW),
        }
        for tenant in (home, customer):
            assert sign_in(client, tenant, client_secret=secret).status_code == 200
            assert sign_in(client, tenant, **assertion).status_code == 200

        refused = sign_in(client, stranger, client_secret=secret)
        assert refused.json()["error_codes"] == [700016]
        assert stranger.directory.domain in refused.json()["error_description"]

        query = {"tenant": stranger.directory.tenant_id}
        client.patch("/_emulator/behavior", params=query, json={"appConsented": True})
        assert sign_in(client, stranger, client_secret=secret).status_code == 200
        own = home.directory.reader
        answer = sign_in(client, customer, client_id=own.client_id, client_secret=own.client_secret)
        assert answer.json()["error_codes"] == [700016]


def test_unknown_tenants_are_refused() -> None:
    """An unknown tenant is AADSTS90002 at the sign-in, and 404 at a control route."""
    with three() as (_, client):
        assert client.post(f"/fabrikam.example/{SIGN_IN}").json()["error_codes"] == [90002]
        refused = client.get("/_emulator/tenant?tenant=fabrikam.example")
        assert (refused.status_code, error_of(refused)["message"]) == (404, "There is no tenant fabrikam.example.")
        for bearer in ("", "Bearer x", "Bearer x.y.z"):
            assert client.get(TOKENS, headers={"Authorization": bearer}).status_code == 401


def test_control_routes_are_for_the_first_tenant_unless_they_name_another() -> None:
    """`?tenant=` chooses a tenant by id or domain; the log, the faults and the clock are those of all."""
    with three() as ((home, customer, _), client):

        def shown(query: str = "") -> Any:
            return client.get(f"/_emulator/tenant{query}").json()["tenantId"]

        assert shown() == home.directory.tenant_id
        assert shown(f"?tenant={customer.directory.domain}") == customer.directory.tenant_id
        client.delete(f"/_emulator/access-tokens?tenant={customer.directory.tenant_id}")
        client.post("/_emulator/faults", json=[{"method": "GET", "status": 503}])
        client.post("/_emulator/clock", json={"advanceSeconds": 60})

        assert client.get(TOKENS, headers=header(client, customer)).status_code == 503
        assert client.get(TOKENS, headers=header(client, home)).status_code == 200
        assert customer.clock.now() == home.clock.now()
        assert [one["path"] for one in client.get("/_emulator/requests").json()].count(TOKENS) == 2


def test_a_service_tells_the_ids_of_all() -> None:
    """The environment is for the first tenant; with others it has the ids of all, the first one first."""
    home = a_tenant()
    others = [home.customer(), home.customer()]

    with serve(home, *others) as service:
        environment = service.environment
    with serve(a_tenant()) as alone:
        assert "INTUNE_VPP_EMULATOR_TENANTS" not in alone.environment

    assert environment["ARM_TENANT_ID"] == home.directory.tenant_id
    assert environment["INTUNE_VPP_EMULATOR_TENANTS"].split(",") == [one.directory.tenant_id for one in (home, *others)]


@pytest.mark.parametrize("behavior", [{"page_size": 3}, {"sync_seconds": 0.0}])
def test_a_customer_behaves_as_its_home(behavior: dict[str, Any]) -> None:
    """A further tenant has the behavior of the first, and changes alone."""
    home = a_tenant(**behavior)
    customer = home.customer()

    assert customer.behavior() == home.behavior()
    customer.behave({"pageSize": 7})
    assert home.behavior() != customer.behavior()
