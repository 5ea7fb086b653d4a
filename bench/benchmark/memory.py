"""Measures the peak memory of the plugin process for each kind of hostile answer, at each place that receives one."""

from __future__ import annotations

import math
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from benchmark import plugins
from benchmark.hostile import KINDS, hostile_tenant
from benchmark.peaks import megabytes_of
from benchmark.results import MOST_MEGABYTES, Outcome, Peak
from builders import fresh_vpptoken, token_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from benchmark.hostile import Hostile, Kind
    from intune_vpp_emulator.serve import Service
    from intune_vpp_emulator.tenant import Tenant

_SECONDS_FOR_A_CALL = 60
_URN = "urn:pulumi:dev::bench::intune-vpp:index:VppToken::lincoln"
_BAD_REQUEST = 400
_TOKENS = "/beta/deviceAppManagement/vppTokens"
_UNLIMITED = [("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin process, called as the engine calls it."""

    process: subprocess.Popen[str]
    stub: provider_pb2_grpc.ResourceProviderStub
    token_id: str
    """A token of its tenant."""

    def list(self) -> None:
        """List all tokens."""
        self._invoke("getVppTokens")

    def get(self) -> None:
        """Read one token."""
        self._invoke("getVppToken", id=self.token_id)

    def create(self) -> None:
        """Create a token from a new file."""
        news = _struct(token_inputs(fresh_vpptoken(), waitForSync=False))
        checked = self.stub.Check(provider_pb2.CheckRequest(urn=_URN, news=news), timeout=_SECONDS_FOR_A_CALL)
        request = provider_pb2.CreateRequest(urn=_URN, properties=checked.inputs)
        self.stub.Create(request, timeout=_SECONDS_FOR_A_CALL)

    def megabytes(self) -> float:
        """The peak of the resident memory so far, in MB."""
        return megabytes_of(self.process.pid)

    def _invoke(self, function: str, **arguments: str) -> None:
        request = provider_pb2.InvokeRequest(tok=f"intune-vpp:index:{function}", args=_struct(arguments))
        self.stub.Invoke(request, timeout=_SECONDS_FOR_A_CALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hostile answer is received: for which request, and by which call."""

    method: str
    path: str
    call: Callable[[Plugin], None]
    status: int = 200


PLACES = {
    "list": Place("GET", _TOKENS, Plugin.list),
    "get": Place("GET", f"{_TOKENS}/*", Plugin.get),
    "create": Place("POST", _TOKENS, Plugin.create),
    "error": Place("GET", _TOKENS, Plugin.list, status=_BAD_REQUEST),
    "sign-in": Place("POST", "*/oauth2/v2.0/token", Plugin.list),
    "discovery": Place("GET", "*/.well-known/openid-configuration", Plugin.create),
}


def measure(
    folder: Path,
    *,
    tell: Callable[[str], None],
    kinds: Iterable[str] = tuple(KINDS),
    places: Iterable[str] = tuple(PLACES),
) -> list[Peak]:
    """Measure each kind of answer at each place, each in a process of its own."""
    executable = plugins.make(folder, plugins.OURS)
    found = []
    with hostile_tenant() as (service, hostile):
        for name in kinds:
            for place in places if not KINDS[name].only_lists else ["list"]:
                tell(f"{name}: {place}")
                with _started(executable, service) as plugin:
                    found.append(_peak(plugin, hostile, name, place))
    return found


def _peak(plugin: Plugin, hostile: Hostile, name: str, place: str) -> Peak:
    """Receive the answers of a kind, the smallest first, until one takes too much memory."""
    kind, where = KINDS[name], PLACES[place]
    outcome, size = Outcome.ENDED, 0
    for size in kind.sizes:
        _prepare(hostile, kind, where, size)
        outcome = _outcome(plugin, where)
        if outcome is Outcome.CRASHED:
            return Peak(name, place, math.inf, outcome, size)
        if outcome is Outcome.ENDLESS or plugin.megabytes() > MOST_MEGABYTES:
            break
    return Peak(name, place, plugin.megabytes(), outcome, size)


def _prepare(hostile: Hostile, kind: Kind, where: Place, size: int) -> None:
    hostile.answer(where.method, where.path, kind, status=where.status if kind.rule or kind.body else 200, size=size)


def _outcome(plugin: Plugin, where: Place) -> Outcome:
    """Make the call, which may fail because of the answer."""
    try:
        where.call(plugin)
    except grpc.RpcError as error:
        if plugin.process.poll() is not None:
            return Outcome.CRASHED
        return Outcome.ENDLESS if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED else Outcome.ENDED
    return Outcome.ENDED


@contextmanager
def _started(executable: Path, service: Service) -> Iterator[Plugin]:
    """Start a plugin process for this tenant, configured by its domain, so that it sends the discovery request."""
    token_id = _only_token(service.tenant)
    environment = {**os.environ, **service.environment, "ARM_TENANT_ID": service.tenant.directory.domain}
    with subprocess.Popen([executable], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            with grpc.insecure_channel(f"127.0.0.1:{port}", _UNLIMITED) as channel:
                plugin = Plugin(process, provider_pb2_grpc.ResourceProviderStub(channel), token_id)
                plugin.stub.Configure(provider_pb2.ConfigureRequest(), timeout=_SECONDS_FOR_A_CALL)
                yield plugin
        finally:
            process.kill()


def _only_token(tenant: Tenant) -> str:
    """Replace all tokens of the tenant by one from another file, and return its id."""
    tenant.tokens = []
    made = tenant.create_by_hand(token_inputs(fresh_vpptoken("Elsewhere"), displayName="Elsewhere"))
    return str(made["id"])


def _struct(properties: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(properties)
    return made
