"""Signs in as the managed identity of an Azure resource: VM, App Service, Functions, Container Apps, Azure Arc.

Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msal

from intune_vpp.core.errors import RequestNotSent, SignInRefused
from intune_vpp.graph.credentials import errors
from intune_vpp.graph.credentials.msal_session import Session, access_token, answer_of
from intune_vpp.graph.errors import quotable

if TYPE_CHECKING:
    import httpx

    from intune_vpp.graph.credentials.method import AccessToken, Connection, SignIn

_ENDPOINT = "The managed identity endpoint"
_SETTING = "msiEndpoint (ARM_MSI_ENDPOINT); only Azure resources have this endpoint"
_CURE = (
    "Assign a managed identity to the Azure resource. For a user-assigned one, set clientId (ARM_CLIENT_ID) to its"
    " client id; for the system-assigned one, leave it unset."
)


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in as the system-assigned identity, or as the user-assigned one with the configured client id.

    The endpoints are on this machine: a proxy could not reach them, and would see the secret in the header.
    """

    def acquired() -> AccessToken:
        with connection.open_direct() as http:
            answer = answer_of(partial(_ask, connection, http), _ENDPOINT, _SETTING)
        if "access_token" not in answer:
            quoted = (quotable(answer.get(name), connection.secrets) for name in ("error_description", "error"))
            why = next(filter(None, quoted), "").removeprefix("None, ").replace("None", "no reason given")
            raise SignInRefused(f"{_ENDPOINT} refused the sign-in: {why}. {_CURE}")
        return access_token(answer, _ENDPOINT, _SETTING)

    return acquired


def _ask(connection: Connection, http: httpx.Client) -> Any:
    def unavailable(response: httpx.Response) -> RequestNotSent | None:
        return errors.unavailable(response, _ENDPOINT, _SETTING)

    client_id = connection.client_id
    identity = (
        msal.SystemAssignedManagedIdentity()
        if client_id is None
        else msal.UserAssignedManagedIdentity(client_id=client_id)
    )
    endpoint = connection.values.text("msiEndpoint")
    session = Session(connection, on_get=unavailable, on_post=unavailable, http=http, url=endpoint)
    # A new client each time: `CachedCredential` keeps the access token.
    client = msal.ManagedIdentityClient(identity, http_client=session)
    return client.acquire_token_for_client(resource=connection.cloud.graph_endpoint)
