"""The plugin on a live channel, asked as the engine asks it; all that it answers is kept."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

import builders
from builders import Record
from engine_room.engine import Engine
from intune_vpp.plugin.servicer import Servicer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import ThreadPoolExecutor

    from google.protobuf import empty_pb2
    from google.protobuf.message import Message

DIFF = provider_pb2.DiffResponse
KINDS = provider_pb2.PropertyDiff
URN = "urn:pulumi:dev::contoso::intune-vpp:index:VppToken::lincoln"
TYPE = "intune-vpp:index:VppToken"
SIGNATURE = "4dabf18193072939515e22adb298388d"
inputs = partial(builders.token_inputs, waitForSync=False)
"""The inputs of a token as the engine hands them to the plugin."""

TRACES_OF_A_CRASH = ("Traceback", "Exception calling application", "Exception iterating", ".py")


def struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as the engine writes them; None is null."""
    made = struct_pb2.Struct()
    made.update(dict(properties))
    return made


def plain(properties: struct_pb2.Struct) -> dict[str, Any]:
    """Properties as they were written, signatures and sentinels included."""
    return json_format.MessageToDict(properties)


def secret(value: object) -> dict[str, Any]:
    """A secret, as the engine writes it."""
    return {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def output(**members: object) -> dict[str, Any]:
    """An output value; without `value` an unknown one."""
    return {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", **members}


def asset(**members: object) -> dict[str, Any]:
    """An asset of a text, path or uri."""
    return {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "0" * 64, **members}


def archive(**members: object) -> dict[str, Any]:
    """An archive."""
    return {SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "0" * 64, **members}


def the_status(error: grpc.RpcError) -> status_pb2.Status:
    """The whole status of a failed call."""
    (found,) = (pair.value for pair in error.trailing_metadata() if pair.key == "grpc-status-details-bin")
    return status_pb2.Status.FromString(found)


def partial_failure(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed:
    """What is reported to the engine of a resource that is there, but not well."""
    (detail,) = the_status(error).details
    texts = provider_pb2.ErrorResourceInitFailed()
    assert detail.Unpack(texts)
    return texts


def details(answer: Any) -> dict[str, tuple[str, bool]]:
    """Kind, and whether it is about inputs, of each path; consistent with the rest of the answer."""
    paths = list(answer.detailedDiff)
    assert answer.hasDetailedDiff
    assert answer.changes == (DIFF.DIFF_SOME if paths else DIFF.DIFF_NONE)
    assert list(answer.diffs) == sorted({path.split(".")[0] for path in paths})
    assert (list(answer.replaces), answer.deleteBeforeReplace) == ([], False)
    return {path: (KINDS.Kind.Name(one.kind), one.inputDiff) for path, one in answer.detailedDiff.items()}


class Listener(Engine):
    """An engine that also keeps what a sentence is about."""

    def __init__(self) -> None:
        super().__init__()
        self.about: list[tuple[str, str, str]] = []

    def Log(self, request: engine_pb2.LogRequest, _context: object) -> empty_pb2.Empty:  # noqa: N802 - gRPC's name
        """Keep URN, severity and sentence, before whoever waits for the sentence sees it."""
        self.about.append((request.urn, engine_pb2.LogSeverity.Name(request.severity), request.message))
        return super().Log(request, _context)


@dataclass
class Door:
    """One provider, served in the process of the test, and all that it answered."""

    stub: provider_pb2_grpc.ResourceProviderStub
    servicer: Servicer
    answers: list[str] = field(default_factory=list, repr=False)
    urn: str = URN

    def about(self, name: str) -> Door:
        """The same process, asked about a resource of another type."""
        return replace(self, urn=URN.replace("VppToken", name))

    def ask(self, method: str, request: Message) -> Any:
        """One call; a failure is an answer too, and never the trace of a crash."""
        try:
            answer = getattr(self.stub, method)(request, timeout=30)
            answer = list(answer) if method == "List" else answer
        except grpc.RpcError as error:
            texts = [str(error.details()), *(repr(pair) for pair in error.trailing_metadata())]
            assert [trace for trace in TRACES_OF_A_CRASH for text in texts if trace in text] == []
            self.answers += [*texts, str(error)]
            raise
        self.answers.append(str(answer))
        return answer

    def configure(self, **configuration: object) -> provider_pb2.ConfigureResponse:
        """Configure."""
        answer: provider_pb2.ConfigureResponse
        answer = self.ask("Configure", provider_pb2.ConfigureRequest(args=struct(configuration)))
        return answer

    def checked(
        self,
        news: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Checked inputs, and failures as property and reason."""
        request = provider_pb2.CheckRequest(urn=self.urn, olds=struct(olds or {}), news=struct(news))
        if outputs:
            # Only newer SDKs have this member.
            request.old_outputs.CopyFrom(struct(outputs))
        answer = self.ask("Check", request)
        return plain(answer.inputs), [(one.property, one.reason) for one in answer.failures]

    def good(self, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Checked inputs that nothing is wrong with."""
        inputs, failures = self.checked(news, olds)
        assert failures == []
        return inputs

    def made(self, news: Mapping[str, Any], *, timeout: float = 0) -> Record:
        """Check and Create."""
        inputs = self.good(news)
        answer = self.create(inputs, timeout=timeout)
        return Record(answer.id, inputs, plain(answer.properties))

    def create(self, inputs: Mapping[str, Any], *, timeout: float = 0) -> Any:
        """Create, with inputs as Check answered them."""
        request = provider_pb2.CreateRequest(urn=self.urn, properties=struct(inputs), timeout=timeout)
        return self.ask("Create", request)

    def diff(self, kept: Record, inputs: Mapping[str, Any], *, ignoring: tuple[str, ...] = ()) -> Any:
        """Diff, with inputs as Check answered them."""
        request = provider_pb2.DiffRequest(
            id=kept.id,
            urn=self.urn,
            olds=struct(kept.outputs),
            old_inputs=struct(kept.inputs),
            news=struct(inputs),
            ignoreChanges=ignoring,
        )
        return self.ask("Diff", request)

    def planned(self, kept: Record, news: Mapping[str, Any]) -> Any:
        """Check and Diff."""
        return self.diff(kept, self.good(news, kept.inputs))

    def update(self, kept: Record, inputs: Mapping[str, Any], *, preview: bool = False, timeout: float = 0) -> Any:
        """Update, with inputs as Check answered them."""
        request = provider_pb2.UpdateRequest(
            id=kept.id,
            urn=self.urn,
            olds=struct(kept.outputs),
            old_inputs=struct(kept.inputs),
            news=struct(inputs),
            preview=preview,
            timeout=timeout,
        )
        return self.ask("Update", request)

    def updated(self, kept: Record, news: Mapping[str, Any]) -> Record:
        """Check and Update."""
        inputs = self.good(news, kept.inputs)
        return Record(kept.id, inputs, plain(self.update(kept, inputs).properties))

    def read(self, kept: Record) -> Any:
        """Read, as a refresh does."""
        request = provider_pb2.ReadRequest(
            id=kept.id, urn=self.urn, properties=struct(kept.outputs), inputs=struct(kept.inputs)
        )
        return self.ask("Read", request)

    def imported(self, token_id: str) -> Any:
        """Read, as an import does."""
        return self.ask("Read", provider_pb2.ReadRequest(id=token_id, urn=self.urn))

    def delete(self, kept: Record) -> None:
        """Delete."""
        request = provider_pb2.DeleteRequest(
            id=kept.id, urn=self.urn, properties=struct(kept.outputs), old_inputs=struct(kept.inputs)
        )
        self.ask("Delete", request)

    def call(self, function: str, **arguments: object) -> dict[str, Any]:
        """Invoke a function of the package: what it returns."""
        answer = self._invoked(function, arguments)
        assert list(answer.failures) == []
        return plain(getattr(answer, "return"))

    def refused(self, function: str, **arguments: object) -> str:
        """Invoke a function of the package: the one reason why it does not return."""
        (failure,) = self._invoked(function, arguments).failures
        assert failure.property == function
        return str(failure.reason)

    def _invoked(self, function: str, arguments: Mapping[str, Any]) -> Any:
        request = provider_pb2.InvokeRequest(tok=f"intune-vpp:index:{function}", args=struct(arguments))
        return self.ask("Invoke", request)


@contextmanager
def listening(threads: ThreadPoolExecutor) -> Iterator[Listener]:
    """An engine that keeps URNs, on a free port."""
    engine = Listener()
    server = grpc.server(threads)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    engine.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield engine
    finally:
        server.stop(0).wait()


@contextmanager
def opened(address: str, threads: ThreadPoolExecutor, tidy: Callable[[], None]) -> Iterator[Door]:
    """A provider that serves until the block ends, not configured yet."""
    servicer = Servicer(address)
    server = grpc.server(threads)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Door(provider_pb2_grpc.ResourceProviderStub(channel), servicer)
    finally:
        servicer.stop()
        server.stop(2).wait()
        tidy()
