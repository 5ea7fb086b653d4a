"""Signing in to Entra through MSAL; the one place that knows how.

Another way to sign in is another `Credential`: whatever can give an access token and forget it.
"""

from __future__ import annotations

import re
import textwrap
import threading
from typing import Any, Protocol

import httpx
import msal

from intune_vpp.core.errors import SignInRefused
from intune_vpp.core.kinds import encodable
from intune_vpp.graph import errors

_CORRELATION = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)

_CURES = {
    "AADSTS7000215": "The client secret is wrong (its value is needed, not its id).",
    "AADSTS7000222": "The client secret has expired: make a new one for the app registration.",
    "AADSTS500011": "Graph is not known under that address in this cloud: check graphEndpoint and environment.",
    "AADSTS700016": "The client id is not known in this tenant.",
}


class Credential(Protocol):
    """A way to sign in."""

    def access_token(self) -> str:
        """A bearer for Graph. Raises SignInRefused or NotSent."""

    def forget(self) -> None:
        """Drop what is cached, so that the next one is new."""


class ClientSecret:
    """Signs in as an app registration with its client secret (OAuth 2.0 client credentials)."""

    def __init__(self, *, authority: str, client_id: str, client_secret: str, scope: str, http: httpx.Client) -> None:
        self._authority = authority
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._http = http
        self._lock = threading.Lock()
        self._msal: Any = None

    def access_token(self) -> str:
        """A bearer for Graph, from MSAL's cache while it is fresh."""
        with self._lock:
            try:
                answer = self._application().acquire_token_for_client([self._scope])
            except httpx.HTTPError as error:
                raise errors.sign_in_unreachable(error, self._authority) from None
            except Exception as error:  # noqa: BLE001 - MSAL checks no answer, and raises whatever it meets in one
                if self._msal is None and type(error) is ValueError:
                    raise self._unknown_tenant() from None
                raise errors.sign_in_failed(self._authority, type(error).__name__) from None
        if not isinstance(answer, dict) or ("access_token" in answer and not _is_bearer(answer["access_token"])):
            raise errors.sign_in_failed(self._authority, "an answer without an access token")
        if "access_token" not in answer:
            code = _text(answer.get("error"))
            # Entra quotes much of what it was sent; the secret never belongs into a sentence.
            described = (_text(answer.get("error_description")) or code).replace(self._client_secret, "…")
            raise SignInRefused(_refusal(described), status=401, code=code)
        return str(answer["access_token"])

    def _unknown_tenant(self) -> SignInRefused:
        # MSAL says with a ValueError that the authority's OpenID discovery failed; its text is about MSAL's parameters.
        tenant, host = self._authority.rpartition("/")[2], self._authority.rpartition("/")[0]
        msg = f'{host.removeprefix("https://")} does not know the tenant "{tenant}".'
        return SignInRefused(f"{msg} Check tenantId (ARM_TENANT_ID).", status=400)

    def forget(self) -> None:
        """Drop MSAL's cached access tokens."""
        with self._lock:
            if self._msal is not None:
                self._msal.remove_tokens_for_client()

    def _application(self) -> Any:
        if self._msal is None:
            self._msal = msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=self._client_secret,
                authority=self._authority,
                # The host is configured; asking login.microsoftonline.com about it would fail in closed networks.
                instance_discovery=False,
                http_client=_Session(self._http),
            )
        return self._msal


class _Session:
    """The two methods of `requests.Session` that MSAL calls, on httpx: one set of CAs, proxies and timeouts for all."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self._http.get(url, **_known(options))

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self._http.post(url, **_known(options))

    def close(self) -> None:
        """MSAL closes what it made; the client is not its own."""


def _known(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("params", "data", "headers") if options.get(name) is not None}


def _is_bearer(found: object) -> bool:
    """Whether an access token can stand in a header."""
    return isinstance(found, str) and bool(found) and found.isascii() and found.isprintable() and " " not in found


def _text(found: object) -> str:
    return encodable(found) if isinstance(found, str) else ""


def _refusal(description: str) -> str:
    """Entra's description in one line, with a cure where the code is known."""
    code = next((code for code in _CURES if code in description), None)
    told = textwrap.shorten(_CORRELATION.sub("", description), 300, placeholder=" …")
    cure = _CURES[code] if code else "Check tenantId, clientId and clientSecret."
    return f"Entra refused the sign-in: {told.rstrip('.')}. {cure}"
