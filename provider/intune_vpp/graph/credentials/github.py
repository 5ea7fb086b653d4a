"""Signs in with the OIDC token that GitHub Actions issues to a job.

Source: https://docs.github.com/actions/reference/security/oidc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from intune_vpp.graph.credentials.assertion import request_oidc_token, with_assertion

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn

_CURE = (
    "Give the job the permission `id-token: write`. On Azure DevOps, set adoPipelineServiceConnectionId"
    " (ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID)."
)


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in with an OIDC token of GitHub, which is requested each time."""

    def oidc_token() -> str:
        values = connection.values
        url = httpx.URL(values.text("oidcRequestUrl") or "")
        request = connection.http.build_request(
            "GET",
            url.copy_merge_params({"audience": connection.cloud.oidc_audience}),
            headers={"Authorization": f"Bearer {connection.secret('oidcRequestToken')}"},
        )
        return request_oidc_token(connection, request, "value", issuer="GitHub Actions", cure=_CURE)

    return with_assertion(connection, oidc_token)
