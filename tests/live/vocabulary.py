"""What a recording may show in clear: Microsoft's own words. Everything else may name the tenant."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from intune_vpp.core.enums import AccountType, ActionState, DeliveryProtocol, FailureReason, SyncStatus, TokenState

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUES: Final[Mapping[str, frozenset[str]]] = {
    "actionFailureReason": frozenset(FailureReason),
    "actionName": frozenset({"revokeLicenses", "syncLicenses"}),
    "actionState": frozenset(ActionState),
    "appleDeviceAppDeliveryProtocolType": frozenset(DeliveryProtocol),
    "lastSyncStatus": frozenset(SyncStatus),
    "publishingState": frozenset({"notPublished", "processing", "published"}),
    "state": frozenset(TokenState),
    "vppTokenAccountType": frozenset(AccountType),
}
"""The values of the enumerations, by their members."""

CODES: Final = frozenset(
    [
        *("".join(letter for letter in one.phrase if letter.isalpha()) for one in HTTPStatus),
        "AuthenticationError",
        "Authorization_RequestDenied",
        "ConditionNotMet",
        "InvalidAuthenticationToken",
        "ModelValidationFailure",
        "ResourceNotFound",
        "UnknownError",
        "generalException",
        "invalidRequest",
    ]
)
"""The codes of errors: those of HTTP's statuses, and Graph's own."""

SEGMENTS: Final = frozenset(
    {
        "beta",
        "deviceAppManagement",
        "entity",
        "mobileApps",
        "revokeLicenses",
        "syncLicenseCounts",
        "syncLicenses",
        "v1.0",
        "vppTokens",
    }
)
"""The segments of paths, and of the contexts of answers."""

WORDS: Final = frozenset(Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split())
"""The words of Graph's error messages, of those that were captured and those of the emulator, as they are written."""
