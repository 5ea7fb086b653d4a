"""An emulated tenant whose answers somebody tampers with, and a provider process for each example."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from builders import sealed_in, token_inputs, vpptoken
from fuzz.strategies import CANARY, changed
from intune_vpp import settings
from intune_vpp.assembly import Assembly, connect_to_graph
from intune_vpp.core import pulumi_state
from intune_vpp.core.errors import IntuneVppError
from intune_vpp.graph.http import open_http
from intune_vpp.plugin import property_values
from intune_vpp_emulator.app import create_app
from run_in_process import Run
from tenant_in_process import RecordingReporter, TenantTime, configuration, new_tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from fuzz.strategies import Odd, Spelling
    from intune_vpp.core.ports import Clock, Reporter, VppTokens
    from intune_vpp.core.vpp_token import VppTokenState

_SHORTEST_BEARER = 100
"""What is shorter is a word that somebody put into the answer to a sign-in."""

TIMEOUT = timedelta(minutes=3)
_TOKENS = re.compile(r"/(beta|v1\.0)/deviceAppManagement/vppTokens")
LIST = ("GET", _TOKENS)
ONE = ("GET", re.compile(rf"{_TOKENS.pattern}/[^/]+"))
CREATED = ("POST", _TOKENS)
CHANGED = ("PATCH", ONE[1])
OPERATION_ANSWER = ("POST", re.compile(rf"{_TOKENS.pattern}/[^/]+/\w+"))
ANY = ("", re.compile(r"/(beta|v1\.0)/.*"))
SIGN_IN = ("POST", re.compile(r".*/token"))
DISCOVERY = ("GET", re.compile(r".*/openid-configuration"))


@dataclass(frozen=True)
class Tampering:
    """What is done to the answers to certain requests."""

    request: tuple[str, re.Pattern[str]]
    odds: list[Odd]
    spelling: Spelling
    status: int | None = None

    def concerns(self, request: httpx.Request) -> bool:
        """Whether a request is one of those."""
        method, path = self.request
        return method in {"", request.method} and path.fullmatch(request.url.path) is not None


class Tampered(httpx.BaseTransport):
    """Passes requests on and answers something else; remembers what, and each bearer that goes by."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.tampering: Tampering | None = None
        self.answered: list[Any] = []
        self.bearers: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if len(bearer) > _SHORTEST_BEARER:
            self.bearers.add(bearer)
        if not request.url.path.isascii():
            # httpx's WSGI transport and Werkzeug fail at such an address; no token has it as its id.
            return httpx.Response(404, json={"error": {"code": "ResourceNotFound"}})
        response = self._inner.handle_request(request)
        content = response.read()
        tampering = self.tampering
        if tampering is None or not tampering.concerns(request):
            return httpx.Response(response.status_code, headers=response.headers, content=content)
        document = changed(json.loads(content or b"{}"), tampering.odds)
        self.answered.append(document if tampering.spelling.is_intact else None)
        return httpx.Response(
            tampering.status or response.status_code,
            headers={"Content-Type": "application/json"},
            content=tampering.spelling.bytes_of(document),
        )


class Process(Run):
    """A provider process on a tenant that is signed in to already."""

    def __init__(
        self, tampered: TamperedTenant, connect: Callable[[settings.Settings, Clock, Reporter], VppTokens]
    ) -> None:
        self.reporter = RecordingReporter()
        self.time = TenantTime(tampered.tenant.clock)
        self.assembly = Assembly(tampered.settings, self.reporter, clock=self.time, connect=connect)


class TamperedTenant:
    """One emulated tenant, and what must not be reported of it."""

    def __init__(self, *, by_domain: bool = False) -> None:
        self.tenant = new_tenant(sync_seconds=0.0, revoke_seconds=0.0, renewal_lag_seconds=0.0)
        configured = configuration(self.tenant)
        if by_domain:
            configured["tenantId"] = self.tenant.directory.domain
        self.settings = settings.read(configured, {})
        self.transport = Tampered(httpx.WSGITransport(app=create_app(self.tenant)))
        # As in the product: from here on the libraries that see secrets log nothing.
        open_http(None).close()
        self._http = httpx.Client(transport=self.transport)
        self._graph = self.connect(self.settings, TenantTime(self.tenant.clock), RecordingReporter())
        self.file = ""
        self.said: list[str] = []

    def connect(self, settled: settings.Settings, clock: Clock, reporter: Reporter) -> VppTokens:
        """The tenant's tokens, signed in to anew."""
        return connect_to_graph(settled, clock, reporter, http=self._http)

    def process(self, *, signed_in: bool = True) -> Process:
        """A new process, on a tenant without tokens that answers honestly."""
        self.transport.tampering = None
        self.transport.answered.clear()
        self.said.clear()
        self.tenant.tokens = []
        return Process(self, (lambda *_: self._graph) if signed_in else self.connect)

    def inputs(self, location: str = "Lincoln", **members: Any) -> dict[str, Any]:
        """What a program asks for, with a file of its own."""
        self.file = vpptoken(location, expires=self.tenant.clock.now() + timedelta(days=365))
        return token_inputs(self.file, displayName=location, **members)

    def tried(self, call: Callable[[], Any]) -> Any:
        """What a call answers, None where it ends in one of our errors; its sentence is kept."""
        try:
            return call()
        except IntuneVppError as error:
            self.said.append(str(error))
            return None

    def require_silence(self, process: Process, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing secret is in a sentence or a log record, and every sentence can be encoded."""
        texts = [*self.said, *(sentence for _, sentence in process.reporter.said)]
        texts += [record.getMessage() for record in caplog.records]
        caplog.clear()
        hidden = {CANARY, self.settings.values.text("clientSecret") or "", *self.transport.bearers}
        hidden |= {self.file, self.file[:40], sealed_in(self.file)} if self.file else set()
        assert [text for text in texts for secret in hidden if secret and secret in text] == []
        "".join(texts).encode()


def require_storable(state: VppTokenState) -> None:
    """A state can be sent to the engine, and read when it comes back."""
    outputs = pulumi_state.state_to(state)
    sent = property_values.encode(outputs).SerializeToString()
    assert sent
    through = json.loads(json.dumps(outputs, allow_nan=False), parse_int=float)
    assert pulumi_state.state_from(state.id, through).id == state.id
