"""The members of a vppToken as the two versions of Graph publish them, and what each accepts.

Names, types and nullability are those of the published CSDL: v1.0 of 2026-08, beta of 2026-07.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from . import edm
from .edm import BOOLEAN, DATE, STRING
from .refusals import bad_request

Members = Mapping[str, Any]

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


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its type, its value before it is set, and who may send it."""

    edm_type: str = STRING
    default: Any = None
    beta_only: bool = False
    read_only: bool = False

    @property
    def nullable(self) -> bool:
        """Whether null is one of its values: the CSDL has `Nullable="false"` for all but texts and collections."""
        return self.edm_type == STRING or self.edm_type.startswith("Collection(")

    def fits(self, value: object) -> bool:
        """Whether a JSON value is of its type."""
        return self.nullable if value is None else edm.fits(value, self.edm_type)


# In alphabetical order, which is the order of Graph's answers.
MEMBERS: Final[dict[str, Member]] = {
    "appleDeviceAppDeliveryProtocolType": Member("appleDeviceDeliveryProtocol", "default", beta_only=True),
    "appleId": Member(),
    "automaticallyUpdateApps": Member(BOOLEAN, default=False),
    "claimTokenManagementFromExternalMdm": Member(BOOLEAN, default=False, beta_only=True),
    "countryOrRegion": Member(),
    "dataSharingConsentGranted": Member(BOOLEAN, default=False, beta_only=True),
    "displayName": Member(beta_only=True),
    "expirationDateTime": Member(DATE, UNSYNCED, read_only=True),
    "id": Member(read_only=True),
    "lastModifiedDateTime": Member(DATE, UNSYNCED, read_only=True),
    "lastSyncDateTime": Member(DATE, UNSYNCED, read_only=True),
    "lastSyncStatus": Member("vppTokenSyncStatus", "none", read_only=True),
    "locationName": Member(beta_only=True, read_only=True),
    "organizationName": Member(),
    "roleScopeTagIds": Member("Collection(Edm.String)", beta_only=True),
    "state": Member("vppTokenState", State.UNKNOWN.value, read_only=True),
    "token": Member(),
    "tokenActionResults": Member("Collection(vppTokenActionResult)", beta_only=True, read_only=True),
    "vppTokenAccountType": Member("vppTokenAccountType", "business"),
}


def published(version: Version) -> dict[str, Member]:
    """The members that this version has."""
    return {name: member for name, member in MEMBERS.items() if version is Version.BETA or not member.beta_only}


def entity_type(version: Version) -> edm.EntityType:
    """The type of vppTokens in this version."""
    return edm.EntityType("vppToken", {name: member.edm_type for name, member in published(version).items()})


def defaults() -> dict[str, Any]:
    """A vppToken of which nothing was set."""
    unset = {name: member.default for name, member in MEMBERS.items()}
    return unset | {"roleScopeTagIds": ["0"], "tokenActionResults": []}


def blank(name: str) -> Any:
    """The value of a member that a LIST does not fill in."""
    return [] if MEMBERS[name].edm_type.startswith("Collection(") else MEMBERS[name].default


def as_answered(version: Version, members: Members) -> dict[str, Any]:
    """The members as this version answers them."""
    shown = {name: members[name] for name in published(version)}
    if version is Version.V1 and shown["state"] == State.DUPLICATE_LOCATION_ID:
        shown["state"] = State.UNKNOWN.value  # a guess: v1-duplicate
    return shown


def accepted(version: Version, body: Members) -> dict[str, Any]:
    """The members of a request's body that are written; raises GatewayRefusal as OData does."""
    sent = _without_annotations(body)
    for name, value in sent.items():
        check(name, value, version)
    # a guess: read-only-ignored
    return {name: _stored(name, value) for name, value in sent.items() if not MEMBERS[name].read_only}


def check(name: str, value: object, version: Version = Version.BETA) -> None:
    """Whether a member may have this value; raises GatewayRefusal as OData does."""
    if name not in published(version):
        raise bad_request(
            f"The property '{name}' does not exist on type 'microsoft.graph.vppToken'. Make sure to only use property "
            "names that are defined by the type."
        )
    if not MEMBERS[name].fits(value):
        # a guess: null-account-type
        raise bad_request(
            f"Cannot convert the value of '{name}' to the expected type '{edm.qualified(MEMBERS[name].edm_type)}'."
        )


def _without_annotations(body: Members) -> Members:
    declared = body.get("@odata.type", "vppToken")
    if not isinstance(declared, str) or edm.unqualified(declared) != "vppToken":
        raise bad_request(f"The type '{declared}' is not assignable to 'microsoft.graph.vppToken'.")
    return {name: value for name, value in body.items() if "@" not in name}


def _stored(name: str, value: Any) -> Any:
    if name == "countryOrRegion" and value is not None:
        return value.lower()  # A live GET of 2026-07-17 answers "gb".
    if name == "roleScopeTagIds" and value is None:
        return ["0"]
    return value  # a guess: claim-echo
