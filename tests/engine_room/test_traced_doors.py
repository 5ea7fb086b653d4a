"""Both doors, in processes of their own, with an engine that collects traces."""

from __future__ import annotations

import base64
import json
import signal
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import dynamic.calls
import dynamic.test_process
import plugin.door
from builders import fresh_vpptoken
from core.test_secrets import pieces
from engine_room.collector import OTHER_SPAN, SPAN, TRACE, TRACEPARENT, collecting
from engine_room.engine import listening
from intune_vpp.engine.spans import COLLECTOR
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant
from plugin.processes import SECONDS_TO_END, begun, connected, port_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine_room.collector import Collector


class Traced:
    """A stub that sends the metadata of the engine's span with each call: a Create has another one than the rest."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def __getattr__(self, method: str) -> Any:
        """Return the call of this name."""
        parent = OTHER_SPAN if method == "Create" else SPAN
        return partial(getattr(self._stub, method), metadata=[("traceparent", TRACEPARENT.replace(SPAN, parent))])


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names."""
    with collecting() as collector:
        monkeypatch.setenv(COLLECTOR, collector.endpoint)
        yield collector


@contextmanager
def plugin_created(tenant: Tenant, file: str) -> Iterator[None]:
    """Create by the plugin, whose process has ended afterwards."""
    with (
        listening() as engine,
        serve(tenant) as service,
        begun(engine.address, environment=service.environment) as child,
    ):
        with connected(port_of(child)) as door:
            door.stub = Traced(door.stub)  # type: ignore[assignment]
            door.configure()
            door.made(plugin.door.inputs(file))
            yield
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=SECONDS_TO_END) == ("", "")


@contextmanager
def dynamic_created(tenant: Tenant, file: str) -> Iterator[None]:
    """Create by the dynamic provider, whose process has ended afterwards."""
    with dynamic.test_process.run(tenant) as process:
        process.stub = Traced(process.stub)  # type: ignore[assignment]
        checked, failures = process.check({}, dynamic.calls.inputs(file))
        assert failures == []
        process.create(checked)
        yield


@pytest.mark.parametrize("traceparent", [None, TRACEPARENT])
@pytest.mark.parametrize("created", [plugin_created, dynamic_created], ids=["plugin", "dynamic"])
def test_a_span_for_each_request(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, created: Any, traceparent: str | None
) -> None:
    """At the end of the process there is a span for each request, below the call that sent it, and for nothing else."""
    if traceparent:
        # The SDK traces gRPC calls if pulumi was started within another trace.
        monkeypatch.setenv("TRACEPARENT", traceparent)
    tenant, file = Tenant(sync_seconds=0.0), fresh_vpptoken()
    with created(tenant, file):
        pass
    spans = collector.spans()

    assert sorted(one.name for one in spans) == [
        "GET /beta/deviceAppManagement/vppTokens",
        "GET /{id}/v2.0/.well-known/openid-configuration",
        "POST /beta/deviceAppManagement/vppTokens",
        "POST /{id}/oauth2/v2.0/token",
    ]
    assert {(one.trace, one.parent) for one in spans} == {(TRACE, OTHER_SPAN)}
    assert "TraceService" not in collector.everything()
    assert secrets_in(collector, tenant, file) == []


def secrets_in(collector: Collector, tenant: Tenant, file: str) -> list[str]:
    """The pieces of secrets that have arrived."""
    inner = json.loads(base64.b64decode(file))["token"]
    everything = collector.everything()
    secrets = (file, inner, tenant.directory.app.client_secret, "Bearer eyJ0eXAiOiJ", "eyJhbGciOiJ")
    return [piece for secret in secrets for piece in pieces(secret) if piece in everything]
