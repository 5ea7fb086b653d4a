"""What an update would do: the desired inputs against the last state, by each property's compare rule.

Nothing is refused here: refresh asks this question the other way round, with the state it has just read as the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from intune_vpp.core import times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.model import (
    BY_ATTRIBUTE,
    INPUTS,
    UNKNOWN,
    Compare,
    Kind,
    Property,
    Sent,
    TokenFile,
    VppToken,
    VppTokenArgs,
    VppTokenState,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Change:
    """One property that would be another one afterwards."""

    property: Property
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an update would do; empty where nothing is to be done.

    `claims` takes the location from another MDM, `resyncs` repeats a sync that has not been confirmed, `misplaced`
    says that the token is another location's than the program expects: no request cures it, but every update fails.
    """

    changes: tuple[Change, ...] = ()
    claims: bool = False
    resyncs: bool = False
    misplaced: bool = False

    def __bool__(self) -> bool:
        return bool(self.changes) or self.claims or self.resyncs or self.misplaced

    def without(self, ignored: Iterable[str]) -> Plan:
        """The plan but for properties that are to be ignored, named as in the state (a path counts by its head)."""
        names = {path.partition(".")[0].partition("[")[0] for path in ignored}
        return replace(self, changes=tuple(one for one in self.changes if one.property.name not in names))

    @property
    def renews(self) -> bool:
        """Whether another token file is applied."""
        return any(change.property.kind is Kind.FINGERPRINT for change in self.changes)

    @property
    def members(self) -> tuple[str, ...]:
        """The attributes a PATCH carries, beside the token file itself."""
        changed = [
            change.property.attribute
            for change in self.changes
            if change.property.sent is Sent.MEMBER and change.property.kind is not Kind.FINGERPRINT
        ]
        return (*changed, _CLAIM.attribute) if self.claims or self.renews else tuple(changed)


_TOKEN = BY_ATTRIBUTE["token"]
_CLAIM = BY_ATTRIBUTE["claim_token_management_from_external_mdm"]


def plan(state: VppTokenState, args: VppTokenArgs) -> Plan:
    """What it takes to get from the last state to what the program asks for."""
    changes = [change for prop in INPUTS if (change := _change(prop, state, args))]
    claims = args.claim_token_management_from_external_mdm is True and (
        state.observed.state == TokenState.ASSIGNED_TO_EXTERNAL_MDM
    )
    resyncs = state.sync_pending and args.wait_for_sync is not False
    misplaced = is_misplaced(state.observed, args)
    return Plan(changes=tuple(changes), claims=claims, resyncs=resyncs, misplaced=misplaced)


def is_misplaced(observed: VppToken, args: VppTokenArgs) -> bool:
    """Whether Intune names another location than the program expects."""
    expected = args.expected_location_name
    return isinstance(expected, str) and observed.location_name not in {None, expected}


def counts_as_applied(observed: VppToken, token_file: TokenFile | None) -> bool:
    """Whether Intune can be taken to hold this file already, though this provider did not put it there.

    Graph never shows the token again: the expiration, to the second, is the only witness, and no witness for a token
    that Apple refuses; an expired one is none the better for being sent again.
    """
    return (
        token_file is not None
        and observed.state in {TokenState.VALID, TokenState.EXPIRED}
        and times.same_second(observed.expiration_date_time, token_file.expiration_date_time)
    )


def _change(prop: Property, state: VppTokenState, args: VppTokenArgs) -> Change | None:
    if prop.kind is Kind.FINGERPRINT:
        return _token_change(state, args)
    if prop.compare is Compare.NEVER:
        return None
    new, old = getattr(args, prop.attribute), _before(prop, state)
    if new is None:
        # What Graph knows is no longer managed; what only the provider knows is as if it had never been asked.
        new = old if prop.sent is Sent.MEMBER else prop.default
    return None if new is not UNKNOWN and same(prop, old, new) else Change(prop, old, new)


def _before(prop: Property, state: VppTokenState) -> object:
    """What the property was: as asked for last, or as Graph reports it where it was not managed until now."""
    asked: object = getattr(state.inputs, prop.attribute)
    if asked is not None:
        return asked
    return prop.default if prop.sent is Sent.PROVIDER_ONLY else getattr(state.observed, prop.attribute)


def _token_change(state: VppTokenState, args: VppTokenArgs) -> Change | None:
    applied = state.token_file
    new, new_file = args.token, args.token_file
    old = applied.fingerprint if applied else None
    if new is UNKNOWN:
        return Change(_TOKEN, old, new)
    if new is None or new == old or not isinstance(new_file, TokenFile) or not new_file.seen:
        return None
    if (applied is None or not applied.seen) and counts_as_applied(state.observed, new_file):
        return None
    return Change(_TOKEN, old, new)
