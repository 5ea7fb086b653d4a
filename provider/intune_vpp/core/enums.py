"""Graph's enumerations, with the members known today. Unknown members in an answer pass through unchanged."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AccountType(StrEnum):
    """`vppTokenAccountType`: whether the token comes from Apple Business Manager or Apple School Manager."""

    BUSINESS = "business"
    EDUCATION = "education"


class DeliveryProtocol(StrEnum):
    """`appleDeviceAppDeliveryProtocolType` (beta since 2026-07): how apps reach devices."""

    DEFAULT = "default"
    MOBILE_DEVICE_MANAGEMENT = "mobileDeviceManagement"
    DECLARATIVE_DEVICE_MANAGEMENT = "declarativeDeviceManagement"


class TokenState(StrEnum):
    """`vppTokenState`, the `state` of a token; v1.0 lacks `duplicateLocationId`."""

    UNKNOWN = "unknown"
    VALID = "valid"
    EXPIRED = "expired"
    INVALID = "invalid"
    ASSIGNED_TO_EXTERNAL_MDM = "assignedToExternalMDM"
    DUPLICATE_LOCATION_ID = "duplicateLocationId"


class SyncStatus(StrEnum):
    """`vppTokenSyncStatus`, the `lastSyncStatus` of a token."""

    NONE = "none"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"
    FAILED = "failed"


class ActionState(StrEnum):
    """`actionState` of an item of `tokenActionResults`."""

    NONE = "none"
    PENDING = "pending"
    CANCELED = "canceled"
    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"
    NOT_SUPPORTED = "notSupported"


ENDED: Final = frozenset({ActionState.CANCELED, ActionState.DONE, ActionState.FAILED, ActionState.NOT_SUPPORTED})
"""The final states of an action."""


class FailureReason(StrEnum):
    """`actionFailureReason` of a revocation in `tokenActionResults`."""

    NONE = "none"
    APPLE_FAILURE = "appleFailure"
    INTERNAL_ERROR = "internalError"
    EXPIRED_VPP_TOKEN = "expiredVppToken"  # noqa: S105 - Graph's word
    EXPIRED_APPLE_PUSH_NOTIFICATION_CERTIFICATE = "expiredApplePushNotificationCertificate"
