"""Turns what Graph shows now into the new state. Drift is what changed in Graph since the last state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, overload

from intune_vpp.core import times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import Compare, Unknown, same
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, VPP_TOKEN, TokenFile, VppToken, VppTokenArgs, VppTokenState


def observe(
    state: VppTokenState, observed: VppToken, *, observed_at: str, duplicates: tuple[str, ...] | None = None
) -> VppTokenState:
    """Return the state after a read. An input keeps the user's value unless Graph's value has changed.

    `duplicates` are the ids of the token's duplicates, None if no listing was read.
    """
    applied = _applied(state.token_file, observed)
    inputs = _inputs(state, observed)
    named = mark_invalid(_named(inputs.token_file, applied, observed), observed)
    if inputs != VppTokenArgs():
        # A resource that is only looked up (`.get`) has no inputs, and must not get any.
        inputs = replace(inputs, token=None if inputs.token is None else named.fingerprint, token_file=named)
    if duplicates is not None:
        state = replace(state, duplicate_token_ids=duplicates, look_for_duplicates=False)
    return replace(
        state, observed=observed, observed_at=observed_at, token_file=mark_invalid(applied, observed), inputs=inputs
    )


def imported(observed: VppToken, *, tenant_id: str, observed_at: str) -> VppTokenState:
    """Return the state of an imported token: its inputs are all members that can be managed, with Graph's values."""
    inputs = {
        prop.attribute: getattr(observed, prop.attribute)
        for prop in VPP_TOKEN.members
        if prop.compare is not Compare.NEVER
    }
    bare = VppTokenState(observed=observed, tenant_id=tenant_id, inputs=VppTokenArgs(**inputs), observed_at=observed_at)
    return observe(bare, observed, observed_at=observed_at)


def file_in_intune(state: VppTokenState) -> VppTokenArgs:
    """Return the inputs with the file that Intune has: the renewal guard compares a new file with it."""
    observed = state.observed
    return replace(state.inputs, token_file=mark_invalid(state.token_file or _unseen(observed), observed))


def _named(asked: TokenFile | Unknown | None, applied: TokenFile | None, observed: VppToken) -> TokenFile:
    """The file that the inputs name, or the one in Intune if that is newer: the next check compares with it."""
    held = applied or _unseen(observed)
    if not isinstance(asked, TokenFile) or not asked.seen:
        return held
    return held if times.earlier(asked.expiration_date_time, observed.expiration_date_time) else asked


@overload
def mark_invalid(token_file: TokenFile, observed: VppToken) -> TokenFile: ...
@overload
def mark_invalid(token_file: TokenFile | None, observed: VppToken) -> TokenFile | None: ...
def mark_invalid(token_file: TokenFile | None, observed: VppToken) -> TokenFile | None:
    """Return the file, marked if Intune calls its token `invalid`: the guard then accepts an older file."""
    if token_file is None:
        return None
    return replace(token_file, state=TokenState.INVALID.value if observed.state == TokenState.INVALID else None)


def _inputs(state: VppTokenState, observed: VppToken) -> VppTokenArgs:
    moved: dict[str, Any] = {}
    # v1.0 returns no beta members. On beta this flag is never null (CSDL), so any other null means a cleared member.
    shows_beta = observed.data_sharing_consent_granted is not None
    for prop in VPP_TOKEN.members:
        now, before = getattr(observed, prop.attribute), getattr(state.observed, prop.attribute)
        asked = getattr(state.inputs, prop.attribute)
        if prop.compare is Compare.NEVER or asked is None or (prop.beta_only and not shows_beta):
            continue
        # Graph may normalise a value that was sent: only a change since the last observation is drift.
        if not same(prop, now, before) and not same(prop, now, asked):
            moved[prop.attribute] = now
    return replace(state.inputs, **moved)


def _applied(applied: TokenFile | None, observed: VppToken) -> TokenFile | None:
    """The file applied last, or the marker for a file that was uploaded elsewhere.

    Only a later expiration shows such an upload: after a renewal, Graph may still show the earlier one for a while.
    """
    if applied is None:
        return None
    if times.earlier(applied.expiration_date_time, observed.expiration_date_time) or (
        not applied.seen and not _same_expiration(applied, observed)
    ):
        return _unseen(observed)
    return applied


def _unseen(observed: VppToken) -> TokenFile:
    return TokenFile(UNSEEN_FINGERPRINT, observed.expiration_date_time, observed.organization_name)


def _same_expiration(one: TokenFile, other: TokenFile | VppToken) -> bool:
    return times.same_second(one.expiration_date_time, other.expiration_date_time)
