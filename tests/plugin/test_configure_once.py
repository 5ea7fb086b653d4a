"""One configuration a process: whoever reaches the port cannot send the credentials elsewhere."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from builders import fresh_vpptoken
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant
from plugin.door import inputs, secret, struct
from plugin.processes import Silent, begun, connected, port_of

if TYPE_CHECKING:
    from plugin.door import Door, Listener
    from tenant_in_process import RefusesSyncs

REFUSED = (
    "This plugin is already configured and keeps its configuration. "
    "Pulumi configures a plugin once: this call came from another program."
)
NO_ENGINE = "127.0.0.1:1"


def refusal(door: Door, request: provider_pb2.ConfigureRequest) -> str:
    """Why a Configure was refused."""
    with pytest.raises(grpc.RpcError) as caught:
        door.ask("Configure", request)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    return caught.value.details() or ""


def test_credentials_stay_with_their_tenant() -> None:
    """A second Configure with another endpoint is refused, and the secret of the environment never goes there."""
    tenant, visited = Tenant(), Silent()
    with (
        serve(tenant) as service,
        serve(Tenant(), around=visited.around) as foreign,
        begun(NO_ENGINE, environment=service.environment) as child,
        connected(port_of(child)) as door,
    ):
        door.configure()
        elsewhere = {
            "graphEndpoint": foreign.url,
            "authorityHost": foreign.url,
            "caBundlePath": str(foreign.ca_bundle_path),
        }
        assert refusal(door, provider_pb2.ConfigureRequest(args=struct(elsewhere))) == REFUSED
        kept = door.made(inputs(fresh_vpptoken()))

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert visited.requests == []


@pytest.mark.parametrize(
    "second",
    [
        {"args": struct({"clientSecret": secret("hunter2-hunter2"), "expiryWarningDays": 31})},
        {"args": struct({"expiryWarningDays": 30})},
        {"args": struct({"expiryWarningDays": 31}), "variables": {"intune-vpp:config:tenantId": "evil.example"}},
        {"args": struct({"expiryWarningDays": 31}), "urn": "urn:pulumi:dev::contoso::pulumi:providers:intune-vpp::b"},
        {},
    ],
    ids=["secret", "value", "variables", "urn", "empty"],
)
def test_only_the_same_request_again(unconfigured: Door, second: dict[str, Any]) -> None:
    """The identical request is answered again; any other is refused by one sentence without a value of it."""
    first = provider_pb2.ConfigureRequest(args=struct({"expiryWarningDays": 31}))
    assert unconfigured.ask("Configure", first) == unconfigured.ask("Configure", first)

    assert refusal(unconfigured, provider_pb2.ConfigureRequest(**second)) == REFUSED
    assert unconfigured.ask("Configure", first).acceptSecrets
    assert unconfigured.made(inputs(fresh_vpptoken())).id


def test_a_bad_configuration_is_the_first(unconfigured: Door) -> None:
    """A configuration that failed stays the only one: the same again fails alike, a good one is refused."""
    bad = provider_pb2.ConfigureRequest(args=struct({"graphVersion": "v2"}))
    reason = refusal(unconfigured, bad)

    assert "must be one of" in reason
    assert refusal(unconfigured, bad) == reason
    assert refusal(unconfigured, provider_pb2.ConfigureRequest()) == REFUSED
    with pytest.raises(grpc.RpcError, match="has not configured"):
        unconfigured.good(inputs(fresh_vpptoken()))


def test_many_at_once(unconfigured: Door) -> None:
    """Of configurations that arrive at the same time exactly one wins."""
    callers = 16
    barrier = threading.Barrier(callers)

    def configure(days: int) -> str | None:
        barrier.wait()
        try:
            unconfigured.configure(expiryWarningDays=days)
        except grpc.RpcError as error:
            return error.details()
        return None

    with ThreadPoolExecutor(callers) as threads:
        answers = list(threads.map(configure, range(1, callers + 1)))
    assert sorted(answers, key=str) == [None, *[REFUSED] * (callers - 1)]


def test_an_engine_that_attaches_configures_anew(by_hand: Door, engine: Listener, tenant: RefusesSyncs) -> None:
    """After Attach the next Configure counts as the first, and ends the waits of the provider before it."""
    tenant.sync_seconds = 3600
    by_hand.ask("Attach", plugin_pb2.PluginAttach(address=engine.address))
    by_hand.configure()
    with ThreadPoolExecutor(1) as threads:
        creation = threads.submit(by_hand.made, inputs(fresh_vpptoken(), waitForSync=True))
        end = time.monotonic() + 20
        while not any(token.is_syncing for token in tenant.tokens):
            assert time.monotonic() < end
            time.sleep(0.02)
        by_hand.ask("Attach", plugin_pb2.PluginAttach(address=engine.address))
        by_hand.configure(expiryWarningDays=31)
        try:
            with pytest.raises(grpc.RpcError, match="Interrupted"):
                creation.result(20)
        finally:
            tenant.clock.advance(7200)
    assert refusal(by_hand, provider_pb2.ConfigureRequest()) == REFUSED
    assert by_hand.good(inputs(fresh_vpptoken()))


def test_nobody_attaches_to_the_plugin_of_an_engine(provider: Door) -> None:
    """Where an engine has started the process, Attach is refused: it would let anybody configure it anew."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("Attach", plugin_pb2.PluginAttach(address=NO_ENGINE))

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert (caught.value.details() or "").startswith(
        "This plugin was started by an engine, so no other engine can attach"
    )
    assert refusal(provider, provider_pb2.ConfigureRequest(args=struct({"expiryWarningDays": 31}))) == REFUSED
    assert provider.made(inputs(fresh_vpptoken())).id
