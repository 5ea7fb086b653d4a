"""What goes wrong after a write, and what ends a wait: the id is kept, and the engine is informed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from builders import Record, fresh_vpptoken
from intune_vpp.plugin import property_values
from intune_vpp.plugin.grpc_errors import PartialFailure
from plugin.door import DIFF, URN, Door, details, inputs, partial_failure, plain, struct, the_status
from tenant_in_process import UNAVAILABLE

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant
    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs


def left_behind(error: grpc.RpcError) -> Record:
    """The resource as the engine keeps it after a creation that half failed."""
    assert error.code() is grpc.StatusCode.UNKNOWN
    reported = partial_failure(error)
    assert list(reported.reasons) == [error.details()] == [the_status(error).message]
    return Record(reported.id, plain(reported.inputs), plain(reported.properties))


def syncing(tenant: Tenant) -> int:
    """How many tokens sync."""
    return sum(token.is_syncing for token in tenant.tokens)


def wait_until(tenant: Tenant, count: int) -> None:
    """Wait until so many tokens sync."""
    end = time.monotonic() + 20
    while syncing(tenant) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_sync_that_fails_after_a_creation(start: Open, tenant: RefusesSyncs) -> None:
    """The engine receives id, inputs, outputs and reason; the next update syncs again, and nothing else."""
    asked = inputs(fresh_vpptoken(), waitForSync=True)
    tenant.refusal = UNAVAILABLE
    provider = start()
    with pytest.raises(grpc.RpcError) as caught:
        provider.made(asked)
    kept = left_behind(caught.value)

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert "The licence service is away." in (caught.value.details() or "")
    assert kept.inputs == start().good(asked)
    assert (kept.outputs["syncPending"], kept.outputs["token"]) == (True, kept.inputs["token"])
    assert set(start().planned(kept, asked).detailedDiff) == {"syncPending"}
    tenant.refusal = None
    healed = start().updated(kept, asked)
    assert (healed.id, healed.outputs["syncPending"]) == (kept.id, False)
    assert start().planned(healed, asked).changes == DIFF.DIFF_NONE


def test_a_sync_that_fails_after_a_renewal(start: Open, tenant: RefusesSyncs) -> None:
    """The new outputs are reported, and with the old inputs that the engine keeps the next update has only to sync."""
    kept = start().made(inputs(fresh_vpptoken(days=200)))
    asked = inputs(fresh_vpptoken(days=300), waitForSync=True)
    tenant.refusal = UNAVAILABLE
    with pytest.raises(grpc.RpcError) as caught:
        start().updated(kept, asked)
    reported = left_behind(caught.value)

    assert (reported.id, reported.inputs) == (kept.id, start().good(asked, kept.inputs))
    assert reported.outputs["token"] == reported.inputs["token"] != kept.inputs["token"]
    for engines_inputs in (kept.inputs, reported.inputs):
        again = Record(kept.id, engines_inputs, reported.outputs)
        assert "token" not in start().planned(again, asked).detailedDiff
    tenant.refusal = None
    healed = start().updated(Record(kept.id, kept.inputs, reported.outputs), asked)
    assert healed.outputs["syncPending"] is False
    # Only after an update that half failed do the outputs need the inputs as well.
    assert ["__inputs" in one.outputs for one in (kept, reported, healed)] == [False, True, False]


def test_another_location(start: Open, tenant: RefusesSyncs) -> None:
    """A file of another location than expected is a failure that names both, beside the token that it made."""
    with pytest.raises(grpc.RpcError) as caught:
        start().made(inputs(fresh_vpptoken(location="York"), expectedLocationName="Lincoln"))
    kept = left_behind(caught.value)

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert 'is for the location "York", but "Lincoln" is expected' in (caught.value.details() or "")


def test_a_creation_that_graph_refuses(start: Open, tenant: RefusesSyncs) -> None:
    """Where nothing was made there is no half of it: one sentence, and a code that says the state is known."""
    visitor = tenant.directory.visitor
    with pytest.raises(grpc.RpcError) as caught:
        start(clientId=visitor.client_id, clientSecret=visitor.client_secret).made(inputs(fresh_vpptoken()))

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert list(the_status(caught.value).details) == []
    assert tenant.tokens == []


def test_a_reason_that_is_no_text() -> None:
    """Half a surrogate pair in a name or a sentence does not cost the id."""
    outcome = PartialFailure(
        "id", outputs=property_values.encode({"locationName": "L\ud83d"}), inputs=struct({}), why="L\ud83d failed"
    )

    assert outcome.status().message == "L\ufffd failed"
    assert outcome.status().details[0].Is(provider_pb2.ErrorResourceInitFailed.DESCRIPTOR)


@pytest.mark.parametrize(("seconds", "words"), [(2.5, "2.5 seconds"), (1, "1 second")])
def test_custom_timeouts(start: Open, tenant: RefusesSyncs, seconds: float, words: str) -> None:
    """The time that `customTimeouts` allow is waited for, in Create and in Update, and the sentence says so."""
    tenant.sync_seconds = 3600
    asked = inputs(fresh_vpptoken(), waitForSync=True)
    begun = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        start().made(asked, timeout=seconds)
    kept = left_behind(caught.value)
    assert seconds <= time.monotonic() - begun < seconds + 2
    assert f"did not end within {words} (" in (caught.value.details() or "")

    provider = start()
    checked = provider.good(asked, kept.inputs)
    with pytest.raises(grpc.RpcError) as caught:
        provider.update(kept, checked, timeout=0.1)
    assert left_behind(caught.value).id == kept.id
    assert "did not end within 0.1 seconds" in (caught.value.details() or "")


def test_cancel_ends_a_wait(start: Open, tenant: RefusesSyncs) -> None:
    """A Create that waits answers within a second of Cancel, and its token is kept; later ones do not wait."""
    tenant.sync_seconds = 3600
    provider = start()
    with ThreadPoolExecutor(1) as threads:
        creation = threads.submit(provider.made, inputs(fresh_vpptoken(), waitForSync=True))
        wait_until(tenant, 1)
        begun = time.monotonic()
        assert provider.ask("Cancel", empty_pb2.Empty()) == empty_pb2.Empty()
        with pytest.raises(grpc.RpcError) as caught:
            creation.result(timeout=20)
        assert time.monotonic() - begun < 1
    kept = left_behind(caught.value)

    assert [token.id for token in tenant.tokens] == [kept.id]
    assert "Interrupted. Whatever was already started continues in Intune." in (caught.value.details() or "")
    begun = time.monotonic()
    with pytest.raises(grpc.RpcError):
        provider.made(inputs(fresh_vpptoken(location="York"), displayName="York", waitForSync=True))
    assert time.monotonic() - begun < 1
    tenant.tokens = []


def test_many_that_wait(start: Open, tenant: RefusesSyncs) -> None:
    """Forty Creates that wait at once hold up neither a Check nor a Diff; Cancel ends all, and each keeps its id."""
    tenant.sync_seconds = 3400
    provider = start()
    checked = [
        provider.good(
            inputs(fresh_vpptoken(location=f"School {number}"), displayName=f"School {number}", waitForSync=True)
        )
        for number in range(40)
    ]

    def create(properties: dict[str, Any]) -> Record:
        request = provider_pb2.CreateRequest(urn=URN, properties=struct(properties))
        with pytest.raises(grpc.RpcError) as caught:
            provider.ask("Create", request)
        return left_behind(caught.value)

    with ThreadPoolExecutor(40) as threads:
        creations = [threads.submit(create, properties) for properties in checked]
        wait_until(tenant, 40)
        begun = time.monotonic()
        provider.good(inputs(fresh_vpptoken(location="York")))
        provider.diff(Record("x", checked[0], {}), checked[0])
        assert time.monotonic() - begun < 1
        begun = time.monotonic()
        provider.ask("Cancel", empty_pb2.Empty())
        kept = [creation.result(timeout=20) for creation in creations]
        assert time.monotonic() - begun < 3

    assert {one.id for one in kept} == {token.id for token in tenant.tokens}
    assert {one.outputs["displayName"] for one in kept} == {f"School {number}" for number in range(40)}


def test_many_at_once(provider: Door, tenant: RefusesSyncs) -> None:
    """Creates at the same time make one token each, and syncs that end are waited for together."""
    asked = [inputs(fresh_vpptoken(location=str(n)), displayName=f"School {n}", waitForSync=True) for n in range(12)]
    with ThreadPoolExecutor(12) as threads:
        kept = list(threads.map(provider.made, asked))

    assert len({one.id for one in kept}) == len(tenant.tokens) == 12
    assert [one.outputs["syncPending"] for one in kept] == [False] * 12


def test_after_an_update_that_half_failed(start: Open, tenant: RefusesSyncs) -> None:
    """The engine keeps the older inputs then: what was applied counts, in a check, a plan, a read and a deletion."""
    first, second = fresh_vpptoken(days=200), fresh_vpptoken(days=300)
    asked = inputs(first, deletionProtection=False, waitForSync=True)
    kept = start().made(asked)
    tenant.refusal = UNAVAILABLE
    changed = inputs(second, displayName="York", deletionProtection=True, waitForSync=True)
    provider = start()
    with pytest.raises(grpc.RpcError) as caught:
        provider.updated(kept, changed)
    tenant.refusal = None
    outputs = plain(partial_failure(caught.value).properties)
    left = Record(kept.id, kept.inputs, outputs)

    assert details(start().planned(left, changed)) == {"syncPending": ("UPDATE", False)}
    assert set(details(start().planned(left, {**changed, "displayName": "Lincoln"}))) == {"displayName", "syncPending"}
    _, failures = start().checked(inputs(first), left.inputs, outputs=outputs)
    assert "with an older one" in failures[0][1]
    assert plain(start().read(left).inputs)["displayName"] == "York"
    with pytest.raises(grpc.RpcError, match="was not deleted: deletionProtection is on"):
        start().delete(left)


def test_another_location_put_right_by_an_older_file(start: Open) -> None:
    """The right file is no renewal backwards, though older, whether or not the engine tells Check the outputs."""
    right = inputs(fresh_vpptoken(days=200), expectedLocationName="Lincoln")
    kept = start().made(right)
    with pytest.raises(grpc.RpcError) as caught:
        start().updated(kept, inputs(fresh_vpptoken(days=201, location="York"), expectedLocationName="Lincoln"))
    misplaced = left_behind(caught.value)

    told = [(kept.inputs, misplaced.outputs), (misplaced.inputs, misplaced.outputs), (misplaced.inputs, {})]
    for engines_inputs, outputs in told:
        provider = start()
        news, failures = provider.checked(right, engines_inputs, outputs)
        assert failures == []
        cured = provider.update(Record(kept.id, engines_inputs, misplaced.outputs), news)
        assert plain(cured.properties)["locationName"] == "Lincoln"

    placed = Record(kept.id, news, plain(cured.properties))
    _, failures = start().checked(
        inputs(fresh_vpptoken(days=100), expectedLocationName="Lincoln"), placed.inputs, placed.outputs
    )
    assert [reason for _, reason in failures if "with an older one" in reason] == [failures[0][1]]
