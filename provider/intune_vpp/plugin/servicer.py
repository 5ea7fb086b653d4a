"""Each call of the engine, handed on.

The contract is pulumi/pulumi, docs/architecture/providers/implementers-guide.md, and the comments of
proto/pulumi/provider.proto. One process serves one provider resource for one phase (a preview, an update, …).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from intune_vpp.core.errors import SettingsError
from intune_vpp.engine.log import EngineLog, carry_debug_lines
from intune_vpp.plugin.grpc_errors import grpc_handler

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from intune_vpp.plugin.provider import Provider, Resource

# The provider is imported where it is first called: the engine waits for the port of every process that it starts,
# and asks some of them for the schema alone.
# ruff: noqa: PLC0415

_SCHEMA_FILE = "schema.json"


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The process, as the engine sees it."""

    def __init__(self, engine_address: str = "") -> None:
        self._log = EngineLog(engine_address)
        self._has_engine = bool(engine_address)
        self._configuring = threading.Lock()
        self._configuration: provider_pb2.ConfigureRequest | None = None
        self._configured: Provider | None = None
        carry_debug_lines(self._log)

    def stop(self) -> None:
        """Cancel all waits; a resource that was written is returned with its id."""
        if self._configured is not None:
            self._configured.stop()

    # The process.

    @grpc_handler
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """What this provider can do; the same as in Configure."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    @grpc_handler
    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Take an engine that did not start this process (PULUMI_DEBUG_PROVIDERS). The next Configure is its first."""
        if self._has_engine:
            # An engine attaches to no process that an engine has started: this is somebody else.
            msg = "This plugin was started by an engine, so no other engine can attach to it."
            raise SettingsError(f"{msg} For PULUMI_DEBUG_PROVIDERS, start the plugin yourself, without an argument.")
        with self._configuring:
            self._configuration = None
            self._log = EngineLog(request.address)
            carry_debug_lines(self._log)
        return empty_pb2.Empty()

    @grpc_handler
    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the distribution."""
        from importlib import metadata

        return plugin_pb2.PluginInfo(version=metadata.version("intune-vpp"))

    @grpc_handler
    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """The schema that ships with the distribution."""
        return provider_pb2.GetSchemaResponse(schema=schema())

    @grpc_handler
    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """No other tool's resources are these. Where nothing is answered, gRPC writes a traceback."""
        return provider_pb2.GetMappingResponse()

    @grpc_handler
    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """The same."""
        return provider_pb2.GetMappingsResponse()

    @grpc_handler
    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Stop waiting. The engine calls this at every end of a run, a good one included."""
        self.stop()
        return empty_pb2.Empty()

    # The provider resource.

    @grpc_handler
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse configuration that cannot be used."""
        from intune_vpp.plugin import provider

        return provider.check(request)

    @grpc_handler
    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Whether the configuration differs."""
        from intune_vpp.plugin import provider

        return provider.diff(request)

    @grpc_handler
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Settle the configuration, once. Missing credentials are no error before something has to be sent.

        The port has no authentication: another configuration would let any local user send the credentials of this
        process to an endpoint of their own.
        """
        from intune_vpp.plugin.provider import Provider

        with self._configuring:
            if self._configuration is None:
                # After Attach there is the provider of the engine before.
                self.stop()
                self._configuration, self._configured = request, None
            if self._configuration != request:
                msg = "This plugin is already configured and keeps its configuration."
                raise SettingsError(f"{msg} Pulumi configures a plugin once: this call came from another program.")
            if self._configured is None:
                self._configured = Provider(request.args, self._log)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # Its resources and functions.

    @grpc_handler
    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Check and normalise the inputs."""
        return self._resource(request.urn).check(request)

    @grpc_handler
    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare."""
        return self._resource(request.urn).diff(request)

    @grpc_handler
    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Bring about."""
        return self._resource(request.urn).create(request)

    @grpc_handler
    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Read a resource, for a refresh or an import."""
        return self._resource(request.urn).read(request)

    @grpc_handler
    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Change."""
        return self._resource(request.urn).update(request)

    @grpc_handler
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End."""
        self._resource(request.urn).delete(request)
        return empty_pb2.Empty()

    @grpc_handler
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Call a function."""
        return self._provider.invoke(request)

    def List(
        self, request: provider_pb2.ListRequest, context: grpc.ServicerContext
    ) -> Iterator[provider_pb2.ListResponse]:
        """What is there of a type of resource."""
        yield from self._listed(request, context)

    @grpc_handler
    def _listed(
        self, request: provider_pb2.ListRequest, context: grpc.ServicerContext
    ) -> list[provider_pb2.ListResponse]:
        return self._provider.listed(request)

    def _resource(self, urn: str) -> Resource:
        return self._provider.resource(urn)

    @property
    def _provider(self) -> Provider:
        if self._configured is None:
            raise SettingsError("The engine has not configured this provider.")
        return self._configured


def schema() -> str:
    """The text of schema.json: a part of the package where it was installed, at the root of a checkout."""
    packaged = Path(__file__).parents[1] / _SCHEMA_FILE
    file = packaged if packaged.exists() else Path(__file__).parents[3] / _SCHEMA_FILE
    return file.read_text(encoding="utf-8")
