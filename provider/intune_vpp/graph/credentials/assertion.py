"""Signs in with a client assertion: an OIDC token that Entra accepts in place of a secret.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import SignInRefused
from intune_vpp.graph.body import parse
from intune_vpp.graph.credentials import errors
from intune_vpp.graph.credentials.entra import as_application
from intune_vpp.graph.credentials.method import PRINTABLE
from intune_vpp.graph.errors import quotable

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.credentials.method import Connection, SignIn


def with_assertion(connection: Connection, oidc_token: Callable[[], str]) -> SignIn:
    """Return a sign-in that asks for an OIDC token each time."""

    def client_credential() -> dict[str, Any]:
        found = oidc_token()
        connection.secrets.add(found)
        # MSAL warns of an assertion that is not a function.
        return {"client_assertion": lambda: found}

    return as_application(connection, client_credential)


def request_oidc_token(connection: Connection, request: httpx.Request, member: str, *, issuer: str, cure: str) -> str:
    """Return the OIDC token that the pipeline's service issues, from `member` of its answer.

    Raises SignInRefused if the service refuses, and RequestNotSent if it does not answer or answers something else.
    """
    host = f"https://{request.url.host}"
    try:
        response = connection.sender.send(
            connection.http, request, what="requesting an OIDC token", shown=str(request.url.copy_with(query=None))
        )
    except httpx.HTTPError as error:
        raise errors.unreachable(error, host, "oidcRequestUrl") from None
    if (problem := errors.unavailable(response, host, "oidcRequestUrl")) is not None:
        raise problem
    parsed = parse(response.content)
    answer = parsed if isinstance(parsed, dict) else {}
    if not response.is_success:
        why = quotable(answer.get("message"), connection.secrets)
        msg = f"{issuer} refused to issue an OIDC token ({response.status_code}){f': {why}' if why else ''}. {cure}"
        raise SignInRefused(msg, status=response.status_code)
    found = answer.get(member)
    if not isinstance(found, str) or not PRINTABLE.fullmatch(found):
        raise errors.failed(host, "an answer without an OIDC token", "oidcRequestUrl", status=response.status_code)
    return found
