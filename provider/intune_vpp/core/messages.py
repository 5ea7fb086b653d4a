"""Describes plans, operations and drift, each in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.core import times
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC
from intune_vpp.core.printable import look_alike
from intune_vpp.core.resource_type import UNKNOWN, Kind, Sent
from intune_vpp.core.vpp_token import TokenFile

if TYPE_CHECKING:
    from intune_vpp.core.diff import Plan
    from intune_vpp.core.operations import Operation
    from intune_vpp.core.resource_type import Property
    from intune_vpp.core.token_diff import TokenPlan
    from intune_vpp.core.vpp_token import VppToken, VppTokenArgs, VppTokenState

_SHORT_FINGERPRINT = len("sha256:") + 8

_OPERATIONS = {
    LICENSE_SYNC.name: "Syncs the licences of {}",
    LICENSE_REVOCATION.name: "Revokes all licences of {}",
    LICENSE_COUNT_SYNC.name: "Counts the licences of all tokens",
}


def resource(urn: str) -> str:
    """Return words for the resource with this URN: its name in the program."""
    return f'the resource "{urn.rpartition("::")[2]}"'


def of(plan: TokenPlan, state: VppTokenState, args: VppTokenArgs) -> str | None:
    """Describe what the plan changes and what it keeps; None for an empty plan."""
    label = state.observed.label
    steps = []
    if plan.renews:
        new = args.token_file.expiration_date_time if isinstance(args.token_file, TokenFile) else None
        after = times.day(new) if new else "the date in the file"
        steps.append(f"renews {label} in place (expires {times.day(state.observed.expiration_date_time)} → {after})")
    changed = [
        c.property.name
        for c in plan.changes
        if c.property.sent is Sent.MEMBER and c.property.kind is not Kind.FINGERPRINT
    ]
    if changed:
        steps.append(f"changes {', '.join(changed)}" if steps else f"changes {', '.join(changed)} of {label} in place")
    if plan.claims:
        steps.append(f"claims the location of {label} from another MDM")
    alike = ""
    if plan.misplaced:
        steps.append(_misplaced(plan, state, args))
        alike = look_alike(str(state.observed.location_name), str(args.expected_location_name))
    if plan.resends:
        steps.append(f"sends the token file of {label} again, because Intune could not read it")
    if plan.resyncs and not (plan.renews or plan.resends):
        steps.append(f"syncs {label} again (the previous sync was not confirmed)")
    if not steps:
        settings = ", ".join(change.property.name for change in plan.changes)
        return f"Changes {settings} of {label} in the state only, without a request." if settings else None
    sentence = f"{'; '.join(steps)}; {_kept(plan, state, args)}.{alike}"
    return sentence[0].upper() + sentence[1:]


def _kept(plan: TokenPlan, state: VppTokenState, args: VppTokenArgs) -> str:
    """What an update keeps. A file does not name its location, and nobody says what a move does to the apps."""
    if not plan.renews or args.expected_location_name == state.observed.location_name is not None:
        # A file of another location than expected fails the update.
        return "id and apps are kept"
    return "id is kept" if plan.misplaced else "id is kept, and the apps if the file is for the same location"


def moved(before: VppToken, after: VppToken) -> str | None:
    """Describe a renewal that has moved a token to another location; None if it has not, or Intune does not show it."""
    if None in {before.location_name, after.location_name} or before.location_name == after.location_name:
        return None
    return f'{after.label} was for the location "{before.location_name}" and is now for "{after.location_name}".'


def _misplaced(plan: TokenPlan, state: VppTokenState, args: VppTokenArgs) -> str:
    there, expected = f'"{state.observed.location_name}"', f'"{args.expected_location_name}"'
    if plan.renews:
        # The file may be for the expected location: it does not name its location, so Check cannot know.
        return f"fails unless the file is for the location {expected} (now {there})"
    return f"fails: {state.observed.label} is for the location {there}, but {expected} is expected"


def arrival(args: VppTokenArgs, *, shared: bool = False) -> str | None:
    """Describe how a new resource gets its token; None if only the update will know. `shared` as in `new_token`."""
    if isinstance(args.adopt_token_id, str):
        adopts = f"Adopts token {args.adopt_token_id}; nothing is created."
        if not isinstance(args.token_file, TokenFile):
            return adopts
        until = times.day(args.token_file.expiration_date_time)
        renews = f"Its file (valid until {until}) renews the token if it is newer than the one in Intune"
        return f"{adopts} {renews}; an older one is refused."
    file = args.token_file
    if args.adopt_token_id is UNKNOWN or not isinstance(file, TokenFile):
        return None
    until = times.day(file.expiration_date_time)
    name = new_token(args, file, shared=shared)
    return f"Creates {name} (valid until {until}), or adopts the token already created from this file."


def new_token(args: VppTokenArgs, file: TokenFile, *, shared: bool = False) -> str:
    """Return the name of a token with a new file for messages.

    The file tells tokens apart that have a name in common: that of their organization, or a `shared` display name.
    """
    if isinstance(args.display_name, str) and not shared:
        return args.display_name
    name = args.display_name if isinstance(args.display_name, str) else file.organization_name
    return f"{name} (file {file.fingerprint[:_SHORT_FINGERPRINT]}…)"


def operation(what: Operation, label: str) -> str:
    """Describe what an operation does to the token with this label."""
    return f"{_OPERATIONS[what.name].format(label)}."


def once_more(what: Operation, label: str) -> str:
    """Describe how an operation continues whose end was not confirmed."""
    if what is LICENSE_SYNC:
        return f"Syncs the licences of {label} again (the previous sync was not confirmed)."
    return f"Continues waiting for the revocation of the licences of {label}."


def drifted(plan: TokenPlan, state: VppTokenState) -> str | None:
    """Describe what a refresh found, given the state that it has read and the plan from it to the inputs."""
    label = state.observed.label
    changed = ", ".join(change.property.name for change in plan.changes if change.property.kind is not Kind.FINGERPRINT)
    found = [f"{label} was changed outside of Pulumi: {changed}"] if changed else []
    if plan.renews:
        expiration = times.day(state.observed.expiration_date_time)
        found.append(f"{label} was renewed outside of Pulumi: it now expires on {expiration}")
    return f"{'; '.join(found)}." if found else None


def not_taken(prop: Property, *, asked: object, kept: object, label: str) -> str:
    """Return the warning that Intune shows another value than the one that was sent."""
    what = f"Intune shows {prop.name} {_shown(kept)} for {label}, not {_shown(asked)} as requested."
    return what + look_alike(str(kept), str(asked))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f'"{value}"'


def one_way(plan: Plan, label: str) -> str | None:
    """Return the warning that a planned change may be irreversible; Microsoft does not document whether it is."""
    if all(change.property.attribute != "apple_device_app_delivery_protocol_type" for change in plan.changes):
        return None
    return (
        f"Changing appleDeviceAppDeliveryProtocolType of {label} may be irreversible: Intune does not allow switching "
        "back for individual apps."
    )
