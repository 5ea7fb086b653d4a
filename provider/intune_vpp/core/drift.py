"""What a fresh look at Graph makes of the last state: drift is what moved since the provider looked last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from intune_vpp.core import times
from intune_vpp.core.model import (
    MEMBERS,
    UNSEEN_FINGERPRINT,
    Compare,
    TokenFile,
    TokenState,
    VppToken,
    VppTokenArgs,
    VppTokenState,
    same,
)


def observe(state: VppTokenState, observed: VppToken, *, observed_at: str) -> VppTokenState:
    """The state after a read: the inputs are the user's own wherever Graph says what it said before."""
    token_file = _applied(state.token_file, observed)
    inputs = _inputs(state, observed)
    if inputs.token is not None:
        shown = token_file if token_file and not token_file.seen else inputs.token_file
        if isinstance(shown, TokenFile):
            invalid = observed.state == TokenState.INVALID
            shown = replace(shown, state=TokenState.INVALID.value if invalid else None)
            inputs = replace(inputs, token=shown.fingerprint, token_file=shown)
    return replace(state, observed=observed, observed_at=observed_at, token_file=token_file, inputs=inputs)


def _inputs(state: VppTokenState, observed: VppToken) -> VppTokenArgs:
    moved: dict[str, Any] = {}
    for prop in MEMBERS:
        now, before = getattr(observed, prop.attribute), getattr(state.observed, prop.attribute)
        managed = getattr(state.inputs, prop.attribute) is not None
        if managed and prop.compare is not Compare.NEVER and now is not None and not same(prop, now, before):
            moved[prop.attribute] = now
    return replace(state.inputs, **moved)


def _applied(applied: TokenFile | None, observed: VppToken) -> TokenFile | None:
    """The file applied last, or the mark of one that came to Intune by another way.

    Only a later expiration tells of one: an earlier one is what Graph still shows for a while after a renewal.
    """
    if applied is None:
        return None
    if times.earlier(applied.expiration_date_time, observed.expiration_date_time) or (
        not applied.seen and not times.same_second(applied.expiration_date_time, observed.expiration_date_time)
    ):
        return TokenFile(UNSEEN_FINGERPRINT, observed.expiration_date_time, observed.organization_name)
    return applied
