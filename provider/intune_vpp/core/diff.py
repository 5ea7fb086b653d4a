"""Plans an update: compares the desired inputs with the last state, by each property's compare rule.

It refuses nothing, because a refresh calls Diff the other way round: the state it has just read is the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import UNKNOWN, Compare, Kind, Property, Sent, same
from intune_vpp.core.vpp_token import VPP_TOKEN, TokenFile, VppToken, VppTokenArgs, VppTokenState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from intune_vpp.core.operations import Operation


@dataclass(frozen=True, slots=True)
class Change:
    """One input that would change."""

    property: Property
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an update of any type of resource would do; false if there is nothing to do.

    `replaces` names the inputs whose change requires another resource. `pending` names the outputs that make an update
    due although no input changed: an unconfirmed operation or sync, or a location to claim or to refuse.
    """

    changes: tuple[Change, ...] = ()
    replaces: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.pending)

    def without(self, ignored: Iterable[str]) -> Plan:
        """Return the plan without the changes of these properties; of a path, only the first part counts."""
        names = {path.partition(".")[0].partition("[")[0] for path in ignored}
        return replace(
            self,
            changes=tuple(change for change in self.changes if change.property.name not in names),
            replaces=tuple(name for name in self.replaces if name not in names),
        )

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the inputs that change."""
        return tuple(change.property.name for change in self.changes)

    @property
    def runs(self) -> bool:
        """Whether an operation runs again."""
        return _TRIGGERS in self.changed

    @property
    def renews(self) -> bool:
        """Whether another token file is applied."""
        return any(change.property.kind is Kind.FINGERPRINT for change in self.changes)

    @property
    def claims(self) -> bool:
        """Whether the token's location is claimed from another MDM."""
        return _CLAIMED in self.pending

    @property
    def resyncs(self) -> bool:
        """Whether an unconfirmed sync is repeated."""
        return _UNSYNCED in self.pending

    @property
    def misplaced(self) -> bool:
        """Whether the token is for another location than the program expects: the update fails, unless it renews."""
        return _MISPLACED in self.pending

    @property
    def members(self) -> tuple[str, ...]:
        """The attributes that a PATCH sends in addition to the token file."""
        changed = [change.property.attribute for change in self.changes if change.property in VPP_TOKEN.members]
        return (*changed, _CLAIM.attribute) if self.claims or self.renews else tuple(changed)


_CLAIM = VPP_TOKEN["claim_token_management_from_external_mdm"]
_CLAIMED, _UNSYNCED, _MISPLACED = (VPP_TOKEN[name].name for name in ("state", "sync_pending", "location_name"))
_TARGET, _TRIGGERS = "vppTokenId", "triggers"


def plan(state: VppTokenState, args: VppTokenArgs) -> Plan:
    """Plan the update of a token from its last state to the inputs of the program."""
    changes = [
        change
        for prop in VPP_TOKEN.inputs
        if (
            change := _token_change(state, args) if prop.kind is Kind.FINGERPRINT else _member_change(prop, state, args)
        )
    ]
    claims = args.claim_token_management_from_external_mdm is True and (
        state.observed.state == TokenState.ASSIGNED_TO_EXTERNAL_MDM
    )
    pending = {
        _CLAIMED: claims,
        _MISPLACED: is_misplaced(state.observed, args),
        _UNSYNCED: state.sync_pending and args.wait_for_sync is not False,
    }
    return Plan(changes=tuple(changes), pending=tuple(name for name, due in pending.items() if due))


def plan_operation(operation: Operation, before: Mapping[str, Any], inputs: Mapping[str, Any]) -> Plan:
    """Plan the update of an operation from its last outputs, `before`, to `inputs`."""
    compared = [(prop, before.get(prop.name), inputs.get(prop.name)) for prop in operation.inputs]
    changes = tuple(change for one in compared if (change := _change(*one)))
    # An unknown id replaces nothing. The engine plans with an unknown id whatever depends on a token that it replaces,
    # but the provider keeps the token. Once the id is known, the engine asks again.
    replaces = tuple(
        change.property.name for change in changes if change.property.name == _TARGET and change.new is not UNKNOWN
    )
    progress = (operation.progress,) if operation.progress and operation.pending(before) else ()
    return Plan(changes=changes, replaces=replaces, pending=progress)


def _change(prop: Property, old: object, new: object) -> Change | None:
    """Return the change of an input, None if its compare rule finds none. An unknown value counts as a change."""
    return None if same(prop, old, new) else Change(prop, old, new)


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
    return _change(prop, old, new)


def is_misplaced(observed: VppToken, args: VppTokenArgs) -> bool:
    """Whether Intune shows another location than the program expects."""
    expected, location = args.expected_location_name, observed.location_name
    # Check takes the blanks around an input away, so those in Apple's name cannot count.
    return isinstance(expected, str) and location is not None and location.strip() != expected.strip()


def counts_as_applied(observed: VppToken, token_file: TokenFile | None) -> bool:
    """Whether Intune is assumed to have this file already, although this provider did not upload it.

    The evidence is an equal expiration (`core/identity.py`). It does not count for a token that Apple refuses: that may
    need the same file again. It counts for an expired token, because uploading an expired file again does not help.
    """
    return (
        token_file is not None
        and observed.state in {TokenState.VALID, TokenState.EXPIRED}
        and times.same_second(observed.expiration_date_time, token_file.expiration_date_time)
    )


def _token_change(state: VppTokenState, args: VppTokenArgs) -> Change | None:
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
