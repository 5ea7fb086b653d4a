"""Converts a plan into the engine's detailed diff, property by property."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core.resource_type import Kind
from intune_vpp.core.vpp_token import TokenFile

if TYPE_CHECKING:
    from intune_vpp.core.diff import Change, Plan
    from intune_vpp.core.resource_type import Unknown

    File = TokenFile | Unknown | None

_ADD = provider_pb2.PropertyDiff.ADD
_DELETE = provider_pb2.PropertyDiff.DELETE
_UPDATE = provider_pb2.PropertyDiff.UPDATE
_UPDATE_REPLACE = provider_pb2.PropertyDiff.UPDATE_REPLACE


def response(plan: Plan, *, files: tuple[File, File] = (None, None)) -> provider_pb2.DiffResponse:
    """The answer to Diff; `files` are the token file before and after, for a token."""
    if not plan:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    changed = {change.property.name: _kind(change) for change in plan.changes}
    paths = changed | dict.fromkeys(plan.replaces, _UPDATE_REPLACE)
    if plan.renews:
        paths |= dict.fromkeys(_of_file(*files), _UPDATE)
    # An update that no input asks for must name an output, or the engine does not run it.
    paths |= dict.fromkeys(plan.pending, _UPDATE)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted({path.partition(".")[0] for path in paths}),
        replaces=sorted(plan.replaces),
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=kind, inputDiff=path in changed) for path, kind in paths.items()
        },
        hasDetailedDiff=True,
    )


def _kind(change: Change) -> provider_pb2.PropertyDiff.Kind.ValueType:
    if change.new is None:
        return _DELETE
    return _ADD if change.old is None and change.property.kind is not Kind.FINGERPRINT else _UPDATE


def _of_file(old: File, new: File) -> list[str]:
    """Return what differs in `tokenFile`, for a reviewer; `token` already shows the fingerprint."""
    if not isinstance(new, TokenFile):
        return []
    before = old if isinstance(old, TokenFile) else None
    differs = {
        "tokenFile.expirationDateTime": before is None or before.expiration_date_time != new.expiration_date_time,
        "tokenFile.organizationName": before is not None and before.organization_name != new.organization_name,
    }
    return [path for path, different in differs.items() if different]
