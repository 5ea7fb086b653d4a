"""What the plugin says, and under which resource."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from builders import fresh_vpptoken
from plugin.door import URN, Door, Listener, inputs, listening, struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs

YORK = URN.replace("lincoln", "york")


def warnings(engine: Listener) -> list[tuple[str, str]]:
    """URN and beginning of each warning."""
    return [(urn, sentence[:24]) for urn, severity, sentence in engine.about if severity == "WARNING"]


def test_a_warning_stands_under_its_resource(provider: Door, engine: Listener) -> None:
    """The same sentence about two resources is shown for both, and once for each."""
    asked = inputs(fresh_vpptoken(days=5.5))
    for urn in (URN, YORK, URN):
        provider.ask("Check", provider_pb2.CheckRequest(urn=urn, news=struct(asked)))

    assert warnings(engine) == [(URN, "The token file of Lincol"), (YORK, "The token file of Lincol")]


def test_each_call_warns_under_its_resource(start: Open, engine: Listener, tenant: RefusesSyncs) -> None:
    """Diff, Read, Create and Update speak under the resource that they are about, requests included."""
    file = fresh_vpptoken(days=5.5)
    kept = start().made(inputs(file))
    steps: list[Callable[[], object]] = [
        lambda: start().planned(kept, inputs(file)),
        lambda: start().read(kept),
        lambda: start().imported(kept.id),
    ]
    for step in steps:
        before = len(warnings(engine))
        step()
        assert warnings(engine)[before:] == [(URN, "Lincoln expires in 5 day")]
    start().made(inputs(file))
    adopted = [urn for urn, severity, sentence in engine.about if "was created from this file before" in sentence]
    assert adopted == [URN]

    engine.wait_for("DEBUG", count=5)
    lines = [(urn, sentence) for urn, severity, sentence in engine.about if severity == "DEBUG"]
    assert [token.id for token in tenant.tokens] == [kept.id]
    assert any(
        "POST" in sentence and "/vppTokens: 201 (" in sentence and "try 1, " in sentence for _, sentence in lines
    )
    assert {urn for urn, sentence in lines if "graph.sender" in sentence} == {URN}


def test_a_plan_is_reported(start: Open, engine: Listener) -> None:
    """What a preview plans stands as a note under the resource: a creation, a renewal, nothing for nothing."""
    file = fresh_vpptoken(days=200.5)
    kept = start().made(inputs(file))
    start().planned(kept, inputs(fresh_vpptoken(days=300.5)))
    notes = [sentence for urn, severity, sentence in engine.about if (urn, severity) == (URN, "INFO")]
    start().planned(kept, inputs(file))

    assert notes[0].startswith("Creates Lincoln (valid until ")
    assert notes[1].startswith("Renews Lincoln in place (expires ")
    assert engine.logged("INFO") == notes


def test_another_engine_attaches(by_hand: Door, engine: Listener) -> None:
    """After Attach the new engine hears it all, and the old one nothing more."""
    by_hand.ask("Attach", plugin_pb2.PluginAttach(address=engine.address))
    by_hand.configure()
    with ThreadPoolExecutor(2) as threads, listening(threads) as other:
        by_hand.ask("Attach", plugin_pb2.PluginAttach(address=other.address))
        by_hand.configure()
        by_hand.good(inputs(fresh_vpptoken(days=5.5)))

        assert len(other.logged("WARNING")) == 1
    assert engine.logged("WARNING") == []


def test_cancel_of_the_engine_before(by_hand: Door, engine: Listener, tenant: RefusesSyncs) -> None:
    """An engine that attaches to a process in which another has ended can wait for syncs as the first could."""
    tenant.sync_seconds = 0.05
    by_hand.configure()
    by_hand.ask("Cancel", empty_pb2.Empty())
    by_hand.ask("Attach", plugin_pb2.PluginAttach(address=engine.address))
    by_hand.configure()

    assert by_hand.made(inputs(fresh_vpptoken(), waitForSync=True)).outputs["syncPending"] is False


def test_an_engine_that_hung_up(by_hand: Door) -> None:
    """With nobody to hear it the work goes on."""
    with ThreadPoolExecutor(2) as threads, listening(threads) as gone:
        address = gone.address
    by_hand.ask("Attach", plugin_pb2.PluginAttach(address=address))
    by_hand.configure()

    assert by_hand.made(inputs(fresh_vpptoken(days=5.5))).id


def test_calls_that_are_not_there(provider: Door) -> None:
    """What the schema does not offer is not implemented, in gRPC's own word for it."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.stub.Parameterize(provider_pb2.ParameterizeRequest(), timeout=10)

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
