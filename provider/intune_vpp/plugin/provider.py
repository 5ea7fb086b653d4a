"""The provider resource: its configuration, and the resources and functions that it serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from pulumi.runtime.proto import provider_pb2

from intune_vpp import settings
from intune_vpp.assembly import Assembly
from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import InvalidRequest, SettingsError
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.printable import printable
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.engine import cures
from intune_vpp.plugin import functions, property_values, vpp_token
from intune_vpp.plugin.grpc_errors import check_failure
from intune_vpp.plugin.operation import OperationResource

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

    from intune_vpp.core.sent_request import Record
    from intune_vpp.engine.log import EngineLog


class Resource(Protocol):
    """A type of resource: the engine's calls for it."""

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Check and normalise the inputs."""
        ...

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Compare the state with the inputs, property by property."""
        ...

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Create the resource; in preview return what is certain."""
        ...

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """Read the resource; the answer is empty if it no longer exists."""
        ...

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Update the resource; in preview return what is certain."""
        ...

    def delete(self, request: provider_pb2.DeleteRequest) -> None:
        """Delete the resource."""
        ...


class Provider:
    """One configured provider: its resources by their type, its functions. Raises SettingsError."""

    def __init__(self, configuration: struct_pb2.Struct, log: EngineLog, record: Record) -> None:
        self._clock = SystemClock()
        configured = settings.read(_known_keys(property_values.decode(configuration)), os.environ)
        self._parts = Assembly(configured, log, clock=self._clock, record=record)
        self._resources: dict[str, Resource] = {vpp_token.TYPE: vpp_token.VppToken(self._parts)}
        self._resources |= {f"intune-vpp:index:{one.name}": OperationResource(one, self._parts) for one in OPERATIONS}

    def stop(self) -> None:
        """Cancel all waits. A create or update that has already written returns its id and state."""
        self._clock.stop()

    def resource(self, urn: str) -> Resource:
        """Return the resource type that a URN names. Raises InvalidRequest if this provider lacks it."""
        # urn:pulumi:STACK::PROJECT::TYPE::NAME, with the types of its parents before its own, each with a `$`.
        name = "".join(urn.split("::")[2:3]).rpartition("$")[2]
        found = self._resources.get(name)
        if not name:
            raise InvalidRequest("The URN names no resource type.")
        if found is None:
            raise functions.not_found(name)
        return found

    def invoke(self, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
        """Call a function of the package. Invalid arguments are failures in the response."""
        return functions.invoke(request, self._parts)

    def listed(self, request: provider_pb2.ListRequest) -> list[provider_pb2.ListResponse]:
        """Return the ids and names of the tokens of the tenant that match the query.

        Raises InvalidRequest for a type that cannot be listed, and for a filter that cannot be used.
        """
        if request.token not in self._resources:
            raise functions.not_found(request.token)
        if request.token != vpp_token.TYPE:
            raise InvalidRequest(f"{request.token} cannot be listed; only {vpp_token.TYPE} can.")
        found = functions.listed(request.query, self._parts)
        if found is None:
            return [provider_pb2.ListResponse(computed=provider_pb2.ListResponse.Computed())]
        limit = request.limit if request.limit > 0 else len(found)
        named = [provider_pb2.ListResponse.Result(id=one.id, name=printable(one.label)) for one in found[:limit]]
        return [provider_pb2.ListResponse(result=result) for result in named]


def check(request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
    """Report invalid keys and values as failures. The inputs are returned unchanged, because the engine stores them."""
    try:
        settings.read(_known_keys(property_values.decode(request.news)), {})
    except SettingsError as error:
        return provider_pb2.CheckResponse(inputs=request.news, failures=[check_failure(cures.sentence(error))])
    return provider_pb2.CheckResponse(inputs=request.news)


def diff(request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
    """Never replace: the resources themselves refuse another tenant."""
    changed = property_values.decode(request.old_inputs or request.olds) != property_values.decode(request.news)
    some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(changes=some if changed else none)


def _known_keys(given: dict[str, Any]) -> dict[str, Any]:
    """The configuration that is known, without the engine's own members (`version`, `__internal`, …)."""
    ours = {name: value for name, value in given.items() if value is not UNKNOWN and not name.startswith("__")}
    return {name: value for name, value in ours.items() if name not in {"version", "pluginDownloadURL"}}
