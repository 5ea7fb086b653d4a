"""Each call of the engine handed to the lifecycle.

The contract is pulumi/pulumi, docs/architecture/providers/implementers-guide.md, and the comments of
proto/pulumi/provider.proto. One process serves one provider resource for one phase (a preview, an update, …).
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from intune_vpp import settings
from intune_vpp.assembly import Assembly, SystemClock
from intune_vpp.core import records
from intune_vpp.core.errors import IntuneVppError, SettingsError
from intune_vpp.core.model import INPUTS, UNKNOWN, Sent
from intune_vpp.core.sync import TIME_ALLOWED
from intune_vpp.host import assets
from intune_vpp.host.log import EngineLog, carry_debug_lines
from intune_vpp.plugin import codec, detailed, functions
from intune_vpp.plugin.answers import HalfDone, answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from intune_vpp.core.model import VppTokenArgs, VppTokenState
    from intune_vpp.lifecycle.settling import Outcome

TYPE_TOKEN = "intune-vpp:index:VppToken"  # noqa: S105 - Pulumi's word for the name of a type

_SCHEMA_FILE = "schema.json"


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The provider, as the engine sees it."""

    def __init__(self, engine_address: str = "") -> None:
        self._clock = SystemClock()
        self._log = EngineLog(engine_address)
        self._assembly: Assembly | None = None
        carry_debug_lines(self._log)

    def stop(self) -> None:
        """End all waiting; what was written is answered with its id."""
        self._clock.stop()

    # The process.

    @answered
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """What this provider can do; the same as in Configure."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    @answered
    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Take an engine that did not start this process (PULUMI_DEBUG_PROVIDERS)."""
        # An engine before this one has called Cancel at its end.
        self._clock = SystemClock()
        self._log = EngineLog(request.address)
        carry_debug_lines(self._log)
        return empty_pb2.Empty()

    @answered
    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the distribution."""
        # Here and not above: the engine waits for the port of every process, and asks few of them this.
        from importlib import metadata  # noqa: PLC0415

        return plugin_pb2.PluginInfo(version=metadata.version("intune-vpp"))

    @answered
    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """The schema that ships with the distribution."""
        return provider_pb2.GetSchemaResponse(schema=schema())

    @answered
    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """No other tool's resources are these. Where nothing is answered, gRPC writes a traceback."""
        return provider_pb2.GetMappingResponse()

    @answered
    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """The same."""
        return provider_pb2.GetMappingsResponse()

    @answered
    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Stop waiting. The engine calls this at every end of a run, a good one included."""
        self.stop()
        return empty_pb2.Empty()

    # The provider resource.

    @answered
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse keys and values that cannot be; answer what was given, since all of it is stored."""
        given = codec.decode(request.news)
        try:
            settings.read(_known_keys(given), {})
        except SettingsError as error:
            failure = provider_pb2.CheckFailure(reason=str(error))
            return provider_pb2.CheckResponse(inputs=request.news, failures=[failure])
        return provider_pb2.CheckResponse(inputs=request.news)

    @answered
    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Never replace: the resources themselves refuse another tenant."""
        changed = codec.decode(request.old_inputs or request.olds) != codec.decode(request.news)
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some if changed else none)

    @answered
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Settle the configuration. Missing credentials are no error before something has to be sent."""
        configured = settings.read(_known_keys(codec.decode(request.args)), os.environ)
        self._assembly = Assembly(configured, self._log, clock=self._clock)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # The token.

    @answered
    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Normalised inputs, the token as its fingerprint; what is wrong with them as failures."""
        inputs = codec.decode(request.news)
        try:
            given = {**inputs, "token": assets.read(inputs.get("token"))}
            olds = records.args_from(codec.decode(request.olds)) if request.olds.fields else None
            checked = self._parts.preview.check(given, olds)
        except IntuneVppError as error:
            return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
        # The engine prints the value of a property that is named here, and a token may have been put into any of them.
        failures = [provider_pb2.CheckFailure(reason=one.reason) for one in checked.problems]
        return provider_pb2.CheckResponse(inputs=codec.encode(records.args_to(checked.args)), failures=failures)

    @answered
    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """What an update would change, property by property."""
        state = _state(request.id, request.olds, request.old_inputs)
        args = records.args_from(codec.decode(request.news))
        plan = self._parts.preview.plan(state, args)
        return detailed.response(plan.without(request.ignoreChanges), state, args)

    @answered
    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create, adopt or take over a token; in preview only say what is certain."""
        args = records.args_from(codec.decode(request.properties))
        if request.preview:
            return provider_pb2.CreateResponse(properties=codec.encode(_certain(args)))
        outcome = self._parts.tokens.create(args, patience=_patience(request.timeout))
        return provider_pb2.CreateResponse(id=outcome.state.id, properties=_settled(outcome))

    @answered
    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """The token as Graph has it now: for a refresh from what the state says, for an import from the id alone."""
        tokens = self._parts.tokens
        imports = not request.properties.fields
        found = (
            tokens.find(request.id) if imports else tokens.read(_state(request.id, request.properties, request.inputs))
        )
        if found is None:
            # Without properties and id: gone for a refresh, and an error for an import.
            return provider_pb2.ReadResponse()
        self._parts.preview.warn_of(found)
        inputs = records.args_to(found.inputs)
        return provider_pb2.ReadResponse(
            id=found.id, properties=codec.encode(records.state_to(found)), inputs=codec.encode(inputs)
        )

    @answered
    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Change what changed; in preview only say what is certain."""
        state = _state(request.id, request.olds, request.old_inputs)
        args = records.args_from(codec.decode(request.news))
        if request.preview:
            certain = {**_certain(args), "tenantId": state.tenant_id}
            if args.token is None:
                # No file will be applied: what the state says of the one that was stays.
                outputs = codec.decode(request.olds)
                certain |= {name: outputs.get(name) for name in ("token", "tokenFile")}
            return provider_pb2.UpdateResponse(properties=codec.encode(certain))
        outcome = self._parts.tokens.update(state, args, patience=_patience(request.timeout))
        return provider_pb2.UpdateResponse(properties=_settled(outcome))

    @answered
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete the token, unless it is protected."""
        self._parts.tokens.delete(_state(request.id, request.properties, request.old_inputs))
        return empty_pb2.Empty()

    @answered
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Call a function."""
        return functions.invoke(request, self._parts)

    def List(
        self, request: provider_pb2.ListRequest, context: grpc.ServicerContext
    ) -> Iterator[provider_pb2.ListResponse]:
        """The ids of all tokens of the tenant."""
        yield from self._listed(request, context)

    @answered
    def _listed(
        self, request: provider_pb2.ListRequest, context: grpc.ServicerContext
    ) -> list[provider_pb2.ListResponse]:
        if request.token != TYPE_TOKEN:
            raise functions.unheard_of(request.token)
        found = self._parts.queries.all(functions.Filter())
        limit = request.limit or len(found)
        named = [provider_pb2.ListResponse.Result(id=one.id, name=codec.text(one.label)) for one in found[:limit]]
        return [provider_pb2.ListResponse(result=result) for result in named]

    @property
    def _parts(self) -> Assembly:
        if self._assembly is None:
            raise SettingsError("The engine has not configured this provider.")
        return self._assembly


def schema() -> str:
    """The text of schema.json: a part of the package where it was installed, at the root of a checkout."""
    packaged = Path(__file__).parents[1] / _SCHEMA_FILE
    file = packaged if packaged.exists() else Path(__file__).parents[3] / _SCHEMA_FILE
    return file.read_text(encoding="utf-8")


def _known_keys(given: dict[str, Any]) -> dict[str, Any]:
    """Configuration that is known by now; the engine's own members (`version`, `__internal`, …) are not ours."""
    ours = {name: value for name, value in given.items() if value is not UNKNOWN and not name.startswith("__")}
    return {name: value for name, value in ours.items() if name not in {"version", "pluginDownloadURL"}}


def _state(token_id: str, outputs: struct_pb2.Struct, inputs: struct_pb2.Struct) -> VppTokenState:
    return records.state_from(token_id, codec.decode(outputs), records.args_from(codec.decode(inputs)))


def _certain(args: VppTokenArgs) -> dict[str, Any]:
    """Outputs that an update cannot turn out differently: what never passes through Graph."""
    known = records.args_to(args)
    own = {prop.name for prop in INPUTS if prop.sent is Sent.HERE_ONLY} | {"token"}
    flags = {prop.name: prop.when_absent for prop in INPUTS if prop.when_absent is not None}
    return {**flags, **{name: value for name, value in known.items() if name in own}}


def _settled(outcome: Outcome) -> struct_pb2.Struct:
    """The new outputs. Raises HalfDone where something went wrong after the write."""
    outputs = records.state_to(outcome.state)
    if outcome.failure is not None:
        inputs = records.args_to(outcome.state.inputs)
        raise HalfDone(outcome.state.id, outputs=outputs, inputs=inputs, why=str(outcome.failure))
    return codec.encode(outputs)


def _patience(timeout: float) -> timedelta:
    """How long to wait for a sync: what `customTimeouts` says, in seconds, or what is usual."""
    return timedelta(seconds=timeout) if timeout > 0 else TIME_ALLOWED
