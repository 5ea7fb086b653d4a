"""The engine's calls for a `VppToken`: translated from gRPC, passed to `lifecycle`, and translated back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2

from intune_vpp.core import pulumi_state
from intune_vpp.core.errors import IntuneVppError, InvalidRequest
from intune_vpp.core.resource_type import Sent
from intune_vpp.core.vpp_token import VPP_TOKEN, TokenFile
from intune_vpp.engine import assets, command, cures
from intune_vpp.plugin import detailed_diff, property_values
from intune_vpp.plugin.grpc_errors import check_failure
from intune_vpp.plugin.writes import settled, time_allowed

if TYPE_CHECKING:
    from intune_vpp.assembly import Assembly
    from intune_vpp.core.outcome import Outcome
    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState

TYPE = "intune-vpp:index:VppToken"
_STORED_TEXT = (
    "pulumi do stores its input file, including this token's text, unencrypted in the stack's state. Reference the "
    'token file instead: fn::fileAsset in YAML, fileAsset("...") in PCL. Or use --stateless, which stores nothing.'
)


class VppToken:
    """The calls for one type of resource. Every answer keeps the secret marks of the request."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Return the normalised inputs, with the fingerprint in place of the token, and problems as failures.

        The engine stores what Check returns, so the text of the file never reaches the state.
        """
        inputs = property_values.decode(request.news)
        self._warn_of_text(inputs.get("token"))
        try:
            given = {**inputs, "token": assets.read(inputs.get("token"))}
            olds = property_values.decode(request.olds)
            outputs = property_values.decode(_old_outputs(request), pulumi_state.OUTPUTS_FOR_CHECK)
            checked = self._parts.preview.check_token(
                given,
                pulumi_state.applied_args(olds, outputs) if olds else None,
                location=pulumi_state.location_in(outputs),
                resource=request.urn,
            )
        except IntuneVppError as error:
            return provider_pb2.CheckResponse(failures=[check_failure(cures.sentence(error))])
        # The failures name no property: the engine prints the value of a named one, and that may be a token.
        failures = [check_failure(one.reason) for one in checked.problems]
        normalised = property_values.encode(pulumi_state.args_to(checked.args), secrets=_secrets(request.news))
        return provider_pb2.CheckResponse(inputs=normalised, failures=failures)

    def _warn_of_text(self, token: object) -> None:
        is_text = assets.is_text(token) and not pulumi_state.is_fingerprint_or_marker(token)
        if is_text and command.stores_input_file():
            self._parts.reporter.warn(_STORED_TEXT)

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Compare the state with the inputs, property by property."""
        state = _state(request.id, request.olds, request.old_inputs)
        args = pulumi_state.args_from(property_values.decode(request.news))
        plan = self._parts.preview.plan_token(state, args, resource=request.urn, ignoring=request.ignoreChanges)
        paths = _file_paths(state.token_file, args.token_file) if plan.renews else ()
        return detailed_diff.response(plan, file_paths=paths)

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Create or adopt a token; in preview return only the outputs that are certain.

        Raises PartialFailure if the token exists but a later step failed, and what `TokenLifecycle.create` raises.
        """
        args = pulumi_state.args_from(property_values.decode(request.properties))
        secrets = _secrets(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=property_values.encode(_certain(args), secrets=secrets))
        outcome = self._parts.tokens.create(args, timeout=time_allowed(request.timeout), resource=request.urn)
        return provider_pb2.CreateResponse(id=outcome.id, properties=_settled(outcome, secrets))

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """Read the token from Graph: for a refresh by its state, for an import by its id.

        Returns an empty response if the token was deleted, so that the engine removes it from the state.
        """
        imports = not request.properties.fields
        found = self._parts.tokens.find(request.id) if imports else self._read(request)
        if found is None:
            return provider_pb2.ReadResponse()
        self._parts.preview.warn_of(found, just_read=True)
        secrets = _secrets(request.inputs) | _secrets(request.properties)
        outputs = pulumi_state.state_to(found, with_inputs=pulumi_state.APPLIED in request.properties.fields)
        answer = provider_pb2.ReadResponse(id=found.id, properties=property_values.encode(outputs, secrets=secrets))
        if imports or request.inputs.fields:
            # A lookup by `get` has no inputs.
            answer.inputs.CopyFrom(property_values.encode(pulumi_state.args_to(found.inputs), secrets=secrets))
        return answer

    def _read(self, request: provider_pb2.ReadRequest) -> VppTokenState | None:
        outputs = property_values.decode(request.properties)
        state = pulumi_state.state_from(request.id, outputs, property_values.decode(request.inputs))
        if not pulumi_state.is_fingerprint_or_marker(outputs.get("token")):
            # The engine stores the state that a lookup passes in.
            msg = "A lookup must not contain token, because the engine would store it."
            raise InvalidRequest(f"{msg} Use the id alone.")
        return self._parts.tokens.read(state)

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Send what changed; in preview return only the outputs that are certain.

        Raises PartialFailure if the update was made but a later step failed, and what `TokenLifecycle.update` raises.
        """
        state = _state(request.id, request.olds, request.old_inputs)
        args = pulumi_state.args_from(property_values.decode(request.news))
        secrets = _secrets(request.news)
        if request.preview:
            certain = {**_certain(args), "tenantId": state.tenant_id}
            if args.token is None:
                # This update applies no file, so the state keeps the details of the last one.
                outputs = property_values.decode(request.olds)
                certain |= {name: outputs.get(name) for name in ("token", "tokenFile")}
            return provider_pb2.UpdateResponse(properties=property_values.encode(certain, secrets=secrets))
        outcome = self._parts.tokens.update(state, args, timeout=time_allowed(request.timeout))
        return provider_pb2.UpdateResponse(properties=_settled(outcome, secrets))

    def delete(self, request: provider_pb2.DeleteRequest) -> None:
        """Delete the token. Raises DeletionRefused if it is protected, and what `TokenLifecycle.delete` raises."""
        state = _state(request.id, request.properties, request.old_inputs)
        self._parts.tokens.delete(state, timeout=time_allowed(request.timeout))


def _old_outputs(request: provider_pb2.CheckRequest) -> struct_pb2.Struct:
    """Return the outputs in the state; none if the protocol of the installed SDK lacks them, as before 3.261."""
    found: struct_pb2.Struct = getattr(request, "old_outputs", struct_pb2.Struct())
    return found


def _secrets(given: struct_pb2.Struct) -> frozenset[str]:
    """Return the names of the properties to mark secret: those that the program marks, and their copies.

    A fingerprint is never secret, even if the token is.
    """
    marked = property_values.secrets(given) - {"token", "tokenFile", pulumi_state.APPLIED}
    shown_in = {"organizationName": "tokenFile", "expectedLocationName": "locationName"}
    marked |= {shown for name, shown in shown_in.items() if name in marked}
    return marked | {pulumi_state.APPLIED} if marked else marked


def _state(token_id: str, outputs: struct_pb2.Struct, inputs: struct_pb2.Struct) -> VppTokenState:
    return pulumi_state.state_from(token_id, property_values.decode(outputs), property_values.decode(inputs))


def _certain(args: VppTokenArgs) -> dict[str, Any]:
    """Return the outputs that are known before the update, because they never pass through Graph."""
    known = pulumi_state.args_to(args)
    own = {prop.name for prop in VPP_TOKEN.inputs if prop.sent is Sent.PROVIDER_ONLY} | {"token"}
    flags = {prop.name: prop.default for prop in VPP_TOKEN.inputs if prop.default is not None}
    return {**flags, **{name: value for name, value in known.items() if name in own}}


def _settled(outcome: Outcome[VppTokenState], secrets: frozenset[str]) -> struct_pb2.Struct:
    """Return the new outputs. Raises PartialFailure if a step after the write failed."""
    outputs = pulumi_state.state_to(outcome.state, with_inputs=outcome.failure is not None)
    return settled(outcome, outputs, pulumi_state.args_to(outcome.state.inputs), secrets)


def _file_paths(old: TokenFile | None, new: object) -> list[str]:
    """Return what differs in `tokenFile`, for a reviewer; `token` already shows the fingerprint."""
    if not isinstance(new, TokenFile):
        return []
    differs = {
        "tokenFile.expirationDateTime": old is None or old.expiration_date_time != new.expiration_date_time,
        "tokenFile.organizationName": old is not None and old.organization_name != new.organization_name,
    }
    return [path for path, different in differs.items() if different]
