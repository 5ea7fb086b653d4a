"""States that somebody edited, over the plugin's channel: each call ends in an answer or in a sentence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from hypothesis import given
from pulumi.runtime.proto import provider_pb2

from builders import fresh_vpptoken
from fuzz.states import EDITS, NAMES, SECONDS, Edits, Kept, Resource, asked, edited
from fuzz.strategies import CANARY, fuzzed
from plugin.conftest import engine, environment, provider, start, tenant  # noqa: F401 - fixtures
from plugin.door import URN, Door, inputs, partial_failure, struct
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from plugin.door import Listener
    from tenant_in_process import RefusesSyncs

# The fixtures are used by the names that they are imported by.
# ruff: noqa: F811

Call = tuple[str, "Message"]
READ = provider_pb2.ReadRequest
UNDERSTOOD = {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAVAILABLE}


def requests(urn: str, kept: Kept) -> list[Call]:
    """Each call that hands over what the engine keeps; Delete is the last."""
    outputs, olds, news = struct(kept.outputs), struct(kept.olds), struct(kept.news)
    known: dict[str, Any] = {"urn": urn, "id": kept.id}
    update: dict[str, Any] = {**known, "olds": outputs, "old_inputs": olds, "news": news, "timeout": SECONDS}
    return [
        ("Check", provider_pb2.CheckRequest(urn=urn, olds=olds, news=news, old_outputs=outputs)),
        ("Diff", provider_pb2.DiffRequest(**known, olds=outputs, old_inputs=olds, news=news)),
        ("Read", READ(**known, properties=outputs, inputs=olds)),
        ("Create", provider_pb2.CreateRequest(urn=urn, properties=news, preview=True)),
        ("Create", provider_pb2.CreateRequest(urn=urn, properties=news, timeout=SECONDS)),
        ("Update", provider_pb2.UpdateRequest(**update, preview=True)),
        ("Update", provider_pb2.UpdateRequest(**update)),
        ("Delete", provider_pb2.DeleteRequest(**known, properties=outputs, old_inputs=olds, timeout=SECONDS)),
    ]


def failure(door: Door, method: str, request: Message) -> grpc.RpcError | None:
    """How a call failed; one that did not has lost no token, and reported nothing in a sentence."""
    try:
        answer = door.ask(method, request)
    except grpc.RpcError as error:
        return error
    assert not isinstance(request, READ) or answer.id == request.id
    assert method != "Check" or [one.reason for one in answer.failures if CANARY in one.reason] == []
    return None


@pytest.fixture(params=NAMES)
def calls(request: pytest.FixtureRequest, provider: Door, tenant: RefusesSyncs) -> Callable[[Edits], list[Call]]:
    """The calls for a resource of each type, as this provider made it and somebody edited it."""
    name = str(request.param)
    token_id = uploaded(tenant)
    made = provider.about(name).made(inputs(fresh_vpptoken()) if name == "VppToken" else asked(name, token_id))
    kept = Kept(made.id, made.outputs, made.inputs, made.inputs)
    resource = Resource(name, kept, made.id if name == "VppToken" else token_id)
    return lambda edits: requests(URN.replace("VppToken", name), edited(resource, edits, tenant))


@fuzzed
@given(edits=EDITS)
def test_an_edited_state(
    provider: Door,
    engine: Listener,
    caplog: pytest.LogCaptureFixture,
    calls: Callable[[Edits], list[Call]],
    edits: Edits,
) -> None:
    """Whatever stands in a state, no call ends in a defect, no id is lost, and no sentence quotes it."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")

    for method, request in calls(edits):
        error = failure(provider, method, request)
        if error is not None:
            assert error.code() in UNDERSTOOD or partial_failure(error).reasons
            assert CANARY not in str(error.details())

    assert [line for line in (*caplog.messages, *(message for _, _, message in engine.about)) if CANARY in line] == []
    caplog.clear()
    engine.about.clear()
    provider.answers.clear()
