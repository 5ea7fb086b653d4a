"""Signs in as the managed identity of an Azure resource: VM, App Service, Container Apps and what else MSAL supports.

Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msal

from intune_vpp.core.errors import SignInRefused
from intune_vpp.graph import claims, errors
from intune_vpp.graph.credentials.entra import access_token, answer_of, for_httpx
from intune_vpp.graph.tenants import ConfiguredTenant

if TYPE_CHECKING:
    import httpx

    from intune_vpp.graph.credentials.method import AccessToken, Connection, SignIn

_ENDPOINT = "The managed identity endpoint"
_SETTING = "msiEndpoint (by default that of Azure: does this run on an Azure resource?)"
_CURE = "Assign a managed identity to this machine; a user-assigned one is named by clientId (ARM_CLIENT_ID)."


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in as the system-assigned identity, or as the user-assigned one with the configured client id."""
    client_id = connection.client_id
    identity = (
        msal.SystemAssignedManagedIdentity()
        if client_id is None
        else msal.UserAssignedManagedIdentity(client_id=client_id)
    )
    session = _Session(connection.http, connection.values.text("msiEndpoint"))

    def ask() -> Any:
        # A new client each time: `CachedCredential` keeps the access token.
        client = msal.ManagedIdentityClient(identity, http_client=session)
        return client.acquire_token_for_client(resource=connection.cloud.graph_endpoint)

    def acquired() -> AccessToken:
        answer = answer_of(ask, _ENDPOINT, _SETTING)
        if "access_token" not in answer:
            quoted = (errors.quotable(answer.get(name), connection.secrets) for name in ("error_description", "error"))
            why = next(filter(None, quoted), "no reason given")
            raise SignInRefused(f"{_ENDPOINT} refused the sign-in: {why}. {_CURE}")
        found = access_token(answer, _ENDPOINT, _SETTING)
        _require_tenant(connection, found)
        return found

    return acquired


def _require_tenant(connection: Connection, found: AccessToken) -> None:
    """Raise SignInRefused if the identity, which always belongs to one tenant, is of another than the configured."""
    if not connection.tenant:
        return
    configured = ConfiguredTenant(connection.tenant, connection.cloud.authority_host, connection.http).guid()
    theirs = claims.tenant_id(found.text)
    if theirs != configured:
        msg = f"The managed identity belongs to tenant {theirs}, but tenantId (ARM_TENANT_ID) is {connection.tenant}."
        raise SignInRefused(f"{msg} Remove tenantId, or use an identity of that tenant.")


class _Session:
    """The methods of `requests.Session` that MSAL calls, on the httpx client. `endpoint` replaces MSAL's address."""

    def __init__(self, http: httpx.Client, endpoint: str | None) -> None:
        self._http = http
        self._endpoint = endpoint

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Request an access token."""
        response = self._http.get(self._endpoint or url, **for_httpx(options))
        if (problem := errors.unavailable(response, _ENDPOINT, _SETTING)) is not None:
            raise problem
        return response

    def close(self) -> None:
        """Do nothing: MSAL closes its session, and the client is shared."""
