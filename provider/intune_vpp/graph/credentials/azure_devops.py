"""Signs in with the OIDC token that Azure DevOps issues for a service connection.

Source: https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from intune_vpp.graph.credentials.assertion import request_oidc_token, with_assertion

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn

_CURE = (
    "Set SYSTEM_ACCESSTOKEN to $(System.AccessToken) in the step, and check that the pipeline may use the service"
    " connection in adoPipelineServiceConnectionId."
)


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in with an OIDC token of Azure DevOps, which is requested each time."""

    def oidc_token() -> str:
        values = connection.values
        url = httpx.URL(values.text("oidcRequestUrl") or "")
        query = {"api-version": "7.1", "serviceConnectionId": values.text("adoPipelineServiceConnectionId")}
        request = connection.http.build_request(
            "POST",
            url.copy_merge_params(query),
            headers={
                "Authorization": f"Bearer {connection.secret('oidcRequestToken')}",
                # Otherwise a refusal is a redirection to a page for people.
                "X-TFS-FedAuthRedirect": "Suppress",
            },
        )
        return request_oidc_token(connection, request, "oidcToken", issuer="Azure DevOps", cure=_CURE)

    return with_assertion(connection, oidc_token)
