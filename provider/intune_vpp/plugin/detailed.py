"""A plan as the engine shows it: property by property."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core.model import Kind, TokenFile

if TYPE_CHECKING:
    from intune_vpp.core.diff import Change, Plan
    from intune_vpp.core.model import VppTokenArgs, VppTokenState

_Difference = provider_pb2.PropertyDiff


def response(plan: Plan, state: VppTokenState, args: VppTokenArgs) -> provider_pb2.DiffResponse:
    """The answer to Diff."""
    if not plan:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    details = _details(plan, state, args)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted({path.partition(".")[0] for path in details}),
        detailedDiff=details,
        hasDetailedDiff=True,
    )


def _details(plan: Plan, state: VppTokenState, args: VppTokenArgs) -> dict[str, provider_pb2.PropertyDiff]:
    details = {change.property.name: _difference(change) for change in plan.changes}
    if plan.renews and isinstance(args.token_file, TokenFile):
        details |= {path: _Difference(kind=_Difference.UPDATE) for path in _of_file(state.token_file, args.token_file)}
    # What no input shows: an output is what asks for the update.
    if plan.claims:
        details["state"] = _Difference(kind=_Difference.UPDATE)
    if plan.misplaced:
        details["locationName"] = _Difference(kind=_Difference.UPDATE)
    if plan.resyncs:
        details["syncPending"] = _Difference(kind=_Difference.UPDATE)
    return details


def _difference(change: Change) -> provider_pb2.PropertyDiff:
    kind = _Difference.UPDATE
    if change.new is None:
        kind = _Difference.DELETE
    elif change.old is None and change.property.kind is not Kind.FINGERPRINT:
        kind = _Difference.ADD
    return _Difference(kind=kind, inputDiff=True)


def _of_file(old: TokenFile | None, new: TokenFile) -> list[str]:
    """What differs in the description of the file, for a reviewer: the fingerprint is shown as `token`."""
    differs = {
        "tokenFile.expirationDateTime": old is None or old.expiration_date_time != new.expiration_date_time,
        "tokenFile.organizationName": old is not None and old.organization_name != new.organization_name,
    }
    return [path for path, different in differs.items() if different]
