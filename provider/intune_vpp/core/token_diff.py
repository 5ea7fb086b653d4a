"""What an update of a token would do: the file to apply, the members to change, and what is due for other reasons."""

from __future__ import annotations

from dataclasses import dataclass

from intune_vpp.core import identity, times
from intune_vpp.core.diff import Change, Plan, change_of
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import UNKNOWN, Compare, Kind, Property, Sent
from intune_vpp.core.vpp_token import VPP_TOKEN, TokenFile, VppToken, VppTokenArgs, VppTokenState

_CLAIM = VPP_TOKEN["claim_token_management_from_external_mdm"]
_CLAIMED, _UNSYNCED, _MISPLACED = (VPP_TOKEN[name].name for name in ("state", "sync_pending", "location_name"))
_UNREAD = VPP_TOKEN["expiration_date_time"].name


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlan(Plan):
    """What an update of a token would do."""

    @property
    def renews(self) -> bool:
        """Whether another token file is applied."""
        return any(one.property.kind is Kind.FINGERPRINT for one in self.changes)

    @property
    def claims(self) -> bool:
        """Whether the token's location is claimed from another MDM."""
        return _CLAIMED in self.pending

    @property
    def resyncs(self) -> bool:
        """Whether an unconfirmed sync is repeated."""
        return _UNSYNCED in self.pending

    @property
    def resends(self) -> bool:
        """Whether the file applied last is sent again, because Intune could not read it."""
        return _UNREAD in self.pending

    @property
    def misplaced(self) -> bool:
        """Whether the token is for another location than the program expects: the update fails, unless it renews."""
        return _MISPLACED in self.pending

    @property
    def members(self) -> tuple[str, ...]:
        """The attributes that a PATCH sends in addition to the token file."""
        changed = [one.property.attribute for one in self.changes if one.property in VPP_TOKEN.members]
        return (*changed, _CLAIM.attribute) if self.claims or self.renews else tuple(changed)


def plan(state: VppTokenState, args: VppTokenArgs) -> TokenPlan:
    """Plan the update of a token from its last state to the inputs of the program."""
    compared = [
        _file_change(state, args) if prop.kind is Kind.FINGERPRINT else _member_change(prop, state, args)
        for prop in VPP_TOKEN.inputs
    ]
    claims = args.claim_token_management_from_external_mdm is True and (
        state.observed.state == TokenState.ASSIGNED_TO_EXTERNAL_MDM
    )
    pending = {
        _CLAIMED: claims,
        _MISPLACED: is_misplaced(state.observed, args),
        _UNREAD: _is_unread(state, args),
        _UNSYNCED: state.sync_pending and args.wait_for_sync is not False,
    }
    return TokenPlan(changes=tuple(filter(None, compared)), pending=tuple(name for name, due in pending.items() if due))


def _member_change(prop: Property, state: VppTokenState, args: VppTokenArgs) -> Change | None:
    if prop.compare is Compare.NEVER:
        return None
    new: object = getattr(args, prop.attribute)
    # The old value is the program's last one or, if the program did not manage the member until now, Graph's.
    old: object = getattr(state.inputs, prop.attribute)
    if prop.sent is Sent.PROVIDER_ONLY:
        old, new = (prop.default if value is None else value for value in (old, new))
    elif new is None:
        # The program no longer manages this member, so Graph keeps its value.
        return None
    elif old is None:
        old = getattr(state.observed, prop.attribute)
    return change_of(prop, old, new)


def _is_unread(state: VppTokenState, args: VppTokenArgs) -> bool:
    """Whether Intune did not read the file that the program names and that was sent last.

    An interrupted run may have sent it in the wrong encoding: no encoding is proven, the token is invalid, and it does
    not show the expiration of the file.
    """
    file = state.token_file
    if file is None or not file.seen or file.fingerprint != args.token or state.token_encoding is not None:
        return False
    apart = times.between(file.expiration_date_time, state.observed.expiration_date_time)
    return state.observed.state == TokenState.INVALID and (apart is None or abs(apart) > identity.LARGEST_SHIFT)


def is_misplaced(observed: VppToken, args: VppTokenArgs) -> bool:
    """Whether Intune shows another location than the program expects."""
    return isinstance(args.expected_location_name, str) and is_other(
        observed.location_name, args.expected_location_name
    )


def is_other(location: str | None, expected: str) -> bool:
    """Whether a location that Intune shows is another one than expected; None is one that it does not show yet."""
    # Check removes the blanks around an input, so those around Apple's name cannot count.
    return location is not None and location.strip() != expected.strip()


def counts_as_applied(observed: VppToken, token_file: TokenFile | None) -> bool:
    """Whether Intune is assumed to have this file already, although this provider did not upload it.

    The evidence is the expiration (`core/identity.py`). It does not count for a token that Apple refuses: that may
    need the same file again. It counts for an expired token, because uploading an expired file again does not help.
    """
    return (
        token_file is not None
        and observed.state in {TokenState.VALID, TokenState.EXPIRED}
        and identity.shows_expiration(observed.expiration_date_time, token_file.expiration_date_time)
    )


def _file_change(state: VppTokenState, args: VppTokenArgs) -> Change | None:
    applied = state.token_file
    new, new_file = args.token, args.token_file
    old = applied.fingerprint if applied else None
    if new is UNKNOWN:
        return Change(VPP_TOKEN["token"], old, new)
    if new is None or new == old or not isinstance(new_file, TokenFile) or not new_file.seen:
        return None
    if (applied is None or not applied.seen) and counts_as_applied(state.observed, new_file):
        return None
    return Change(VPP_TOKEN["token"], old, new)
