"""The sign-in, with a plain client and with Microsoft's own library."""

from __future__ import annotations

import base64
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import msal
import pytest

from emulator.client import TOKENS, a_client, a_tenant
from intune_vpp_emulator.app import ROOT
from intune_vpp_emulator.directory import AppRegistration
from intune_vpp_emulator.serve import serve

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant


def form(app: AppRegistration, **fields: str) -> dict[str, str]:
    """What an application posts."""
    who = {"client_id": app.client_id, "client_secret": app.client_secret}
    return {"grant_type": "client_credentials", "scope": f"{ROOT}/.default", **who, **fields}


def sign_in(tenant: Tenant, named: str | None = None, **fields: str) -> httpx.Response:
    """The answer of the token endpoint."""
    path = f"/{named or tenant.directory.tenant_id}/oauth2/v2.0/token"
    return a_client(tenant).post(path, data=form(tenant.directory.app, **fields))


def test_discovery_names_the_tenant_by_its_guid() -> None:
    """Discovery by domain or GUID, in any case, names the issuer and the endpoints by GUID."""
    tenant = a_tenant()
    client, guid = a_client(tenant), tenant.directory.tenant_id

    answers = [
        client.get(f"/{named}/v2.0/.well-known/openid-configuration").json()
        for named in (guid, guid.upper(), tenant.directory.domain)
    ]

    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["issuer"] == f"{ROOT}/{guid}/v2.0"
    assert answers[0]["token_endpoint"] == f"{ROOT}/{guid}/oauth2/v2.0/token"


def test_two_tenants_differ() -> None:
    """Every tenant has its own GUID, domain and applications."""
    one, other = a_tenant().directory, a_tenant().directory

    assert one.tenant_id != other.tenant_id
    assert one.domain != other.domain
    assert one.app.client_secret not in repr(one)
    assert {one.app.client_id, one.reader.client_id} & {other.app.client_id, other.reader.client_id} == set()


def test_an_access_token_can_be_checked_with_the_published_keys() -> None:
    """An access token is signed by a published key and says who may do what, where and for how long."""
    tenant = a_tenant()
    answer = sign_in(tenant).json()

    keys = jwt.PyJWKSet.from_dict(a_client(tenant).get(f"/{tenant.directory.domain}/discovery/v2.0/keys").json())
    key = keys[jwt.get_unverified_header(answer["access_token"])["kid"]]
    claims = jwt.decode(
        answer["access_token"],
        key,
        audience=ROOT,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )

    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    assert claims["tid"] == tenant.directory.tenant_id
    assert claims["appid"] == tenant.directory.app.client_id
    assert claims["roles"] == ["DeviceManagementServiceConfig.ReadWrite.All"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["iat"] == int(tenant.clock.now().timestamp())


def test_an_application_may_sign_in_by_basic_authentication() -> None:
    """Client id and secret may come in the header instead of the form."""
    tenant = a_tenant()
    app = tenant.directory.app
    pair = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()

    answer = a_client(tenant).post(
        f"/{tenant.directory.domain}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": f"{ROOT}/.default"},
        headers={"Authorization": f"Basic {pair}"},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error", "number"),
    [
        ({"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": "ü"}, 401, "invalid_client", 7000215),
        ({"scope": ROOT}, 400, "invalid_scope", 1002012),
        ({"scope": ""}, 400, "invalid_scope", 1002012),
        ({"scope": "openid profile"}, 400, "invalid_scope", 1002012),
        ({"scope": f"{ROOT}/.default {ROOT}/User.Read"}, 400, "invalid_scope", 28000),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_who_is_refused_hears_why(fields: dict[str, str], status: int, error: str, number: int) -> None:
    """A sign-in that cannot work is refused with Entra's number, and without the secret."""
    answer = sign_in(a_tenant(), **fields)

    document = answer.json()
    assert (answer.status_code, document["error"], document["error_codes"]) == (status, error, [number])
    assert document["error_description"].startswith(f"AADSTS{number}: ")
    assert "wrong" not in document["error_description"] or number != 7000215


@pytest.mark.parametrize(
    "scope",
    [
        f"{ROOT}/.default openid offline_access profile",
        f"openid profile offline_access {ROOT}/.default",
        f"  {ROOT}/.default   email ",
    ],
)
def test_scopes_of_openid_are_taken(scope: str) -> None:
    """The scopes that Microsoft's identity clients add to that of Graph, in any order, do not matter."""
    assert sign_in(a_tenant(), scope=scope).status_code == 200


def test_instance_discovery_knows_the_emulator_only() -> None:
    """Instance discovery leads to the tenant's own discovery, and refuses the host of another authority."""
    tenant = a_tenant()
    client, guid = a_client(tenant), tenant.directory.tenant_id

    def asked(endpoint: str) -> httpx.Response:
        query = {"api-version": "1.1", "authorization_endpoint": endpoint}
        return client.get("/common/discovery/instance", params=query)

    known = asked(f"{ROOT}/{guid}/oauth2/v2.0/authorize")
    host = ROOT.removeprefix("https://")
    assert known.json() == {
        "tenant_discovery_endpoint": f"{ROOT}/{guid}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    assert client.get(known.json()["tenant_discovery_endpoint"]).status_code == 200
    for endpoint in ("https://login.elsewhere.example/common/oauth2/v2.0/authorize", "https://[x", "", host):
        assert (asked(endpoint).status_code, asked(endpoint).json()["error_codes"]) == (400, [50049])


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
def test_another_tenant_is_not_found(path: str) -> None:
    """A tenant that is not here is refused with AADSTS90002, at discovery and at sign-in."""
    tenant = a_tenant()

    for answer in (a_client(tenant).get(f"/fabrikam.example/{path}"), sign_in(tenant, "fabrikam.example")):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_tenant")
        assert "AADSTS90002" in answer.json()["error_description"]


def msal_client(url: str, tenant: str, app: AppRegistration, ca: str) -> Any:
    """Microsoft's library, as a program would set it up."""
    return msal.ConfidentialClientApplication(
        app.client_id,
        client_credential=app.client_secret,
        authority=f"{url}/{tenant}",
        instance_discovery=False,
        verify=ca,
    )


def test_microsofts_library_signs_in_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL finds the tenant by GUID and domain, and its access token opens Graph; its refusals are MSAL's own."""
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would win over what MSAL is configured to trust
        monkeypatch.delenv(name, raising=False)
    with serve(a_tenant()) as service:
        who, ca = service.tenant.directory, str(service.ca_bundle_path)
        for named in (who.tenant_id, who.domain):
            signed_in = msal_client(service.url, named, who.app, ca).acquire_token_for_client(
                [f"{service.url}/.default"]
            )
            header = {"Authorization": f"Bearer {signed_in['access_token']}"}
            assert (
                httpx.get(
                    service.url + TOKENS, headers=header, verify=ssl.create_default_context(cafile=ca)
                ).status_code
                == 200
            )

        wrong = AppRegistration(who.app.client_id, "wrong", ())
        refused = msal_client(service.url, who.tenant_id, wrong, ca).acquire_token_for_client(
            [f"{service.url}/.default"]
        )
        assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])
        with pytest.raises(ValueError, match="tenant"):
            msal_client(service.url, "fabrikam.example", who.app, ca)
