"""The real thing: the SDK's dynamic provider process, driven over gRPC as the engine does, against a tenant on TLS."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from builders import fresh_vpptoken
from dynamic.calls import PICKLE, inputs
from dynamic.test_frozen import PICKLED
from engine_room.engine import Engine, listening
from engine_room.killable import IN_A_SHELL, engine_with, kill
from graph.test_redaction import BEARER, pieces
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant
from plugin.processes import Silent, port_of
from plugin.test_process import damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication
    from google.protobuf.message import Message

DIFF = provider_pb2.DiffResponse


def struct(properties: Mapping[str, Any]) -> Any:
    """Properties as the engine writes them."""
    return asyncio.run(rpc.serialize_properties(dict(properties), {}))


@dataclass
class Process:
    """One provider process, what it listens to, and all that it answered."""

    stub: provider_pb2_grpc.ResourceProviderStub
    engine: Engine
    answered: list[str] = field(default_factory=list)

    def lines(self, count: int) -> list[str]:
        """The debug lines, once there are so many."""
        return self.engine.wait_for("DEBUG", count=count)

    @property
    def everything(self) -> list[str]:
        """All that the engine has seen and heard of this process."""
        return [*self.answered, *(sentence for _, sentence in self.engine.log)]

    def ask(self, method: str, request: Message) -> Any:
        """One call; failures count as answers too."""
        try:
            answer = getattr(self.stub, method)(request, timeout=30)
        except grpc.RpcError as error:
            self.answered.append(str(error))
            raise
        self.answered.append(str(answer))
        return answer

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Checked inputs, and failures as property and reason."""
        answer = self.ask("Check", provider_pb2.CheckRequest(olds=struct(olds), news=struct(news)))
        return json_format.MessageToDict(answer.inputs), [(one.property, one.reason) for one in answer.failures]

    def create(self, properties: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The id and the outputs of a new token."""
        answer = self.ask("Create", provider_pb2.CreateRequest(properties=struct(properties)))
        return answer.id, json_format.MessageToDict(answer.properties)

    def diff(self, token_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> int:
        """What changes."""
        request = provider_pb2.DiffRequest(id=token_id, olds=struct(olds), news=struct(news))
        return int(self.ask("Diff", request).changes)

    def update(self, token_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs afterwards."""
        request = provider_pb2.UpdateRequest(id=token_id, olds=struct(olds), news=struct(news))
        return json_format.MessageToDict(self.ask("Update", request).properties)

    def delete(self, token_id: str, properties: Mapping[str, Any]) -> None:
        """Delete."""
        self.ask("Delete", provider_pb2.DeleteRequest(id=token_id, properties=struct(properties)))


def _end(child: subprocess.Popen[str]) -> tuple[str, str]:
    """Interrupt it as the engine does, and again where that came to nothing; what it wrote on the way.

    The SDK's main thread waits in `Event.wait`, and a signal that comes while that thread is on its way into the wait
    is lost: the next one wakes it.
    """
    for _ in range(3):
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=15)
    raise AssertionError("three signals did not end it")


@contextmanager
def run(tenant: Tenant, *, around: Callable[[WSGIApplication], WSGIApplication] = lambda app: app) -> Iterator[Process]:
    """One run of the engine: a process, configured, ended as the engine ends it; it wrote nothing but its port."""
    with serve(tenant, around=around) as service, listening() as engine:
        environment = {**os.environ, **service.environment, "PULUMI_PROJECT": "contoso"}
        command = [sys.executable, "-u", "-m", "pulumi.dynamic", engine.address]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as child:
            try:
                assert child.stdout is not None
                with grpc.insecure_channel(f"127.0.0.1:{int(child.stdout.readline())}") as channel:
                    process = Process(provider_pb2_grpc.ResourceProviderStub(channel), engine)
                    args = struct({"intune-vpp:expiryWarningDays": "250", "other:key": "x"})
                    process.ask("Configure", provider_pb2.ConfigureRequest(args=args))
                    yield process
                written, complained = _end(child)
            finally:
                child.kill()
        assert (written, complained) == ("", "")


@pytest.fixture
def tenant() -> Tenant:
    """A tenant that outlives each run."""
    return Tenant(sync_seconds=0.0)


def test_a_life(tenant: Tenant, tmp_path: Path) -> None:
    """From the file to the deletion, each step as the engine asks for it, and the secret in none of the answers."""
    first, second, path = (
        fresh_vpptoken(days=200.5),
        fresh_vpptoken(days=300.5),
        tmp_path / "sToken_for_Lincoln.vpptoken",
    )
    path.write_text(first)
    asked, heard = inputs(pulumi.FileAsset(path)), []

    with run(tenant) as process:
        checked, failures = process.check({}, asked)
        assert (failures, checked["__provider"]) == ([], PICKLE)
        token_id, outputs = process.create(checked)
        assert ([token.id for token in tenant.tokens], outputs["__provider"]) == ([token_id], PICKLE)
        assert outputs["__inputs"] == {name: value for name, value in checked.items() if name != "__provider"}
        (warning,) = process.engine.logged("WARNING")
        assert warning.startswith("The token file of Lincoln expires in 200 days")
        assert any("POST" in line and "/vppTokens: 201 (" in line and "try 1, " in line for line in process.lines(5))
        heard += process.everything

    with run(tenant) as process:
        again, _ = process.check(checked, asked)
        assert again == checked
        assert process.diff(token_id, outputs, again) == DIFF.DIFF_NONE
        read = process.ask("Read", provider_pb2.ReadRequest(id=token_id, properties=struct(outputs)))
        assert (read.id, json_format.MessageToDict(read.inputs)) == (token_id, checked)
        heard += process.everything

    path.write_text(second)
    with run(tenant) as process:
        renewed, _ = process.check(checked, {**asked, "deletionProtection": False})
        assert process.diff(token_id, outputs, renewed) == DIFF.DIFF_UNKNOWN
        outputs = process.update(token_id, outputs, renewed)
        assert outputs["token"] == renewed["token"] != checked["token"]
        assert any("PATCH" in line and ": 200 (" in line and "try 1, " in line for line in process.lines(4))
        heard += process.everything

    with run(tenant) as process:
        process.delete(token_id, outputs)
        assert tenant.tokens == []
        gone = process.ask("Read", provider_pb2.ReadRequest(id=token_id, properties=struct(outputs)))
        assert (gone.id, json_format.MessageToDict(gone.properties)) == ("", {"__provider": PICKLE})
        heard += process.everything

    for secret in (first, second, first[40:100], second[40:100], tenant.directory.app.client_secret):
        assert [one for one in heard if secret in one] == []


def test_two_spellings_of_one_provider(tenant: Tenant) -> None:
    """A forced replacement after an upgrade of Python leaves the token alone that its new half has taken over.

    The record then reads otherwise, and the SDK runs two providers in one process: the new one creates, the old one
    deletes.
    """
    asked = inputs(fresh_vpptoken(), deletionProtection=False)
    with run(tenant) as process:
        old, _ = process.check({}, {**asked, "__provider": PICKLED[4]})
        token_id, outputs = process.create(old)
    with run(tenant) as process:
        new, _ = process.check({}, {**asked, "__provider": PICKLED[5]})
        assert process.create(new)[0] == token_id
        process.delete(token_id, outputs)

    assert [token.id for token in tenant.tokens] == [token_id]


def test_failures(tenant: Tenant) -> None:
    """A refused check has no traceback and names no secret property; a refused delete says why in its last line."""
    with run(tenant) as process:
        _, failures = process.check({}, inputs("tell-nobody"))
        ((prop, reason),) = failures
        assert (prop, "it is not base64" in reason) == ("", True)
        checked, _ = process.check({}, inputs(fresh_vpptoken()))
        token_id, outputs = process.create(checked)
        heard = process.everything

    with run(tenant) as process, pytest.raises(grpc.RpcError) as caught:
        process.delete(token_id, outputs)

    message = (caught.value.details() or "").strip().splitlines()[-1]
    assert message.startswith("intune_vpp.core.errors.DeletionRefused: Lincoln was not deleted: ")
    assert "Set deletion_protection to false, run pulumi up, then delete it." in message
    assert len(tenant.tokens) == 1
    assert [one for one in heard if "tell-nobody" in one] == []


def test_a_refused_request_shows_no_secret(tenant: Tenant) -> None:
    """A creation that Graph refuses comes with the SDK's traceback, in which neither file nor bearer stands."""
    file = fresh_vpptoken()
    with run(tenant) as process:
        checked, _ = process.check({}, inputs(file))
        tenant.clock.advance(400 * 86400)
        with pytest.raises(grpc.RpcError) as caught:
            process.create(checked)
        heard = process.everything

    assert "The VPP token has expired." in (caught.value.details() or "")
    for secret in (file, file[40:100], tenant.directory.app.client_secret, "Bearer ey"):
        assert [one for one in heard if secret in one] == []
    assert tenant.tokens == []


def test_an_engine_that_was_killed() -> None:
    """Where the engine is gone, the process ends behind the SDK's shell, and sends nothing any more."""
    silent = Silent()
    command = (*IN_A_SHELL, sys.executable, "-u", "-m", "pulumi.dynamic")
    with (
        serve(Tenant(), around=silent.around) as service,
        engine_with(*command, environment={**service.environment, "PULUMI_PROJECT": "contoso"}) as engine,
        grpc.insecure_channel(f"127.0.0.1:{port_of(engine)}") as channel,
        ThreadPoolExecutor(1) as threads,
    ):
        try:
            process = Process(provider_pb2_grpc.ResourceProviderStub(channel), Engine())
            checked, _ = process.check({}, inputs(fresh_vpptoken()))
            creation = threads.submit(process.create, checked)
            assert silent.asked.wait(20)
            before = list(silent.requests)

            assert kill(engine) == ""
            assert isinstance(creation.exception(), grpc.RpcError)
        finally:
            silent.released.set()
    assert silent.requests == before


def test_a_damaged_sign_in_shows_no_bearer(tenant: Tenant) -> None:
    """What answered the sign-in is reported in one sentence, without its body; `run` sees that stderr stays empty."""
    with run(tenant, around=damaged) as process:
        checked, _ = process.check({}, inputs(fresh_vpptoken()))
        with pytest.raises(grpc.RpcError, match="answered the sign-in with something that is not a JSON object"):
            process.create(checked)
        heard = process.everything

    assert [piece for piece in pieces(BEARER) for one in heard if piece in one] == []


def test_a_name_with_escapes_is_one_printable_line(tenant: Tenant) -> None:
    """A name that somebody gave in the portal writes no line of its own in an error or a warning."""
    with run(tenant) as process:
        checked, _ = process.check({}, inputs(fresh_vpptoken(days=20)))
        token_id, outputs = process.create(checked)
    tenant.edit_by_hand(token_id, {"displayName": "Lin\x1b[2Jcoln\r\n::error::forged\u2028##vso[a]"})
    with run(tenant) as process:
        read = process.ask("Read", provider_pb2.ReadRequest(id=token_id, properties=struct(outputs)))
        with pytest.raises(grpc.RpcError) as caught:
            process.delete(token_id, json_format.MessageToDict(read.properties))
        warned = process.engine.logged("WARNING")

    shown = "Lin\ufffd[2Jcoln\ufffd\ufffd::error::forged\ufffd# #vso[a]"
    message = (caught.value.details() or "").strip().splitlines()[-1]
    assert message.startswith(f"intune_vpp.core.errors.DeletionRefused: {shown} was not deleted: ")
    assert [line.partition(" expires")[0] for line in warned] == [shown]


def test_unknowns(tenant: Tenant) -> None:
    """What is unknown stays unknown in preview, in the spelling of strings: never the name of an object."""
    file, tags = fresh_vpptoken(), ["0", rpc.UNKNOWN]
    with run(tenant) as process:
        checked, failures = process.check({}, inputs(rpc.UNKNOWN, displayName=rpc.UNKNOWN, roleScopeTagIds=tags))
        created, _ = process.check({}, inputs(file))
        token_id, outputs = process.create(created)
        unknown, _ = process.check(created, inputs(rpc.UNKNOWN, displayName=rpc.UNKNOWN))

        assert process.diff(token_id, outputs, unknown) == DIFF.DIFF_UNKNOWN

    assert failures == []
    names = ("token", "tokenFile", "displayName", "roleScopeTagIds")
    assert {name: checked[name] for name in names} == dict.fromkeys(names, rpc.UNKNOWN)
