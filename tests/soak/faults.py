"""The faults of the soak: a table of their kinds, and the connection on which they happen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from intune_vpp.graph.bounded import REQUEST_TIMEOUT
from intune_vpp_emulator.fault_answers import ConnectionDroppedError
from intune_vpp_emulator.fault_rules import read_rules
from intune_vpp_emulator.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from intune_vpp_emulator.clock import Clock
    from intune_vpp_emulator.fault_rules import Rule
    from soak.tenant import SoakTenant

_HTML = "<html><body><h1>Bad gateway</h1></body></html>"
_THROTTLE_TEXT = {"error": {"code": "", "message": "Rate limit reached because of too many requests to query broker"}}
_LATE = 61  # longer than the provider waits for an answer

# https://learn.microsoft.com/graph/throttling promises Retry-After on a 429; Intune often leaves it out, and it also
# throttles with status 500.
REQUEST_FAULTS: Final[Mapping[str, tuple[int, Mapping[str, Any]]]] = {
    "429": (6, {"status": 429}),
    "429, Retry-After": (6, {"status": 429, "headers": {"Retry-After": "2.128"}}),
    "429, Retry-After is no number": (2, {"status": 429, "headers": {"Retry-After": "soon"}}),
    "500 for throttling": (4, {"status": 500, "body": _THROTTLE_TEXT}),
    "502 in HTML": (3, {"status": 502, "body": _HTML}),
    "502 in HTML after acting": (3, {"status": 502, "body": _HTML, "when": "after"}),
    "503": (4, {"status": 503}),
    "503, Retry-After": (4, {"status": 503, "headers": {"Retry-After": "10"}}),
    "504": (4, {"status": 504}),
    "504 after acting": (4, {"status": 504, "when": "after"}),
    "404 of a proxy": (2, {"status": 404, "body": _HTML}),
    "closed": (4, {"drop": "close"}),
    "closed after acting": (4, {"drop": "close", "when": "after"}),
    "reset": (4, {"drop": "reset"}),
    "reset after acting": (4, {"drop": "reset", "when": "after"}),
    "cut in the body": (4, {"drop": "reset", "sent": 20, "when": "after"}),
    "timeout": (3, {"drop": "close", "delay": _LATE}),
    "timeout after acting": (3, {"drop": "close", "delay": _LATE, "when": "after"}),
    "slow": (4, {"delay": 15}),
    "200 in HTML": (2, {"status": 200, "body": _HTML}),
    "200 in HTML after acting": (2, {"status": 200, "body": _HTML, "when": "after"}),
    "200 with no entity after acting": (2, {"status": 200, "body": {"value": 3}, "when": "after"}),
}
"""Each kind: how often it happens among the others (0: never), and the rule of the emulator that makes it."""

LAG_FAULTS: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "GET lags": (4, ("get_lag_seconds",)),
    "LIST lags": (4, ("list_lag_seconds",)),
    "GET and LIST lag": (4, ("get_lag_seconds", "list_lag_seconds")),
}
LONGEST_LAG: Final = 20.0

END_FAULTS: Final[Mapping[str, int]] = {"sync fails": 8, "sync hangs": 2, "revocation fails": 6}
"""How often, of 100, a sync or a revocation ends otherwise than it should."""


class Killed(BaseException):
    """The provider process ends here."""


class RandomFaults(Faults):
    """Draws a fault for each request, sync and revocation. `rate` is how probable one is; 0: never."""

    def __init__(self, draws: Random, clock: Clock) -> None:
        super().__init__(sleep=clock.advance)
        self._draws = draws
        self._rules = {name: read_rules([rule])[0] for name, (weight, rule) in REQUEST_FAULTS.items() if weight}
        self._weights = [REQUEST_FAULTS[name][0] for name in self._rules]
        self.rate = 0.0
        self.counts: Counter[str] = Counter()
        self.last = ""

    def for_request(self, method: str, path: str) -> Rule | None:
        """The rule for a request, None for most."""
        del method, path
        self.last = ""
        if self._draws.random() >= self.rate:
            return None
        (self.last,) = self._draws.choices(list(self._rules), self._weights)
        self.counts[self.last] += 1
        return self._rules[self.last]

    def for_sync(self) -> str | None:
        """How a sync that starts now ends."""
        return "failed" if self._ends_by("sync fails") else "hang" if self._ends_by("sync hangs") else None

    def for_revocation(self) -> Mapping[str, Any] | None:
        """How a revocation that starts now ends."""
        return {"actionState": "failed"} if self._ends_by("revocation fails") else None

    def lag(self, tenant: SoakTenant) -> None:
        """Let reads lag from now on, or not any more."""
        tenant.get_lag_seconds = tenant.list_lag_seconds = 0.0
        possible = [name for name, (weight, _) in LAG_FAULTS.items() if weight]
        if possible and self._draws.random() < 2 * self.rate:
            (kind,) = self._draws.choices(possible, [LAG_FAULTS[name][0] for name in possible])
            self.counts[kind] += 1
            for name in LAG_FAULTS[kind][1]:
                setattr(tenant, name, round(self._draws.uniform(1, LONGEST_LAG), 1))

    def _ends_by(self, kind: str) -> bool:
        happens = self.rate > 0 and self._draws.random() * 100 < END_FAULTS[kind]
        self.counts[kind] += happens
        return happens


@dataclass(slots=True)
class Kill:
    """When the process is killed: at which of its next requests, and whether that request is executed."""

    request: int
    after: bool


class Connection(httpx.BaseTransport):
    """The network between the provider and Graph, which fails as a real one does, and records its requests."""

    def __init__(self, inner: httpx.BaseTransport, clock: Clock, faults: RandomFaults) -> None:
        self._inner, self._clock, self._faults = inner, clock, faults
        self.kill: Kill | None = None
        self.seen: list[str] = []
        """The requests, each with its status or what happened to it."""
        self.access_tokens: dict[str, None] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises Killed and the errors of httpx."""
        if bearer := request.headers.get("Authorization", "").removeprefix("Bearer "):
            self.access_tokens[bearer] = None
        before = self._is_killed()
        if before is not None and not before.after:
            self._note(request, "killed before")
            raise Killed
        response = self._answer(request)
        if before is not None:
            self._note(request, "killed after")
            raise Killed
        return response

    def _answer(self, request: httpx.Request) -> httpx.Response:
        started = self._clock.now()
        try:
            response = self._inner.handle_request(request)
            content = response.read()
        except ConnectionDroppedError as drop:
            self._note(request, self._faults.last)
            late = (self._clock.now() - started).total_seconds() > REQUEST_TIMEOUT
            loss = httpx.ReadTimeout if late else httpx.ReadError if drop.reset else httpx.RemoteProtocolError
            raise loss("The connection was lost.", request=request) from None
        self._note(request, f"{response.status_code} {self._faults.last}".rstrip())
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def _is_killed(self) -> Kill | None:
        if self.kill is None:
            return None
        self.kill.request -= 1
        if self.kill.request > 0:
            return None
        killed, self.kill = self.kill, None
        return killed

    def _note(self, request: httpx.Request, what: str) -> None:
        parts = request.url.path.rsplit("/vppTokens", 1)
        shown = f"{request.method} {'vppTokens' + parts[1] if len(parts) > 1 else 'sign-in'}: {what}"
        self.seen.append(shown)
