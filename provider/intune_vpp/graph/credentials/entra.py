"""Signs in as an application with MSAL (OAuth 2.0 client credentials): by secret, certificate or assertion."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msal

from intune_vpp.graph.credentials import errors
from intune_vpp.graph.credentials.msal_session import Session, access_token, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from intune_vpp.core.errors import GraphError
    from intune_vpp.graph.credentials.method import AccessToken, Connection, SignIn


def as_application(connection: Connection, client_credential: Callable[[], str | dict[str, Any]]) -> SignIn:
    """Return a sign-in as an application.

    `client_credential` returns what MSAL takes by that name; it is called for each sign-in, because files and OIDC
    tokens change. The cache of MSAL is not used: each sign-in has a new client, and `CachedCredential` keeps the token.
    """

    def sign_in() -> AccessToken:
        answer = answer_of(partial(_ask, connection, client_credential()), connection.authority)
        if "access_token" not in answer:
            raise errors.refused(answer, connection)
        return access_token(answer, connection.authority)

    return sign_in


def _ask(connection: Connection, client_credential: str | dict[str, Any]) -> Any:
    authority = connection.authority

    def on_discovery(response: httpx.Response) -> GraphError | None:
        # MSAL would report any refusal of it as an unknown tenant.
        return errors.discovery_refused(response, authority, connection.tenant or "")

    def on_token(response: httpx.Response) -> GraphError | None:
        # MSAL logs an answer that is not a JSON object with its body.
        return errors.not_entras(response, authority)

    client = msal.ConfidentialClientApplication(
        connection.client_id,
        client_credential=client_credential,
        authority=authority,
        # The host is configured; asking login.microsoftonline.com about it would fail in closed networks.
        instance_discovery=False,
        http_client=Session(connection, on_get=on_discovery, on_post=on_token),
    )
    return client.acquire_token_for_client([f"{connection.cloud.graph_endpoint}/.default"])
