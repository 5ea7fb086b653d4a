"""An emulated tenant in the process of the test: no sockets, and time only as it is passed."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

import httpx

from builders import APPLE_ID, NOW, vpptoken
from clocks import InlineCalls
from intune_vpp import assembly
from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import WaitInterrupted
from intune_vpp.core.retry import RetryPolicy
from intune_vpp.graph import sender
from intune_vpp.graph.http import open_http
from intune_vpp.lifecycle import search
from intune_vpp_emulator.app import ROOT, create_app
from intune_vpp_emulator.clock import Clock
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.refusals import IntuneRefusal
from intune_vpp_emulator.tenant import Graph, Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from datetime import datetime, timedelta

    import pytest

    from intune_vpp.core.ports import T
    from intune_vpp_emulator.directory import AppRegistration


Kind = TypeVar("Kind", bound=Tenant)


@overload
def new_tenant(**options: Any) -> Tenant: ...


@overload
def new_tenant(kind: type[Kind], **options: Any) -> Kind: ...


def new_tenant(kind: type[Tenant] = Tenant, *, now: datetime = NOW, **options: Any) -> Tenant:
    """An empty tenant whose clock stands still until somebody sleeps."""
    return kind(clock=Clock.still(now), **options)


def prompt_tenant() -> RefusesSyncs:
    """An empty tenant with the machine's clock, whose syncs and revocations end at once."""
    return RefusesSyncs(sync_seconds=0.0, revoke_seconds=0.0, renewal_lag_seconds=0.0)


@overload
def slow(**options: Any) -> Tenant: ...


@overload
def slow(kind: type[Kind], **options: Any) -> Kind: ...


def slow(kind: type[Tenant] = Tenant, **options: Any) -> Tenant:
    """A tenant whose revocations take a minute."""
    return new_tenant(kind, revoke_seconds=60, **options)


def uploaded(tenant: Tenant, location: str = "Lincoln", **members: Any) -> str:
    """The id of a token that was uploaded by hand and synced."""
    made = tenant.create_by_hand({"token": vpptoken(location), "appleId": APPLE_ID, "displayName": location, **members})
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(tenant.sync_seconds)
    return str(made["id"])


def script(tenant: Tenant, **end: Any) -> None:
    """Let the result of the revocation that starts next end with these members."""
    tenant.ends_of_revocations.append(Faults([{"revoke": end}]).for_revocation)


def fail_next_sync(tenant: Tenant) -> None:
    """Let the sync that starts next end in failed."""
    tenant.ends_of_syncs.append(Faults([{"sync": "failed"}]).for_sync)


def configuration(tenant: Tenant, app: AppRegistration | None = None) -> dict[str, str]:
    """The settings with which a provider reaches a tenant."""
    signing_in = app or tenant.directory.app
    return {
        "tenantId": tenant.directory.tenant_id,
        "clientId": signing_in.client_id,
        "clientSecret": signing_in.client_secret,
        "graphEndpoint": ROOT,
        "authorityHost": ROOT,
    }


@cache
def silence_libraries() -> None:
    """Silence the libraries that see secrets, as the product does; once, because opening a client reads all CAs."""
    open_http(None).close()


def environment(tenant: Tenant) -> dict[str, str]:
    """The same settings as environment variables."""
    settings = configuration(tenant)
    return {
        "ARM_TENANT_ID": settings["tenantId"],
        "ARM_CLIENT_ID": settings["clientId"],
        "ARM_CLIENT_SECRET": settings["clientSecret"],
        "INTUNE_VPP_GRAPH_ENDPOINT": settings["graphEndpoint"],
        "INTUNE_VPP_AUTHORITY_HOST": settings["authorityHost"],
    }


@contextmanager
def providers_reach(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Providers made in the block find the credentials of a tenant in the environment, and reach it without sockets.

    They repeat their requests and look for what was lost as often as always, with waits of a hundredth of a second.
    """
    monkeypatch.setattr(sender, "RetryPolicy", partial(RetryPolicy, wait_initial=0.01, wait_exp_base=1, wait_jitter=0))
    monkeypatch.setattr(search, "PAUSES", (0.01,) * len(search.PAUSES))
    for name, value in environment(tenant).items():
        monkeypatch.setenv(name, value)
    with httpx.Client(transport=httpx.WSGITransport(app=create_app(tenant))) as http:
        monkeypatch.setattr(assembly, "connect_to_graph", partial(assembly.connect_to_graph, http=http))
        yield


# Tenants that misbehave.

CONFLICT = IntuneRefusal(409, "Conflict", "Another operation is in progress.")
UNAVAILABLE = IntuneRefusal(503, "ServiceUnavailable", "The licence service is away.")


class RefusesSyncs(Tenant):
    """A tenant that refuses to start a sync or a count while it has a `refusal`."""

    refusal: IntuneRefusal | None = None

    def sync_licenses(self, token_id: str, **options: Any) -> Graph:
        """Start one, or refuse."""
        if self.refusal is not None:
            raise self.refusal
        return super().sync_licenses(token_id, **options)

    def sync_license_counts(self) -> None:
        """Count, or refuse."""
        if self.refusal is not None:
            raise self.refusal
        super().sync_license_counts()


class WithoutRevocations(Tenant):
    """A tenant that does not know the action."""

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Answer as for what is not there."""
        del token_id, body
        raise IntuneRefusal(404, "ResourceNotFound", "No such action.")


class LosesRevocationAnswers(Tenant):
    """A tenant whose answers to revocations are lost, before or after it has revoked."""

    revokes = True

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Revoke or not, and answer with a gateway's time-out."""
        if self.revokes:
            super().revoke_licenses(token_id, body)
        raise IntuneRefusal(504, "GatewayTimeout", "Too late.")


# What the provider gets of the run: a clock, and a reporter.


class TenantTime(InlineCalls):
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

    def sleep(self, seconds: float) -> None:
        """Let the tenant's time pass."""
        with self._lock:
            self.slept.append(seconds)
            self._clock.advance(seconds)


class Interrupted(TenantTime):
    """Time in which the engine asks the provider to stop during a pause."""

    def __init__(self, clock: Clock, pause: int = 1) -> None:
        super().__init__(clock)
        self._pause = pause

    def sleep(self, seconds: float) -> None:
        """Let time pass until that pause."""
        if len(self.slept) + 1 == self._pause:
            raise WaitInterrupted("The wait was interrupted.")
        super().sleep(seconds)


class StopRequested(TenantTime):
    """Time in which the engine asks the provider to stop during call number `during`; with 0, before the first call.

    The caller does not get the answer of that call, unless it is `answered`.
    """

    def __init__(self, clock: Clock, *, during: int, answered: bool = False) -> None:
        super().__init__(clock)
        self._left = during
        self._answered = answered

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """A call that is waited for is one of them."""
        return self.unless_stopped(answer.result, timeout)

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Make the calls until then, and that one."""
        if self._left == 0:
            raise WaitInterrupted("The wait was interrupted.")
        self._left -= 1
        answer = super().unless_stopped(call, timeout)
        if self._left == 0 and not self._answered:
            raise WaitInterrupted("The wait was interrupted.", asked=True)
        return answer

    def sleep(self, seconds: float) -> None:
        """No time passes once the engine has asked."""
        if self._left == 0:
            raise WaitInterrupted("The wait was interrupted.")
        super().sleep(seconds)


class Clocked(TenantTime):
    """The machine's time, before the tenant's or after it."""

    def __init__(self, clock: Clock, ahead: timedelta) -> None:
        super().__init__(clock)
        self._ahead = ahead

    def now(self) -> datetime:
        """The machine's time."""
        return super().now() + self._ahead


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
