"""Each method signs in to the emulator, over TLS, and is refused in words that help."""

from __future__ import annotations

import base64
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import fresh_vpptoken
from graph.fake_graph import Quiet, Script, StillClock
from graph.signing_in import credential
from intune_vpp.assembly import connect_to_graph
from intune_vpp.core import stoken
from intune_vpp.core.errors import GraphError, PermissionMissing, RequestNotSent, SettingsError, SignInRefused
from intune_vpp.graph.credentials.errors import CURES
from intune_vpp.graph.vpp_tokens import GraphVppTokens
from intune_vpp.settings import read
from intune_vpp_emulator.identity import access_tokens
from intune_vpp_emulator.identity.certificates import Certificate
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.sign_in_methods import SignIn
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = {
    SignIn.SECRET: "client secret",
    SignIn.CERTIFICATE: "client certificate",
    SignIn.OIDC: "OIDC token",
    SignIn.GITHUB: "OIDC token of GitHub Actions",
    SignIn.AZURE_DEVOPS: "OIDC token of Azure DevOps",
    SignIn.MANAGED_IDENTITY: "managed identity",
}


APP_SERVICE = "IDENTITY_ENDPOINT IDENTITY_HEADER"


@pytest.fixture
def tenant() -> Tenant:
    """An emulated tenant."""
    return Tenant()


@contextmanager
def signed_in(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, without: str = "", **environment: str
) -> Iterator[GraphVppTokens]:
    """The tokens of the tenant, for a process with the environment of the service, but for what differs."""
    found = {**service.environment, **environment}
    for name in without.split():
        del found[name]
    # MSAL reads the variables of managed identities itself.
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    tokens = connect_to_graph(read({}, os.environ), StillClock(), Quiet())
    assert isinstance(tokens, GraphVppTokens)
    with tokens.client._http:
        yield tokens


def refusal(tokens: GraphVppTokens) -> str:
    """The sentence of a sign-in that is refused."""
    with pytest.raises(SignInRefused) as caught:
        tokens.list()
    return str(caught.value)


@pytest.mark.parametrize("method", SignIn)
def test_each_method_signs_in(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, method: SignIn) -> None:
    """With the variables that the method needs and no other, Graph accepts the access token of the tenant."""
    with serve(tenant, sign_in=method) as service, signed_in(service, monkeypatch) as tokens:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert tokens.list().tokens == ()
        assert tokens.tenant_id() == tenant.directory.tenant_id


@pytest.mark.parametrize("method", SignIn)
def test_each_refusal_names_the_method(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, method: SignIn) -> None:
    """Which method was used, and which variable chose it, is the end of each refusal."""
    with serve(tenant, sign_in=method) as service, signed_in(service, monkeypatch) as tokens:
        tenant.behave({"sign_in_refusal": 53003})
        if method is SignIn.MANAGED_IDENTITY:
            monkeypatch.setenv("IDENTITY_HEADER", "wrong")
        found = refusal(tokens)

    by = {
        SignIn.CERTIFICATE: "ARM_CLIENT_CERTIFICATE_PATH",
        SignIn.SECRET: "ARM_CLIENT_SECRET",
        SignIn.OIDC: "ARM_OIDC_TOKEN_FILE_PATH",
        SignIn.AZURE_DEVOPS: "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        SignIn.MANAGED_IDENTITY: "ARM_USE_MSI",
    }.get(method, "ARM_USE_OIDC")
    assert found.endswith(f" Sign-in method: {NAMES[method]} ({by} is set).")


def _pem(certificate: Certificate) -> bytes:
    return certificate.pem().encode()


def _encrypted_pem(certificate: Certificate) -> bytes:
    return certificate.pem("p4ss-word").encode()


def _pfx(certificate: Certificate) -> bytes:
    return certificate.pfx()


def _encrypted_pfx(certificate: Certificate) -> bytes:
    return certificate.pfx("p4ss-word")


def _chain(certificate: Certificate) -> bytes:
    """The certificate of the key is not the first one."""
    return f"{Certificate.fresh('another').public_pem}{certificate.pem()}".encode()


FORMS = (_pem, _pfx, _encrypted_pem, _encrypted_pfx, _chain)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("password", ["", "p4ss-word"])
def test_each_form_of_a_certificate(  # noqa: PLR0913 - three columns and three fixtures
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    form: Callable[[Certificate], bytes],
    password: str,
    *,
    inline: bool,
) -> None:
    """PEM and PFX sign in, from a file and in base64; a password that is not needed is passed over."""
    content = form(tenant.directory.app.certificate)
    path = tmp_path / "certificate"
    path.write_bytes(content)
    given = {"ARM_CLIENT_CERTIFICATE_PASSWORD": password}
    given |= (
        {"ARM_CLIENT_CERTIFICATE": base64.b64encode(content).decode(), "ARM_CLIENT_CERTIFICATE_PATH": ""}
        if inline
        else {"AZURE_CLIENT_CERTIFICATE_PATH": str(path), "ARM_CLIENT_CERTIFICATE_PATH": ""}
    )
    with (
        serve(tenant, sign_in=SignIn.CERTIFICATE) as service,
        signed_in(service, monkeypatch, **given) as tokens,
    ):
        if form in (_encrypted_pem, _encrypted_pfx) and not password:
            with pytest.raises(SettingsError, match=r"cannot be read as PEM or PFX, or it needs a password\. Check cl"):
                tokens.list()
        else:
            assert tokens.list().tokens == ()


def test_pem_text_in_the_environment(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """PEM text in the variable is accepted, also after attributes and a byte order mark."""
    pem = tenant.directory.app.certificate.pem()
    given = {
        "ARM_CLIENT_CERTIFICATE": f"\ufeffBag Attributes\n{pem}",
        "ARM_CLIENT_CERTIFICATE_PATH": "",
        "ARM_CLIENT_CERTIFICATE_PASSWORD": "",
    }
    with (
        serve(tenant, sign_in=SignIn.CERTIFICATE) as service,
        signed_in(service, monkeypatch, **given) as tokens,
    ):
        assert tokens.list().tokens == ()


def test_a_certificate_that_is_not_registered(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Entra's refusal comes with what to upload."""
    other = tmp_path / "other.pem"
    other.write_text(Certificate.fresh("somebody else").pem())
    with (
        serve(tenant, sign_in=SignIn.CERTIFICATE) as service,
        signed_in(service, monkeypatch, ARM_CLIENT_CERTIFICATE_PATH=str(other)) as tokens,
    ):
        found = refusal(tokens)

    assert found.startswith("Entra refused the sign-in: AADSTS700027: ")
    assert (
        "does not accept the client certificate: use a registered one that has not expired, or upload the public part"
        in found
    )


def test_a_file_is_read_at_each_sign_in(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The platform replaces the file of an OIDC token while the provider runs."""
    path = tmp_path / "token"
    with serve(tenant, sign_in=SignIn.OIDC) as service:
        path.write_text(service.assertion(subject="system:serviceaccount:pulumi:stranger"))
        with signed_in(service, monkeypatch, ARM_OIDC_TOKEN_FILE_PATH=str(path)) as tokens:
            assert "AADSTS700213" in refusal(tokens)
            path.write_text(f"{service.assertion()}\n")
            assert tokens.list().tokens == ()


def test_an_oidc_token_by_value(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OIDC token in a variable signs in, as from Pulumi ESC."""
    with serve(tenant, sign_in=SignIn.OIDC) as service:
        given = {"ARM_OIDC_TOKEN": service.assertion(), "ARM_OIDC_TOKEN_FILE_PATH": ""}
        with signed_in(service, monkeypatch, **given) as tokens:
            assert tokens.list().tokens == ()


def test_files_of_the_client_id_and_secret(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Mounted files serve where the values do; one that disagrees with its value is refused."""
    (tmp_path / "id").write_text(f"{tenant.directory.app.client_id}\n")
    (tmp_path / "secret").write_text(tenant.directory.app.client_secret)
    given = {"ARM_CLIENT_ID_FILE_PATH": str(tmp_path / "id"), "ARM_CLIENT_SECRET_FILE_PATH": str(tmp_path / "secret")}
    with serve(tenant) as service:
        with signed_in(service, monkeypatch, ARM_CLIENT_ID="", ARM_CLIENT_SECRET="", **given) as tokens:
            assert tokens.list().tokens == ()
        with (
            signed_in(service, monkeypatch, ARM_CLIENT_SECRET="tell-nobody", **given) as tokens,
            pytest.raises(
                SettingsError, match=r"^ARM_CLIENT_SECRET and ARM_CLIENT_SECRET_FILE_PATH are both se"
            ) as caught,
        ):
            tokens.list()
    assert "tell-nobody" not in str(caught.value)


def test_a_virtual_machine(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a VM, MSAL asks the instance metadata service, at the address in its own variable."""
    with serve(tenant, sign_in=SignIn.MANAGED_IDENTITY) as service:
        given = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": service.url}
        with signed_in(service, monkeypatch, without=APP_SERVICE, **given) as tokens:
            assert tokens.list().tokens == ()


def test_an_endpoint_of_its_own(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """`msiEndpoint` replaces the address of the managed identity endpoint."""
    with serve(tenant, sign_in=SignIn.MANAGED_IDENTITY) as service:
        given = {"ARM_MSI_ENDPOINT": f"{service.url}/metadata/identity/oauth2/token"}
        with signed_in(service, monkeypatch, without=APP_SERVICE, **given) as tokens:
            assert tokens.list().tokens == ()


def test_an_identity_that_is_not_assigned(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client id that the machine does not have is refused with the cure."""
    with (
        serve(tenant, sign_in=SignIn.MANAGED_IDENTITY) as service,
        signed_in(service, monkeypatch, ARM_CLIENT_ID="0c7d4b62-0000-4000-8000-000000000000") as tokens,
    ):
        found = refusal(tokens)

    assert found.startswith("The managed identity endpoint refused the sign-in: 400, No ")
    assert "For a user-assigned one, set clientId (ARM_CLIENT_ID) to its client id" in found


@pytest.mark.parametrize("same", [True, False])
def test_the_tenant_of_a_managed_identity(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, *, same: bool) -> None:
    """An identity of another tenant than the configured one is refused before Graph is asked."""
    configured = tenant.directory.tenant_id.upper() if same else "0c7d4b62-0000-4000-8000-000000000000"
    with (
        serve(tenant, sign_in=SignIn.MANAGED_IDENTITY) as service,
        signed_in(service, monkeypatch, ARM_TENANT_ID=configured) as tokens,
    ):
        if same:
            assert tokens.list().tokens == ()
        else:
            assert (
                f"token is for tenant {tenant.directory.tenant_id}, but tenantId (ARM_TENANT_ID) is {configured}."
                in (refusal(tokens))
            )


def test_a_machine_without_an_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a managed identity endpoint, the error names the setting."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    tokens = connect_to_graph(read({"useMsi": True}, {}), StillClock(), Quiet())

    with pytest.raises(RequestNotSent, match=r"^The managed identity endpoint did not respond to the sign-in \(Conn"):
        tokens.tenant_id()


def test_one_sign_in_for_three_hundred_tokens(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tokens are created, by however many threads, one sign-in and one OIDC token serve them all."""
    files = [stoken.parse(fresh_vpptoken(f"Location {number}").encode()) for number in range(300)]
    members = {"appleId": "apps@contoso.example", "vppTokenAccountType": "business", "dataSharingConsentGranted": True}
    with serve(tenant, sign_in=SignIn.GITHUB) as service, signed_in(service, monkeypatch) as tokens:
        with ThreadPoolExecutor(16) as threads:
            made = list(threads.map(lambda one: tokens.create(members, one).id, files))
        sent = [one["path"] for one in httpx_json(service, "/_emulator/requests")]

    assert len({one.id for one in tenant.tokens} & set(made)) == 300
    assert len([path for path in sent if path.endswith("/oauth2/v2.0/token")]) == 1
    assert len([path for path in sent if path.startswith("/github/idtoken/")]) == 1


def httpx_json(service: Service, path: str) -> Any:
    """The JSON of a control route."""
    with httpx.Client(verify=service.trusted()) as http:
        return http.get(f"{service.url}{path}").json()


@pytest.mark.parametrize("number", CURES)
def test_each_refusal_of_entra_has_its_cure(number: str) -> None:
    """Each number comes with what to do, on one line, without the ids of the answer."""
    document = {
        "error": "invalid_client",
        "error_description": f"AADSTS{number}: Words of Entra.\r\nTrace ID: 1\r\nCorrelation ID: 2\r\nTimestamp: 3",
    }
    login = "https://login.example/t"
    discovery = {"issuer": login, "token_endpoint": f"{login}/token", "authorization_endpoint": f"{login}/a"}
    script = Script(httpx.Response(200, json=discovery), httpx.Response(401, json=document))
    with httpx.Client(transport=httpx.MockTransport(script)) as http, pytest.raises(SignInRefused) as caught:
        credential(http, tenantId="t", clientId="c", clientSecret="tell-nobody").access_token()

    found = str(caught.value)
    assert found.startswith(f"Entra refused the sign-in: AADSTS{number}: Words of Entra. ")
    words = CURES[number].format(tenant="t", client_id="c", consent=f"{login}/adminconsent?client_id=c", now="NOW")
    assert words.partition("NOW")[0] in found
    assert (len(found.splitlines()), "Trace ID" in found) == (1, False)


@pytest.mark.parametrize("number", [7000222, 65001, 50034, 53003, 7000112])
def test_scripted_refusals(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """What the emulator refuses with Entra's own sentences is recognized by its number."""
    with serve(tenant) as service, signed_in(service, monkeypatch) as tokens:
        tenant.behave({"sign_in_refusal": number})
        found = refusal(tokens)

    assert found.startswith(f"Entra refused the sign-in: AADSTS{number}: ")
    assert CURES[str(number)].partition("{")[0] in found


def test_an_application_that_is_not_consented(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application of another tenant comes with the address where an administrator consents to it."""
    stranger = "0c7d4b62-0000-4000-8000-000000000000"
    with serve(tenant) as service, signed_in(service, monkeypatch, ARM_CLIENT_ID=stranger) as tokens:
        found = refusal(tokens)

    assert "AADSTS700016" in found
    assert (
        f"must consent to it at {service.url}/{tenant.directory.tenant_id}/adminconsent?client_id={stranger} first."
        in found
    )


@pytest.mark.parametrize(
    ("claims", "number", "says"),
    [
        ({"seconds": -3600}, 700024, "the clock of this machine is wrong (it says "),
        ({"audience": "api://other"}, 700212, "Add a federated credential with exactly this issuer, subject and aud"),
        ({"subject": "repo:contoso/tablets:ref:refs/heads/x"}, 700213, "Add a federated credential with exactly this"),
    ],
)
def test_oidc_tokens_that_entra_refuses(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], number: int, says: str
) -> None:
    """An OIDC token that has expired or matches no federated credential is told apart."""
    with serve(tenant, sign_in=SignIn.OIDC) as service:
        given = {"ARM_OIDC_TOKEN": service.assertion("github", **claims), "ARM_OIDC_TOKEN_FILE_PATH": ""}
        with signed_in(service, monkeypatch, **given) as tokens:
            found = refusal(tokens)

    assert found.startswith(f"Entra refused the sign-in: AADSTS{number}: ")
    assert says in found
    assert given["ARM_OIDC_TOKEN"][:40] not in found


@pytest.mark.parametrize("method", [SignIn.GITHUB, SignIn.AZURE_DEVOPS])
def test_a_pipeline_that_issues_no_token(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, method: SignIn) -> None:
    """A refusal of the pipeline's service is not Entra's, and has its own cure."""
    given = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wr0ng-one", "SYSTEM_ACCESSTOKEN": "wr0ng-one"}
    if method is SignIn.GITHUB:
        del given["SYSTEM_ACCESSTOKEN"]
    else:
        del given["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    with (
        serve(tenant, sign_in=method) as service,
        signed_in(service, monkeypatch, **given) as tokens,
    ):
        found = refusal(tokens)

    cure = "`id-token: write`" if method is SignIn.GITHUB else "$(System.AccessToken)"
    assert " refused to issue an OIDC token (" in found
    assert cure in found
    assert "wr0ng-one" not in found


def test_a_role_that_is_missing(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 403 lists the permissions of the access token beside the one that the request needs."""
    reader, visitor = tenant.directory.reader, tenant.directory.visitor
    with serve(tenant) as service:
        given = {"ARM_CLIENT_ID": visitor.client_id, "ARM_CLIENT_SECRET": visitor.client_secret}
        with (
            signed_in(service, monkeypatch, **given) as tokens,
            pytest.raises(PermissionMissing, match=r"The access token has no permission\. "),
        ):
            tokens.list()
        given = {"ARM_CLIENT_ID": reader.client_id, "ARM_CLIENT_SECRET": reader.client_secret}
        with signed_in(service, monkeypatch, **given) as tokens:
            assert tokens.list().tokens == ()
            with pytest.raises(GraphError, match=r"The access token has DeviceManagementServiceConfig\.Read\.All\. "):
                tokens.delete("0c7d4b62-0000-4000-8000-000000000000")


def test_a_certificate_of_another_time(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An expired certificate, and one that is not valid yet, are refused here, with both days."""
    now = datetime.now(UTC)
    expired = Certificate.fresh("a", begins=now - timedelta(days=9), ends=now - timedelta(days=2))
    future = Certificate.fresh("b", begins=now + timedelta(days=2), ends=now + timedelta(days=9))
    path = tmp_path / "c.pem"
    with serve(tenant, sign_in=SignIn.CERTIFICATE) as service:
        for certificate, says in (
            (
                expired,
                rf"expired on {now - timedelta(days=2):%Y-%m-%d}; today is {now:%Y-%m-%d} by the clock of this mach",
            ),
            (
                future,
                rf"valid from {now + timedelta(days=2):%Y-%m-%d} on; today is {now:%Y-%m-%d} by the clock of this ma",
            ),
        ):
            path.write_text(certificate.pem())
            given = {"ARM_CLIENT_CERTIFICATE_PATH": str(path), "ARM_CLIENT_CERTIFICATE_PASSWORD": ""}
            with signed_in(service, monkeypatch, **given) as tokens, pytest.raises(SettingsError, match=says):
                tokens.list()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_managed_identity_uses_no_proxy(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """The endpoint is on this machine, and the secret in the header is for nobody else."""
    with serve(tenant, sign_in=SignIn.MANAGED_IDENTITY) as service:
        given = {variable: "http://127.0.0.1:9"}
        with signed_in(service, monkeypatch, **given) as tokens:
            credential = tokens.client._auth._credential
            assert credential.access_token()


@pytest.mark.parametrize("body", [{"access_token": "opaque-tok.en-abc-12345"}, {"message": "you sent {header}"}])
def test_what_an_endpoint_echoes(monkeypatch: pytest.MonkeyPatch, body: dict[str, str]) -> None:
    """Neither the access token of a damaged answer nor the secret of the request is in the message."""
    header = "d0aa3b1e-identity-header-of-36-chars"
    shown = {name: value.format(header=header) for name, value in body.items()}
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=shown))) as http:
        for endpoint, secret in (("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), ("MSI_ENDPOINT", "MSI_SECRET")):
            with monkeypatch.context() as patched:
                patched.setenv(endpoint, "http://127.0.0.1:41000/msi/token")
                patched.setenv(secret, header)
                with pytest.raises(SignInRefused) as caught:
                    credential(http, useMsi=True).access_token()
            assert [one for one in (header, "opaque-tok", "tok.en-abc") if one in str(caught.value)] == []


@pytest.mark.parametrize("method", [SignIn.SECRET, SignIn.OIDC])
def test_an_access_token_of_another_tenant(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, method: SignIn) -> None:
    """Whatever the method, an access token of another tenant than the configured one is never sent to Graph."""
    with serve(tenant, sign_in=method) as service, signed_in(service, monkeypatch) as tokens:
        elsewhere = Tenant().directory
        real = tokens.client._http.request

        def answer(verb: str, url: Any, **options: Any) -> httpx.Response:
            if not str(url).endswith("/token"):
                return real(verb, url, **options)
            issued = access_tokens.issue(elsewhere, elsewhere.app, audience=service.url, now=datetime.now(UTC))
            return httpx.Response(200, json={"access_token": issued, "expires_in": 3599, "token_type": "Bearer"})

        monkeypatch.setattr(tokens.client._http, "request", answer)
        found = refusal(tokens)

    assert found.startswith(
        f"The access token is for tenant {elsewhere.tenant_id}, but tenantId (ARM_TENANT_ID) is "
        f"{tenant.directory.tenant_id}. Nothing was changed."
    )
