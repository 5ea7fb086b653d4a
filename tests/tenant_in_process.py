"""The provider below its doors over an emulated tenant in the same process: no sockets, and time only as it is passed.

A `Run` is one run of the engine: a fresh provider process on a tenant that lives on. It asks what the engine asks, in
the engine's order, keeps states the way the engine does, and knows which requests reached Graph meanwhile.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from builders import APPLE_ID, NEXT_YEAR, NOW, apart
from intune_vpp import settings
from intune_vpp.assembly import Assembly, connect_to_graph
from intune_vpp.clock import SystemClock
from intune_vpp.core import pulumi_state
from intune_vpp.core.outcome import Outcome
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp_emulator.app import ROOT, create_app
from intune_vpp_emulator.apple import make_token
from intune_vpp_emulator.clock import Clock
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from intune_vpp.core.ports import T
    from intune_vpp.core.token_check import Checked
    from intune_vpp.core.token_diff import TokenPlan
    from intune_vpp.core.vpp_token import VppTokenState
    from intune_vpp_emulator.directory import AppRegistration

LIST = ("GET", "/vppTokens")
POST = ("POST", "/vppTokens")
GET = ("GET", "/vppTokens/{id}")
PATCH = ("PATCH", "/vppTokens/{id}")
DELETE = ("DELETE", "/vppTokens/{id}")
SYNC = ("POST", "/vppTokens/{id}/syncLicenses")

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GRAPH = re.compile(r"/(beta|v1\.0)/deviceAppManagement")


def new_tenant(kind: type[Tenant] = Tenant, **options: Any) -> Tenant:
    """An empty tenant whose clock stands still until somebody sleeps."""
    return kind(clock=Clock.still(NOW), **options)


def vpptoken(location: str = "Lincoln", *, organization: str = "Contoso", expires: datetime | None = None) -> str:
    """The text of a file that the emulated tenant takes; no two are the same.

    Files of two locations end in different seconds, as Apple's do; Lincoln's ends at NEXT_YEAR.
    """
    return make_token(organization, location, expires or NEXT_YEAR + apart(location))


def sealed_in(text: str) -> str:
    """The secret inside the text of a file."""
    inner = json.loads(base64.b64decode(text))["token"]
    assert isinstance(inner, str)
    return inner


def wanted(text: str | None, **members: Any) -> dict[str, Any]:
    """What a program asks for; a member that is None is left out."""
    basis = {
        "token": text,
        "appleId": APPLE_ID,
        "vppTokenAccountType": "business",
        "dataSharingConsentGranted": True,
        "displayName": "Lincoln",
    }
    return {name: value for name, value in {**basis, **members}.items() if value is not None}


def stored(state: VppTokenState) -> VppTokenState:
    """A state after it went to the engine and came back."""
    return pulumi_state.state_from(state.id, pulumi_state.state_to(state))


class TenantTime:
    """The provider's clock: the tenant's own, which sleeping pushes forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The tenant's time."""
        return self._clock.now()

    def start(self, call: Callable[[], T]) -> Future[T]:
        """In a thread, as in life."""
        return SystemClock().start(call)

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """Nobody asks to stop; only real time could run out."""
        del timeout
        return answer.result()

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Nobody asks to stop; only real time could run out."""
        del timeout
        return call()

    def sleep(self, seconds: float) -> None:
        """Let the tenant's time pass."""
        with self._lock:
            self.slept.append(seconds)
            self._clock.advance(seconds)


class RecordingReporter:
    """Remembers what the provider said, and how loud."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def info(self, sentence: str) -> None:
        """What is being done."""
        self.said.append(("info", sentence))

    def warn(self, sentence: str) -> None:
        """What may go wrong."""
        self.said.append(("warning", sentence))

    @property
    def warnings(self) -> list[str]:
        """The warnings alone."""
        return [sentence for loudness, sentence in self.said if loudness == "warning"]

    @property
    def infos(self) -> list[str]:
        """The notes alone."""
        return [sentence for loudness, sentence in self.said if loudness == "info"]


class Run:
    """One run of the engine. `around` may wrap the transport, `time` may watch the clock."""

    def __init__(
        self,
        tenant: Tenant,
        *,
        app: AppRegistration | None = None,
        configuration: Mapping[str, str] | None = None,
        around: Callable[[httpx.BaseTransport], httpx.BaseTransport] = lambda transport: transport,
        time: TenantTime | None = None,
    ) -> None:
        signing_in = app or tenant.directory.app
        configured = {
            "tenantId": tenant.directory.tenant_id,
            "clientId": signing_in.client_id,
            "clientSecret": signing_in.client_secret,
            "graphEndpoint": ROOT,
            "authorityHost": ROOT,
            **(configuration or {}),
        }
        # An application of its own, so that its log holds this run and nothing else.
        transport = httpx.WSGITransport(app=create_app(tenant))
        http = httpx.Client(transport=around(transport))
        self._control = httpx.Client(transport=transport, base_url=ROOT)
        self.reporter = RecordingReporter()
        self.time = time or TenantTime(tenant.clock)
        self.assembly = Assembly(
            settings.read(configured, {}),
            self.reporter,
            clock=self.time,
            connect=lambda settled: connect_to_graph(settled, http=http),
        )

    # What the engine asks.

    def check(self, inputs: Mapping[str, Any], before: VppTokenState | None = None) -> Checked:
        """Check, as the engine calls it: with the old inputs where there are any."""
        olds, location = (before.inputs, before.observed.location_name) if before else (None, UNKNOWN)
        return self.assembly.preview.check_token(inputs, olds, location=location)

    def refusal(self, inputs: Mapping[str, Any], before: VppTokenState | None = None) -> str:
        """The one reason why Check will not have these inputs."""
        (problem,) = self.check(inputs, before).problems
        return problem.reason

    def preview(self, before: VppTokenState, inputs: Mapping[str, Any]) -> TokenPlan:
        """Check and Diff."""
        checked = self.check(inputs, before)
        assert checked.problems == ()
        return self.assembly.preview.plan_token(before, checked.args)

    def create(self, inputs: Mapping[str, Any]) -> Outcome[VppTokenState]:
        """Check and Create."""
        checked = self.check(inputs)
        assert checked.problems == ()
        return _kept(self.assembly.tokens.create(checked.args))

    def up(self, before: VppTokenState, inputs: Mapping[str, Any]) -> Outcome[VppTokenState]:
        """Check, Diff and, where a change is due, Update; without one the engine keeps the new inputs."""
        checked = self.check(inputs, before)
        assert checked.problems == ()
        if not self.assembly.preview.plan_token(before, checked.args):
            return Outcome(before.id, stored(replace(before, inputs=checked.args)))
        return _kept(self.assembly.tokens.update(before, checked.args))

    def refresh(self, before: VppTokenState) -> VppTokenState | None:
        """Read, None where the token is gone."""
        now = self.assembly.tokens.read(before)
        if now is None:
            return None
        self.assembly.preview.warn_of(now, just_read=True)
        return stored(now)

    def drift(self, before: VppTokenState) -> TokenPlan:
        """What a refresh would show as changed: Read, and Diff the other way round."""
        now = self.refresh(before)
        assert now is not None
        return self.assembly.preview.plan_token(now, before.inputs)

    def delete(self, before: VppTokenState) -> None:
        """Delete."""
        self.assembly.tokens.delete(before)

    # What reached the tenant.

    @property
    def log(self) -> list[dict[str, Any]]:
        """All that was asked of the tenant in this run, sign-in included."""
        entries = self._control.get("/_emulator/requests").json()
        assert isinstance(entries, list)
        return entries

    @property
    def requests(self) -> list[tuple[str, str]]:
        """The requests to Graph: method and the shape of the path."""
        return [
            (entry["method"], _ID.sub("{id}", _GRAPH.sub("", entry["path"])))
            for entry in self.log
            if _GRAPH.match(entry["path"])
        ]

    @property
    def sign_ins(self) -> int:
        """How many access tokens were asked for."""
        return sum(entry["path"].endswith("/oauth2/v2.0/token") for entry in self.log)

    def bodies(self, method: str) -> list[dict[str, Any]]:
        """The bodies that went along with a method, secrets masked."""
        return [entry["body"] for entry in self.log if entry["method"] == method and _GRAPH.match(entry["path"])]


def _kept(outcome: Outcome[VppTokenState]) -> Outcome[VppTokenState]:
    return replace(outcome, state=stored(outcome.state))
