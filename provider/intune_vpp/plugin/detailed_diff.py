"""Converts a plan into the engine's detailed diff, property by property."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core.resource_type import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intune_vpp.core.diff import Change, Plan

_ADD = provider_pb2.PropertyDiff.ADD
_DELETE = provider_pb2.PropertyDiff.DELETE
_UPDATE = provider_pb2.PropertyDiff.UPDATE
_UPDATE_REPLACE = provider_pb2.PropertyDiff.UPDATE_REPLACE


def response(plan: Plan, *, file_paths: Iterable[str] = ()) -> provider_pb2.DiffResponse:
    """Return the answer to Diff. `file_paths` are the paths in `tokenFile` that a renewal changes."""
    if not plan:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    changed = {change.property.name: _kind(change) for change in plan.changes}
    paths = changed | dict.fromkeys(plan.replaces, _UPDATE_REPLACE)
    paths |= dict.fromkeys(file_paths, _UPDATE)
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
