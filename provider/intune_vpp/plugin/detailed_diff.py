"""Converts a plan into the engine's detailed diff, property by property."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core.model import Kind, TokenFile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from intune_vpp.core.diff import Change, Plan
    from intune_vpp.core.model import VppTokenArgs, VppTokenState

ADD = provider_pb2.PropertyDiff.ADD
DELETE = provider_pb2.PropertyDiff.DELETE
UPDATE = provider_pb2.PropertyDiff.UPDATE
UPDATE_REPLACE = provider_pb2.PropertyDiff.UPDATE_REPLACE


def of_paths(
    paths: Mapping[str, provider_pb2.PropertyDiff.Kind.ValueType], *, inputs: Collection[str]
) -> provider_pb2.DiffResponse:
    """The answer to Diff for what differs at each path; those in `inputs` differ in what the program says."""
    if not paths:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted({path.partition(".")[0] for path in paths}),
        replaces=sorted(path for path, kind in paths.items() if kind == UPDATE_REPLACE),
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=kind, inputDiff=path in inputs) for path, kind in paths.items()
        },
        hasDetailedDiff=True,
    )


def response(plan: Plan, state: VppTokenState, args: VppTokenArgs) -> provider_pb2.DiffResponse:
    """Return the response to Diff for the plan of a token."""
    changed = {change.property.name: _kind(change) for change in plan.changes}
    paths = dict(changed)
    if plan.renews and isinstance(args.token_file, TokenFile):
        paths |= dict.fromkeys(_of_file(state.token_file, args.token_file), UPDATE)
    # What no input shows: an output is what asks for the update.
    if plan.claims:
        paths["state"] = UPDATE
    if plan.misplaced:
        paths["locationName"] = UPDATE
    if plan.resyncs:
        paths["syncPending"] = UPDATE
    return of_paths(paths, inputs=changed)


def _kind(change: Change) -> provider_pb2.PropertyDiff.Kind.ValueType:
    if change.new is None:
        return DELETE
    return ADD if change.old is None and change.property.kind is not Kind.FINGERPRINT else UPDATE


def _of_file(old: TokenFile | None, new: TokenFile) -> list[str]:
    """What differs in the description of the file, for a reviewer: the fingerprint is shown as `token`."""
    differs = {
        "tokenFile.expirationDateTime": old is None or old.expiration_date_time != new.expiration_date_time,
        "tokenFile.organizationName": old is not None and old.organization_name != new.organization_name,
    }
    return [path for path, different in differs.items() if different]
