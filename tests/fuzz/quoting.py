"""Answers and errors that quote what was sent, in any spelling and at any place, and all that is shown of them."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, quote_plus

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from hypothesis import strategies as st

from builders import TOKEN_ID, file_text, sealed_in
from core.test_secrets import chain
from graph.fake_graph import TENANT, Quiet, StillClock
from graph.signing_in import GRAPH, LOGIN
from graph.test_redaction import BEARER, PIECE
from intune_vpp.assembly import connect_to_graph
from intune_vpp.core import stoken
from intune_vpp.core.errors import IntuneVppError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.dynamic import spelling
from intune_vpp.graph.vpp_tokens import GraphVppTokens
from intune_vpp.plugin import grpc_errors
from intune_vpp.settings import Settings, read
from intune_vpp_emulator.identity.certificates import Certificate
from tenant_in_process import silence_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from intune_vpp.core.sent_request import SentRequest

FILE = file_text(inner="SeAlEd-By-ApPlE/" + base64.b64encode(bytes(range(60, 160))).decode())
SENT_FILE = stoken.parse(FILE.encode())
CERTIFICATE = Certificate.fresh("contoso")
CLIENT_SECRET = "Q~8a/B+c.d=eF_gh-IJ8kLmN%opQ&rs"
PASSWORD = "c0rrect~h0rse+battery/st4ple"
REQUEST_TOKEN = "eyJraWQiOiJwaXBlbGluZSJ9.eyJydW4iOjQyfQ.UmVxdWVzdFRva2Vu-x_9"
ASSERTION = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImNvbnRvc28ifQ.eyJzdWIiOiJyZXBvOmNvbnRvc28vdnBwIn0.QXNzZXJ0aW9u-_7"
IDENTITY_HEADER = "853B9A84-5BFD-4B22-A3F3-0B9A43D9AD8A"
OIDC = "https://oidc.example"
IDENTITY = "http://127.0.0.1:41000/msi/token"


@dataclass(frozen=True)
class Method:
    """A method of sign-in: its configuration and environment, and the secrets in them."""

    name: str
    values: Mapping[str, str]
    secrets: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _body(pem: str) -> str:
    """The base64 in a PEM text, on one line."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


_ROUNDS = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1000).build(PASSWORD.encode())
"""So few that reading the file takes no time."""

_PFX = base64.b64encode(
    pkcs12.serialize_key_and_certificates(b"app", CERTIFICATE.key, CERTIFICATE.public, None, _ROUNDS)
).decode()
_KEY = _body(CERTIFICATE.pem().partition(CERTIFICATE.public_pem)[0])
METHODS = (
    Method("client secret", {"clientSecret": CLIENT_SECRET}, (CLIENT_SECRET,)),
    Method(
        "client certificate",
        {"clientCertificate": _PFX, "clientCertificatePassword": PASSWORD},
        (_PFX, PASSWORD, _KEY),
    ),
    Method("OIDC token", {"useOidc": "true", "oidcToken": ASSERTION}, (ASSERTION,)),
    Method(
        "OIDC token of GitHub Actions",
        {"useOidc": "true", "oidcRequestUrl": f"{OIDC}/github?v=2", "oidcRequestToken": REQUEST_TOKEN},
        (REQUEST_TOKEN, ASSERTION),
    ),
    Method(
        "OIDC token of Azure DevOps",
        {
            "useOidc": "true",
            "oidcRequestUrl": f"{OIDC}/ado",
            "oidcRequestToken": REQUEST_TOKEN,
            "adoPipelineServiceConnectionId": TOKEN_ID,
        },
        (REQUEST_TOKEN, ASSERTION),
    ),
    Method(
        "managed identity",
        {"useMsi": "true"},
        (IDENTITY_HEADER,),
        {"IDENTITY_ENDPOINT": IDENTITY, "IDENTITY_HEADER": IDENTITY_HEADER},
    ),
)
MEMBERS = {"appleId": "apps@contoso.example", "vppTokenAccountType": "business"}
REQUESTS: dict[str, Callable[[GraphVppTokens], Any]] = {
    "list": lambda tokens: tokens.list(),
    "get": lambda tokens: tokens.get(TOKEN_ID),
    "create": lambda tokens: tokens.create(MEMBERS, SENT_FILE),
    "create in base64": lambda tokens: tokens.create(MEMBERS, SENT_FILE, encoding=Encoding.BASE64),
    "update": lambda tokens: tokens.update(TOKEN_ID, MEMBERS, None),
    "renew": lambda tokens: tokens.update(TOKEN_ID, {}, SENT_FILE),
    "renew in base64": lambda tokens: tokens.update(TOKEN_ID, {}, SENT_FILE, encoding=Encoding.BASE64),
    "delete": lambda tokens: tokens.delete(TOKEN_ID),
    "sync": lambda tokens: tokens.sync_licenses(TOKEN_ID),
    "revoke": lambda tokens: tokens.revoke_licenses(
        TOKEN_ID, notify_managed_devices=False, revoke_untracked_licenses=True
    ),
    "count": lambda tokens: tokens.sync_license_counts(),
    "licences": lambda tokens: tokens.licenses_for_app("com.example"),
    "app": lambda tokens: tokens.token_id_of_app(TOKEN_ID),
}
"""Each kind of request to Graph; each of them signs in."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "whole": str,
    "in a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "in .NET's JSON": lambda text: json.dumps(text)[1:-1].replace("+", "\\u002B").replace("/", "\\/"),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"x{text}".encode()).decode().rstrip("="),
    "in base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}


def _nested(text: str) -> bytes:
    """Intune's envelope: a JSON document in a string."""
    message = {"_version": 3, "Message": f"Bad {text} here - Operation ID (for customer support): {text}"}
    error = {"code": "BadRequest", "message": json.dumps(message), "innerError": {"request-id": text}}
    return json.dumps({"error": error}).encode()


BODIES: dict[str, Callable[[str], bytes]] = {
    "message": lambda text: json.dumps({"error": {"code": "BadRequest", "message": f"Bad {text} here"}}).encode(),
    "code": lambda text: json.dumps({"error": {"code": text, "message": "Bad"}}).encode(),
    "request id": lambda text: json.dumps({"error": {"code": "Bad", "innerError": {"request-id": text}}}).encode(),
    "Intune's envelope": _nested,
    "long message": lambda text: json.dumps({"error": {"message": f"{'x ' * 146}{text}"}}).encode(),
    "OAuth": lambda text: json.dumps(
        {"error": "invalid_client", "error_description": f"AADSTS7000215: {text}"}
    ).encode(),
    "OAuth's code": lambda text: json.dumps({"error": text, "error_description": text}).encode(),
    "issuer": lambda text: json.dumps({"message": text, "error": text, "error_description": text}).encode(),
    "page": lambda text: f"<html><body>Cannot {text}</body></html>".encode(),
    "half of a document": lambda text: f'{{"access_token": "{text}", "token_type": "Bea'.encode(),
    "access token": lambda text: json.dumps({"access_token": text, "value": text, "oidcToken": text}).encode(),
    "nothing": lambda _: b"",
}
HEADERS = ("request-id", "x-ms-request-id", "WWW-Authenticate", "Retry-After", "Location", "x-strange", "Content-Type")
STATUSES = (200, 204, 301, 307, 400, 401, 403, 404, 408, 409, 412, 413, 415, 429, 500, 502, 503, 504, 599)
ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True)
class Quotation:
    """What happens to one request: an answer, or an error of a kind, that quotes a part of one of its secrets.

    `at` and `length` cut the part; `which` chooses the secret. Without a status it is an error.
    """

    which: int
    at: int
    length: int
    spelling: str
    body: str
    header: str | None
    status: int | None
    error: type[httpx.RequestError]

    def part(self, secret: str) -> str:
        """The part of a secret that is quoted: at least so much that it counts as one."""
        at = self.at % (len(secret) - PIECE + 1)
        return secret[at : at + max(self.length, PIECE)]

    def answer(self, request: httpx.Request, secrets: list[str]) -> httpx.Response:
        """The answer. Raises httpx.HTTPError, whose text has the whole request too."""
        text = SPELLINGS[self.spelling](self.part(secrets[self.which % len(secrets)]))
        if self.status is None:
            everything = f"{text} {dict(request.headers)} {request.content!r}"
            raise self.error(everything, request=request) from OSError(5, everything)
        headers = {self.header: text} if self.header else {}
        return httpx.Response(
            self.status,
            headers=headers,
            content=BODIES[self.body](text),
            extensions={"reason_phrase": text.encode()},
        )


QUOTATIONS = st.builds(
    Quotation,
    which=st.integers(0, 20),
    at=st.integers(0, 4000),
    length=st.sampled_from([PIECE, 13, 40, 200, 4000]),
    spelling=st.sampled_from([*SPELLINGS]),
    body=st.sampled_from([*BODIES]),
    header=st.none() | st.sampled_from(HEADERS),
    status=st.none() | st.sampled_from(STATUSES),
    error=st.sampled_from(ERRORS),
)


class Services:
    """Entra, the issuers of OIDC tokens, the managed identity endpoint and Graph, for one method of sign-in.

    Honest, but for the requests of the stage that a quotation is for: `discovery`, `issuer`, `token` or `graph`.
    """

    def __init__(self, method: Method, stage: str, quotation: Quotation) -> None:
        self.secrets = [*method.secrets, FILE, sealed_in(FILE), BEARER]
        self._stage = stage
        self._quotation = quotation
        self.quoted = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        for assertion in parse_qs(request.content.decode()).get("client_assertion", []):
            self.secrets.append(assertion)
        stage, honest = self._honest(request)
        if stage != self._stage:
            return honest
        self.quoted += 1
        return self._quotation.answer(request, self._sent(request))

    def _sent(self, request: httpx.Request) -> list[str]:
        """The secrets of a request, which its answer can quote."""
        form = parse_qs(request.content.decode())
        found = [one for name in ("client_secret", "client_assertion") for one in form.get(name, [])]
        headers = (request.headers.get(name, "") for name in ("authorization", "x-identity-header"))
        found += [one.removeprefix("Bearer ") for one in headers if one]
        found += [FILE, sealed_in(FILE)] if b'"token"' in request.content else []
        # A discovery sends no secret, but its server may know one.
        return found or self.secrets[:1]

    def _honest(self, request: httpx.Request) -> tuple[str, httpx.Response]:
        url, path = str(request.url), request.url.path
        if path.endswith("/openid-configuration"):
            return "discovery", httpx.Response(200, json=_discovery())
        if url.startswith(OIDC):
            return "issuer", httpx.Response(200, json={"value": ASSERTION, "oidcToken": ASSERTION})
        if url.startswith((LOGIN, IDENTITY)):
            answer = {"access_token": BEARER, "token_type": "Bearer", "expires_in": 3599, "expires_on": 4102444800}
            return "token", httpx.Response(200, json={**answer, "resource": GRAPH})
        entity = {"id": TOKEN_ID, "vppTokenId": TOKEN_ID, **MEMBERS}
        many = path.endswith("/vppTokens") or "(" in path
        return "graph", httpx.Response(200, json={"value": [entity]} if many and request.method == "GET" else entity)


def _discovery() -> dict[str, str]:
    authority = f"{LOGIN}/{TENANT}"
    endpoints = {"token_endpoint": f"{authority}/oauth2/v2.0/token", "authorization_endpoint": f"{authority}/authorize"}
    return {"issuer": f"{authority}/v2.0", **endpoints}


class Kept(logging.Handler):
    """Keeps each record as it would be printed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.records.append(record)

    def printed(self) -> list[str]:
        """The records, with their tracebacks, and what else they carry."""
        return [f"{self.format(one)} {vars(one)}" for one in self.records]


@contextmanager
def kept_logs() -> Iterator[Kept]:
    """All log records of the package and of its libraries."""
    silence_libraries()
    kept = Kept()
    loggers = [logging.getLogger(name) for name in ("", "intune_vpp", "httpx", "httpcore", "msal")]
    levels = [one.level for one in loggers[:2]]
    for one in loggers:
        one.addHandler(kept)
    for one in loggers[:2]:
        one.setLevel(logging.DEBUG)
    try:
        yield kept
    finally:
        for one in loggers:
            one.removeHandler(kept)
        for one, level in zip(loggers, levels, strict=False):
            one.setLevel(level)


@dataclass
class Shown:
    """All that can be seen of one request, and what may not be in it."""

    texts: list[str] = field(default_factory=list)
    sent: list[SentRequest] = field(default_factory=list)
    logs: Kept = field(default_factory=Kept)

    def leaks(self, secrets: list[str], quotation: Quotation) -> list[str]:
        """The pieces of secrets that can be seen, as they are or as they were spelled."""
        seen = "\n".join([*self.texts, *map(repr, self.sent), *self.logs.printed()])
        # The ends of a text in base64 belong to its neighbours too, so only what is longer is evidence.
        spelled = [SPELLINGS[quotation.spelling](quotation.part(one)) for one in secrets]
        return _common(seen, secrets, PIECE) + _common(seen, spelled, 2 * PIECE)


def _common(seen: str, secrets: list[str], length: int) -> list[str]:
    """The pieces of so many characters that a text and one of the secrets share."""

    def runs(text: str) -> set[str]:
        return {text[at : at + length] for at in range(len(text) - length + 1)}

    return sorted(runs(seen) & set[str]().union(*map(runs, secrets)))


def shown_of(method: Method, services: Services, request: Callable[[GraphVppTokens], Any]) -> Shown:
    """Sign in, send one request, and return everything that is shown of it."""
    shown = Shown()
    given = {"tenantId": TENANT, "clientId": TOKEN_ID, "authorityHost": LOGIN, "graphEndpoint": GRAPH, **method.values}
    with (
        pytest.MonkeyPatch.context() as patched,
        httpx.Client(transport=httpx.MockTransport(services)) as http,
        kept_logs() as logs,
    ):
        for name, value in method.environment.items():
            patched.setenv(name, value)
        settings = read(given, {})
        tokens = connected(settings, http, shown.sent.append)
        for call in (lambda: request(tokens), tokens.tenant_id):
            try:
                shown.texts.append(repr(call()))
            except IntuneVppError as error:
                shown.texts += everything(error)
    shown.logs = logs
    shown.texts += map(repr, (settings, tokens, tokens.client, tokens.client.secrets, tokens.tenant, SENT_FILE))
    return shown


def connected(settings: Settings, http: httpx.Client, record: Callable[[SentRequest], None]) -> GraphVppTokens:
    """The tokens of a tenant, by the real wiring."""
    tokens = connect_to_graph(settings, StillClock(), Quiet(), http=http, record=record)
    assert isinstance(tokens, GraphVppTokens)
    return tokens


def everything(error: IntuneVppError) -> list[str]:
    """What is printed of an error and of its causes and contexts, and what both doors report of it."""
    links = [f"{one} {one!r} {one.args!r} {vars(one)!r}" for one in chain(error)]
    status = grpc_errors._status(error, "Create")
    printed = "".join(traceback.format_exception(error))
    return [*links, printed, str(status), status.SerializeToString().decode(errors="replace"), spelling.message(error)]
