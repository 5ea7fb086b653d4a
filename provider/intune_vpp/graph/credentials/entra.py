"""Signs in as an application with MSAL (OAuth 2.0 client credentials): by secret, certificate or assertion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msal

from intune_vpp.core.errors import IntuneVppError
from intune_vpp.graph import errors
from intune_vpp.graph.credentials import refusals
from intune_vpp.graph.credentials.method import BEARER, AccessToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.credentials.method import Connection


class Application:
    """Signs in as an application.

    `client_credential` returns what MSAL takes by that name; it is called for each sign-in, because files and OIDC
    tokens change. The cache of MSAL is not used: each sign-in has a new client, and `CachedCredential` keeps the token.
    """

    def __init__(self, connection: Connection, client_credential: Callable[[], str | dict[str, Any]]) -> None:
        self._connection = connection
        self._client_credential = client_credential

    def __call__(self) -> AccessToken:
        """Sign in once. Raises SettingsError, SignInRefused and RequestNotSent."""
        connection, authority = self._connection, self._connection.authority
        answer = answer_of(self._ask, authority)
        if "access_token" not in answer:
            raise refusals.refused(answer, connection)
        return access_token(answer, authority)

    def _ask(self) -> Any:
        connection = self._connection
        client = msal.ConfidentialClientApplication(
            connection.client_id,
            client_credential=self._client_credential(),
            authority=connection.authority,
            # The host is configured; asking login.microsoftonline.com about it would fail in closed networks.
            instance_discovery=False,
            http_client=_Session(connection.http, connection.authority),
        )
        return client.acquire_token_for_client([f"{connection.cloud.graph_endpoint}/.default"])


def answer_of(ask: Callable[[], Any], asked: str, setting: str = "authorityHost") -> dict[str, Any]:
    """Call MSAL and return its answer. Raises our errors only, about the address `asked` and its `setting`."""
    try:
        answer = ask()
    except httpx.HTTPError as error:
        raise errors.sign_in_unreachable(error, asked, setting) from None
    except IntuneVppError:
        raise
    except Exception as error:  # noqa: BLE001 - MSAL does not check answers, so it may raise anything
        raise errors.sign_in_failed(asked, type(error).__name__, setting) from None
    if not isinstance(answer, dict):
        raise errors.sign_in_failed(asked, "an answer without an access token", setting)
    return answer


def access_token(answer: dict[str, Any], asked: str, setting: str = "authorityHost") -> AccessToken:
    """Return the access token of an answer. Raises RequestNotSent if no header can carry it."""
    text, expires_in = answer["access_token"], answer.get("expires_in")
    if not isinstance(text, str) or not BEARER.fullmatch(text) or not isinstance(expires_in, (int, float)):
        raise errors.sign_in_failed(asked, "an answer without an access token", setting)
    return AccessToken(text, float(expires_in))


class _Session:
    """The methods of `requests.Session` that MSAL calls, on the httpx client: it has our CAs, proxies and timeouts."""

    def __init__(self, http: httpx.Client, authority: str) -> None:
        self._http = http
        self._authority = authority

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Request the OpenID discovery: MSAL takes any refusal of it for an unknown tenant."""
        response = self._http.get(url, **for_httpx(options))
        tenant = self._authority.rpartition("/")[2]
        return _accepted(response, errors.discovery_refused(response, self._authority, tenant))

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Request an access token: MSAL logs an answer that is not a JSON object with its body."""
        response = self._http.post(url, **for_httpx(options))
        return _accepted(response, errors.not_entras(response, self._authority))

    def close(self) -> None:
        """Do nothing: MSAL closes its session, and the client is shared."""


def for_httpx(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a request that httpx has as well."""
    taken = {name: options[name] for name in ("params", "data", "headers") if options.get(name) is not None}
    if "data" in taken:
        # MSAL gives a certificate's assertion in bytes, which httpx would send as "b'…'".
        taken["data"] = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in taken["data"].items()
        }
    return taken


def _accepted(response: httpx.Response, problem: IntuneVppError | None) -> httpx.Response:
    if problem is not None:
        raise problem
    return response
