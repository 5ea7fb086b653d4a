"""The vppToken: its table of properties, and the frozen values built on it.

Properties: https://learn.microsoft.com/graph/api/resources/intune-onboarding-vpptoken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core.enums import AccountType, DeliveryProtocol
from intune_vpp.core.resource_type import Compare, Kind, Property, ResourceType, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.resource_type import Unknown
    from intune_vpp.core.token_encoding import Encoding


def _member(attribute: str, kind: Kind = Kind.STRING, **more: Any) -> Property:
    return Property(attribute=attribute, kind=kind, sent=Sent.MEMBER, **{"observed": True, **more})


def _provider_only(attribute: str, kind: Kind = Kind.STRING, **more: Any) -> Property:
    return Property(attribute=attribute, kind=kind, sent=Sent.PROVIDER_ONLY, **more)


def _read_only(attribute: str, kind: Kind = Kind.STRING, **more: Any) -> Property:
    return Property(attribute=attribute, kind=kind, observed=True, **more)


UNSEEN_FINGERPRINT: Final = "renewed elsewhere"
"""Replaces the fingerprint of a file in Intune that this provider has not read."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """What the state contains about a token file; nothing in it is secret.

    `state` is set only while Intune calls the token `invalid`: an older file may then repair it.
    """

    fingerprint: str
    expiration_date_time: str | None = None
    organization_name: str | None = None
    state: str | None = None

    @property
    def seen(self) -> bool:
        """Whether this provider has read the file."""
        return self.fingerprint != UNSEEN_FINGERPRINT


def _token_file(*, fingerprint: str | None, **members: str | None) -> TokenFile:
    """Build the model of a `tokenFile` in a state, which lacks the fingerprint if somebody has edited it."""
    return TokenFile(fingerprint or "", **members)


ACTION_RESULT: Final = (
    Property(attribute="action_name"),
    Property(attribute="action_state"),
    Property(attribute="start_date_time", kind=Kind.TIME),
    Property(attribute="last_updated_date_time", kind=Kind.TIME),
    Property(attribute="total_licenses_count", kind=Kind.COUNT),
    Property(attribute="failed_licenses_count", kind=Kind.COUNT),
    Property(attribute="action_failure_reason"),
)
"""The members of `vppTokenRevokeLicensesActionResult`, an item of `tokenActionResults`."""

VPP_TOKEN: Final = ResourceType(
    name="VppToken",
    properties=(
        # Graph never returns it, so the state has its fingerprint.
        _member("token", Kind.FINGERPRINT, required=True, observed=False),
        _member("apple_id", compare=Compare.CASELESS, required=True),
        _member("vpp_token_account_type", Kind.CHOICE, choices=AccountType, required=True),
        _member("organization_name"),
        _member("display_name", beta_only=True),
        # Graph returns `gb` for `GB`.
        _member("country_or_region", Kind.COUNTRY, compare=Compare.CASELESS),
        _member("automatically_update_apps", Kind.BOOL),
        _member("data_sharing_consent_granted", Kind.BOOL, beta_only=True),
        _member("role_scope_tag_ids", Kind.STRINGS, compare=Compare.SET, beta_only=True),
        _member("apple_device_app_delivery_protocol_type", Kind.CHOICE, choices=DeliveryProtocol, beta_only=True),
        # It asks Intune to do something and has no state: sent with each file, never compared.
        _member("claim_token_management_from_external_mdm", Kind.BOOL, compare=Compare.NEVER, beta_only=True),
        # Only beta returns the location that it is compared with.
        _provider_only("expected_location_name", beta_only=True),
        # Read at create only.
        _provider_only("adopt_token_id", Kind.GUID, compare=Compare.NEVER),
        _provider_only("wait_for_sync", Kind.BOOL, default=True),
        _provider_only("deletion_protection", Kind.BOOL, default=True),
        _provider_only("revoke_licenses_on_delete", Kind.BOOL, default=False, beta_only=True),
        _provider_only(
            "token_file",
            Kind.OBJECT,
            compare=Compare.NEVER,
            members=tuple(Property(attribute=name) for name in TokenFile.__slots__),
            model=_token_file,
        ),
        Property(attribute="tenant_id", kind=Kind.GUID),
        _read_only("state"),
        _read_only("expiration_date_time", Kind.TIME),
        _read_only("last_sync_date_time", Kind.TIME),
        _read_only("last_sync_status"),
        _read_only("last_modified_date_time", Kind.TIME),
        _read_only("location_name", beta_only=True),
        _read_only("token_action_results", Kind.OBJECTS, beta_only=True, members=ACTION_RESULT),
        Property(attribute="sync_pending", kind=Kind.BOOL),
        Property(attribute="duplicate_token_ids", kind=Kind.STRINGS),
    ),
)

APP_LICENSES: Final = (
    Property(attribute="apple_id"),
    Property(attribute="organization_name"),
    Property(attribute="available_license_count", kind=Kind.COUNT),
    Property(attribute="used_license_count", kind=Kind.COUNT),
)
"""The members of `vppTokenLicenseSummary` beside the token's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VppTokenArgs:
    """The inputs after Check. None means "not managed", UNKNOWN means "known at update"."""

    token: str | Unknown | None = None
    apple_id: str | Unknown | None = None
    vpp_token_account_type: str | Unknown | None = None
    organization_name: str | Unknown | None = None
    display_name: str | Unknown | None = None
    country_or_region: str | Unknown | None = None
    automatically_update_apps: bool | Unknown | None = None
    data_sharing_consent_granted: bool | Unknown | None = None
    role_scope_tag_ids: tuple[str, ...] | Unknown | None = None
    apple_device_app_delivery_protocol_type: str | Unknown | None = None
    claim_token_management_from_external_mdm: bool | Unknown | None = None
    expected_location_name: str | Unknown | None = None
    adopt_token_id: str | Unknown | None = None
    wait_for_sync: bool | Unknown | None = None
    deletion_protection: bool | Unknown | None = None
    revoke_licenses_on_delete: bool | Unknown | None = None
    token_file: TokenFile | Unknown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VppToken:
    """A vppToken as Graph returned it. Timestamps are Graph's text; members that are absent or never set are None."""

    id: str
    apple_id: str | None = None
    vpp_token_account_type: str | None = None
    organization_name: str | None = None
    display_name: str | None = None
    country_or_region: str | None = None
    automatically_update_apps: bool | None = None
    data_sharing_consent_granted: bool | None = None
    role_scope_tag_ids: tuple[str, ...] | None = None
    apple_device_app_delivery_protocol_type: str | None = None
    claim_token_management_from_external_mdm: bool | None = None
    state: str | None = None
    expiration_date_time: str | None = None
    last_sync_date_time: str | None = None
    last_sync_status: str | None = None
    last_modified_date_time: str | None = None
    location_name: str | None = None
    token_action_results: tuple[Mapping[str, Any], ...] | None = None

    @property
    def label(self) -> str:
        """The name for messages: the display name; else the location or organization, with the id."""
        if self.display_name:
            return self.display_name
        shared = self.location_name or self.organization_name
        return f"{shared} (token {self.id})" if shared else f"token {self.id}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The tokens of a tenant. If an entry could not be read, it is not `complete`, and a missing token may exist."""

    tokens: tuple[VppToken, ...]
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VppTokenState:
    """The state of a token in Pulumi: the inputs that were applied, and what Graph showed last.

    `token_file` is the file applied last, None if this provider has applied none. `shown_expiration` is the expiration
    that Intune showed for it, which may be rounded or shifted, None until it did. `observed_at` is when Graph was read
    last, to the second. `duplicate_token_ids` are other tokens of the tenant created from the same file.
    `look_for_duplicates` says that no listing was read since the create, so the next read requests one.
    `token_encoding` is the encoding in which Intune could read a file of this token, None if that is not known.
    """

    observed: VppToken
    tenant_id: str
    inputs: VppTokenArgs
    observed_at: str
    token_file: TokenFile | None = None
    shown_expiration: str | None = None
    sync_pending: bool = False
    duplicate_token_ids: tuple[str, ...] = ()
    look_for_duplicates: bool = False
    token_encoding: Encoding | None = None

    @property
    def id(self) -> str:
        """The token's id in Graph and in Pulumi."""
        return self.observed.id


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLicenses:
    """`vppTokenLicenseSummary`: the counts of a token's licences for one app."""

    vpp_token_id: str
    apple_id: str | None
    organization_name: str | None
    available_license_count: int
    used_license_count: int
