"""The engine's calls for the resources that are acts, handed to their lifecycle: one door for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core import actions, records
from intune_vpp.core.errors import QueryRefused
from intune_vpp.plugin import codec
from intune_vpp.plugin.answers import HalfDone, check_failure
from intune_vpp.plugin.detailed import ADD, DELETE, UPDATE, UPDATE_REPLACE, of_paths
from intune_vpp.plugin.timeouts import patience

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

    from intune_vpp.assembly import Assembly
    from intune_vpp.core.actions import Acted, Action


class ActionResource:
    """One type of action, as the engine sees it."""

    def __init__(self, action: Action, parts: Assembly) -> None:
        self._action = action
        self._parts = parts

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """The inputs as they were given, or what is wrong with them."""
        inputs = codec.decode(request.news)
        # Old inputs that are empty may be those of an action without any: what is to be done, Create tells.
        problems = self._parts.action_preview.check(self._action, inputs, resource=request.urn)
        failures = [check_failure(one.reason) for one in problems]
        kept = actions.certain(self._action, inputs)
        answer = codec.encode(kept, secrets=codec.secrets(request.news))
        return provider_pb2.CheckResponse(inputs=answer, failures=failures)

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """What differs, and what that leads to."""
        before, inputs = self._decoded(request.olds), self._decoded(request.news)
        plan = self._parts.action_preview.plan(self._action, before, inputs, request.ignoreChanges)
        paths = {name: _kind(before.get(name), inputs.get(name)) for name in plan.changed}
        paths |= dict.fromkeys(plan.replaces, UPDATE_REPLACE)
        if plan.resumes and self._action.progress:
            # What no input shows: an output is what asks for the update.
            paths[self._action.progress] = UPDATE
        return of_paths(paths, inputs=plan.changed)

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Act; in preview only say what is certain."""
        inputs, secrets = self._decoded(request.properties), codec.secrets(request.properties)
        self._parts.action_preview.tell(self._action, inputs)
        if request.preview:
            certain = codec.encode(actions.certain(self._action, inputs), secrets=secrets)
            return provider_pb2.CreateResponse(properties=certain)
        acted = self._parts.action(self._action).act(inputs, patience(request.timeout))
        return provider_pb2.CreateResponse(id=acted.id, properties=self._settled(acted, inputs, secrets))

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """How what was done stands now. What was not done here cannot be imported.

        Raises QueryRefused, and HalfDone where it failed: the engine warns of it, and keeps it for the next update.
        """
        if not request.properties.fields:
            what = f"A {self._action.name} is an act: it can be neither imported nor looked up."
            raise QueryRefused(f"{what} Declare one, and it is done.")
        secrets = codec.secrets(request.inputs)
        lifecycle = self._parts.action(self._action)
        found = lifecycle.look(request.id, self._decoded(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        outputs = codec.encode(found, secrets=secrets)
        failure = lifecycle.standing_failure(found)
        if failure is not None:
            raise HalfDone(request.id, outputs=outputs, inputs=request.inputs, why=str(failure))
        return provider_pb2.ReadResponse(id=request.id, properties=outputs, inputs=request.inputs)

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Act again or go on, where that is due; in preview only say what is certain."""
        before, inputs = self._decoded(request.olds), self._decoded(request.news)
        secrets = codec.secrets(request.news)
        if request.preview:
            plan = actions.plan(self._action, before, inputs)
            # Where nothing is done again, what was told of it stays.
            stays = (
                {"tenantId": before.get("tenantId")}
                if plan.acts or plan.resumes
                else actions.told(self._action, before)
            )
            certain = {**stays, **actions.certain(self._action, inputs)}
            return provider_pb2.UpdateResponse(properties=codec.encode(certain, secrets=secrets))
        lifecycle = self._parts.action(self._action)
        acted = lifecycle.update(request.id, before, inputs, patience(request.timeout))
        return provider_pb2.UpdateResponse(properties=self._settled(acted, inputs, secrets))

    def delete(self, request: provider_pb2.DeleteRequest) -> None:
        """Forget it: nothing in the tenant was made by it."""

    def _decoded(self, properties: struct_pb2.Struct) -> dict[str, Any]:
        """Inputs or outputs as the engine keeps them. Raises StateError."""
        return records.operation_from(self._action, codec.decode(properties))

    def _settled(self, acted: Acted, inputs: dict[str, Any], secrets: frozenset[str]) -> struct_pb2.Struct:
        """The new outputs. Raises HalfDone where something was begun and has not ended well."""
        outputs = codec.encode(acted.outputs, secrets=secrets)
        if acted.failure is not None:
            kept = codec.encode(actions.certain(self._action, inputs), secrets=secrets)
            raise HalfDone(acted.id, outputs=outputs, inputs=kept, why=str(acted.failure))
        return outputs


def _kind(old: object, new: object) -> provider_pb2.PropertyDiff.Kind.ValueType:
    if new is None:
        return DELETE
    return ADD if old is None else UPDATE
