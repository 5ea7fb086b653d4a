"""Turns what Graph shows now into the new state. Drift is what changed in Graph since the last state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, overload

from intune_vpp.core import identity, times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import Compare, Unknown, is_blank, same
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, VPP_TOKEN, TokenFile, VppToken, VppTokenArgs, VppTokenState

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_LAG = timedelta(minutes=5)
"""How long after a write an older answer counts as one of a lagging replica. After that, it counts as current."""


def observe(
    state: VppTokenState, observed: VppToken, *, observed_at: str, duplicates: tuple[str, ...] | None = None
) -> VppTokenState:
    """Return the state after a read. An input keeps the user's value unless Graph's value has changed.

    `duplicates` are the ids of the token's duplicates, None if no listing was read.
    """
    applied = _applied(state, observed)
    inputs = _inputs(state, observed)
    named = mark_invalid(_named(inputs.token_file, applied, observed), observed)
    if inputs != VppTokenArgs():
        # A resource that is only looked up (`.get`) has no inputs, and must not get any.
        inputs = replace(inputs, token=None if inputs.token is None else named.fingerprint, token_file=named)
    if duplicates is not None:
        state = replace(state, duplicate_token_ids=duplicates, look_for_duplicates=False)
    return replace(
        state,
        observed=observed,
        observed_at=observed_at,
        token_file=mark_invalid(applied, observed),
        shown_expiration=_shown_expiration(state, applied, observed),
        inputs=inputs,
    )


def must_be_confirmed(state: VppTokenState, listed: VppToken) -> bool:
    """Whether a listing shows drift, or leaves blank what the state has: either counts only if a GET shows it too.

    A listing may leave blank what a GET shows: Intune's listings of devices and apps do so with scope tags.
    """
    if _leaves_blank(listed, state.observed):
        return True
    located = listed.location_name == state.observed.location_name or state.inputs.expected_location_name is None
    return not located or observe(state, listed, observed_at=state.observed_at).inputs != state.inputs


def is_stale(state: VppTokenState, observed: VppToken, now: datetime) -> bool:
    """Whether a read soon after the last one shows an older token than the state: a replica of Graph may lag."""
    observed_at = times.parse(state.observed_at)
    # A time after now is that of another machine, whose clock is ahead.
    recent = observed_at is not None and timedelta() <= now - observed_at < LONGEST_LAG
    return recent and times.earlier(observed.last_modified_date_time, state.observed.last_modified_date_time)


def shows_other_members(answer: VppToken, listed: VppToken) -> bool:
    """Whether a listing after a write shows other members than Graph's answer to it, or leaves some blank."""
    return _leaves_blank(listed, answer) or any(
        not same(prop, getattr(listed, prop.attribute), getattr(answer, prop.attribute))
        for prop in VPP_TOKEN.members
        if prop.observed and prop.compare is not Compare.NEVER
    )


def _leaves_blank(listed: VppToken, shown: VppToken) -> bool:
    """Whether a listing leaves a member blank that Graph has shown for this token."""
    return any(
        is_blank(getattr(listed, prop.attribute)) and not is_blank(getattr(shown, prop.attribute))
        for prop in VPP_TOKEN.observed
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
    if applied is not None and applied.seen:
        return held if times.earlier(asked.expiration_date_time, applied.expiration_date_time) else asked
    here, there = asked.expiration_date_time, observed.expiration_date_time
    return held if times.earlier(here, there) and not identity.shows_expiration(there, here) else asked


@overload
def mark_invalid(token_file: TokenFile, observed: VppToken) -> TokenFile: ...
@overload
def mark_invalid(token_file: TokenFile | None, observed: VppToken) -> TokenFile | None: ...
def mark_invalid(token_file: TokenFile | None, observed: VppToken) -> TokenFile | None:
    """Return the file, marked if Intune calls its token `invalid`: the guard then accepts an older file."""
    state = TokenState.INVALID.value if observed.state == TokenState.INVALID else None
    return token_file if token_file is None or token_file.state == state else replace(token_file, state=state)


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
    return replace(state.inputs, **moved) if moved else state.inputs


def shown_after_upload(before: VppTokenState | None, observed: VppToken) -> str | None:
    """Return the expiration that Intune shows for a file just applied, None while it may be that of the one before."""
    shown = observed.expiration_date_time
    return None if before and times.same_second(before.observed.expiration_date_time, shown) else shown


def _applied(state: VppTokenState, observed: VppToken) -> TokenFile | None:
    """The file applied last, or the marker for a file that was uploaded elsewhere.

    Only a later expiration shows such an upload: after a renewal, Graph may still show the earlier one for a while.
    """
    applied = state.token_file
    if applied is None:
        return None
    before, now = applied.expiration_date_time, observed.expiration_date_time
    if not applied.seen:
        return applied if times.same_second(before, now) else _unseen(observed)
    if state.shown_expiration is None:
        # What Graph's answer to the upload showed may still be the expiration of the file before, a later one.
        again = times.same_second(state.observed.expiration_date_time, now)
        moved = not again and times.earlier(before, now, by=identity.LARGEST_SHIFT)
    else:
        moved = times.earlier(state.shown_expiration, now)
    return _unseen(observed) if moved else applied


def _shown_expiration(state: VppTokenState, applied: TokenFile | None, observed: VppToken) -> str | None:
    """What Intune shows as the expiration of the file applied last, None until it does."""
    if applied is None or not applied.seen:
        return None
    shown = observed.expiration_date_time
    stale = times.earlier(shown, applied.expiration_date_time, by=identity.LARGEST_SHIFT)
    return state.shown_expiration or (None if stale else shown)


def _unseen(observed: VppToken) -> TokenFile:
    return TokenFile(UNSEEN_FINGERPRINT, observed.expiration_date_time, observed.organization_name)
