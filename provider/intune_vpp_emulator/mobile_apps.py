"""The apps that a token's syncs import from its location: iosVppApps, with the members that a live v1.0 LIST showed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .clock import to_the_second
from .edm import BOOLEAN, DATE, INT32, STRING, EntityType
from .licenses import MOST_APPS
from .members import Version

if TYPE_CHECKING:
    from .licenses import Imported, Title
    from .vpp_token import VppToken

_BETA_ONLY: Final = frozenset({"isAssigned", "vppTokenDisplayName", "vppTokenId"})
_MOBILE_APP: Final = {
    "createdDateTime": DATE,
    "description": STRING,
    "developer": STRING,
    "displayName": STRING,
    "id": STRING,
    "informationUrl": STRING,
    "isAssigned": BOOLEAN,
    "isFeatured": BOOLEAN,
    "largeIcon": "mimeContent",
    "lastModifiedDateTime": DATE,
    "notes": STRING,
    "owner": STRING,
    "privacyInformationUrl": STRING,
    "publisher": STRING,
    "publishingState": "mobileAppPublishingState",
}
_IOS_VPP_APP: Final = {
    "appStoreUrl": STRING,
    "applicableDeviceType": "iosDeviceType",
    "bundleId": STRING,
    "licensingType": "vppLicensingType",
    "releaseDateTime": DATE,
    "totalLicenseCount": INT32,
    "usedLicenseCount": INT32,
    "vppTokenAccountType": "vppTokenAccountType",
    "vppTokenAppleId": STRING,
    "vppTokenDisplayName": STRING,
    "vppTokenId": STRING,
    "vppTokenOrganizationName": STRING,
}
_NO_COUNTRY = "us"
_NO_DATE = "0001-01-01T00:00:00Z"  # as in the live LIST of 2026-07-17


@dataclass(frozen=True, slots=True)
class MobileApp:
    """One app of one token; `number` is its place in LIST."""

    number: int
    id: str
    title: Title
    imported: Imported
    token: VppToken

    def as_answered(self, version: Version) -> dict[str, Any]:
        """The app as this version answers it, its type first."""
        shown = _published(self._members(), version)
        return {"@odata.type": "#microsoft.graph.iosVppApp", **dict(sorted(shown.items()))}

    def license_summary(self) -> dict[str, Any]:
        """The app as a vppTokenLicenseSummary."""
        members = self.token.members
        return {
            "appleId": members["appleId"],
            "availableLicenseCount": self.title.licenses - self._used,
            "organizationName": members["organizationName"],
            "usedLicenseCount": self._used,
            "vppTokenId": self.token.id,
        }

    @property
    def _used(self) -> int:
        return self.imported.counted[self.title.bundle_id]  # a guess: license-counts

    def _members(self) -> dict[str, Any]:
        return self._of_apple() | self._of_intune() | self._of_token()

    def _of_apple(self) -> dict[str, Any]:
        title, country = self.title, self.token.members["countryOrRegion"] or _NO_COUNTRY
        return {
            "appStoreUrl": None,
            "applicableDeviceType": {"iPad": True, "iPhoneAndIPod": True},
            "bundleId": title.bundle_id,
            "description": f"{title.name} by {title.publisher}, an emulated app.",
            "developer": None,
            "displayName": title.name,
            "informationUrl": f"https://apps.apple.example/{country}/app/{title.slug}",
            "licensingType": {"supportsDeviceLicensing": True, "supportsUserLicensing": True},
            "privacyInformationUrl": None,
            "publisher": title.publisher,
            "releaseDateTime": _NO_DATE,
            "totalLicenseCount": title.licenses,
            "usedLicenseCount": self._used,
        }

    def _of_intune(self) -> dict[str, Any]:
        # In the live LIST of 2026-07-17 both dates are still those of the import, ten months before.
        imported = to_the_second(self.imported.at)
        return {
            "createdDateTime": imported,
            "id": self.id,
            "isAssigned": False,
            "isFeatured": False,
            "largeIcon": None,
            "lastModifiedDateTime": imported,
            "notes": None,
            "owner": None,
            "publishingState": "published",
        }

    def _of_token(self) -> dict[str, Any]:
        # a guess: app-members-beta
        members = self.token.members
        return {
            "vppTokenAccountType": members["vppTokenAccountType"],
            "vppTokenAppleId": members["appleId"],
            "vppTokenDisplayName": members["displayName"],
            "vppTokenId": self.token.id,
            "vppTokenOrganizationName": members["organizationName"],
        }


def entity_type(version: Version) -> EntityType:
    """The type of the members of mobileApps in this version, and the one that is derived from it."""
    base = EntityType("mobileApp", _published(_MOBILE_APP, version))
    vpp_app = EntityType("iosVppApp", _published(_IOS_VPP_APP, version), base)
    return EntityType(base.name, base.members, derived={vpp_app.name: vpp_app})


def _published(members: dict[str, Any], version: Version) -> dict[str, Any]:
    return {name: one for name, one in members.items() if version is Version.BETA or name not in _BETA_ONLY}


def apps_of(token: VppToken) -> list[MobileApp]:
    """The apps that the token's syncs have imported; they stay until the token is deleted."""
    # a guess: apps-stay
    imported = token.imported
    if imported is None:
        return []
    return [
        MobileApp(token.number * MOST_APPS + place, _id(token, title), title, imported, token)
        for place, title in enumerate(imported.titles)
    ]


def _id(token: VppToken, title: Title) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{token.id}/{title.bundle_id}"))
