"""What the tests of the Graph room share: a credential and transports written by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from clocks import InlineCalls
from intune_vpp.graph.client import GraphClient
from intune_vpp.graph.http import guarded
from intune_vpp.graph.pacing import Pacing
from intune_vpp.graph.redaction import KnownSecrets
from intune_vpp.graph.sender import Sender
from intune_vpp.graph.tenants import ConfiguredTenant
from intune_vpp.graph.vpp_tokens import GraphVppTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from intune_vpp.graph.credentials.cached import Credential

TENANT = "11111111-1111-4111-8111-111111111111"
ROOT = "https://graph.example/beta"
TOKENS = "/beta/deviceAppManagement/vppTokens"

NESTED = {
    "error": {
        "code": "BadRequest",
        "message": json.dumps(
            {
                "_version": 3,
                "Message": "POST is not supported for this app type. - Operation ID (for customer support): 0000 - "
                "Activity ID: 46f1 - Url: https://fef.msuc01.manage.microsoft.com/AppLifecycle_2205/x",
                "CustomApiErrorPhrase": "",
                "RetryAfter": None,
                "ErrorSourceService": "",
                "HttpHeaders": '{"WWW-Authenticate":"Bearer realm=\\"urn:intune:service\\""}',
            },
            indent=2,
        ).replace("\n", "\r\n"),
        "innerError": {"date": "2022-05-20T05:41:54", "request-id": "46f1c833"},
    }
}
"""Intune's envelope, as captured: a JSON document in a string."""


class StillClock(InlineCalls):
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """The time after all sleeps."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the time."""
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


class Signed:
    """A credential that returns a new access token after each one that it was asked to forget."""

    def __init__(self) -> None:
        self.forgotten = 0

    def access_token(self) -> str:
        """An access token with the number of those that were forgotten."""
        return f"bearer-{self.forgotten}"

    def forget(self, access_token: str) -> None:
        """Count it, if it is the current one."""
        self.forgotten += access_token == self.access_token()


class Script:
    """A transport that gives answers or raises errors in turn, the last again and again, and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        # A copy: httpx sends one and the same request again, with another bearer.
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def lines(self) -> list[str]:
        """Method and path of each request, as sent."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    def body(self, number: int = 0) -> Any:
        """The JSON of one request."""
        return json.loads(self.requests[number].content)


def http(handler: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    """An HTTP client that a function answers."""
    return guarded(httpx.Client(transport=httpx.MockTransport(handler)))


class Quiet:
    """A reporter that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def info(self, sentence: str) -> None:
        """Keep a note."""
        self.notes.append(sentence)

    warn = info


def sender(clock: StillClock | None = None, reporter: Quiet | None = None) -> Sender:
    """A sender whose waits take no time."""
    return Sender(clock or StillClock(), reporter or Quiet(), KnownSecrets())


def graph_client(
    http: httpx.Client,
    *,
    root: str = ROOT,
    credential: Credential | None = None,
    secrets: KnownSecrets | None = None,
    sending: Sender | None = None,
) -> GraphClient:
    """A Graph client on an HTTP client."""
    secrets = secrets or KnownSecrets()
    sending = sending or Sender(StillClock(), Quiet(), secrets)
    return GraphClient(
        http,
        root=root,
        credential=credential or Signed(),
        secrets=secrets,
        sender=sending,
        pacing=Pacing(sending._clock, sending.report_wait),
    )


def client(handler: Callable[[httpx.Request], httpx.Response], *, credential: Signed | None = None) -> GraphClient:
    """A Graph client that a function answers."""
    return graph_client(http(handler), credential=credential)


def tokens(handler: Callable[[httpx.Request], httpx.Response]) -> GraphVppTokens:
    """The collection of tokens that a function answers."""
    tenant = ConfiguredTenant(TENANT, "https://login.example", http(handler), sender())
    return GraphVppTokens(client=client(handler), tenant=tenant)


def subclasses(of: type[Any]) -> Iterable[type[Any]]:
    """All classes below one, the class itself included."""
    yield of
    for below in of.__subclasses__():
        yield from subclasses(below)
