"""Signing in to Entra through MSAL; the one place that knows how.

Another way to sign in is another `Credential`: whatever can give an access token and forget it.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import msal

from intune_vpp.core.errors import IntuneVppError, SignInRefused
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

_BEARER = re.compile(r"[\x21-\x7e]+")
"""What a header can carry."""


class Credential(Protocol):
    """A way to sign in."""

    def access_token(self) -> str:
        """A bearer for Graph. Raises SignInRefused or RequestNotSent."""

    def forget(self) -> None:
        """Drop what is cached, so that the next one is new."""


class ClientSecret:
    """Signs in as an app registration with its client secret (OAuth 2.0 client credentials)."""

    def __init__(  # noqa: PLR0913 - an app registration, and what it signs in with
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
        secrets.add(client_secret)

    def access_token(self) -> str:
        """A bearer for Graph, from MSAL's cache while it is fresh."""
        with self._lock:
            try:
                answer = self._sign_in()
            except httpx.HTTPError as error:
                raise errors.sign_in_unreachable(error, self._authority) from None
            except IntuneVppError:
                raise
            except Exception as error:  # noqa: BLE001 - MSAL checks no answer, and raises whatever it meets in one
                raise errors.sign_in_failed(self._authority, type(error).__name__) from None
            if not isinstance(answer, dict):
                raise errors.sign_in_failed(self._authority, "an answer without an access token")
            if "access_token" not in answer:
                raise self._refusal(answer)
            access_token = answer["access_token"]
            if not isinstance(access_token, str) or not _BEARER.fullmatch(access_token):
                # MSAL would give the same one again.
                self._msal.remove_tokens_for_client()
                raise errors.sign_in_failed(self._authority, "an answer without an access token")
        return access_token

    def forget(self) -> None:
        """Drop MSAL's cached access tokens."""
        with self._lock:
            if self._msal is not None:
                self._msal.remove_tokens_for_client()

    def _sign_in(self) -> Any:
        try:
            application = self._application()
        except ValueError:
            # MSAL's way to say that the authority's OpenID discovery failed; its text is about MSAL's parameters.
            tenant, host = self._authority.rpartition("/")[2], self._authority.rpartition("/")[0]
            msg = f'{host.removeprefix("https://")} does not know the tenant "{tenant}".'
            raise SignInRefused(f"{msg} Check tenantId (ARM_TENANT_ID).", status=400) from None
        return application.acquire_token_for_client([self._scope])

    def _refusal(self, answer: dict[str, Any]) -> SignInRefused:
        """Entra's refusal, with a cure where its number is known."""
        # Entra quotes much of what it was sent.
        code = errors.quotable(answer.get("error"), self._secrets)
        description = errors.quotable(answer.get("error_description"), self._secrets, tail=_CORRELATION) or code
        number = next((number for number in _CURES if number in description), None)
        cure = _CURES[number] if number else "Check tenantId, clientId and clientSecret."
        told = f": {description}" if description else ""
        return SignInRefused(f"Entra refused the sign-in{told}. {cure}", status=401, code=code)

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
    """The two methods of `requests.Session` that MSAL calls, on httpx: one set of CAs, proxies and timeouts for all."""

    def __init__(self, http: httpx.Client, authority: str) -> None:
        self._http = http
        self._authority = authority

    def get(self, url: str, **options: Any) -> httpx.Response:
        response = self._http.get(url, **_known(options))
        # MSAL takes a refusal of the discovery, whatever its body, for an unknown tenant.
        return self._readable(response) if response.is_success else response

    def post(self, url: str, **options: Any) -> httpx.Response:
        response = self._http.post(url, **_known(options))
        return response if response.is_server_error else self._readable(response)

    def close(self) -> None:
        """MSAL closes what it made; the client is not its own."""

    def _readable(self, response: httpx.Response) -> httpx.Response:
        """The answer, where MSAL can read it: MSAL logs one that it cannot read, with the body."""
        # JSON is UTF-8 (RFC 8259); the header may name anything, and MSAL would decode by it.
        response.encoding = "utf-8"
        if not errors.is_object(response.text):
            raise errors.sign_in_unreadable(self._authority)
        return response


def _known(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("params", "data", "headers") if options.get(name) is not None}
