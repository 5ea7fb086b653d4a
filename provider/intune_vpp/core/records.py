"""The model as the property maps that Pulumi stores, and back; names are Graph's camelCase.

An unknown value is UNKNOWN on this side; the doors know how the engine spells it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import stoken
from intune_vpp.core.model import (
    BY_NAME,
    INPUTS,
    OBSERVED,
    UNKNOWN,
    UNSEEN_FINGERPRINT,
    AppLicenses,
    Compare,
    Kind,
    Property,
    Sent,
    TokenFile,
    VppToken,
    VppTokenArgs,
    VppTokenState,
    camel_case,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

OBSERVED_AT = "__observedAt"
LOOK_FOR_DUPLICATES = "__lookForDuplicates"
APPLIED = "__inputs"
"""The engine neither shows nor compares names with two underscores in front."""


def args_from(properties: Mapping[str, Any]) -> VppTokenArgs:
    """Inputs as Check returned them; names it does not know (the engine's own among them) are passed over."""
    return VppTokenArgs(**{prop.attribute: _to_model(prop, properties.get(prop.name)) for prop in INPUTS})


def _applied(applied: Mapping[str, Any], asked: Mapping[str, Any]) -> VppTokenArgs:
    """The inputs that were applied last, and of those that are never compared the ones that were asked for last.

    After an update that half failed the engine has the older ones; where nothing was to be done it has taken over the
    newer ones, and a file that counts as applied among them, without telling the provider.
    """
    never = [prop.name for prop in INPUTS if prop.compare is Compare.NEVER and prop.kind is not Kind.OBJECT]
    if not stoken.is_fingerprint(str(applied.get("token"))):
        never += ["token", "tokenFile"]
    return args_from({**applied, **{name: asked[name] for name in never if name in asked}})


def applied_args(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> VppTokenArgs:
    """The inputs of the last run, for a check; what was applied, not what was asked for, says which file that was.

    They differ where an update half failed. Engines that do not hand over the outputs yet leave it to the plan.
    """
    asked = args_from(inputs)
    applied = _to_model(BY_NAME["tokenFile"], outputs.get("tokenFile"))
    return replace(asked, token_file=applied) if applied is not None and applied.seen else asked


def is_safe(token: object) -> bool:
    """Whether an output `token` is one of ours: a fingerprint, or the mark of a file that came another way."""
    return token in {None, UNSEEN_FINGERPRINT} or (isinstance(token, str) and stoken.is_fingerprint(token))


def args_to(args: VppTokenArgs) -> dict[str, Any]:
    """Inputs for the engine; what is not managed is absent."""
    return _present(args, INPUTS)


def state_from(token_id: str, outputs: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> VppTokenState:
    """What the engine kept of a token: its outputs, and the inputs that led to them.

    `inputs` are the engine's own, which a dynamic provider is not told. Tolerates records of older versions, in which
    members may be absent.
    """
    members = {prop.attribute: _to_model(prop, outputs.get(prop.name)) for prop in OBSERVED}
    return VppTokenState(
        observed=VppToken(id=token_id, **members),
        tenant_id=outputs.get("tenantId") or "",
        inputs=_applied(outputs.get(APPLIED) or inputs or {}, inputs or {}),
        observed_at=outputs.get(OBSERVED_AT) or "",
        token_file=_to_model(BY_NAME["tokenFile"], outputs.get("tokenFile")),
        sync_pending=outputs.get("syncPending") is True,
        duplicate_token_ids=tuple(outputs.get("duplicateTokenIds") or ()),
        look_for_duplicates=outputs.get(LOOK_FOR_DUPLICATES) is True,
    )


def state_to(state: VppTokenState) -> dict[str, Any]:
    """Outputs for the engine: what Graph reports, what was applied, and what the provider does with the token."""
    outputs = observed_to(state.observed)
    for prop in INPUTS:
        if prop.sent is Sent.HERE_ONLY and prop.attribute != "token_file":
            value = getattr(state.inputs, prop.attribute)
            outputs[prop.name] = prop.when_absent if value is None else value
    outputs |= {"tenantId": state.tenant_id, "syncPending": state.sync_pending, OBSERVED_AT: state.observed_at}
    # Always there: the SDKs show a program's own input, the secret text, for an output that the provider leaves out.
    outputs["token"] = state.token_file.fingerprint if state.token_file else UNSEEN_FINGERPRINT
    outputs["tokenFile"] = _from_model(state.token_file)
    outputs["duplicateTokenIds"] = list(state.duplicate_token_ids) or None
    outputs[LOOK_FOR_DUPLICATES] = True if state.look_for_duplicates else None
    outputs[APPLIED] = args_to(state.inputs)
    return {name: value for name, value in outputs.items() if value is not None}


def observed_to(observed: VppToken) -> dict[str, Any]:
    """What Graph reports of a token, for the engine."""
    return _present(observed, OBSERVED)


def licenses_to(found: AppLicenses) -> dict[str, Any]:
    """The licences of a token for an app, for the engine."""
    members = {camel_case(name): getattr(found, name) for name in found.__slots__}
    return {name: value for name, value in members.items() if value is not None}


def _present(values: VppTokenArgs | VppToken, properties: tuple[Property, ...]) -> dict[str, Any]:
    found = {prop.name: getattr(values, prop.attribute) for prop in properties}
    return {name: _from_model(value) for name, value in found.items() if value is not None}


def _from_model(value: object) -> Any:
    if isinstance(value, TokenFile):
        members = {camel_case(name): getattr(value, name) for name in value.__slots__}
        return {name: member for name, member in members.items() if member is not None}
    if isinstance(value, tuple):
        return [dict(item) if isinstance(item, dict) else item for item in value]
    return value


def _to_model(prop: Property, value: Any) -> Any:
    if value is None or value is UNKNOWN:
        return value
    if prop.kind is Kind.OBJECT:
        return TokenFile(
            fingerprint=value.get("fingerprint", ""),
            expiration_date_time=value.get("expirationDateTime"),
            organization_name=value.get("organizationName"),
            state=value.get("state"),
        )
    if prop.kind in {Kind.TEXTS, Kind.OBJECTS}:
        return tuple(value)
    return value
