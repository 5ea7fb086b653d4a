"""Signing in through MSAL, for real, against the emulator: inside the process, and once over TLS."""

from __future__ import annotations

import base64
import json
import logging
import re
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from graph.fake_graph import Quiet, Script, StillClock, graph_client, sender
from graph.signing_in import credential
from graph.test_redaction import BEARER, pieces
from intune_vpp.assembly import connect_to_graph
from intune_vpp.core.errors import GraphError, RequestNotSent, SignInRefused
from intune_vpp.graph.http import open_http
from intune_vpp.graph.request import Request, RequestKind
from intune_vpp.graph.tenants import ConfiguredTenant
from intune_vpp.graph.vpp_tokens import GraphVppTokens
from intune_vpp.settings import read
from intune_vpp_emulator import tenant as emulated
from intune_vpp_emulator.app import ROOT, create_app
from intune_vpp_emulator.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from intune_vpp.core.ports import VppTokens
    from intune_vpp.graph.credentials.cached import CachedCredential


HUSH = "tell-nobody"
HOW = r"Sign-in method: client secret \(intune-vpp:clientSecret is set\)\."
NOT_JSON = r"^login\.example/t answered the sign-in with something that is not a JSON object\. Check the network"


class Counting(httpx.WSGITransport):
    """The emulator inside the process, with a count of the sign-ins."""

    def __init__(self, tenant: emulated.Tenant) -> None:
        super().__init__(app=create_app(tenant))
        self.sign_ins = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        self.sign_ins += request.url.path.endswith("/token")
        return super().handle_request(request)


class Numbered:
    """An Entra that knows every app registration and numbers its access tokens."""

    def __init__(self) -> None:
        self.sign_ins = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The discovery, or the next access token."""
        if not request.url.path.endswith("/token"):
            root = "https://login.example/t"
            return httpx.Response(
                200, json={"issuer": root, "token_endpoint": f"{root}/token", "authorization_endpoint": f"{root}/a"}
            )
        self.sign_ins += 1
        body = {"access_token": f"access-token-{self.sign_ins}", "token_type": "Bearer", "expires_in": 3600}
        return httpx.Response(200, json=body)


@pytest.fixture
def tenant() -> emulated.Tenant:
    """An emulated tenant."""
    return emulated.Tenant()


@pytest.fixture
def transport(tenant: emulated.Tenant) -> Counting:
    """The way to it."""
    return Counting(tenant)


@pytest.fixture
def http(transport: Counting) -> Iterator[httpx.Client]:
    """A client of it."""
    with httpx.Client(transport=transport) as client:
        yield client


def secret(http: httpx.Client, tenant: emulated.Tenant, **differing: str) -> CachedCredential:
    """The tenant's own app registration, but for what differs."""
    app = tenant.directory.app
    own = {
        "authorityHost": ROOT,
        "graphEndpoint": ROOT,
        "tenantId": tenant.directory.tenant_id,
        "clientId": app.client_id,
        "clientSecret": app.client_secret,
    }
    return credential(http, **{**own, **differing})


def test_the_access_token_is_good_and_kept(tenant: emulated.Tenant, transport: Counting, http: httpx.Client) -> None:
    """Graph takes the bearer; the second one comes from the cache, and after forget() a new one is requested."""
    signed_in = secret(http, tenant)
    bearer = signed_in.access_token()
    headers = {"Authorization": f"Bearer {bearer}"}

    assert http.get(f"{ROOT}/beta/deviceAppManagement/vppTokens", headers=headers).status_code == 200
    assert (signed_in.access_token(), transport.sign_ins) == (bearer, 1)
    signed_in.forget(bearer)
    assert signed_in.access_token()
    assert transport.sign_ins == 2


def test_nothing_is_to_be_forgotten_at_first(tenant: emulated.Tenant, transport: Counting, http: httpx.Client) -> None:
    """forget() before the first sign-in makes no request."""
    secret(http, tenant).forget("eyJhbGciOiJSUzI1")

    assert transport.sign_ins == 0


@pytest.mark.parametrize("calls", [2, 16])
def test_one_revoked_access_token_costs_one_sign_in(calls: int) -> None:
    """However many requests Graph refuses for the same access token, one new sign-in serves them all."""
    entra, sent = Numbered(), threading.Barrier(calls)

    def graph(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != "Bearer access-token-1":
            return httpx.Response(200, json={"id": "1"})
        # All requests are sent with the first token before one of them is refused.
        sent.wait(timeout=20)
        return httpx.Response(401)

    with httpx.Client(transport=httpx.MockTransport(graph)) as http, ThreadPoolExecutor(calls) as threads:
        client = graph_client(http, root="https://graph.example", credential=made(entra))
        answers = [threads.submit(client.get, "/x", Request(RequestKind.READ_TOKEN, "1")) for _ in range(calls)]
        assert [answer.result(timeout=20) for answer in answers] == [{"id": "1"}] * calls

    assert entra.sign_ins == 2


def test_an_old_access_token_does_not_cost_the_new_one() -> None:
    """A late refusal of a token that was already replaced leaves its successor in the cache."""
    entra = Numbered()
    signed_in = made(entra)
    first = signed_in.access_token()
    signed_in.forget(first)
    second = signed_in.access_token()
    signed_in.forget(first)

    assert (first, second, signed_in.access_token()) == ("access-token-1", "access-token-2", "access-token-2")
    assert entra.sign_ins == 2


@pytest.mark.parametrize("domain", [False, True])
def test_the_tenant_may_be_named_by_its_domain(tenant: emulated.Tenant, http: httpx.Client, *, domain: bool) -> None:
    """A sign-in works for a tenant's GUID and for its domain name."""
    name = tenant.directory.domain if domain else tenant.directory.tenant_id

    assert secret(http, tenant, tenantId=name).access_token()


@pytest.mark.parametrize(
    ("differing", "code", "shown_text"),
    [
        (
            {"clientSecret": "wrong-one"},
            "invalid_client",
            r"AADSTS7000215: Invalid client secret .* is wrong: use its value, not its id, and one of this app ",
        ),
        (
            {"clientId": "stranger"},
            "unauthorized_client",
            r"AADSTS700016: .*The application stranger is not in the tenant ",
        ),
        (
            {"graphEndpoint": "https://other.example"},
            "invalid_resource",
            "AADSTS500011: .* check graphEndpoint and",
        ),
    ],
)
def test_a_refused_sign_in_names_the_cure(
    tenant: emulated.Tenant, http: httpx.Client, differing: dict[str, str], code: str, shown_text: str
) -> None:
    """Entra's description comes in one line, without trace ids, and with a cure where the number is known."""
    with pytest.raises(SignInRefused, match=f"^Entra refused the sign-in: {shown_text}") as caught:
        secret(http, tenant, **differing).access_token()

    assert (caught.value.status, caught.value.code) == (401, code)
    assert len(str(caught.value).splitlines()) == 1
    assert "Trace ID" not in str(caught.value)
    assert "wrong-one" not in str(caught.value)
    assert tenant.directory.app.client_secret not in str(caught.value)


def test_an_unknown_tenant_is_refused(tenant: emulated.Tenant, http: httpx.Client) -> None:
    """MSAL's ValueError for a discovery that is refused becomes SignInRefused, in one line that names the tenant."""
    with pytest.raises(SignInRefused, match=r'does not know the tenant "nobody"\. Check tenantId') as caught:
        secret(http, tenant, tenantId="nobody").access_token()

    assert (caught.value.status, len(str(caught.value).splitlines())) == (400, 1)


def discovered(answer: httpx.Response, times: int = 1) -> Script:
    """A discovery that works, and then this answer of the token endpoint, for each sign-in."""
    known = {"token_endpoint": "https://login.example/t/token", "authorization_endpoint": "https://login.example/t/a"}
    discovery = httpx.Response(200, json={**known, "issuer": "https://login.example/t"})
    return Script(*(discovery, answer) * times)


def made(script: Callable[[httpx.Request], httpx.Response], client_secret: str = HUSH) -> CachedCredential:
    """An app registration whose sign-in is answered so."""
    http = httpx.Client(transport=httpx.MockTransport(script))
    return credential(http, tenantId="t", clientId="c", clientSecret=client_secret)


def signed(script: Callable[[httpx.Request], httpx.Response]) -> str:
    """The bearer of a sign-in that is answered so."""
    return made(script).access_token()


def shown(error: BaseException) -> str:
    """All that can be seen of an error."""
    return "".join([str(error), repr(error), *traceback.format_exception(error)])


def test_a_sign_in_without_its_description() -> None:
    """Where Entra gives no description its code is reported."""
    with pytest.raises(SignInRefused, match=r"^Entra refused the sign-in: invalid_client\. Check tenantId"):
        signed(discovered(httpx.Response(401, json={"error": "invalid_client"})))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"error": "temporarily_unavailable"}),
        (429, {"error": "invalid_request", "error_description": "AADSTS90055: Too many requests."}),
        (429, "<html>Too many requests</html>"),
        (429, ""),
        (400, {"error": "temporarily_unavailable", "error_description": "AADSTS90033: A transient error has occurred"}),
        (503, {"error": "temporarily_unavailable"}),
        (400, {"error": "server_error"}),
    ],
)
@pytest.mark.parametrize("discovery", [True, False])
def test_a_throttled_sign_in(status: int, body: object, *, discovery: bool) -> None:
    """A sign-in that is throttled says so, with the time to wait, and blames neither the tenant nor the credentials."""
    content = body if isinstance(body, str) else json.dumps(body)
    throttled = httpx.Response(status, content=content, headers={"Retry-After": "3"})

    says = rf"^login\.example/t is throttling sign-ins \({status}\)\. Run it again in a minute\. {HOW}$"
    with pytest.raises(RequestNotSent, match=says) as caught:
        signed(Script(throttled) if discovery else discovered(throttled))

    assert caught.value.status == status


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("discovery", [True, False])
def test_an_entra_that_fails_is_unavailable(status: int, *, discovery: bool) -> None:
    """A 5xx becomes our error with its status; no error of MSAL's gets out."""
    failing = httpx.Response(status, content=b"<html>")

    with pytest.raises(RequestNotSent, match=rf"^login\.example/t could not complete the sign-in \({status}\)\. If"):
        signed(Script(failing) if discovery else discovered(failing))


@pytest.mark.parametrize("content", [b"<html>sign in to the wifi</html>", b"", b"[]", b'"x"', b"null", b"7"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_stranger_at_the_token_endpoint(status: int, content: bytes) -> None:
    """An answer that is no JSON object, such as a proxy's page, does not blame the secret."""
    with pytest.raises(RequestNotSent, match=NOT_JSON):
        signed(discovered(httpx.Response(status, content=content)))


@pytest.mark.parametrize("content", [b"[]", b"7", b"", b"null", b"<html>sign in to the wifi</html>", b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 404])
def test_a_stranger_at_discovery(status: int, content: bytes) -> None:
    """Nor does one at the discovery blame the tenant."""
    with pytest.raises(RequestNotSent, match=NOT_JSON):
        signed(Script(httpx.Response(status, content=content)))


@pytest.mark.parametrize("body", [{}, {"message": "blocked by policy"}, {"error": "blocked"}, {"error": {"code": 7}}])
def test_a_strange_refusal_of_the_discovery(body: object) -> None:
    """Only Entra's own refusal says that the tenant is unknown: the JSON of a proxy does not."""
    with pytest.raises(RequestNotSent, match=r"^login\.example/t could not complete the sign-in \(403\)"):
        signed(Script(httpx.Response(403, json=body)))


ODD_ADDRESSES: list[dict[str, object]] = [
    {},
    {"authorization_endpoint": 3, "token_endpoint": 3},
    {"authorization_endpoint": "https://login.example/t/a", "token_endpoint": "https://[::zz"},
    {"authorization_endpoint": "https://login.example/t/a", "token_endpoint": None},
]


@pytest.mark.parametrize("document", ODD_ADDRESSES)
def test_a_discovery_without_addresses(document: dict[str, object]) -> None:
    """A discovery document that is none is our error too."""
    with pytest.raises(RequestNotSent, match=r"could not complete the sign-in \("):
        signed(Script(httpx.Response(200, json=document)))


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": 5},
        {"access_token": None},
        {"access_token": ["eyJ"]},
        {"access_token": ""},
        {"access_token": "eyJ0\r\nX-Other: 1"},
        {"access_token": "eyJ0é"},
        {"access_token": "eyJ0\ud800"},
        {"access_token": "eyJ0", "expires_in": "soon"},
        {"access_token": "eyJ0", "expires_in": [1]},
    ],
)
def test_an_access_token_that_is_none(answer: dict[str, object]) -> None:
    """What no header can carry is refused as an answer of the sign-in, and asked for anew the next time."""
    content = json.dumps({"token_type": "Bearer", "expires_in": 3600, **answer})
    script = discovered(httpx.Response(200, content=content), times=2)
    signed_in = made(script)
    for _ in range(2):
        with pytest.raises(GraphError, match=r"^login\.example/t could not complete the sign-in \(") as caught:
            signed_in.access_token()
        assert "eyJ0" not in shown(caught.value)

    assert [line for line in script.lines if line.startswith("POST")] == ["POST /t/token"] * 2


DAMAGED = {
    "cut off": f'{{"token_type": "Bearer", "access_token": "{BEARER}"',
    "not quoted": f"{{access_token: {BEARER}}}",
    "a page": f"<html><input name='access_token' value='{BEARER}'></html>",
    "a form": f"token_type=Bearer&access_token={BEARER}",
    "followed by more": f'{{"access_token": "{BEARER}"}}{{}}',
    "a number that nobody can read": f'{{"access_token": "{BEARER}", "expires_in": {"9" * 5000}}}',
    "of another kind": f'["{BEARER}"]',
    "not in UTF-8": f'{{"access_token": "{BEARER}\udcff"}}',
    "in another code page": f'{{"access_token": "{BEARER}"',
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("status", [200, 400])
def test_a_damaged_answer_shows_no_bearer(
    status: int, damage: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A sign-in answer that is not exact JSON is reported in one sentence, and its body by nobody: MSAL logs it."""
    caplog.set_level(logging.DEBUG)
    open_http(None).close()
    kind = {"Content-Type": "text/html; charset=zlib" if damage == "in another code page" else "application/json"}
    content = DAMAGED[damage].encode(errors="surrogateescape")

    with pytest.raises(GraphError) as caught:
        signed(discovered(httpx.Response(status, content=content, headers=kind)))

    shown_text = [*capfd.readouterr(), shown(caught.value), *(str(vars(record)) for record in caplog.records)]
    assert [piece for piece in pieces(BEARER) for view in shown_text if piece in view] == []
    assert re.match(r"^login\.example/t could not" if damage == "not in UTF-8" else NOT_JSON, str(caught.value))


def test_entra_quotes_what_it_was_sent() -> None:
    """No part of the client secret is shown, in whatever spelling Entra quotes it and wherever the quotation is cut."""
    secret = "Q~8a/B+c.d=eF_gh-IJ8kLmN%opQ"
    spelled = [secret, quote(secret, safe=""), base64.b64encode(f"c:{secret}".encode()).decode(), secret[4:15]]
    spelled += [f"{secret[:9]}\r\n{secret[9:]}", f"{'x ' * 140}{secret}"]
    for quoted in spelled:
        described = f"AADSTS7000215: {quoted} is wrong. Trace ID: {quoted}"
        refused = {"error": f"invalid_{quoted}", "error_description": described}
        with pytest.raises(SignInRefused, match=r"^Entra refused the sign-in: AADSTS7000215: ") as caught:
            made(discovered(httpx.Response(401, json=refused)), secret).access_token()

        shown_text = f"{shown(caught.value)} {caught.value.code}"
        assert [piece for piece in (*pieces(secret), *pieces(quoted.replace("x ", ""))) if piece in shown_text] == []


NO_REFUSAL = r"^login\.example/t could not complete the sign-in \(an answer without an access token\)"


@pytest.mark.parametrize("member", [7, ["x"], {"a": 1}, None, ""])
def test_a_refusal_of_another_shape(member: object) -> None:
    """A description that is no text stays out of the sentence; a code that is none makes it no refusal of Entra's."""
    with pytest.raises(SignInRefused, match=r"^Entra refused the sign-in: invalid\. Check tenantId"):
        signed(discovered(httpx.Response(401, json={"error": "invalid", "error_description": member})))
    with pytest.raises(RequestNotSent, match=NO_REFUSAL):
        signed(discovered(httpx.Response(401, json={"error": member})))


@pytest.mark.parametrize(
    "odd",
    [
        *(b'"access_token": %s' % token for token in (b"{}", b"7", b"1e400", b"null", b"true", b'""', b'["x"]')),
        *(b'"access_token": "%s"' % token for token in (b"a b", b"a\\nb", b"\xc3\xbc", b"\\ud800", b"\\u0000")),
        *(
            b'"access_token": "good", "expires_in": %s' % seconds
            for seconds in (b"1e400", b"9" * 400, b'"soon"', b"{}", b"[7]")
        ),
        b'"access_token": "good", "scope": 7',
    ],
)
def test_an_odd_answer_of_the_token_endpoint(odd: bytes) -> None:
    """An access token that cannot stand in a header, and members that MSAL stumbles over, are a failed sign-in."""
    with pytest.raises(RequestNotSent, match=r"^login\.example/t could not complete the sign-in \("):
        signed(discovered(httpx.Response(200, content=b'{"token_type": "Bearer", "expires_in": 3599, %s}' % odd)))


@pytest.mark.parametrize("error", [{}, {"error": 7}, {"error": {"a": 1}, "error_description": ["x"]}, {"error": None}])
def test_a_refusal_without_words(error: object) -> None:
    """An answer that does not refuse in words does not blame the credentials."""
    with pytest.raises(RequestNotSent, match=NO_REFUSAL) as caught:
        signed(discovered(httpx.Response(400, json=error)))

    assert caught.value.code == ""


@pytest.mark.parametrize(
    "endpoint", ["", "nowhere", "http://[::zz", "https://x:y/", "ftp://x.example/", "https://\x00/"]
)
def test_an_odd_token_endpoint(endpoint: str) -> None:
    """A token endpoint that is no address is our error, and not httpx's."""
    document = {"token_endpoint": endpoint, "authorization_endpoint": "https://login.example/t/a"}
    with pytest.raises(RequestNotSent, match="sign-in"):
        signed(Script(httpx.Response(200, json=document)))


@pytest.mark.parametrize("status", [302, 404])
def test_a_discovery_elsewhere(status: int) -> None:
    """A redirect is not followed, and a missing document is refused."""
    script = Script(httpx.Response(status, headers={"Location": "https://evil.example/"}))

    with pytest.raises(RequestNotSent, match="sign-in"):
        signed(script)

    assert {request.url.host for request in script.requests} == {"login.example"}


def test_an_entra_that_does_not_answer() -> None:
    """Without an answer the sign-in names the host and the setting."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("late", request=request)

    shown_text = (
        r"^login\.example/t did not respond to the sign-in \(ConnectTimeout\)\. Check the network and authorityHost\. "
        + HOW
    )
    with pytest.raises(RequestNotSent, match=shown_text):
        signed(fail)


@contextmanager
def connected(environment: Mapping[str, str], **configuration: str) -> Iterator[VppTokens]:
    """What is wired from these settings, and hung up afterwards."""
    graph = connect_to_graph(read(configuration, environment), StillClock(), Quiet())
    assert isinstance(graph, GraphVppTokens)
    with graph.client._http:
        yield graph


def test_over_real_tls(tenant: emulated.Tenant) -> None:
    """With the CA bundle, everything that is wired listens: sign-in by domain, the tenant's GUID, a listing."""
    with serve(tenant) as service, connected(service.environment, tenantId=tenant.directory.domain) as graph:
        assert graph.tenant_id() == tenant.directory.tenant_id
        assert graph.list().tokens == ()


def test_over_real_tls_with_a_wrong_secret(tenant: emulated.Tenant) -> None:
    """Entra's refusal comes through TLS as it does without."""
    with (
        serve(tenant) as service,
        connected(service.environment, clientSecret="wrong") as graph,
        pytest.raises(SignInRefused, match="AADSTS7000215"),
    ):
        graph.list()


def test_a_certificate_that_nobody_vouches_for(tenant: emulated.Tenant) -> None:
    """Without the CA bundle no connection is made: the secret goes to nobody."""
    with (
        serve(tenant) as service,
        connected({**service.environment, "INTUNE_VPP_CA_BUNDLE_PATH": ""}) as graph,
        pytest.raises(RequestNotSent, match=r"did not respond to the sign-in \(ConnectError\)"),
    ):
        graph.list()


def test_a_host_that_is_not_there() -> None:
    """A closed port is NotSent, named by host and setting."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"https://127.0.0.1:{closed.getsockname()[1]}"
    nowhere = r"^127\.0\.0\.1:\d+ did not respond to the sign-in \(ConnectError\)\."

    with open_http(None) as http, pytest.raises(RequestNotSent, match=nowhere):
        ConfiguredTenant("contoso.example", host, http, sender()).guid()
