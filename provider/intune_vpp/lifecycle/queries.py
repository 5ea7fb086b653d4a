"""Queries of programs that manage nothing: find tokens by id, name, location or app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from intune_vpp.core import times
from intune_vpp.core.check import needs_beta
from intune_vpp.core.errors import Cure, InvalidRequest, NotFound, SettingsError

if TYPE_CHECKING:
    from intune_vpp.core.check import Policy
    from intune_vpp.core.ports import VppTokens
    from intune_vpp.core.vpp_token import AppLicenses, VppToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Selects tokens; None matches any value. `expires_before` is a timestamp."""

    state: str | None = None
    organization_name: str | None = None
    expires_before: str | None = None

    def passes(self, found: VppToken) -> bool:
        """Whether a token matches all fields."""
        return (
            self.state in {None, found.state}
            and self.organization_name in {None, found.organization_name}
            and (self.expires_before is None or times.earlier(found.expiration_date_time, self.expires_before))
        )


class Queries:
    """Queries of one tenant. Each one sends its own request, so no answer is from a cache."""

    def __init__(self, tokens: VppTokens, policy: Policy) -> None:
        self._tokens = tokens
        self._policy = policy

    def tenant_id(self) -> str:
        """Return the GUID of the tenant that the credentials belong to."""
        return self._tokens.tenant_id()

    def all(self, wanted: Filter) -> list[VppToken]:
        """Return the tokens that match the filter, in Graph's order."""
        return [found for found in self._tokens.list().tokens if wanted.passes(found)]

    def by_id(self, token_id: str) -> VppToken:
        """Return one token. Raises InvalidRequest if the tenant has no such token."""
        try:
            return self._tokens.get(token_id)
        except NotFound as refusal:
            if not refusal.from_graph and refusal.status is not None:
                raise
            msg = f'There is no token "{token_id}" in this tenant.'
            raise InvalidRequest(msg, cure=Cure.LIST_TOKENS) from None

    def by_name(self, *, display_name: str | None = None, location_name: str | None = None) -> VppToken:
        """Return the only token with a display name or a location; v1.0 returns neither of them.

        Raises InvalidRequest unless exactly one token matches, and SettingsError on v1.0.
        """
        self._require_beta("displayName" if display_name is not None else "locationName")
        named = f'display name "{display_name}"' if display_name is not None else f'location "{location_name}"'
        found = [
            one
            for one in self._tokens.list().tokens
            if display_name in {None, one.display_name} and location_name in {None, one.location_name}
        ]
        if not found:
            raise InvalidRequest(f"There is no token with the {named} in this tenant.")
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise InvalidRequest(f"{len(found)} tokens have the {named}: {ids}. Use the id.")
        return found[0]

    def licenses_for_app(self, bundle_id: str) -> list[AppLicenses]:
        """Return the licences for an app as counted last, an entry for each token. Raises SettingsError on v1.0."""
        return self._tokens.licenses_for_app(bundle_id)

    def by_app(self, mobile_app_id: str) -> VppToken:
        """Return the token that a mobile app comes from; v1.0 does not name it.

        Raises InvalidRequest if the app or its token does not exist, and SettingsError on v1.0.
        """
        self._require_beta("mobileAppId")
        try:
            token_id = self._tokens.token_id_of_app(mobile_app_id)
        except NotFound as error:
            if not error.from_graph:
                raise
            raise InvalidRequest(f"There is no mobile app {mobile_app_id} in this tenant.") from error
        if token_id is None:
            raise InvalidRequest(f"The mobile app {mobile_app_id} does not come from a VPP token.")
        try:
            return self._tokens.get(token_id)
        except NotFound as error:
            if not error.from_graph:
                raise
            msg = f"The mobile app {mobile_app_id} came from token {token_id}, which no longer exists."
            raise InvalidRequest(msg) from error

    def _require_beta(self, way: str) -> None:
        if not self._policy.beta:
            raise SettingsError(needs_beta(f"getVppToken by {way}", "use the id"))
