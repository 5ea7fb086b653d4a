"""Each method of sign-in, with Microsoft's own library as the client wherever it has one."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import msal
import pytest
import requests
from cryptography.hazmat.primitives.serialization import pkcs12

from emulator.client import TOKENS
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.sign_in_methods import SignIn
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = ["INTUNE_VPP_GRAPH_ENDPOINT", "INTUNE_VPP_AUTHORITY_HOST", "INTUNE_VPP_CA_BUNDLE_PATH"]
NEEDED = {
    SignIn.SECRET: ["ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"],
    SignIn.CERTIFICATE: [
        "ARM_TENANT_ID",
        "ARM_CLIENT_ID",
        "ARM_CLIENT_CERTIFICATE_PATH",
        "ARM_CLIENT_CERTIFICATE_PASSWORD",
    ],
    SignIn.OIDC: ["ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_USE_OIDC", "ARM_OIDC_TOKEN_FILE_PATH"],
    SignIn.GITHUB: [
        "ARM_TENANT_ID",
        "ARM_CLIENT_ID",
        "ARM_USE_OIDC",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ],
    SignIn.AZURE_DEVOPS: [
        "ARM_TENANT_ID",
        "ARM_CLIENT_ID",
        "ARM_USE_OIDC",
        "SYSTEM_OIDCREQUESTURI",
        "SYSTEM_ACCESSTOKEN",
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
    ],
    SignIn.MANAGED_IDENTITY: ["ARM_USE_MSI", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"],
}


@pytest.fixture(autouse=True)
def no_machine_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL and requests read these."""
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def served(sign_in: str, **habits: Any) -> Iterator[tuple[Service, dict[str, str], requests.Session]]:
    """A tenant that serves, its environment, and a session that trusts it."""
    with serve(Tenant(**habits), sign_in=sign_in) as service, requests.Session() as session:
        session.verify = str(service.ca_bundle_path)
        yield service, service.environment, session


def client(service: Service, credential: Any, client_id: str | None = None) -> Any:
    """Microsoft's library, as a program would set it up."""
    directory = service.tenant.directory
    return msal.ConfidentialClientApplication(
        client_id or directory.app.client_id,
        client_credential=credential,
        authority=f"{service.url}/{directory.tenant_id}",
        instance_discovery=False,
        verify=str(service.ca_bundle_path),
    )


def sign_in(service: Service, credential: Any, client_id: str | None = None) -> dict[str, Any]:
    """The answer of Microsoft's library."""
    answer: dict[str, Any] = client(service, credential, client_id).acquire_token_for_client(
        [f"{service.url}/.default"]
    )
    return answer


def opens_graph(service: Service, session: requests.Session, answer: dict[str, Any]) -> dict[str, Any]:
    """Assert that Graph takes the access token; its claims."""
    header = {"Authorization": f"Bearer {answer['access_token']}"}
    assert session.get(service.url + TOKENS, headers=header).status_code == 200
    claims: dict[str, Any] = jwt.decode(answer["access_token"], options={"verify_signature": False})
    return claims


@pytest.mark.parametrize("method", SignIn)
def test_the_environment_has_what_the_method_needs(method: SignIn) -> None:
    """The environment of each method has the variables that the method needs, and no other credential."""
    with served(method) as (_, environment, _session):
        assert list(environment) == [*NEEDED[method], *ADDRESSES, "INTUNE_VPP_EMULATOR_URL"]


@pytest.mark.parametrize(
    ("method", "variable", "suffix"),
    [
        (SignIn.CERTIFICATE, "ARM_CLIENT_CERTIFICATE_PATH", "pfx"),
        (SignIn.OIDC, "ARM_OIDC_TOKEN_FILE_PATH", "oidc-token"),
    ],
)
def test_the_file_of_a_method_is_private_and_temporary(
    tmp_path: Path, method: SignIn, variable: str, suffix: str
) -> None:
    """The file of a method is beside the environment file, readable by its owner only, and removed at the end."""
    with serve(Tenant(), sign_in=method, files_beside=tmp_path / "tenant.env") as service:
        path = Path(service.environment[variable])
        assert path == tmp_path / f"tenant.env.{suffix}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    assert list(tmp_path.iterdir()) == []


def test_a_certificate_signs_in() -> None:
    """MSAL signs in with the PFX of the environment, and with the PEM of the application."""
    with served(SignIn.CERTIFICATE) as (service, environment, session):
        certificate = service.tenant.directory.app.certificate
        path, password = (environment[f"ARM_CLIENT_CERTIFICATE_{name}"] for name in ("PATH", "PASSWORD"))
        credentials = [
            {"private_key_pfx_path": path, "passphrase": password, "public_certificate": True},
            {"private_key": certificate.pem(), "public_certificate": certificate.public_pem},
            {"private_key": certificate.pem("s"), "passphrase": "s", "public_certificate": certificate.public_pem},
        ]

        for credential in credentials:
            claims = opens_graph(service, session, sign_in(service, credential))
            assert claims["appid"] == environment["ARM_CLIENT_ID"]
        key, public, more = pkcs12.load_key_and_certificates(certificate.pfx(), None)

    assert (key is not None, public, more) == (True, certificate.public, [])


def test_a_token_file_signs_in() -> None:
    """MSAL signs in with the assertion of the file."""
    with served(SignIn.OIDC) as (service, environment, session):
        path = Path(environment["ARM_OIDC_TOKEN_FILE_PATH"])

        opens_graph(service, session, sign_in(service, {"client_assertion": path.read_text}))


def test_github_issues_assertions_to_its_jobs() -> None:
    """The endpoint of GitHub Actions answers an assertion for the audience asked for, and MSAL signs in with it."""
    with served(SignIn.GITHUB) as (service, environment, session):
        url = environment["ACTIONS_ID_TOKEN_REQUEST_URL"]
        header = {"Authorization": f"Bearer {environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}

        def ask() -> str:
            text: str = session.get(f"{url}&audience=api://AzureADTokenExchange", headers=header).json()["value"]
            return text

        opens_graph(service, session, sign_in(service, {"client_assertion": ask}))
        own = session.get(url, headers=header).json()["value"]
        nobody = [session.get(url, headers=one).status_code for one in ({}, {"Authorization": "Bearer wrong"})]
        other = session.get(url.partition("?")[0], headers=header).status_code

    assert jwt.decode(own, options={"verify_signature": False})["aud"] == "https://github.com/contoso"
    assert (nobody, other) == ([401, 401], 400)


def test_azure_devops_issues_assertions_to_its_jobs() -> None:
    """The endpoint of Azure DevOps answers an assertion for the service connection, with which MSAL signs in."""
    with served(SignIn.AZURE_DEVOPS) as (service, environment, session):
        query = {"api-version": "7.1", "serviceConnectionId": environment["ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID"]}
        header = {"Authorization": f"Bearer {environment['SYSTEM_ACCESSTOKEN']}", "X-TFS-FedAuthRedirect": "Suppress"}

        def post(more: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> requests.Response:
            return session.post(
                environment["SYSTEM_OIDCREQUESTURI"],
                params=query | (more or {}),
                headers=header | (headers or {}),
                allow_redirects=False,
            )

        opens_graph(service, session, sign_in(service, {"client_assertion": lambda: post().json()["oidcToken"]}))
        wrong = {"Authorization": "Bearer wrong"}
        assert post(headers=wrong).status_code == 401
        redirected = post(headers={**wrong, "X-TFS-FedAuthRedirect": "None"})
        assert redirected.status_code == 302
        page = session.get(service.url + redirected.headers["Location"])
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
        assert post({"serviceConnectionId": "other"}).status_code == 404
        del query["api-version"]
        assert post().json()["typeKey"] == "VssVersionNotSpecifiedException"


def identity(session: requests.Session, client_id: str | None = None) -> Any:
    """Microsoft's library on a machine with a managed identity."""
    kind = msal.SystemAssignedManagedIdentity()
    if client_id is not None:
        kind = msal.UserAssignedManagedIdentity(client_id=client_id)
    return msal.ManagedIdentityClient(kind, http_client=session)


@pytest.mark.parametrize("platform", ["App Service", "virtual machine"])
def test_a_managed_identity_signs_in(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """MSAL gets access tokens for the machine's own identity and for the assigned one, and no other."""
    with served(SignIn.MANAGED_IDENTITY) as (service, environment, session):
        if platform == "App Service":
            for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
                monkeypatch.setenv(name, environment[name])
        else:
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url)
        directory = service.tenant.directory

        own = identity(session).acquire_token_for_client(resource=service.url)
        assigned = identity(session, directory.user_identity.client_id).acquire_token_for_client(resource=service.url)
        nobody = identity(session, "nobody").acquire_token_for_client(resource=service.url)
        elsewhere = identity(session).acquire_token_for_client(resource="https://elsewhere.example")

        assert 3590 <= own["expires_in"] <= 3600
        assert opens_graph(service, session, own)["appid"] == directory.system_identity.client_id
        claims = opens_graph(service, session, assigned)
    assert (claims["appid"], claims["tid"]) == (directory.user_identity.client_id, directory.tenant_id)
    assert claims["roles"] == ["DeviceManagementServiceConfig.ReadWrite.All"]
    if platform == "App Service":
        assert nobody["error_description"].startswith("400, No User Assigned or Delegated Managed Identity found")
        assert elsewhere["error_description"].startswith("500, ")
    else:
        assert nobody == {"error": "invalid_request", "error_description": "Identity not found"}
        assert elsewhere["error"] == "invalid_resource"
        assert elsewhere["error_description"].startswith("AADSTS500011: ")


def test_the_answers_of_both_endpoints_have_times_in_text() -> None:
    """Both endpoints answer `expires_on` as a text of epoch seconds, by the tenant's clock, and the identity's id."""
    with served(SignIn.MANAGED_IDENTITY, access_token_seconds=900) as (service, environment, session):
        now = int(service.tenant.clock.now().timestamp())
        resource = {"resource": f"{service.url}/"}
        app_service = session.get(
            environment["IDENTITY_ENDPOINT"],
            params={**resource, "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]},
        ).json()
        machine = session.get(
            f"{service.url}/metadata/identity/oauth2/token",
            params={**resource, "api-version": "2018-02-01"},
            headers={"Metadata": "true"},
        ).json()

    for answer in (app_service, machine):
        assert isinstance(answer["expires_on"], str)
        assert 900 <= int(answer["expires_on"]) - now <= 930
        assert answer["client_id"] == service.tenant.directory.system_identity.client_id
        assert answer["resource"] == service.url
    assert (machine["expires_in"], "expires_in" in app_service) == ("899", False)


@pytest.mark.parametrize(
    ("path", "headers", "query", "status"),
    [
        ("/msi/token", {}, {"api-version": "2019-08-01"}, 401),
        ("/msi/token", {"X-IDENTITY-HEADER": "ü"}, {"api-version": "2019-08-01"}, 401),
        ("/msi/token", {"X-IDENTITY-HEADER": "right"}, {}, 400),
        ("/msi/token", {"X-IDENTITY-HEADER": "right"}, {"api-version": "2019-08-01", "object_id": "x"}, 400),
        ("/metadata/identity/oauth2/token", {}, {"api-version": "2018-02-01"}, 400),
        ("/metadata/identity/oauth2/token", {"Metadata": "True"}, {"api-version": "2018-02-01"}, 400),
        ("/metadata/identity/oauth2/token", {"Metadata": "true"}, {}, 400),
        ("/metadata/identity/oauth2/token", {"Metadata": "true"}, {"api-version": "2018-02-01"}, 400),
    ],
)
def test_a_machine_shows_what_it_was_given(
    path: str, headers: dict[str, str], query: dict[str, str], status: int
) -> None:
    """A request without the header, the version or the resource of its platform gets no access token."""
    with serve(Tenant()) as service, httpx.Client(verify=service.trusted(), trust_env=False) as http:
        right = service.tenant.workload.identity_header
        shown = [(name.encode(), (right if value == "right" else value).encode()) for name, value in headers.items()]
        answer = http.get(service.url + path, headers=shown, params=query)

    assert answer.status_code == status
    assert "access_token" not in answer.json()
