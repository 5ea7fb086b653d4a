"""Builds the errors for refusals of Entra, with what to do by the number in them.

Source of the numbers: https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from intune_vpp.core.errors import GraphError, SignInRefused
from intune_vpp.graph import errors

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection

_CORRELATION = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)
_NUMBER = re.compile(r"AADSTS(\d+)")

_NOT_CONSENTED = (
    "The application {client_id} is not in the tenant {tenant}. Check clientId and tenantId; if it is an application of"
    " another tenant, an administrator of {tenant} consents to it at {consent}."
)
_NO_FEDERATION = (
    "Add a federated credential with exactly this issuer, subject and audience to the app registration"
    " {client_id}, or correct the one that it has."
)
_UNKNOWN_SIGNATURE = (
    "The OIDC token was not signed by the issuer of the federated credential: check the issuer in both."
)
_ASSERTION_TIME = (
    "The OIDC token has expired, or the clock of this machine is wrong (it says {now}): have a new one issued, and"
    " correct the clock."
)

CURES = {
    "50013": _UNKNOWN_SIGNATURE,
    "50034": "The account does not exist in the tenant {tenant}: check tenantId, and sign in with an account of it.",
    "53003": "A Conditional Access policy of the tenant blocks it: allow the application {client_id}, or run it from a"
    " location that the policy allows.",
    "65001": "Nobody has consented to the application {client_id} in the tenant {tenant}: an administrator does so at"
    " {consent}.",
    "70021": _NO_FEDERATION,
    "90002": "The tenant {tenant} does not exist in this cloud: check tenantId and environment.",
    "500011": "Graph has another address in this cloud: check graphEndpoint and environment.",
    "700016": _NOT_CONSENTED,
    "700024": _ASSERTION_TIME,
    "700027": "The certificate or key of the assertion is not registered: upload the public part of the client"
    " certificate to the app registration {client_id}.",
    "700211": _NO_FEDERATION,
    "700212": _NO_FEDERATION,
    "700213": _NO_FEDERATION,
    "7000112": "The application {client_id} is disabled in the tenant {tenant}: enable it under Enterprise"
    " applications.",
    "7000215": "The client secret is wrong: use its value, not its id, and one of this app registration.",
    "7000222": "The client secret has expired: create a new one for the app registration {client_id}.",
    "7000229": _NOT_CONSENTED,
    "7000272": _UNKNOWN_SIGNATURE,
}
"""What to do, by the number of the refusal."""

_OTHERWISE = "Check tenantId and clientId, and the credential of the app registration."


def refused(answer: dict[str, Any], connection: Connection) -> GraphError:
    """Return the error for an answer of the token endpoint that has no access token."""
    # Entra quotes parts of the request.
    code = errors.quotable(answer.get("error"), connection.secrets)
    if not code:
        # Without OAuth's `error` it is not a refusal of Entra's, and does not blame the credentials.
        return errors.sign_in_failed(connection.authority, "an answer without an access token")
    description = errors.quotable(answer.get("error_description"), connection.secrets, tail=_CORRELATION) or code
    number = _NUMBER.search(description)
    cure = CURES.get(number.group(1), _OTHERWISE) if number else _OTHERWISE
    words = cure.format(
        tenant=connection.tenant,
        client_id=connection.client_id,
        consent=f"{connection.authority}/adminconsent?client_id={connection.client_id}",
        now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )
    return SignInRefused(f"Entra refused the sign-in: {description}. {words}", status=401, code=code)
