"""The assumptions of this emulator about Graph that no public source confirms.

Code that relies on one has `a guess: <name>` in a comment on the line. With a real tenant one can be
settled: change the line, and remove the guess here.
"""

GUESSES = {
    "action-history": (
        "`tokenActionResults` keeps each action until its token is deleted: those that have ended in the order of "
        "their ends, then those that run."
    ),
    "action-name": "The `actionName` of a revocation is `revokeLicenses`.",
    "action-stages": (
        "A revocation is `pending` for the first half of its time and `active` for the second; the total shows from "
        "its start, the failed licences and the reason only at its end."
    ),
    "app-members-beta": (
        "On beta an app has the members that a live LIST of v1.0 showed, `vppTokenId`, `vppTokenDisplayName` and "
        "`isAssigned`, which is false; the other members of beta are left out."
    ),
    "app-order": "LIST answers the apps by their tokens, in the order of the tokens' creation.",
    "app-permissions": (
        "The permissions that read or write vppTokens read or write apps; Microsoft's documentation requires "
        "DeviceManagementApps."
    ),
    "apps-stay": ("An app stays until its token is deleted, also when the token expires or its syncs fail."),
    "assertion-audience": (
        "The assertion of a certificate may be for the token endpoint or the issuer of the tenant, with and without "
        "`v2.0`, by the tenant's id or domain."
    ),
    "assertion-type": ("An assertion of another `client_assertion_type` does not count."),
    "at-least-these": (
        "A create without `token` or `appleId` is refused with Intune's 400; an absent account type is `business`."
    ),
    "azure-devops-issuer": (
        "An OIDC token of Azure DevOps has the issuer `https://vstoken.dev.azure.com/…` and a subject `sc://…`. That "
        "of a new service connection has Entra's issuer, `https://login.microsoftonline.com/<tenant>/v2.0`, and a "
        "subject `/eid1/…`."
    ),
    "claim-echo": (
        "`claimTokenManagementFromExternalMdm` and `dataSharingConsentGranted` are echoed as sent, and may be"
        " PATCHed to false."
    ),
    "claim-heals": (
        "`assignedToExternalMDM` becomes `valid` only by a write of `token` together with the claim; the claim "
        "alone is stored and changes no state."
    ),
    "consent": (
        "A create on beta without `dataSharingConsentGranted: true` is refused with Intune's 400; v1.0, which has "
        "no such member, requires nothing."
    ),
    "counts-at-once": (
        "syncLicenseCounts has counted when it answers; it skips tokens that could not be synced, without an error."
    ),
    "expiration-exact": (
        "Intune keeps the expiration of a file to the second; `--expiration-step-seconds` and "
        "`--expiration-shift-seconds` round and move it."
    ),
    "expiring-count": (
        "getExpiringVppTokenCount counts by the `expirationDateTime` that is shown, and includes tokens that have "
        "expired."
    ),
    "failed-sync-date": ("A failed sync moves `lastModifiedDateTime` and not `lastSyncDateTime`."),
    "federated-audiences": (
        "OIDC tokens are for `api://AzureADTokenExchange` in the public cloud, with `USGov` behind it in both "
        "clouds of the US government, and with `China` in that of 21Vianet."
    ),
    "federated-order": (
        "An OIDC token is checked for its issuer, its audience, its subject, its signature and its times, in "
        "this order."
    ),
    "federated-signature": ("An OIDC token that the key which it names has not signed is refused with AADSTS50013."),
    "file-refused": (
        "A file that cannot be read or has expired is refused at once with 400 in Intune's envelope; the sentences "
        "are invented. `--unreadable-files invalid` takes the former instead."
    ),
    "file-whitespace": "White space around a posted file is refused with 400 (jamf's API is known to; Graph is not).",
    "github-subject": (
        "The subject of GitHub's OIDC tokens is `repo:contoso/tablets:…`. That of a repository that was created, "
        "renamed or transferred since 15 July 2026 also has the ids of the owner and the repository."
    ),
    "gzip-accepted": ("Request bodies in gzip are taken; with `--gzip 415` or `--gzip 400` they are refused."),
    "id-case": "Case does not count in the id of a token, a GUID.",
    "license-counts": (
        "The counts of apps and of getLicensesForApp are those of the last completed sync or syncLicenseCounts; "
        "licences that a revocation freed show only then."
    ),
    "licenses-for-app": (
        "getLicensesForApp answers one summary for each token that has the app, in the order of the tokens' "
        "creation, and an empty collection for an app that no token has."
    ),
    "lagging-reads": (
        "A read that lags shows the tenant as it was, whole: tokens that were created since are absent, tokens that "
        "were deleted since are there. Writes, syncs and revocations never lag, nor do apps."
    ),
    "limit-refused": "The token beyond the 3,000th is refused with Intune's 400.",
    "list-order": (
        "LIST answers in the order of creation and shows every member that GET shows; `--list-blanks` names members "
        "that it does not."
    ),
    "malformed-assertion": (
        "An assertion that is no JWT, lacks a claim or has another algorithm is refused with AADSTS50027 and 401."
    ),
    "managed-identity-errors": (
        "App Service refuses a wrong X-IDENTITY-HEADER with 401 and an unknown resource with 500; the sentences about "
        "them and about a wrong `api-version` are invented."
    ),
    "missing-token": (
        "A vppToken or an app that does not exist answers 404 `ResourceNotFound` in Intune's envelope, also to DELETE."
    ),
    "null-account-type": "An explicit null for a member that may not be null is refused with a flat 400.",
    "oidc-endpoint-errors": (
        "GitHub refuses a wrong request token with 401, Azure DevOps an unknown service connection with 404; the "
        "sentences are invented."
    ),
    "organization-kept": "`organizationName` may be PATCHed; together with `token` the file's organization wins.",
    "other-location": "PATCH with a file of another location moves `locationName`.",
    "other-location-apps": (
        "After a PATCH with a file of another location the next completed sync replaces the apps by those of that "
        "location."
    ),
    "path-forms": (
        "A slash at the end of a path changes nothing, a key may be in parentheses, and the namespace of a function "
        "may be `microsoft.graph` or `graph`, or be left out."
    ),
    "query-options": (
        "vppTokens and mobileApps take `$select`, `$filter`, `$orderby`, `$top`, `$skip` and `$count` on every "
        "member; `@odata.count` is on each page."
    ),
    "read-only-ignored": (
        "Read-only members in a create or PATCH are ignored without an error, unless they are of another type than "
        "in the CSDL: that is a flat 400."
    ),
    "renewal-lag": (
        "After a renewal the old `expirationDateTime` shows until a lag has passed or a sync has completed; "
        "the state is `valid` at once."
    ),
    "revoke-flags": ("`notifyManagedDevices` and `revokeUntrackedLicenses` change nothing that Graph shows."),
    "revoke-modified": (
        "A revocation does not move `lastModifiedDateTime`, and each has a `startDateTime` of its own."
    ),
    "revoke-parameters": (
        "A revocation without `notifyManagedDevices`, with a value that is not a boolean or with another parameter "
        "is refused with a flat 400."
    ),
    "revoke-total": (
        "`totalLicensesCount` counts the licences of all the token's apps that are in use at Apple when the "
        "revocation starts; it is 0 for a token that was never synced."
    ),
    "revoke-unsound": (
        "revokeLicenses answers 204 whatever the token's state; by the state at its start it fails with "
        "`expiredVppToken` or, where it is neither sound, expired nor a duplicate, with `appleFailure`."
    ),
    "revoke-while-busy": (
        "A second revokeLicenses while one runs starts another action; syncs and revocations of a token do not "
        "affect each other, and the token can be deleted meanwhile."
    ),
    "revoked-access-token": (
        "A revoked access token gets 401 with the sentence of continuous access evaluation, without a claims challenge."
    ),
    "revoked-in-part": (
        "A revocation frees its licences at its end, all but the failed ones, whether it is `done` or not; one that "
        "is not `done` has failed for all, unless a rule says otherwise."
    ),
    "scope-tag-sentence": (
        "The sentence about a scope tag that does not exist ends with its id; the tags of a caller restrict "
        "vppTokens and not apps or counts."
    ),
    "scope-tags-left-out": (
        "A caller bound to scope tags who creates a token without `roleScopeTagIds` is refused with "
        "`ConditionNotMet`, unless one of the tags is 0; a tag outside of them may be kept, but not added."
    ),
    "scripted-code": (
        "A scripted error without a body has the name of its status as its code (404: `ResourceNotFound`) and no cause."
    ),
    "state-after-create": ("A new token is `valid` at once, and its first sync starts with syncLicenses."),
    "sync-date": ("A sync moves `lastSyncDateTime` when it ends; with `--sync-date start`, when it starts."),
    "sync-unsound": (
        "syncLicenses of a token that is expired, a duplicate or otherwise unsound answers 200, and the sync ends "
        "as `failed`."
    ),
    "sync-while-syncing": (
        "syncLicenses while a sync runs answers 200 and starts nothing, unless `--sync-restarts true`; there is no "
        "minimum interval."
    ),
    "text-case": ("Comparisons of texts in `$filter`, and the order of `$orderby`, ignore case."),
    "throttled-answer": (
        "A throttled request gets 429 with the flat envelope of Graph's gateway and a `Retry-After` of whole seconds, "
        "after which the bucket has room for one more; Intune is known to leave the header out."
    ),
    "throttled-paths": (
        "The buckets of vppTokens count the requests to vppTokens, its actions and functions; a request that its "
        "access token does not allow is not counted."
    ),
    "throttled-requests": "A throttled request counts in its buckets as any other.",
    "unreadable-file": (
        "A tenant that takes a file which it cannot read gives the token the state `invalid`: a new token has no "
        "expiration and no location, another one keeps those that it had."
    ),
    "unsynced-date": "`lastSyncDateTime` before the first sync is `0001-01-01T00:00:00Z`.",
    "v1-collection": (
        "v1.0, which lacks syncLicenseCounts and getLicensesForApp, takes their names for the id of a token."
    ),
    "v1-duplicate": "v1.0, whose enumeration lacks `duplicateLocationId`, shows such a token as `unknown`.",
}
"""The assumptions by name."""
