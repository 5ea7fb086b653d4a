"""What a fresh look at Graph makes of the last state: drift is what moved since the provider looked last."""

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
    """The state after a read: the inputs are the user's own wherever Graph says what it said before.

    `duplicates` are the ids of the token's duplicates, None where no listing was at hand.
    """
    applied = _applied(state.token_file, observed)
    inputs = _inputs(state, observed)
    named = mark_invalid(_named(inputs.token_file, applied, observed), observed)
    if inputs != VppTokenArgs():
        # A resource that is only looked up has no inputs, and gets none.
        inputs = replace(inputs, token=None if inputs.token is None else named.fingerprint, token_file=named)
    if duplicates is not None:
        state = replace(state, duplicate_token_ids=duplicates, look_for_duplicates=False)
    return replace(
        state, observed=observed, observed_at=observed_at, token_file=mark_invalid(applied, observed), inputs=inputs
    )


def imported(observed: VppToken, *, tenant_id: str, observed_at: str) -> VppTokenState:
    """The state of a token met for the first time: every member that can be managed is, as Graph reports it."""
    inputs = {
        prop.attribute: getattr(observed, prop.attribute)
        for prop in VPP_TOKEN.members
        if prop.compare is not Compare.NEVER
    }
    bare = VppTokenState(observed=observed, tenant_id=tenant_id, inputs=VppTokenArgs(**inputs), observed_at=observed_at)
    return observe(bare, observed, observed_at=observed_at)


def file_in_intune(state: VppTokenState) -> VppTokenArgs:
    """The inputs with what Intune holds as their file: what the guard measures a new file against."""
    observed = state.observed
    return replace(state.inputs, token_file=mark_invalid(state.token_file or _unseen(observed), observed))


def _named(asked: TokenFile | Unknown | None, applied: TokenFile | None, observed: VppToken) -> TokenFile:
    """The file that the inputs name, unless Intune holds a newer one: the next check is told what it holds."""
    held = applied or _unseen(observed)
    if not isinstance(asked, TokenFile) or not asked.seen:
        return held
    return held if times.earlier(asked.expiration_date_time, observed.expiration_date_time) else asked


@overload
def mark_invalid(token_file: TokenFile, observed: VppToken) -> TokenFile: ...
@overload
def mark_invalid(token_file: TokenFile | None, observed: VppToken) -> TokenFile | None: ...
def mark_invalid(token_file: TokenFile | None, observed: VppToken) -> TokenFile | None:
    """The file with the mark that Intune calls its token invalid: the guard then lets an older file pass."""
    if token_file is None:
        return None
    return replace(token_file, state=TokenState.INVALID.value if observed.state == TokenState.INVALID else None)


def _inputs(state: VppTokenState, observed: VppToken) -> VppTokenArgs:
    moved: dict[str, Any] = {}
    # v1.0 shows no beta member at all; on beta this flag is never null (CSDL), so there null means emptied by hand.
    shows_beta = observed.data_sharing_consent_granted is not None
    for prop in VPP_TOKEN.members:
        now, before = getattr(observed, prop.attribute), getattr(state.observed, prop.attribute)
        asked = getattr(state.inputs, prop.attribute)
        if prop.compare is Compare.NEVER or asked is None or (prop.beta_only and not shows_beta):
            continue
        if not same(prop, now, before) and not same(prop, now, asked):
            moved[prop.attribute] = now
    return replace(state.inputs, **moved)


def _applied(applied: TokenFile | None, observed: VppToken) -> TokenFile | None:
    """The file applied last, or the mark of one that came to Intune by another way.

    Only a later expiration tells of one: an earlier one is what Graph still shows for a while after a renewal.
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
