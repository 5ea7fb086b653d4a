"""Converts between the model and the property maps that Pulumi stores; names are Graph's camelCase.

An unknown value is UNKNOWN here; the doors convert it from and to the engine's sentinels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import kinds, stoken
from intune_vpp.core.errors import Cure, StateError
from intune_vpp.core.resource_type import UNKNOWN, Compare, Kind, Property, Sent, camel_case
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.core.vpp_token import (
    UNSEEN_FINGERPRINT,
    VPP_TOKEN,
    AppLicenses,
    TokenFile,
    VppToken,
    VppTokenArgs,
    VppTokenState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import NoReturn

    from intune_vpp.core.operations import Operation
    from intune_vpp.core.resource_type import Unknown

OBSERVED_AT = "__observedAt"
SHOWN_EXPIRATION = "__shownExpiration"
LOOK_FOR_DUPLICATES = "__unlisted"
ENCODING = "__tokenEncoding"
APPLIED = "__inputs"
"""The engine neither shows nor compares names that begin with two underscores."""

OUTPUTS_FOR_CHECK = ("tenantId", "tokenFile", "locationName")
"""The outputs that a check looks at; every record has the first one."""

_OBSERVED_AT = Property(attribute=OBSERVED_AT, kind=Kind.TIME)
_ENCODING = Property(attribute=ENCODING)
_SHOWN_EXPIRATION = Property(attribute=SHOWN_EXPIRATION, kind=Kind.TIME)
_TOKEN_FILE = tuple(prop for prop in VPP_TOKEN.inputs if prop.kind is Kind.OBJECT)


def args_from(properties: Mapping[str, Any]) -> VppTokenArgs:
    """Read inputs as Check returned them. Unknown names, such as the engine's own, are ignored.

    Raises StateError for a member of another kind.
    """
    return VppTokenArgs(**_read(VPP_TOKEN.inputs, properties))


def _applied(applied: Mapping[str, Any], asked: Mapping[str, Any]) -> VppTokenArgs:
    """Return the inputs that were applied last.

    Properties that are never compared come from `asked`; so do `token` and `tokenFile` if `applied` has no fingerprint.
    `asked` are the engine's own inputs. After an update that failed half-way they are older than `applied`. If Diff
    found no change, they are newer: the engine stores them without calling the provider, and so it may also know a file
    that counts as applied.
    """
    never = [prop.name for prop in VPP_TOKEN.inputs if prop.compare is Compare.NEVER and prop.kind is not Kind.OBJECT]
    if not stoken.is_fingerprint(str(applied.get("token"))):
        never += ["token", "tokenFile"]
    return args_from({**applied, **{name: asked[name] for name in never if name in asked}})


def applied_args(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> VppTokenArgs:
    """Return the inputs of the last run for a check, with the file that was applied according to the outputs.

    The two differ after an update that failed half-way. If the engine passes no outputs to Check, only the plan of the
    update compares with the applied file.
    """
    asked = args_from(inputs)
    applied: TokenFile | None = kinds.read(_TOKEN_FILE, outputs, _refuse)["token_file"]
    return replace(asked, token_file=applied) if applied is not None and applied.seen else asked


def location_in(outputs: Mapping[str, Any]) -> str | Unknown | None:
    """Return the location that Intune showed last, UNKNOWN if the engine passes no outputs. Raises StateError."""
    if not outputs:
        return UNKNOWN
    location: str | None = kinds.value(VPP_TOKEN["location_name"], outputs.get("locationName"), _refuse)
    return location


def is_fingerprint_or_marker(token: object) -> bool:
    """Whether an output `token` is absent or the provider's own: a fingerprint, or the marker of an unseen file."""
    return token is None or token == UNSEEN_FINGERPRINT or (isinstance(token, str) and stoken.is_fingerprint(token))


def args_to(args: VppTokenArgs) -> dict[str, Any]:
    """Return inputs for the engine, without those that are not managed."""
    return _present(args, VPP_TOKEN.inputs)


def state_from(token_id: str, outputs: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> VppTokenState:
    """Read the state of a token from the outputs and inputs that the engine stores.

    `inputs` are None on the dynamic door, which does not receive them. Members may be absent, as in records of older
    versions. Raises StateError for a member of another kind.
    """
    found = kinds.read(VPP_TOKEN.properties, outputs, _refuse)
    applied = _applied(_stored_inputs(outputs.get(APPLIED)) or inputs or {}, inputs or {})
    return VppTokenState(
        observed=VppToken(id=token_id, **{prop.attribute: found[prop.attribute] for prop in VPP_TOKEN.observed}),
        tenant_id=found["tenant_id"] or "",
        inputs=applied,
        observed_at=kinds.value(_OBSERVED_AT, outputs.get(OBSERVED_AT), _refuse) or "",
        token_file=found["token_file"],
        shown_expiration=kinds.value(_SHOWN_EXPIRATION, outputs.get(SHOWN_EXPIRATION), _refuse),
        sync_pending=found["sync_pending"] is True,
        duplicate_token_ids=found["duplicate_token_ids"] or (),
        look_for_duplicates=outputs.get(LOOK_FOR_DUPLICATES) is True,
        token_encoding=_encoding(kinds.value(_ENCODING, outputs.get(ENCODING), _refuse)),
    )


def operation_from(operation: Operation, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Read the inputs or outputs of an operation that the engine stores, each member by its kind.

    Raises StateError for a member of another kind.
    """
    found = _read(operation.properties, properties)
    known = {prop.name: _from_model(found[prop.attribute]) for prop in operation.properties}
    return {name: value for name, value in {**properties, **known}.items() if value is not None}


def state_to(state: VppTokenState, *, with_inputs: bool = True) -> dict[str, Any]:
    """Return outputs for the engine: what Graph reports, what was applied, and the provider's own settings.

    `with_inputs` adds the applied inputs: a dynamic provider receives the outputs only, and after an update that failed
    half-way the engine keeps the older inputs.
    """
    outputs = observed_to(state.observed)
    for prop in VPP_TOKEN.inputs:
        if prop.sent is Sent.PROVIDER_ONLY and prop.attribute != "token_file":
            value = getattr(state.inputs, prop.attribute)
            outputs[prop.name] = prop.default if value is None else value
    outputs |= {"tenantId": state.tenant_id, "syncPending": state.sync_pending, OBSERVED_AT: state.observed_at}
    # Never left out: the SDKs use the program's input, which is the secret text, for an output that is missing.
    outputs["token"] = state.token_file.fingerprint if state.token_file else UNSEEN_FINGERPRINT
    outputs["tokenFile"] = _from_model(state.token_file)
    outputs["duplicateTokenIds"] = list(state.duplicate_token_ids) or None
    outputs[SHOWN_EXPIRATION] = state.shown_expiration
    outputs[LOOK_FOR_DUPLICATES] = True if state.look_for_duplicates else None
    outputs[ENCODING] = state.token_encoding.value if state.token_encoding else None
    outputs[APPLIED] = args_to(state.inputs) if with_inputs else None
    return {name: value for name, value in outputs.items() if value is not None}


def observed_to(observed: VppToken) -> dict[str, Any]:
    """Return what Graph reports of a token, for the engine."""
    return _present(observed, VPP_TOKEN.observed)


def licenses_to(found: AppLicenses) -> dict[str, Any]:
    """Return the licences of a token for an app, for the engine."""
    members = {camel_case(name): getattr(found, name) for name in found.__slots__}
    return {name: value for name, value in members.items() if value is not None}


def _encoding(name: str | None) -> Encoding | None:
    """Return an encoding by its name, None for one that this version does not know."""
    return next((encoding for encoding in Encoding if encoding == name), None)


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


def _read(properties: Iterable[Property], found: Mapping[str, Any]) -> dict[str, Any]:
    """Read members by attribute; inputs may be unknown."""
    later = {prop.attribute: UNKNOWN for prop in properties if prop.sent and found.get(prop.name) is UNKNOWN}
    now = [prop for prop in properties if prop.attribute not in later]
    return {**kinds.read(now, found, _refuse), **later}


def _stored_inputs(found: object) -> Mapping[str, Any]:
    """Return the inputs within the outputs. Raises StateError that names a member as `__inputs.<name>`."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        _refuse(APPLIED, "an object")
    kinds.read(VPP_TOKEN.inputs, found, lambda name, expected: _refuse(f"{APPLIED}.{name}", expected))
    return found


def _refuse(name: str, expected: str) -> NoReturn:
    # Without the value, which may be secret.
    what = f"The state of this resource has a member {name} that is not {expected}."
    raise StateError(what, cure=Cure.CORRECT_STATE)
