"""Signs in to Entra with MSAL; no other module imports it.

Another sign-in method is another class that implements `Credential`.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import msal

from intune_vpp.core.errors import GraphError, IntuneVppError, SignInRefused
from intune_vpp.graph import errors

if TYPE_CHECKING:
    from intune_vpp.graph.redaction import KnownSecrets

_CORRELATION = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)

_CURES = {
    "AADSTS7000215": "The client secret is wrong (use its value, not its id).",
    "AADSTS7000222": "The client secret has expired: create a new one for the app registration.",
    "AADSTS500011": "Graph has another address in this cloud: check graphEndpoint and environment.",
    "AADSTS700016": "The client id does not exist in this tenant.",
}
"""What to do, by the number of Entra's refusal (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
"""

_BEARER = re.compile(r"[\x21-\x7e]+")
"""The characters that a header can carry."""


class Credential(Protocol):
    """A way to sign in. Its methods are called by several threads at once."""

    def access_token(self) -> str:
        """Return an access token for Graph. Raises SignInRefused and RequestNotSent."""

    def forget(self, access_token: str) -> None:
        """Drop this access token from the cache, because Graph did not accept it.

        A newer one is kept: several requests may have failed with the same access token, one after the other.
        """


class ClientSecret:
    """Signs in as an app registration with its client secret (OAuth 2.0 client credentials)."""

    def __init__(  # noqa: PLR0913 - the members of an app registration, and the client that sends
        self,
        *,
        authority: str,
        client_id: str,
        client_secret: str,
        scope: str,
        http: httpx.Client,
        secrets: KnownSecrets,
    ) -> None:
        self._authority = authority
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._http = http
        self._secrets = secrets
        self._lock = threading.Lock()
        self._msal: Any = None
        self._issued: str | None = None
        secrets.add(client_secret)

    def access_token(self) -> str:
        """Return an access token, from MSAL's cache until it expires. Raises SignInRefused and RequestNotSent."""
        # Concurrent requests share one sign-in: the first one fills MSAL's cache for the others.
        with self._lock:
            try:
                answer = self._sign_in()
            except httpx.HTTPError as error:
                raise errors.sign_in_unreachable(error, self._authority) from None
            except IntuneVppError:
                raise
            except Exception as error:  # noqa: BLE001 - MSAL does not check answers, so it may raise anything
                raise errors.sign_in_failed(self._authority, type(error).__name__) from None
            if not isinstance(answer, dict):
                raise errors.sign_in_failed(self._authority, "an answer without an access token")
            if "access_token" not in answer:
                raise self._refusal(answer)
            access_token = answer["access_token"]
            if not isinstance(access_token, str) or not _BEARER.fullmatch(access_token):
                # Otherwise MSAL would return it again from its cache.
                self._msal.remove_tokens_for_client()
                raise errors.sign_in_failed(self._authority, "an answer without an access token")
            self._issued = access_token
        return access_token

    def forget(self, access_token: str) -> None:
        """Drop this access token from MSAL's cache; one that was issued after it is kept."""
        with self._lock:
            if access_token == self._issued:
                self._issued = None
                self._msal.remove_tokens_for_client()

    def _sign_in(self) -> Any:
        return self._application().acquire_token_for_client([self._scope])

    def _refusal(self, answer: dict[str, Any]) -> GraphError:
        """Return the error for Entra's refusal, with a cure if its AADSTS number is known."""
        # Entra quotes parts of the request.
        code = errors.quotable(answer.get("error"), self._secrets)
        if not code:
            # Without OAuth's `error` it is not a refusal of Entra's, and does not blame the credentials.
            return errors.sign_in_failed(self._authority, "an answer without an access token")
        description = errors.quotable(answer.get("error_description"), self._secrets, tail=_CORRELATION) or code
        number = next((number for number in _CURES if number in description), None)
        cure = _CURES[number] if number else "Check tenantId, clientId and clientSecret."
        reason = f": {description}" if description else ""
        return SignInRefused(f"Entra refused the sign-in{reason}. {cure}", status=401, code=code)

    def _application(self) -> Any:
        if self._msal is None:
            self._msal = msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=self._client_secret,
                authority=self._authority,
                # The host is configured; asking login.microsoftonline.com about it would fail in closed networks.
                instance_discovery=False,
                http_client=_Session(self._http, self._authority),
            )
        return self._msal


class _Session:
    """The methods of `requests.Session` that MSAL calls, on the httpx client: it has our CAs, proxies and timeouts."""

    def __init__(self, http: httpx.Client, authority: str) -> None:
        self._http = http
        self._authority = authority

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Request the OpenID discovery: MSAL takes any refusal of it for an unknown tenant."""
        response = self._http.get(url, **_for_httpx(options))
        tenant = self._authority.rpartition("/")[2]
        return self._accepted(response, errors.discovery_refused(response, self._authority, tenant))

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Request an access token: MSAL logs an answer that is not a JSON object with its body."""
        response = self._http.post(url, **_for_httpx(options))
        return self._accepted(response, errors.not_entras(response, self._authority))

    def close(self) -> None:
        """Do nothing: MSAL closes its session, and the client is shared."""

    def _accepted(self, response: httpx.Response, problem: GraphError | None) -> httpx.Response:
        if problem is not None:
            raise problem
        return response


def _for_httpx(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("params", "data", "headers") if options.get(name) is not None}
