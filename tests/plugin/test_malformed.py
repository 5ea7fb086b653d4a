"""Requests that make no sense: each has an answer or a status, and the process goes on."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import struct_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2

from builders import fresh_vpptoken
from core.strategies import JSON, LATIN, TEXTS
from intune_vpp.core import pulumi_state
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.vpp_token import VPP_TOKEN
from plugin.door import SIGNATURE, TYPE, URN, Door, asset, inputs, partial_failure, plain, secret, struct
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tenant_in_process import RefusesSyncs

OF_OPERATIONS = sorted({prop.name for operation in OPERATIONS for prop in operation.properties})
NAMES = (
    st.sampled_from([*(prop.name for prop in VPP_TOKEN.properties), *OF_OPERATIONS, SIGNATURE, "value", "__inputs"])
    | TEXTS
)
WRAPPED: st.SearchStrategy[Any] = (
    JSON | JSON.map(secret) | JSON.map(lambda value: asset(path=value)) | st.just({SIGNATURE: {}})
)
GARBAGE = st.dictionaries(NAMES, WRAPPED, max_size=4).map(struct)
OPERATION_URNS = [URN.replace("VppToken", operation.name) for operation in OPERATIONS]
URNS = st.sampled_from([URN, *OPERATION_URNS]) | TEXTS
IDS = st.sampled_from(["", "/", "a/b?c#d", "..", "22222222-2222-4222-8222-222222222222"]) | LATIN
FLAGS = st.booleans()
LISTS = st.lists(TEXTS, max_size=2)
TIMES = st.sampled_from([0.0, -1.0, float("nan"), float("inf"), 1e300])
FUNCTIONS = st.sampled_from(
    [
        "",
        *(f"intune-vpp:index:{one}" for one in ("getVppToken", "getVppTokens", "getLicensesForApp", "parseTokenFile")),
    ]
)

REQUESTS: dict[str, st.SearchStrategy[Message]] = {
    "CheckConfig": st.builds(provider_pb2.CheckRequest, olds=GARBAGE, news=GARBAGE),
    "DiffConfig": st.builds(provider_pb2.DiffRequest, olds=GARBAGE, news=GARBAGE, old_inputs=GARBAGE),
    "Check": st.builds(provider_pb2.CheckRequest, urn=URNS, olds=GARBAGE, news=GARBAGE),
    "Diff": st.builds(
        provider_pb2.DiffRequest, urn=URNS, id=IDS, olds=GARBAGE, news=GARBAGE, old_inputs=GARBAGE, ignoreChanges=LISTS
    ),
    "Create": st.builds(provider_pb2.CreateRequest, urn=URNS, properties=GARBAGE, preview=FLAGS, timeout=TIMES),
    "Read": st.builds(provider_pb2.ReadRequest, urn=URNS, id=IDS, properties=GARBAGE, inputs=GARBAGE),
    "Update": st.builds(
        provider_pb2.UpdateRequest,
        urn=URNS,
        id=IDS,
        olds=GARBAGE,
        news=GARBAGE,
        old_inputs=GARBAGE,
        preview=FLAGS,
        timeout=TIMES,
    ),
    "Delete": st.builds(provider_pb2.DeleteRequest, urn=URNS, id=IDS, properties=GARBAGE, old_inputs=GARBAGE),
    "Invoke": st.builds(provider_pb2.InvokeRequest, tok=FUNCTIONS, args=GARBAGE),
    "List": st.builds(provider_pb2.ListRequest, token=st.just(TYPE) | TEXTS, query=GARBAGE, limit=st.integers(-5, 5)),
    "Configure": st.builds(provider_pb2.ConfigureRequest, args=GARBAGE, variables=st.just({"a": "b"})),
}


def answered(door: Door, method: str, request: Message) -> None:
    """An answer, or a sentence and a code that is no defect's; `ask` has looked for traces of a crash."""
    failure = None
    try:
        door.ask(method, request)
    except grpc.RpcError as error:
        failure = error
    if failure is not None:
        if failure.code() is grpc.StatusCode.UNKNOWN:
            assert partial_failure(failure).reasons
        else:
            assert failure.code() is grpc.StatusCode.FAILED_PRECONDITION, failure.details()
        assert failure.details()


@pytest.mark.parametrize("method", [name for name in REQUESTS if name != "Configure"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage(
    provider: Door, method: str, caplog: pytest.LogCaptureFixture, tenant: RefusesSyncs, data: st.DataObject
) -> None:
    """Whatever stands in a request, the call is answered, gRPC has nothing to log, and nothing is made."""
    answered(provider, method, data.draw(REQUESTS[method]))

    assert [record for record in caplog.records if record.name.startswith("grpc")] == []
    assert tenant.tokens == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=REQUESTS["Configure"])
def test_garbage_as_configuration(unconfigured: Door, request: Message) -> None:
    """Configure is answered too."""
    answered(unconfigured, "Configure", request)


@pytest.mark.parametrize("method", REQUESTS)
def test_nothing_at_all(provider: Door, method: str) -> None:
    """A request in which nothing is set is answered."""
    empty: Any = {
        "CheckConfig": provider_pb2.CheckRequest,
        "DiffConfig": provider_pb2.DiffRequest,
    }.get(method) or getattr(provider_pb2, f"{method}Request")

    answered(provider, method, empty())


@pytest.mark.parametrize("name", [prop.name for prop in VPP_TOKEN.properties])
def test_a_state_of_another_type(provider: Door, name: str) -> None:
    """A state in which one member is nothing that this provider wrote gets an answer or a status from each call."""
    checked = provider.good(inputs(fresh_vpptoken()))
    values: list[Any] = [None, 7, True, "text", [], [7], {}, {"a": [{}]}]
    for value in values:
        odd = struct({**checked, name: value})
        answered(provider, "Check", provider_pb2.CheckRequest(urn=URN, olds=odd, news=struct(inputs(fresh_vpptoken()))))
        answered(
            provider, "Diff", provider_pb2.DiffRequest(urn=URN, id="x", olds=odd, old_inputs=odd, news=struct(checked))
        )
        answered(provider, "Diff", provider_pb2.DiffRequest(urn=URN, id="x", olds=struct(checked), news=odd))
        answered(provider, "Read", provider_pb2.ReadRequest(urn=URN, id="x", properties=odd, inputs=odd))
        answered(provider, "Update", provider_pb2.UpdateRequest(urn=URN, id="x", olds=odd, news=odd, preview=True))
        answered(provider, "Create", provider_pb2.CreateRequest(urn=URN, properties=odd, preview=True))
        answered(provider, "Delete", provider_pb2.DeleteRequest(urn=URN, id="x", properties=odd, old_inputs=odd))


@pytest.mark.parametrize("urn", OPERATION_URNS)
@pytest.mark.parametrize("name", OF_OPERATIONS)
def test_an_actions_state_of_another_type(provider: Door, tenant: RefusesSyncs, urn: str, name: str) -> None:
    """A state of an operation in which one member is nothing that this provider wrote gets an answer or a status."""
    given = {"vppTokenId": uploaded(tenant)} if "Count" not in urn else {}
    values: list[Any] = [None, 7.5, True, "text", [], [7], {}, {"a": [{}]}]
    for value in values:
        odd = struct({**given, "actionState": "done", name: value})
        answered(provider, "Check", provider_pb2.CheckRequest(urn=urn, olds=odd, news=odd))
        answered(provider, "Diff", provider_pb2.DiffRequest(urn=urn, id="x", olds=odd, news=odd))
        answered(provider, "Read", provider_pb2.ReadRequest(urn=urn, id="x", properties=odd, inputs=odd))
        answered(provider, "Update", provider_pb2.UpdateRequest(urn=urn, id="x", olds=odd, news=odd, timeout=0.01))
        answered(provider, "Create", provider_pb2.CreateRequest(urn=urn, properties=odd, preview=True))
        answered(provider, "Delete", provider_pb2.DeleteRequest(urn=urn, id="x", properties=odd))
    assert [tenant.get(token.id)["tokenActionResults"] for token in tenant.tokens] == [[] for _ in tenant.tokens]


def test_a_defect_quotes_nothing(
    provider: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is reported by its kind and an id, and logged with its frames; its text may hold a secret."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")

    def fail(_: object) -> Any:
        raise TypeError("hunter2")

    with monkeypatch.context() as patched:
        patched.setattr(pulumi_state, "args_to", fail)
        with pytest.raises(grpc.RpcError) as caught:
            provider.ask("Check", provider_pb2.CheckRequest(urn=URN, news=struct(inputs("hunter2"))))

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    message = re.fullmatch(
        r"Internal error in intune-vpp \(TypeError in Check, id ([0-9a-f]{8})\)\. Run the command again with "
        r"--debug and report the debug line with this id\.",
        caught.value.details() or "",
    )
    assert message is not None
    (line,) = [
        one for one in caplog.messages if one.startswith(f"Internal error {message[1]}: TypeError in Check, raised at ")
    ]
    assert re.search(r"servicer\.py:\d+ Check > .*test_malformed\.py:\d+ fail$", line)
    assert [line for line in caplog.messages if "hunter2" in line] == []
    assert provider.good(inputs(fresh_vpptoken()))


@pytest.mark.parametrize(
    ("urn", "message"),
    [
        ("urn:pulumi:dev::contoso", "The URN names no resource type."),
        ("urn:pulumi:dev::contoso::::lincoln", "The URN names no resource type."),
        ("", "The URN names no resource type."),
        (
            URN.replace("VppToken", "Nothing"),
            "intune-vpp has no function or resource type intune-vpp:index:Nothing.",
        ),
    ],
)
def test_a_type_that_is_not_there(provider: Door, urn: str, message: str) -> None:
    """The error names the type that the provider lacks, or says that there is none."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("Check", provider_pb2.CheckRequest(urn=urn))
    assert caught.value.details() == message


def test_numbers_that_are_none(provider: Door) -> None:
    """Values that are no numbers for JSON are refused like any other."""
    news = struct(inputs(fresh_vpptoken()))
    for number in (float("nan"), float("inf"), -0.0, 1e308):
        news.fields["displayName"].CopyFrom(struct_pb2.Value(number_value=number))
        answer = provider.ask("Check", provider_pb2.CheckRequest(urn=URN, news=news))
        assert [one.reason.partition(" ")[0] for one in answer.failures] == ["displayName"]
        assert "displayName" not in plain(answer.inputs)
