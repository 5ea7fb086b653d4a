"""Which credentials the token endpoint takes, and with which of Entra's errors it refuses the others."""

from __future__ import annotations

import base64
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from emulator.client import NOW, TOKENS, a_client, a_tenant, bearer, error_of
from intune_vpp_emulator.app import ROOT
from intune_vpp_emulator.identity.certificates import Certificate
from intune_vpp_emulator.identity.keys import signing_key
from intune_vpp_emulator.identity.refusals import SCRIPTED
from intune_vpp_emulator.identity.workload import GITHUB, KUBERNETES, PROVIDERS, PULL_REQUEST

if TYPE_CHECKING:
    import httpx

    from intune_vpp_emulator.tenant import Tenant

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENTRA = re.compile(
    r"AADSTS\d+: .+ Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
)


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """One tenant for all tests that change nothing in it, so that its keys are made once."""
    return a_tenant()


def claims_of(tenant: Tenant, **claims: Any) -> dict[str, Any]:
    """The claims of an assertion that the tenant would take."""
    app, now = tenant.directory.app.client_id, int(NOW.timestamp())
    audience = f"{ROOT}/{tenant.directory.tenant_id}/oauth2/v2.0/token"
    return {"iss": app, "sub": app, "aud": audience, "exp": now + 600, "iat": now, "jti": "1", **claims}


def signed(
    tenant: Tenant, certificate: Certificate | None = None, algorithm: str = "PS256", **claims: Any
) -> tuple[str, dict[str, str]]:
    """An assertion by a certificate, and its header."""
    used = certificate or tenant.directory.app.certificate
    header = {"x5t#S256": used.thumbprint}
    return jwt.encode(claims_of(tenant, **claims), used.key, algorithm=algorithm, headers=header), header


def post(tenant: Tenant, assertion: str | None = None, named: str = "", **fields: str) -> httpx.Response:
    """The answer of the token endpoint."""
    form = {
        "grant_type": "client_credentials",
        "scope": f"{ROOT}/.default",
        "client_id": tenant.directory.app.client_id,
    }
    if assertion is not None:
        form |= {"client_assertion_type": TYPE, "client_assertion": assertion}
    path = f"/{named or tenant.directory.tenant_id}/oauth2/v2.0/token"
    return a_client(tenant).post(path, data={name: value for name, value in (form | fields).items() if value})


def refusal(answer: httpx.Response, number: int, error: str = "invalid_client", status: int = 401) -> str:
    """The sentence of a refusal, which is in Entra's envelope."""
    document = answer.json()
    assert (answer.status_code, document["error"], document["error_codes"]) == (status, error, [number])
    assert set(document) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }
    sentence: str = document["error_description"]
    assert ENTRA.fullmatch(sentence), sentence
    return sentence


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
@pytest.mark.parametrize("end", ["oauth2/v2.0/token", "oauth2/token", "v2.0", ""])
def test_a_certificate_is_taken(tenant: Tenant, algorithm: str, end: str) -> None:
    """An assertion may be for the token endpoint or the issuer, by id or domain, and be one of several audiences."""
    for name in (tenant.directory.tenant_id, tenant.directory.domain):
        audience = f"{ROOT}/{name}/{end}"
        for one in (audience, ["https://elsewhere.example", audience]):
            assert post(tenant, signed(tenant, algorithm=algorithm, aud=one)[0]).status_code == 200


def test_the_padding_of_a_thumbprint_does_not_matter(tenant: Tenant) -> None:
    """MSAL pads the thumbprint and other libraries do not; both are taken."""
    certificate = tenant.directory.app.certificate
    header = {"x5t#S256": f"{certificate.thumbprint}="}

    assert post(tenant, jwt.encode(claims_of(tenant), certificate.key, "PS256", headers=header)).status_code == 200


def test_an_unregistered_certificate_is_refused(tenant: Tenant) -> None:
    """A certificate that the application lacks is refused with AADSTS700027 and its thumbprint in hexadecimal."""
    other = Certificate.fresh("other")
    as_hex = base64.urlsafe_b64decode(f"{other.thumbprint}=").hex().upper()

    sentence = refusal(post(tenant, signed(tenant, other)[0]), 700027)
    assert f"[Reason - The key was not found., Thumbprint of key used by client: '{as_hex}', Please visit" in sentence
    odd = jwt.encode(claims_of(tenant), other.key, "PS256", headers={"x5t#S256": "not base64!!"})
    assert "used by client: 'not base64!!'" in refusal(post(tenant, odd), 700027)


@pytest.mark.parametrize("header", [{}, {"x5t": "b" * 27}, {"kid": "k"}])
def test_a_certificate_without_its_thumbprint_is_refused(tenant: Tenant, header: dict[str, str]) -> None:
    """An assertion without `x5t#S256` is refused with AADSTS700027, whatever else its header has."""
    text = jwt.encode(claims_of(tenant), tenant.directory.app.certificate.key, "PS256", headers=header)

    assert "[Reason - The key was not found., Please visit" in refusal(post(tenant, text), 700027)


def test_another_key_behind_a_registered_thumbprint_is_refused(tenant: Tenant) -> None:
    """An assertion that names the registered certificate and is signed by another key is refused."""
    header = {"x5t#S256": tenant.directory.app.certificate.thumbprint}

    text = jwt.encode(claims_of(tenant), signing_key("somebody"), "PS256", headers=header)

    assert "use of the key to verify the signature failed" in refusal(post(tenant, text), 700027)


def test_a_registered_certificate_expires() -> None:
    """A year later the certificate is refused as expired, before the times of the assertion count."""
    tenant = a_tenant()
    ends = tenant.directory.app.certificate.public.not_valid_after_utc
    assert timedelta(days=364) < ends - datetime.now(UTC) < timedelta(days=366)

    tenant.clock.set(ends)

    sentence = refusal(post(tenant, signed(tenant)[0]), 700027)
    assert "[Reason - The key used is expired., Thumbprint of key used by client: '" in sentence
    assert f"End={ends:%m/%d/%Y %H:%M:%S}'" in sentence


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"sub": "other"}, 700021),
        ({"iss": "other", "sub": "other"}, 700021),
        ({"aud": f"{ROOT}/common/oauth2/v2.0/token"}, 700023),
        ({"aud": []}, 700023),
        ({"exp": int(NOW.timestamp()) - 301}, 700024),
        ({"nbf": int(NOW.timestamp()) + 302}, 700024),
        ({"exp": 1e300}, 50027),
        ({"exp": 253_402_300_799}, 50027),
        ({"nbf": -62_135_596_800}, 50027),
    ],
)
def test_the_claims_of_a_certificate_count(tenant: Tenant, claims: dict[str, Any], number: int) -> None:
    """An assertion of another application, for another audience or of another time is refused by its number."""
    refusal(post(tenant, signed(tenant, **claims)[0]), number)


def test_the_clocks_may_differ_by_five_minutes(tenant: Tenant) -> None:
    """An assertion that has just expired, or begins in a moment, is taken; an older one is refused with its times."""
    now = int(NOW.timestamp())
    assert post(tenant, signed(tenant, exp=now - 290)[0]).status_code == 200
    assert post(tenant, signed(tenant, nbf=now + 290)[0]).status_code == 200

    sentence = refusal(post(tenant, signed(tenant, exp=now - 3600)[0]), 700024)
    assert (
        "Current time: 2026-11-01T12:00:00.2500000Z, assertion valid from 1970-01-01T00:00:00.0000000Z, expiry time of "
        "assertion 2026-11-01T11:00:00.0000000Z." in sentence
    )


def test_a_malformed_assertion_is_refused(tenant: Tenant) -> None:
    """What is no JWT, lacks its expiration, or is signed by a secret or not at all is refused with AADSTS50027."""
    header = {"x5t#S256": tenant.directory.app.certificate.thumbprint}
    without_end = {name: value for name, value in claims_of(tenant).items() if name != "exp"}
    key = tenant.directory.app.certificate.key
    texts = [
        "x",
        "x.y.z",
        jwt.encode(without_end, key, "PS256", headers=header),
        jwt.encode(claims_of(tenant), "s" * 32, "HS256", headers=header),
        jwt.encode(claims_of(tenant), "", "none", headers=header),
    ]

    for text in texts:
        refusal(post(tenant, text), 50027)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda one: one.name)
def test_each_provider_is_trusted(tenant: Tenant, provider: Any) -> None:
    """The application is federated with each provider, about the workload that runs there."""
    assert post(tenant, provider.assertion(now=NOW)).status_code == 200


def test_the_reader_is_who_previews_pull_requests(tenant: Tenant) -> None:
    """A job of a pull request may sign in as the application that reads, and as no other."""
    text = GITHUB.assertion(now=NOW, subject=PULL_REQUEST)

    answer = post(tenant, text, client_id=tenant.directory.reader.client_id)
    assert jwt.decode(answer.json()["access_token"], options={"verify_signature": False})["roles"] == [
        "DeviceManagementServiceConfig.Read.All"
    ]
    refusal(post(tenant, text), 700213)
    refusal(post(tenant, text, client_id=tenant.directory.visitor.client_id), 700211)


def unknown_issuer(**claims: Any) -> str:
    """An assertion of an issuer without a federated credential."""
    made = {"iss": "https://elsewhere.example", "sub": "s", "aud": "api://AzureADTokenExchange", "exp": 4e9}
    return jwt.encode(made | claims, signing_key("somebody"), "RS256")


def resigned(key_id: str) -> str:
    """An assertion that the provider has not signed."""
    claims = jwt.decode(KUBERNETES.assertion(now=NOW), options={"verify_signature": False})
    return jwt.encode(claims, signing_key("somebody"), "RS256", headers={"kid": key_id})


@pytest.mark.parametrize(
    ("text", "number", "words"),
    [
        (unknown_issuer(), 700211, "presented assertion issuer 'https://elsewhere.example'. Check your federated"),
        (unknown_issuer(iss=GITHUB.issuer, aud=[]), 700212, "presented assertion audience ''."),
        (unknown_issuer(iss=GITHUB.issuer, sub=["s"]), 700213, "presented assertion subject"),
        (GITHUB.assertion(now=NOW, audience="a"), 700212, "presented assertion audience 'a'."),
        (GITHUB.assertion(now=NOW, subject="repo:x/y:ref:refs/heads/main"), 700213, "subject 'repo:x/y:ref:"),
        (GITHUB.assertion(now=NOW, subject=GITHUB.subject.upper()), 700213, "subject 'REPO:"),
        (resigned(KUBERNETES.key_id), 50013, "Assertion failed signature validation."),
        (resigned("k"), 7000272, "with identifier k used to sign the federated credential could not be found"),
        (
            GITHUB.assertion(now=NOW - timedelta(hours=1)),
            700024,
            "Client assertion is not within its valid time range.",
        ),
        (GITHUB.assertion(now=NOW + timedelta(hours=1)), 700024, "Current time: 2026-11-01T12:00:00.2500000Z"),
    ],
)
def test_a_federated_assertion_must_fit(tenant: Tenant, text: str, number: int, words: str) -> None:
    """Another issuer, audience, subject, key or time is refused, each by its number; upper and lower case differ."""
    sentence = refusal(post(tenant, text), number)

    assert words in sentence
    assert text not in sentence


def test_a_federated_assertion_has_one_algorithm(tenant: Tenant) -> None:
    """An assertion of a provider that is signed otherwise than by RS256 is refused."""
    claims = jwt.decode(KUBERNETES.assertion(now=NOW), options={"verify_signature": False})
    text = jwt.encode(claims, signing_key("kubernetes"), "PS256", headers={"kid": KUBERNETES.key_id})

    refusal(post(tenant, text), 50027)


def test_a_sign_in_without_a_credential_is_refused(tenant: Tenant) -> None:
    """A form without a credential, a client or a grant is refused by the field that it lacks."""
    refusal(post(tenant), 7000216)
    refusal(post(tenant, GITHUB.assertion(now=NOW), client_assertion_type="other"), 7000216)
    refusal(post(tenant, client_id=""), 900144, "invalid_request", 400)
    refusal(post(tenant, grant_type=""), 900144, "invalid_request", 400)
    for identity in (tenant.directory.system_identity, tenant.directory.user_identity):
        answer = post(tenant, client_id=identity.client_id, client_secret=identity.client_secret)
        refusal(answer, 700016, "unauthorized_client", 400)


@pytest.mark.parametrize("number", SCRIPTED)
def test_refusals_without_a_cause_can_be_scripted(number: int) -> None:
    """`signInRefusal` refuses each sign-in that would succeed, until it is none; a wrong secret keeps its number."""
    tenant = a_tenant()
    secret = tenant.directory.app.client_secret
    control = a_client(tenant)

    assert control.patch("/_emulator/behavior", json={"signInRefusal": number}).json()["signInRefusal"] == number
    error, status, _ = SCRIPTED[number]
    refusal(post(tenant, client_secret=secret), number, error, status)
    refusal(post(tenant, client_secret="wrong"), 7000215)
    control.patch("/_emulator/behavior", json={"signInRefusal": "none"})
    assert post(tenant, client_secret=secret).status_code == 200


def test_the_roles_of_access_tokens_can_be_scripted() -> None:
    """`appRoles` are in each new access token instead of those that were granted, and Graph goes by them."""
    tenant = a_tenant(app_roles=frozenset({"Group.Read.All"}))
    secret = tenant.directory.app.client_secret

    def status() -> int:
        token = post(tenant, client_secret=secret).json()["access_token"]
        return a_client(tenant).get(TOKENS, headers={"Authorization": f"Bearer {token}"}).status_code

    assert status() == 403
    a_client(tenant).patch("/_emulator/behavior", json={"appRoles": "own"})
    assert status() == 200


def test_an_application_without_consent_is_not_found() -> None:
    """Without consent the application is not in the directory, for each credential; the others are."""
    tenant = a_tenant(app_consented=False)
    reader = tenant.directory.reader

    for answer in (post(tenant, client_secret=tenant.directory.app.client_secret), post(tenant, signed(tenant)[0])):
        assert tenant.directory.domain in refusal(answer, 700016, "unauthorized_client", 400)
    assert post(tenant, client_id=reader.client_id, client_secret=reader.client_secret).status_code == 200


def test_access_tokens_end_when_the_tenant_says() -> None:
    """`accessTokenSeconds` is how long access tokens are valid, as the answer says; Graph refuses them afterwards."""
    tenant = a_tenant()
    client = a_client(tenant)
    client.patch("/_emulator/behavior", json={"accessTokenSeconds": 60})

    answer = post(tenant, client_secret=tenant.directory.app.client_secret).json()
    header = {"Authorization": f"Bearer {answer['access_token']}"}

    assert (answer["expires_in"], answer["ext_expires_in"]) == (59, 59)
    assert client.get(TOKENS, headers=header).status_code == 200
    tenant.clock.advance(61)
    assert client.get(TOKENS, headers=header).status_code == 401


def test_all_access_tokens_can_be_revoked() -> None:
    """After a revocation Graph refuses each access token that was issued before, and takes those of later sign-ins."""
    tenant = a_tenant()
    client = a_client(tenant)
    before = bearer(tenant)
    assert client.get(TOKENS, headers=before).status_code == 200

    assert client.delete("/_emulator/access-tokens").status_code == 204

    answer = client.get(TOKENS, headers=before)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "InvalidAuthenticationToken")
    assert "TokenIssuedBeforeRevocationTimestamp" in error_of(answer)["message"]
    token = post(tenant, client_secret=tenant.directory.app.client_secret).json()["access_token"]
    assert client.get(TOKENS, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_an_assertion_can_be_ordered(tenant: Tenant) -> None:
    """A control route answers an assertion of any provider, subject, audience and time, as a service in Python does."""
    client = a_client(tenant)

    for provider in PROVIDERS:
        made = client.post(f"/_emulator/assertions/{provider}", json={})
        assert made.status_code == 201
        assert post(tenant, made.json()["assertion"]).status_code == 200
    body = {"subject": "s", "audience": "a", "seconds": 5}
    claims = jwt.decode(
        client.post("/_emulator/assertions/github", json=body).json()["assertion"], options={"verify_signature": False}
    )
    assert (claims["sub"], claims["aud"], claims["exp"] - claims["iat"]) == ("s", "a", 5)


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("gitlab", {}),
        ("github", {"subject": 1}),
        ("github", {"seconds": "x"}),
        ("github", {"seconds": True}),
        ("github", {"x": 1}),
    ],
)
def test_an_impossible_assertion_is_refused(tenant: Tenant, provider: str, body: dict[str, Any]) -> None:
    """An unknown provider, or a value of another kind, is refused with what can be asked for."""
    answer = a_client(tenant).post(f"/_emulator/assertions/{provider}", json=body)

    assert answer.status_code == 400
    assert "github, azure-devops, kubernetes" in error_of(answer)["message"]


def test_the_subject_of_providers_can_be_scripted() -> None:
    """`oidcSubject` is the subject of what the endpoints of GitHub and Azure DevOps answer."""
    tenant = a_tenant(oidc_subject="repo:contoso/other:ref:refs/heads/main")
    header = {"Authorization": f"Bearer {tenant.workload.github_request_token}"}
    path = "/github/idtoken/9b9e4bdf-6d2c-4d39-8f0c-1a0d9b2a7c11/ca395085-040a-526b-2ce8-bdc85f692774"
    query = {"api-version": "2.0", "audience": "api://AzureADTokenExchange"}

    answer = a_client(tenant).get(path, headers=header, params=query)

    refusal(post(tenant, answer.json()["value"]), 700213)


def test_a_party_has_one_key() -> None:
    """Threads that need the key of a party at the same time get the same one."""
    together = threading.Barrier(4)

    def needed(_: int) -> Any:
        together.wait(10)
        return signing_key("needed by four")

    with ThreadPoolExecutor(4) as threads:
        assert len(set(map(id, threads.map(needed, range(4))))) == 1


def test_no_credential_is_in_the_log() -> None:
    """The log has the form of a sign-in without its secret and assertion, and no header."""
    tenant = a_tenant()
    client = a_client(tenant)
    text = signed(tenant)[0]
    workload = tenant.workload
    form = {"client_id": "x", "client_secret": "s3cret", "client_assertion": text, "client_assertion_type": TYPE}
    client.post(f"/{tenant.directory.tenant_id}/oauth2/v2.0/token", data=form)
    client.get("/msi/token?resource=x", headers={"X-IDENTITY-HEADER": workload.identity_header})
    client.get("/github/idtoken/x", headers={"Authorization": f"Bearer {workload.github_request_token}"})
    client.post("/azure-devops/x", headers={"Authorization": f"Bearer {workload.devops_access_token}"})

    log = client.get("/_emulator/requests").json()

    masked = {"client_id": "x", "client_secret": "***", "client_assertion": "***", "client_assertion_type": TYPE}
    assert [one["path"] for one in log[1:]] == ["/msi/token", "/github/idtoken/x", "/azure-devops/x"]
    assert log[0]["body"] == masked
    secrets = (text, "s3cret", workload.identity_header, workload.github_request_token, workload.devops_access_token)
    assert [one for one in secrets if one in json.dumps(log)] == []
    assert [one for one in secrets if one in repr(tenant) + repr(workload)] == []
