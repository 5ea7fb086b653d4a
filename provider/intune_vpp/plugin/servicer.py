"""The gRPC service of the plugin: dispatches each call of the engine.

The contract is pulumi/pulumi, docs/architecture/providers/implementers-guide.md, and the comments of
proto/pulumi/provider.proto. One process serves one provider resource for one phase (a preview, an update, …).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from intune_vpp import __version__
from intune_vpp.core.errors import SettingsError
from intune_vpp.engine.log import EngineLog, carry_debug_lines
from intune_vpp.engine.spans import COLLECTOR, RequestSpans
from intune_vpp.plugin.grpc_errors import grpc_handler

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from intune_vpp.plugin.provider import Provider, Resource

# The provider is imported on its first call, not here: the engine waits for the port of every process that it starts,
# and asks some of them only for the schema.
# ruff: noqa: PLC0415

_SCHEMA_FILE = "schema.json"


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The plugin process, as the engine sees it: one per provider resource and phase."""

    def __init__(self, engine_address: str = "") -> None:
        self._log = EngineLog(engine_address)
        self._spans = RequestSpans(os.environ.get(COLLECTOR, ""))
        self._has_engine = bool(engine_address)
        self._configuring = threading.Lock()
        self._configuration: provider_pb2.ConfigureRequest | None = None
        self._configured: Provider | None = None
        carry_debug_lines(self._log)

    def stop(self) -> None:
        """Cancel all waits. A create or update that has already written returns its id and state."""
        if self._configured is not None:
            self._configured.stop()

    def flush(self) -> None:
        """Wait until the engine has the spans of all requests, for half a second at most."""
        self._spans.flush()

    # The process.

    @grpc_handler
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Announce the features of this provider, the same as in Configure."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    @grpc_handler
    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Accept an engine that did not start this process (PULUMI_DEBUG_PROVIDERS), and await its Configure.

        Raises SettingsError if an engine started this process.
        """
        if self._has_engine:
            # An engine never attaches to a process that an engine has started: the caller is another program.
            msg = "This plugin was started by an engine, so no other engine can attach to it."
            raise SettingsError(f"{msg} For PULUMI_DEBUG_PROVIDERS, start the plugin yourself, without an argument.")
        with self._configuring:
            self._configuration = None
            self._log = EngineLog(request.address)
            carry_debug_lines(self._log)
        return empty_pb2.Empty()

    @grpc_handler
    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the version of this package."""
        return plugin_pb2.PluginInfo(version=__version__)

    @grpc_handler
    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Return schema.json, which is part of the distribution."""
        return provider_pb2.GetSchemaResponse(schema=schema())

    @grpc_handler
    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """Return no mapping: no Terraform provider corresponds to this one.

        The engine's `pulumi convert` asks every provider; without this method gRPC would print a traceback.
        """
        return provider_pb2.GetMappingResponse()

    @grpc_handler
    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """Return no mappings, for the reason given in GetMapping."""
        return provider_pb2.GetMappingsResponse()

    @grpc_handler
    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Cancel all waits. The engine calls this at the end of every run, also of a successful one."""
        self.stop()
        return empty_pb2.Empty()

    # The provider resource.

    @grpc_handler
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Check the configuration, and report what cannot be used as failures."""
        from intune_vpp.plugin import provider

        return provider.check(request)

    @grpc_handler
    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare the old configuration with the new one."""
        from intune_vpp.plugin import provider

        return provider.diff(request)

    @grpc_handler
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Accept the first configuration. Credentials may be missing until a request is sent.

        Raises SettingsError for a second, different configuration.

        The port has no authentication: another configuration would let any local user send the credentials of this
        process to an endpoint of their own.
        """
        from intune_vpp.plugin.provider import Provider

        with self._configuring:
            if self._configuration is None:
                # After Attach, the provider of the previous engine is still here.
                self.stop()
                self._configuration, self._configured = request, None
            if self._configuration != request:
                msg = "This plugin is already configured and keeps its configuration."
                raise SettingsError(f"{msg} Pulumi configures a plugin once: this call came from another program.")
            if self._configured is None:
                self._configured = Provider(request.args, self._log, self._spans.record)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # Its resources and functions.

    @grpc_handler
    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Check and normalise the inputs."""
        return self._resource(request.urn).check(request)

    @grpc_handler
    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare the state with the inputs, property by property."""
        return self._resource(request.urn).diff(request)

    @grpc_handler
    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create the resource, or in preview return the outputs that are certain."""
        return self._resource(request.urn).create(request)

    @grpc_handler
    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Read a resource, for a refresh or an import."""
        return self._resource(request.urn).read(request)

    @grpc_handler
    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Update the resource, or in preview return the outputs that are certain."""
        return self._resource(request.urn).update(request)

    @grpc_handler
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete the resource."""
        self._resource(request.urn).delete(request)
        return empty_pb2.Empty()

    @grpc_handler
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Call a function."""
        return self._provider.invoke(request)

    def List(
        self, request: provider_pb2.ListRequest, context: grpc.ServicerContext
    ) -> Iterator[provider_pb2.ListResponse]:
        """List the resources of one type."""
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
    """Return the text of schema.json, from the installed package or from the root of a checkout."""
    packaged = Path(__file__).parents[1] / _SCHEMA_FILE
    file = packaged if packaged.exists() else Path(__file__).parents[3] / _SCHEMA_FILE
    return file.read_text(encoding="utf-8")
