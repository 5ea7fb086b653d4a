"""A provider that does nothing: it answers each call at once, with the record of a token that the plugin created.

It takes the display name and the hash of the file from the program, so that the engine sees the same changes.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from pathlib import Path

    import grpc

_NO_CHANGE = provider_pb2.DiffResponse.DIFF_NONE
_CHANGE = provider_pb2.DiffResponse.DIFF_SOME


class Yardstick(provider_pb2_grpc.ResourceProviderServicer):
    """Returns one record for every token."""

    def __init__(self, record: Path, schema: Path) -> None:
        self._record = record
        self._schema = schema
        self._inputs = struct_pb2.Struct()
        self._outputs = struct_pb2.Struct()

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Announce the same features as the plugin."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return a constant version."""
        return plugin_pb2.PluginInfo(version="0.1.0")

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Return the schema of the plugin, so that the same program runs."""
        return provider_pb2.GetSchemaResponse(schema=self._schema.read_text(encoding="utf-8"))

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Do nothing, because no call waits."""
        return empty_pb2.Empty()

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Return the configuration unchanged."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Report no change of the configuration."""
        return provider_pb2.DiffResponse(changes=_NO_CHANGE)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Announce the same features as the plugin, and read the record."""
        record: dict[str, Any] = json.loads(self._record.read_text(encoding="utf-8"))
        json_format.ParseDict(record["inputs"], self._inputs)
        json_format.ParseDict(record["outputs"], self._outputs)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Return the inputs of the record, with the name and the hash of the file that the program has."""
        answer = provider_pb2.CheckResponse(inputs=self._inputs)
        given, returned = request.news.fields, answer.inputs.fields
        returned["displayName"].CopyFrom(given["displayName"])
        # The schema marks the file secret, so it stands within another object.
        returned["token"].CopyFrom(given["token"].struct_value.fields["value"].struct_value.fields["hash"])
        return answer

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Report whether the inputs are others than in the state."""
        changes = _NO_CHANGE if request.old_inputs == request.news else _CHANGE
        return provider_pb2.DiffResponse(changes=changes)

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Return the outputs of the record with a new id."""
        return provider_pb2.CreateResponse(id=str(uuid.uuid4()), properties=self._outputs)

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Return the record, and the inputs as they are in the state."""
        return provider_pb2.ReadResponse(id=request.id, properties=self._outputs, inputs=request.inputs)

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Return the outputs of the record."""
        return provider_pb2.UpdateResponse(properties=self._outputs)

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Do nothing, because nothing was created."""
        return empty_pb2.Empty()
