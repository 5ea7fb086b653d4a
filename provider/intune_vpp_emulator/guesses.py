"""Every belief of this emulator that nothing public settles, in one place.

Code that acts on one of them says `a guess: <name>` beside the line. Whoever holds a real tenant can settle one, change
the line and strike it from here.
"""

GUESSES = {
    "action-history": (
        "`tokenActionResults` keeps each action until its token goes: those that have ended in the order of their "
        "ends, then those that run."
    ),
    "action-name": "The `actionName` of a revocation is `revokeLicenses`.",
    "action-stages": (
        "A revocation is `pending` for the first half of its time and `active` for the second; the total shows from "
        "its start, the failed licences and the reason only at its end."
    ),
    "app-members-beta": (
        "On beta an app has what a live LIST of v1.0 showed, `vppTokenId` and `vppTokenDisplayName`; beta's other "
        "members are left out."
    ),
    "app-order": "LIST answers the apps by their tokens, in the order of the tokens' creation.",
    "app-permissions": (
        "Whoever may read or write vppTokens may read or write apps; Microsoft's documentation asks for"
        " DeviceManagementApps."
    ),
    "apps-stay": "An app stays until its token goes, though the token expires or its syncs fail.",
    "at-least-these": (
        "A create without `token` or `appleId` is refused with Intune's 400; an absent account type is `business`."
    ),
    "claim-heals": (
        "`assignedToExternalMDM` becomes `valid` only by a write of `token` together with the claim; the "
        "claim alone is kept and heals nothing."
    ),
    "claim-echo": (
        "`claimTokenManagementFromExternalMdm` and `dataSharingConsentGranted` are echoed as sent, and may be"
        " PATCHed to false."
    ),
    "consent": (
        "A create on beta without `dataSharingConsentGranted: true` is refused with Intune's 400; v1.0, which"
        " has no such member, asks for nothing."
    ),
    "counts-at-once": (
        "syncLicenseCounts has counted when it answers, and passes over tokens that could not be synced, without an "
        "error."
    ),
    "failed-sync-date": "A failed sync moves `lastModifiedDateTime` and leaves `lastSyncDateTime` alone.",
    "file-refused": (
        "A file that is garbage or has expired is refused at once with 400 in Intune's envelope; the "
        "sentences are made up."
    ),
    "file-whitespace": "White space around a posted file is refused with 400 (jamf's API is known to; Graph is not).",
    "license-counts": (
        "The counts of apps and of getLicensesForApp are those that the last completed sync or syncLicenseCounts "
        "found; what a revocation freed shows only then."
    ),
    "licenses-for-app": (
        "getLicensesForApp answers one summary for each token that has the app, in the order of the tokens' creation, "
        "and none for an app that no token has."
    ),
    "limit-refused": "The token beyond the 3,000th is refused with Intune's 400.",
    "id-case": "Case does not count in the id of a token, a GUID.",
    "list-order": "LIST answers in the order of creation and carries every member that GET carries.",
    "missing-token": (
        "A vppToken or an app that does not exist answers 404 `ResourceNotFound` in Intune's envelope, also to DELETE."
    ),
    "null-account-type": "An explicit null for a member that may not be null is refused with a flat 400.",
    "organization-kept": "`organizationName` may be PATCHed; together with `token` the file's organization wins.",
    "other-location": "PATCH with a file of another location moves `locationName`.",
    "other-location-apps": (
        "After a PATCH with a file of another location the next completed sync puts that location's apps in place of "
        "the old ones."
    ),
    "read-only-ignored": "Read-only members in a create or PATCH are ignored, without an error.",
    "renewal-lag": (
        "After a renewal the old `expirationDateTime` shows until a lag has passed or a sync has completed; "
        "the state is `valid` at once."
    ),
    "revoke-flags": "`notifyManagedDevices` and `revokeUntrackedLicenses` change nothing that Graph shows.",
    "revoke-modified": "A revocation leaves `lastModifiedDateTime` alone, and each has a `startDateTime` of its own.",
    "revoke-parameters": (
        "A revocation without `notifyManagedDevices`, with a value that is no boolean or with another parameter is "
        "refused with a flat 400."
    ),
    "revoke-total": (
        "`totalLicensesCount` is the licences of all the token's apps that are in use at Apple when the revocation "
        "starts; a token that was never synced has none."
    ),
    "revoke-unsound": (
        "revokeLicenses answers 204 whatever the token's state; by the state at its start it fails with "
        "`expiredVppToken` or, where it is neither sound, expired nor a duplicate, with `appleFailure`."
    ),
    "revoke-while-busy": (
        "A second revokeLicenses while one runs starts another action beside it; syncs and revocations of a token do "
        "not hinder each other, and a token can be deleted meanwhile."
    ),
    "revoked-in-part": (
        "A revocation frees its licences at its end, all but the failed ones, whether it is `done` or not; where "
        "nothing else is scripted, one that is not `done` has failed for all."
    ),
    "scripted-code": (
        "A scripted error without a body has the name of its status as its code (404: `ResourceNotFound`) and no cause."
    ),
    "state-after-create": "A new token is `valid` at once and its first sync waits to be asked for.",
    "sync-unsound": (
        "syncLicenses of a token that is expired, a duplicate or otherwise unsound answers 200, and the sync ends in "
        "`failed`."
    ),
    "sync-while-syncing": (
        "syncLicenses while a sync runs answers 200 and lets that one go on; there is no minimum interval."
    ),
    "unsynced-date": "`lastSyncDateTime` before the first sync is `0001-01-01T00:00:00Z`.",
    "v1-collection": (
        "v1.0, which lacks syncLicenseCounts and getLicensesForApp, takes their names for the id of a token."
    ),
    "v1-duplicate": "v1.0, whose enumeration lacks `duplicateLocationId`, shows such a token as `unknown`.",
}
"""What is guessed, by name."""
