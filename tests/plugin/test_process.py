"""The process: its port, its end by signal, and its end when nobody is left who wants it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from builders import fresh_vpptoken
from engine_room.engine import listening
from engine_room.killable import IN_A_SHELL, engine_with, kill
from graph.test_redaction import BEARER, pieces
from intune_vpp.plugin import serve as served
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant
from plugin.door import inputs, partial_failure
from plugin.processes import COMMAND, SECONDS_TO_END, Silent, begun, connected, port_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NO_ENGINE = "127.0.0.1:1"
PULUMIS_OWN_WAY = (sys.executable, "-m", "pulumi.run.plugin", "intune-vpp")
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", [COMMAND, PULUMIS_OWN_WAY], ids=["module", "run.plugin"])
def test_port_and_end(command: tuple[str, ...], number: signal.Signals) -> None:
    """It prints its port and nothing else, answers there, and ends well on either signal."""
    with begun(NO_ENGINE, command=command) as child:
        with connected(port_of(child)) as door:
            version = door.ask("GetPluginInfo", empty_pb2.Empty()).version
            assert door.ask("GetMapping", provider_pb2.GetMappingRequest(key="terraform")).data == b""
        child.send_signal(number)
        written, complained = child.communicate(timeout=SECONDS_TO_END)

        assert (version, written, complained, child.returncode) == (metadata.version("intune-vpp"), "", "", 0)


def test_options_before_the_address(tmp_path: Path) -> None:
    """The engine's address is the last argument, whatever the engine puts before it; anywhere may be the folder."""
    with listening() as engine, begun("--tracing", "tcp://x", engine.address) as child:
        with connected(port_of(child)) as door:
            door.configure()
            door.good(inputs(fresh_vpptoken(days=5.5)))
            assert len(engine.logged("WARNING")) == 1
        child.terminate()
        assert child.communicate(timeout=SECONDS_TO_END) == ("", "")
    assert list(tmp_path.iterdir()) == []


def damaged(app: WSGIApplication) -> WSGIApplication:
    """A tenant whose sign-in is cut off behind the access token."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].endswith("/token"):
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [f'{{"token_type": "Bearer", "access_token": "{BEARER}"'.encode()]

    return answer


def test_a_damaged_sign_in_shows_no_bearer() -> None:
    """The process tells in one sentence what the sign-in was answered, and the answer nowhere: stderr stays empty."""
    with (
        listening() as engine,
        serve(Tenant(), around=damaged) as service,
        begun(engine.address, environment=service.environment) as child,
    ):
        with connected(port_of(child)) as door:
            door.configure()
            with pytest.raises(grpc.RpcError) as caught:
                door.made(inputs(fresh_vpptoken()))
        child.terminate()
        written = child.communicate(timeout=SECONDS_TO_END)

        assert "answered the sign-in with something that is not a JSON object." in (caught.value.details() or "")
        requested = [*written, *door.answers, *(line for _, line in engine.log)]
        assert (written, [piece for piece in pieces(BEARER) for one in requested if piece in one]) == (("", ""), [])


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_a_creation_waits(number: signal.Signals) -> None:
    """The process ends in time, and the Create is answered before with the id of its token."""
    tenant = Tenant(sync_seconds=3600)
    with (
        serve(tenant) as service,
        begun(NO_ENGINE, environment=service.environment) as child,
        connected(port_of(child)) as door,
        ThreadPoolExecutor(1) as threads,
    ):
        door.configure()
        creation = threads.submit(door.made, inputs(fresh_vpptoken(), waitForSync=True))
        end = time.monotonic() + 20
        while not any(token.is_syncing for token in tenant.tokens):
            assert time.monotonic() < end
            time.sleep(0.02)
        child.send_signal(number)
        with pytest.raises(grpc.RpcError) as caught:
            creation.result(timeout=SECONDS_TO_END)

        assert child.communicate(timeout=SECONDS_TO_END) == ("", "")
        assert child.returncode == 0
    assert [token.id for token in tenant.tokens] == [partial_failure(caught.value).id]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_nobody_answers(number: signal.Signals) -> None:
    """A request that stays without an answer does not keep the process beyond the engine's timeout."""
    silent = Silent()
    with (
        serve(Tenant(), around=silent.around) as service,
        begun(NO_ENGINE, environment=service.environment) as child,
        connected(port_of(child)) as door,
        ThreadPoolExecutor(1) as threads,
    ):
        try:
            door.configure()
            creation = threads.submit(door.made, inputs(fresh_vpptoken()))
            assert silent.asked.wait(20)
            child.send_signal(number)

            assert child.communicate(timeout=SECONDS_TO_END) == ("", "")
            assert child.returncode == 0
            assert isinstance(creation.exception(), grpc.RpcError)
        finally:
            silent.released.set()


@pytest.mark.parametrize("between", [(), IN_A_SHELL], ids=["child", "in a shell"])
def test_an_engine_that_was_killed(between: tuple[str, ...]) -> None:
    """Where the engine is gone without a word, the process ends by itself and sends nothing any more."""
    silent = Silent()
    with (
        serve(Tenant(), around=silent.around) as service,
        engine_with(*between, *COMMAND, environment=service.environment) as engine,
        connected(port_of(engine)) as door,
        ThreadPoolExecutor(1) as threads,
    ):
        try:
            door.configure()
            creation = threads.submit(door.made, inputs(fresh_vpptoken()))
            assert silent.asked.wait(20)
            before = list(silent.requests)

            assert kill(engine) == ""
            assert isinstance(creation.exception(), grpc.RpcError)
        finally:
            silent.released.set()
    assert silent.requests == before


def test_a_signal_wakes_the_process() -> None:
    """The process waits until it is asked to end, however often it looks."""
    requested: SimpleQueue[None] = SimpleQueue()
    waiting = Thread(target=served._wait, args=(requested,))
    waiting.start()
    requested.put(None)
    waiting.join(20)

    assert not waiting.is_alive()


def test_by_hand() -> None:
    """Without an argument it serves all the same, and knows no engine."""
    with begun() as child:
        with connected(port_of(child)) as door:
            door.configure()
            door.good(inputs(fresh_vpptoken(days=5.5)))
        child.terminate()

        assert child.communicate(timeout=SECONDS_TO_END) == ("", "")


def test_main_reads_the_arguments_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that is installed hands no arguments over: they are the process's own."""
    watched: list[str] = []
    before = [signal.getsignal(number) for number in SIGNALS]
    monkeypatch.setattr(served, "exit_with_engine", lambda address, _: watched.append(address))
    monkeypatch.setattr(served, "_wait", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["pulumi-resource-intune-vpp", NO_ENGINE])
    try:
        assert (served.main(), served.main([])) == (0, 0)
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)

    assert watched == [NO_ENGINE, ""]


def test_importing_it_starts_nothing() -> None:
    """The module that Pulumi's language host runs does nothing when it is only imported."""
    command = [sys.executable, "-c", "import intune_vpp.__main__"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)

    assert (done.stdout, done.stderr) == ("", "")
