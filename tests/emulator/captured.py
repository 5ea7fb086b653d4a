"""Equal copies of what was captured of Graph and Apple in public, so that these tests need nothing beside them."""

from __future__ import annotations

from typing import Any, Final

LIVE_LIST: Final[dict[str, Any]] = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceAppManagement/vppTokens",
    "value": [
        {
            "appleId": "[MASKED]@[MASKED]",
            "automaticallyUpdateApps": True,
            "countryOrRegion": "gb",
            "expirationDateTime": "2026-09-25T17:09:22Z",
            "id": "00000000-0000-0000-0000-0000000000aa",
            "lastModifiedDateTime": "2026-07-17T14:50:53.5002993Z",
            "lastSyncDateTime": "2026-07-17T14:50:53.4972449Z",
            "lastSyncStatus": "completed",
            "organizationName": "[MASKED] LTD",
            "state": "valid",
            "token": None,
            "vppTokenAccountType": "business",
        }
    ],
}
"""GET v1.0 of a real tenant, July 2026."""

LIVE_APPS: Final[dict[str, Any]] = {
    "value": [
        {
            "@odata.type": "#microsoft.graph.iosVppApp",
            "appStoreUrl": None,
            "applicableDeviceType": {"iPad": True, "iPhoneAndIPod": True},
            "bundleId": "com.khanov.BlockerX",
            "createdDateTime": "2025-09-25T17:11:18Z",
            "description": "[TRUNCATED]",
            "developer": None,
            "displayName": "1Blocker - Ad Blocker",
            "id": "00000000-0000-0000-0000-0000000000d0",
            "informationUrl": "https://apps.apple.com/gb/app/1blocker-ad-blocker/id1365531024",
            "isFeatured": False,
            "largeIcon": None,
            "lastModifiedDateTime": "2025-09-25T17:11:18Z",
            "licensingType": {"supportsDeviceLicensing": True, "supportsUserLicensing": True},
            "notes": None,
            "owner": None,
            "privacyInformationUrl": None,
            "publisher": "1Blocker LLC",
            "publishingState": "published",
            "releaseDateTime": "0001-01-01T00:00:00Z",
            "totalLicenseCount": 100,
            "usedLicenseCount": 2,
            "vppTokenAccountType": "business",
            "vppTokenAppleId": "[MASKED]@[MASKED]",
            "vppTokenOrganizationName": "[MASKED] LTD",
        },
        {
            "createdDateTime": "2025-09-25T17:11:18Z",
            "description": "[TRUNCATED]",
            "developer": None,
            "displayName": "1Blocker - Ad Blocker",
            "id": "00000000-0000-0000-0000-0000000000d1",
            "informationUrl": "https://apps.apple.com/gb/app/1blocker-ad-blocker/id1365531024",
            "isFeatured": False,
            "largeIcon": None,
            "lastModifiedDateTime": "2025-09-25T17:11:18Z",
            "notes": None,
            "owner": None,
            "privacyInformationUrl": None,
            "publisher": "1Blocker LLC",
            "publishingState": "published",
        },
    ]
}
"""GET v1.0 of the same tenant's apps: one of VPP, and its twin, probably of a type of beta alone."""

SCRIPT_BODY: Final[dict[str, Any]] = {
    "@odata.type": "#microsoft.graph.vppToken",
    "appleId": "$appleid",
    "automaticallyUpdateApps": True,
    "claimTokenManagementFromExternalMdm": False,
    "countryOrRegion": "gb",
    "dataSharingConsentGranted": True,
    "displayName": "$name",
    "roleScopeTagIds": ["0"],
    "token": "$token",
    "vppTokenAccountType": "$tokentype",
}
"""The body of the one public script that creates a vppToken, with its variables."""

UNKNOWN_SEGMENT: Final[dict[str, Any]] = {
    "error": {
        "code": "BadRequest",
        "message": "Resource not found for the segment 'importedWindowsAutopilotDeviceIdentities'.",
        "innerError": {"request-id": "3cf1ccac-18e5-4533-8ce6-fd071a5b02eb", "date": "2019-07-19T14:10:55"},
    }
}
"""Graph's gateway, 2019."""

NESTED: Final[dict[str, Any]] = {
    "error": {
        "code": "BadRequest",
        "message": (
            '{\r\n  "_version": 3,\r\n  "Message": "POST is not supported for this app type. - Operation ID (for '
            "customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: "
            "46f1c833-0aee-4869-8630-946643e44324 - Url: https://fef.msuc01.manage.microsoft.com/AppLifecycle_2205/"
            'StatelessAppMetadataFEService/deviceAppManagement/mobileApps?api-version=2020-08-04",\r\n  '
            '"CustomApiErrorPhrase": "",\r\n  "RetryAfter": null,\r\n  "ErrorSourceService": "",\r\n  '
            '"HttpHeaders": "{}"\r\n}'
        ),
        "innerError": {
            "date": "2022-05-20T05:41:54",
            "request-id": "46f1c833-0aee-4869-8630-946643e44324",
            "client-request-id": "46f1c833-0aee-4869-8630-946643e44324",
        },
    }
}
"""Intune behind the gateway, 2022."""

APPLE_FILE: Final[dict[str, Any]] = {
    "_sToken_file_content": (
        "ewogICAgInRva2VuIjogIlZGZHdRbVZWTVZSUldGSktVbGRTTlZkc1pHcGpNR3hIVTI1Q2FrMXRhRzlhUjJ3eldqRkdkVk50ZUd0VFJrWjZV"
        "MVZhVDJGSFRuUlNiVGxOVVRCS1ExcEdhRTlOUjBaWVRrUXdQUT09IiwKICAgICJleHBEYXRlIjogIjIwMzAtMTEtMDhUMjI6MzM6MjIrMDAw"
        "MCIsCiAgICAib3JnTmFtZSI6ICJPUkcxMjM0NSIKfQ=="
    ),
    "_decoded": {
        "token": (
            "VFdwQmVVMVRRWFJKUldSNVdsZGpjMGxHU25Cak1taG9aR2wzWjFGdVNteGtTRkZ6U1VaT2FHTnRSbTlNUTBKQ1pGaE9NR0ZYTkQwPQ=="
        ),
        "expDate": "2030-11-08T22:33:22+0000",
        "orgName": "ORG12345",
    },
}
"""Apple's documented sample."""

COPIES: Final = {
    "live-v1.0-list-vppTokens-2026-07-17.json": LIVE_LIST,
    "live-v1.0-mobileApps-iosVppApp-2026-07-17.json": LIVE_APPS,
    "request-beta-POST-vppTokens-script.json": SCRIPT_BODY,
    "error-400-graph-flat-unknown-segment.json": UNKNOWN_SEGMENT,
    "error-400-intune-nested-mobileApps-POST.json": NESTED,
    "apple-docs-sToken-example.json": APPLE_FILE,
}

V1_MEMBERS: Final = frozenset(
    {
        "appleId",
        "automaticallyUpdateApps",
        "countryOrRegion",
        "expirationDateTime",
        "id",
        "lastModifiedDateTime",
        "lastSyncDateTime",
        "lastSyncStatus",
        "organizationName",
        "state",
        "token",
        "vppTokenAccountType",
    }
)
"""The published entity of v1.0 (2026-08), with its key."""

BETA_MEMBERS: Final = V1_MEMBERS | {
    "appleDeviceAppDeliveryProtocolType",
    "claimTokenManagementFromExternalMdm",
    "dataSharingConsentGranted",
    "displayName",
    "locationName",
    "roleScopeTagIds",
    "tokenActionResults",
}
"""The published entity of beta (2026-07), with its key."""

ACTION_RESULT: Final = frozenset({"actionName", "actionState", "lastUpdatedDateTime", "startDateTime"})
"""vppTokenActionResult of beta (2022-06)."""

REVOKE_RESULT: Final = frozenset({"actionFailureReason", "failedLicensesCount", "totalLicensesCount"})
"""What vppTokenRevokeLicensesActionResult adds to it."""

LICENSE_SUMMARY: Final = frozenset(
    {"appleId", "availableLicenseCount", "organizationName", "usedLicenseCount", "vppTokenId"}
)
"""vppTokenLicenseSummary of beta (2022-06)."""

COMPLEX: Final = {
    "vppTokenActionResult": ACTION_RESULT,
    "vppTokenLicenseSummary": LICENSE_SUMMARY,
    "vppTokenRevokeLicensesActionResult": REVOKE_RESULT,
}

CSDL: Final = {
    "csdl-v1.0-Prod-2026-08.xml": V1_MEMBERS,
    "csdl-beta-Fairfax-2026-07-28-vppToken.xml": BETA_MEMBERS,
}
