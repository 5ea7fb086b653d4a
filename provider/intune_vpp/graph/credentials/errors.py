"""Builds the errors for a sign-in that fails, with what to do by the number of Entra's refusal.

Source of the numbers: https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from intune_vpp.core.errors import GraphError, RequestNotSent, SignInRefused
from intune_vpp.graph import errors, tls
from intune_vpp.graph.body import parse

if TYPE_CHECKING:
    import httpx

    from intune_vpp.graph.credentials.method import Connection
    from intune_vpp.graph.redaction import KnownSecrets

_SERVER_ERRORS = 500
_THROTTLED = 429
_TRY_LATER = ("temporarily_unavailable", "server_error")
"""OAuth's codes for a failure that passes (RFC 6749, 4.1.2.1); Entra also sends them with other statuses than 5xx."""

_CORRELATION = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)
_NUMBER = re.compile(r"AADSTS(\d+)")

_NOT_CONSENTED = (
    "The application {client_id} is not in the tenant {tenant}. Check clientId and tenantId. If the application belongs"
    " to another tenant, an administrator of {tenant} must consent to it at {consent} first."
)
_NO_FEDERATION = (
    "Add a federated credential with exactly this issuer, subject and audience to the app registration"
    " {client_id}, or correct the one that it has."
)
_UNKNOWN_SIGNATURE = (
    "The signature of the assertion does not match the keys of its issuer: check the issuer of the federated"
    " credential, or the client certificate."
)
_ASSERTION_TIME = (
    "The assertion has expired, or the clock of this machine is wrong (it says {now}): request a new OIDC token, or"
    " correct the clock."
)

CURES = {
    "50013": _UNKNOWN_SIGNATURE,
    "50034": "The account does not exist in the tenant {tenant}: check tenantId, and sign in with an account of it.",
    "53003": "A Conditional Access policy of the tenant blocks the sign-in: exclude the application {client_id}, or"
    " run from a location that the policy allows.",
    "65001": "Nobody has consented to the application {client_id} in the tenant {tenant}: an administrator must do so"
    " at {consent} first.",
    "70021": _NO_FEDERATION,
    "90002": "The tenant {tenant} does not exist in this cloud: check tenantId and environment.",
    "500011": "This cloud has no Graph at that address: check graphEndpoint and environment.",
    "700016": _NOT_CONSENTED,
    "700024": _ASSERTION_TIME,
    "700027": "The app registration {client_id} does not accept the client certificate: use a registered one that has"
    " not expired, or upload the public part of a new one.",
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
        return failed(connection.authority, "an answer without an access token")
    description = described(answer.get("error_description"), connection.secrets) or code
    words = cure(description, connection) or _OTHERWISE
    return SignInRefused(f"Entra refused the sign-in: {description}. {words}", status=401, code=code)


def described(text: object, secrets: KnownSecrets) -> str:
    """Return Entra's description for a message, without its ids and without secrets."""
    return errors.quotable(text, secrets, tail=_CORRELATION)


def cure(description: str, connection: Connection) -> str | None:
    """Return what to do about a refusal with this description; None if its number is not known."""
    number = _NUMBER.search(description)
    found = CURES.get(number.group(1)) if number else None
    return found and found.format(
        tenant=connection.tenant,
        client_id=connection.client_id,
        consent=f"{connection.authority}/adminconsent?client_id={connection.client_id}",
        now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def unreachable(error: httpx.HTTPError, asked: str, setting: str = "authorityHost") -> RequestNotSent:
    """Return the error for a sign-in without an answer from the URL `asked`, which `setting` configures."""
    what = f"{asked.removeprefix('https://')} did not respond to the sign-in ({type(error).__name__})."
    return RequestNotSent(f"{what} {tls.advice(error, setting) or f'Check the network and {setting}'}.")


def failed(asked: str, why: str, setting: str = "authorityHost", *, status: int | None = None) -> RequestNotSent:
    """Return the error for a sign-in that failed on the server, or was answered by something else."""
    what = f"{asked.removeprefix('https://')} could not complete the sign-in ({why})."
    return RequestNotSent(f"{what} If this persists, check the network and {setting}.", status=status)


def unreadable(authority: str) -> RequestNotSent:
    """Return the error for an answer to the sign-in that is not a JSON object, such as the page of a proxy."""
    what = f"{authority.removeprefix('https://')} answered the sign-in with something that is not a JSON object."
    return RequestNotSent(f"{what} Check the network (a proxy may have answered) and authorityHost, then run it again.")


def not_entras(response: httpx.Response, authority: str) -> RequestNotSent | None:
    """Return the error for an answer to a sign-in that says nothing about tenant and credentials.

    That is one of a throttled or failing server, or not a JSON object, such as the page of a proxy. Else None.
    """
    problem = unavailable(response, authority)
    return problem if problem is not None or _is_object(response.text) else unreadable(authority)


def unavailable(response: httpx.Response, asked: str, setting: str = "authorityHost") -> RequestNotSent | None:
    """Return the error for an answer of a throttled or failing server; None for any other answer."""
    status = response.status_code
    # JSON is UTF-8 (RFC 8259), but MSAL would decode by the charset of the header.
    response.encoding = "utf-8"
    if status == _THROTTLED or _members(response).get("error") in _TRY_LATER:
        what = f"{asked.removeprefix('https://')} is throttling sign-ins ({status})."
        return RequestNotSent(f"{what} Run it again later.{errors.tried(response)}", status=status)
    return failed(asked, str(status), setting, status=status) if status >= _SERVER_ERRORS else None


def discovery_refused(response: httpx.Response, authority: str, tenant: str) -> GraphError | None:
    """Return the error for an answer to the discovery of a tenant at `authority`; None if it is a success.

    Only Entra's own refusal means that the tenant is unknown.
    """
    if (problem := not_entras(response, authority)) is not None or response.is_success:
        return problem
    refused = _members(response)
    if refused.get("error") == "invalid_tenant" or "AADSTS" in str(refused.get("error_description")):
        return unknown_tenant(authority, tenant)
    return failed(authority, str(response.status_code), status=response.status_code)


def unknown_tenant(authority: str, tenant: str) -> SignInRefused:
    """Return the error for a tenant that Entra does not know, or that is configured by the name of no tenant."""
    host = authority.removeprefix("https://").partition("/")[0]
    msg = f'{host} does not know the tenant "{tenant}". Check tenantId (ARM_TENANT_ID) and environment.'
    return SignInRefused(msg, status=400)


def _members(response: httpx.Response) -> dict[str, Any]:
    found = parse(response.content)
    return found if isinstance(found, dict) else {}


def _is_object(content: str) -> bool:
    """Whether an answer is a JSON object for the strict parser that MSAL uses."""
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False
