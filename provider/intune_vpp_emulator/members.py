"""The members of a vppToken as the two versions of Graph publish them, and what each accepts.

Names, types and nullability are those of the published CSDL: v1.0 of 2026-08, beta of 2026-07.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from .refusals import bad_request

Members = Mapping[str, Any]

_TYPE: Final = "#microsoft.graph.vppToken"
UNSYNCED: Final = "0001-01-01T00:00:00Z"  # a guess: unsynced-date


class Version(StrEnum):
    """A version of Graph."""

    V1 = "v1.0"
    BETA = "beta"


class State(StrEnum):
    """vppTokenState."""

    UNKNOWN = "unknown"
    VALID = "valid"
    EXPIRED = "expired"
    INVALID = "invalid"
    ASSIGNED_TO_EXTERNAL_MDM = "assignedToExternalMDM"
    DUPLICATE_LOCATION_ID = "duplicateLocationId"


SOUND: Final = frozenset({State.VALID, State.UNKNOWN})
"""The states in which a token can be synced."""


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _one_of(*names: str) -> Callable[[object], bool]:
    return lambda value: value in names


def _anything(_value: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its EDM type, what it is before it is set, and who may send it."""

    edm_type: str
    default: Any = None
    fits: Callable[[object], bool] = _is_text
    beta_only: bool = False
    read_only: bool = False


# In alphabetical order, which is the order of Graph's answers.
MEMBERS: Final[dict[str, Member]] = {
    "appleDeviceAppDeliveryProtocolType": Member(
        "microsoft.graph.appleDeviceDeliveryProtocol",
        "default",
        _one_of("default", "mobileDeviceManagement", "declarativeDeviceManagement"),
        beta_only=True,
    ),
    "appleId": Member("Edm.String"),
    "automaticallyUpdateApps": Member("Edm.Boolean", default=False, fits=_is_boolean),
    "claimTokenManagementFromExternalMdm": Member("Edm.Boolean", default=False, fits=_is_boolean, beta_only=True),
    "countryOrRegion": Member("Edm.String"),
    "dataSharingConsentGranted": Member("Edm.Boolean", default=False, fits=_is_boolean, beta_only=True),
    "displayName": Member("Edm.String", beta_only=True),
    "expirationDateTime": Member("Edm.DateTimeOffset", UNSYNCED, _anything, read_only=True),
    "id": Member("Edm.String", fits=_anything, read_only=True),
    "lastModifiedDateTime": Member("Edm.DateTimeOffset", UNSYNCED, _anything, read_only=True),
    "lastSyncDateTime": Member("Edm.DateTimeOffset", UNSYNCED, _anything, read_only=True),
    "lastSyncStatus": Member("microsoft.graph.vppTokenSyncStatus", "none", _anything, read_only=True),
    "locationName": Member("Edm.String", fits=_anything, beta_only=True, read_only=True),
    "organizationName": Member("Edm.String"),
    "roleScopeTagIds": Member("Collection(Edm.String)", fits=_is_texts, beta_only=True),
    "state": Member("microsoft.graph.vppTokenState", State.UNKNOWN.value, _anything, read_only=True),
    "token": Member("Edm.String"),
    "tokenActionResults": Member(
        "Collection(microsoft.graph.vppTokenActionResult)", fits=_anything, beta_only=True, read_only=True
    ),
    "vppTokenAccountType": Member("microsoft.graph.vppTokenAccountType", "business", _one_of("business", "education")),
}


def published(version: Version) -> dict[str, Member]:
    """The members that this version knows."""
    return {name: member for name, member in MEMBERS.items() if version is Version.BETA or not member.beta_only}


def defaults() -> dict[str, Any]:
    """A vppToken of which nothing was set."""
    unset = {name: member.default for name, member in MEMBERS.items()}
    return unset | {"roleScopeTagIds": ["0"], "tokenActionResults": []}


def seen_through(version: Version, members: Members) -> dict[str, Any]:
    """The members as this version answers them."""
    shown = {name: members[name] for name in published(version)}
    if version is Version.V1 and shown["state"] == State.DUPLICATE_LOCATION_ID:
        shown["state"] = State.UNKNOWN.value  # a guess: v1-duplicate
    return shown


def accepted(version: Version, body: Members) -> dict[str, Any]:
    """What of a request's body is written; raises GatewayRefusal as OData does."""
    known = published(version)
    if body.get("@odata.type", _TYPE) != _TYPE:
        raise bad_request(f"The type '{body['@odata.type']}' is not assignable to 'microsoft.graph.vppToken'.")
    sent = {name: value for name, value in body.items() if not name.startswith("@odata.")}
    for name, value in sent.items():
        _check(name, value, known)
    # a guess: read-only-ignored
    return {name: _stored(name, value) for name, value in sent.items() if not known[name].read_only}


def _check(name: str, value: object, known: Mapping[str, Member]) -> None:
    if name not in known:
        raise bad_request(
            f"The property '{name}' does not exist on type 'microsoft.graph.vppToken'. Make sure to only use property "
            "names that are defined by the type."
        )
    if not known[name].fits(value):
        # a guess: null-account-type
        raise bad_request(f"Cannot convert the value of '{name}' to the expected type '{known[name].edm_type}'.")


def _stored(name: str, value: Any) -> Any:
    if name == "countryOrRegion" and value is not None:
        return value.lower()  # A live GET of 2026-07-17 answers "gb".
    if name == "roleScopeTagIds" and value is None:
        return ["0"]
    return value  # a guess: claim-echo
