"""The part of OData's type system that vppTokens and mobileApps use, and whether a JSON value is of a type.

Types, members and enumerations are those of the published CSDL (v1.0 of 2026-08, beta of 2026-07, complex types of beta
of 2022-06).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STRING: Final = "Edm.String"
BOOLEAN: Final = "Edm.Boolean"
INT32: Final = "Edm.Int32"
DATE: Final = "Edm.DateTimeOffset"
NUMBER: Final = "Edm.Double"  # no member has it; literals in a $filter do

_NAMESPACE: Final = re.compile(r"^(?:#?microsoft\.)?graph\.")
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)
_TICKS_A_SECOND: Final = 10_000_000

ENUMERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "actionState": ("none", "pending", "canceled", "active", "done", "failed", "notSupported"),
    "appleDeviceDeliveryProtocol": ("default", "mobileDeviceManagement", "declarativeDeviceManagement"),
    "mobileAppPublishingState": ("notPublished", "processing", "published"),
    "vppTokenAccountType": ("business", "education"),
    "vppTokenActionFailureReason": (
        "none",
        "appleFailure",
        "internalError",
        "expiredVppToken",
        "expiredApplePushNotificationCertificate",
    ),
    "vppTokenState": ("unknown", "valid", "expired", "invalid", "assignedToExternalMDM", "duplicateLocationId"),
    "vppTokenSyncStatus": ("none", "inProgress", "completed", "failed"),
}
_RESULT: Final = {
    "actionName": STRING,
    "actionState": "actionState",
    "startDateTime": DATE,
    "lastUpdatedDateTime": DATE,
}
COMPLEX_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "iosDeviceType": {"iPad": BOOLEAN, "iPhoneAndIPod": BOOLEAN},
    "mimeContent": {"type": STRING, "value": "Edm.Binary"},
    "vppLicensingType": {"supportsDeviceLicensing": BOOLEAN, "supportsUserLicensing": BOOLEAN},
    "vppTokenActionResult": _RESULT,
    "vppTokenRevokeLicensesActionResult": _RESULT
    | {
        "actionFailureReason": "vppTokenActionFailureReason",
        "failedLicensesCount": INT32,
        "totalLicensesCount": INT32,
    },
}
"""Of their members only the texts may be null."""


def unqualified(name: str) -> str:
    """A name of Graph's namespace without it: `#microsoft.graph.vppToken`, `graph.vppToken` -> `vppToken`."""
    return _NAMESPACE.sub("", name)


def qualified(edm_type: str) -> str:
    """A type with its namespace: `vppTokenState` -> `microsoft.graph.vppTokenState`."""
    if edm_type.startswith("Collection("):
        return f"Collection({qualified(edm_type[len('Collection(') : -1])})"
    return edm_type if edm_type.startswith("Edm.") else f"microsoft.graph.{edm_type}"


@dataclass(frozen=True, slots=True)
class EntityType:
    """An entity type: its own members with their types, the type it is derived from, and those derived from it."""

    name: str
    members: Mapping[str, str]
    base: EntityType | None = None
    derived: Mapping[str, EntityType] = field(default_factory=dict)

    def lineage(self) -> Iterator[EntityType]:
        """The type itself, then the types that it is derived from."""
        yield self
        if self.base is not None:
            yield from self.base.lineage()

    def all_members(self) -> dict[str, str]:
        """Its own members and the inherited ones."""
        inherited = {} if self.base is None else self.base.all_members()
        return inherited | dict(self.members)

    def is_a(self, name: str) -> bool:
        """Whether its entities are also of the type of that name."""
        return any(one.name == unqualified(name) for one in self.lineage())


def fits(value: object, edm_type: str) -> bool:
    """Whether a JSON value other than null is of that type."""
    if edm_type.startswith("Collection("):
        return isinstance(value, list) and all(fits(one, edm_type[len("Collection(") : -1]) for one in value)
    if edm_type in ENUMERATIONS:
        return isinstance(value, str) and value in ENUMERATIONS[edm_type]
    if edm_type in COMPLEX_TYPES:
        return isinstance(value, dict) and _is_complex(value, edm_type)
    return _PRIMITIVES[edm_type](value)


def ticks(text: str) -> int:
    """The moment of an Edm.DateTimeOffset in 100 ns since the year 1; raises ValueError."""
    date = _DATE.fullmatch(text)
    if date is None:
        raise ValueError(f"{text!r} is not an Edm.DateTimeOffset")
    whole = datetime.fromisoformat(date[1]).replace(tzinfo=UTC) - _EPOCH - _offset(date[3])
    return (whole.days * 86_400 + whole.seconds) * _TICKS_A_SECOND + int((date[2] or "").ljust(7, "0")[:7])


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta(0)
    size = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return size if text[0] == "+" else -size


def _is_complex(value: Mapping[str, Any], edm_type: str) -> bool:
    declared = value.get("@odata.type", edm_type)
    if not isinstance(declared, str) or unqualified(declared) not in COMPLEX_TYPES:
        return False
    members = COMPLEX_TYPES[unqualified(declared)]
    sent = {name: one for name, one in value.items() if "@" not in name}
    return all(
        name in members and (members[name] == STRING if one is None else fits(one, members[name]))
        for name, one in sent.items()
    )


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and ticks(value) is not None
    except ValueError:
        return False


def _is_int32(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


_PRIMITIVES: Final[Mapping[str, Callable[[object], bool]]] = {
    STRING: lambda value: isinstance(value, str),
    BOOLEAN: lambda value: isinstance(value, bool),
    INT32: _is_int32,
    DATE: _is_date,
}
