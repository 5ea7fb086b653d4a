"""The engine's calls for the operation resources, passed to their lifecycle: one class for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core import diff, operations, pulumi_state
from intune_vpp.core.errors import InvalidRequest
from intune_vpp.engine import cures
from intune_vpp.plugin import detailed_diff, property_values
from intune_vpp.plugin.grpc_errors import PartialFailure, check_failure
from intune_vpp.plugin.writes import settled, time_allowed

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

    from intune_vpp.assembly import Assembly
    from intune_vpp.core.operations import Operation
    from intune_vpp.core.outcome import Outcome, Outputs


class OperationResource:
    """The engine's calls for one type of operation resource."""

    def __init__(self, operation: Operation, parts: Assembly) -> None:
        self._operation = operation
        self._parts = parts

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Return the inputs unchanged, or what is wrong with them as failures."""
        inputs = property_values.decode(request.news)
        # Check cannot tell a new resource, because an operation without inputs has no old ones: Create announces it.
        problems = self._parts.preview.check_operation(self._operation, inputs, resource=request.urn)
        failures = [check_failure(one.reason) for one in problems]
        kept = operations.echoed_inputs(self._operation, inputs)
        answer = property_values.encode(kept, secrets=property_values.secrets(request.news))
        return provider_pb2.CheckResponse(inputs=answer, failures=failures)

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Compare the state with the inputs, and return whether to update or replace."""
        before, inputs = self._decoded(request.olds), self._decoded(request.news)
        plan = self._parts.preview.plan_operation(self._operation, before, inputs, ignoring=request.ignoreChanges)
        return detailed_diff.response(plan)

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Run the operation; in preview return only the outputs that are certain."""
        inputs, secrets = self._decoded(request.properties), property_values.secrets(request.properties)
        self._parts.preview.announce(self._operation, inputs)
        if request.preview:
            certain = property_values.encode(operations.echoed_inputs(self._operation, inputs), secrets=secrets)
            return provider_pb2.CreateResponse(properties=certain)
        result = self._parts.operation(self._operation).run(inputs, time_allowed(request.timeout))
        return provider_pb2.CreateResponse(id=result.id, properties=self._settled(result, inputs, secrets))

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """Read the result of the operation for a refresh. An operation cannot be imported.

        Raises InvalidRequest for an import, and PartialFailure if the operation failed: the engine warns of it, and the
        next update tries again.
        """
        if not request.properties.fields:
            what = f"A {self._operation.name} is an operation: it can be neither imported nor looked up."
            raise InvalidRequest(f"{what} Declare one in the program to run it.")
        secrets = property_values.secrets(request.inputs)
        lifecycle = self._parts.operation(self._operation)
        found = lifecycle.read(request.id, self._decoded(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        outputs = property_values.encode(found, secrets=secrets)
        failure = lifecycle.unresolved_failure(found)
        if failure is not None:
            raise PartialFailure(request.id, outputs=outputs, inputs=request.inputs, why=cures.sentence(failure))
        return provider_pb2.ReadResponse(id=request.id, properties=outputs, inputs=request.inputs)

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Run the operation again or resume its wait, if due; in preview return the outputs that are certain."""
        before, inputs = self._decoded(request.olds), self._decoded(request.news)
        secrets = property_values.secrets(request.news)
        if request.preview:
            plan = diff.plan_operation(self._operation, before, inputs)
            # If nothing runs again, the results stay.
            stays = (
                {"tenantId": before.get("tenantId")}
                if plan.runs or plan.pending
                else operations.results(self._operation, before)
            )
            certain = {**stays, **operations.echoed_inputs(self._operation, inputs)}
            return provider_pb2.UpdateResponse(properties=property_values.encode(certain, secrets=secrets))
        lifecycle = self._parts.operation(self._operation)
        result = lifecycle.update(request.id, before, inputs, time_allowed(request.timeout))
        return provider_pb2.UpdateResponse(properties=self._settled(result, inputs, secrets))

    def delete(self, request: provider_pb2.DeleteRequest) -> None:
        """Remove it from the state: it created nothing in the tenant."""

    def _decoded(self, properties: struct_pb2.Struct) -> dict[str, Any]:
        """Inputs or outputs as the engine keeps them. Raises StateError."""
        return pulumi_state.operation_from(self._operation, property_values.decode(properties))

    def _settled(self, outcome: Outcome[Outputs], inputs: dict[str, Any], secrets: frozenset[str]) -> struct_pb2.Struct:
        """Return the new outputs. Raises PartialFailure if the operation was started but did not succeed."""
        return settled(outcome, outcome.state, operations.echoed_inputs(self._operation, inputs), secrets)
