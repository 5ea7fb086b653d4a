"""Lets MSAL send through our HTTP client, and reads what MSAL returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import IntuneVppError
from intune_vpp.graph.body import parse
from intune_vpp.graph.credentials import errors
from intune_vpp.graph.credentials.method import PRINTABLE, AccessToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.credentials.method import Connection

    Check = Callable[[httpx.Response], IntuneVppError | None]
    """Returns the error for an answer that MSAL must not read."""


_LIFETIME = 3599
"""Seconds: what MSAL assumes."""

_SECRET_MEMBERS = {"client_secret", "client_assertion", "X-IDENTITY-HEADER", "secret", "Secret"}
"""The form fields and headers with which MSAL proves who asks."""


class Session:
    """The methods of `requests.Session` that MSAL calls, on the httpx client: it has our CAs, proxies and timeouts.

    What is secret in requests and answers becomes known as such, because MSAL's answers quote both. `http` replaces the
    client of the connection, `url` the address of GET requests.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        on_get: Check,
        on_post: Check,
        http: httpx.Client | None = None,
        url: str | None = None,
    ) -> None:
        self._http = http or connection.http
        self._sender = connection.sender
        self._secrets = connection.secrets
        self._on_get = on_get
        self._on_post = on_post
        self._url = url

    def get(self, url: str, **options: Any) -> httpx.Response:
        """GET: the OpenID discovery document, or an access token of a managed identity."""
        return self._sent("GET", self._url or url, options, self._on_get)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """POST: request an access token from Entra."""
        return self._sent("POST", url, options, self._on_post)

    def close(self) -> None:
        """Do nothing: MSAL closes its session, and the client is shared."""

    def _sent(self, method: str, url: str, options: dict[str, Any], check: Check) -> httpx.Response:
        taken = _for_httpx(options)
        sent = {**taken.get("data", {}), **taken.get("headers", {})}
        for name in _SECRET_MEMBERS & set(sent):
            self._secrets.add(str(sent[name]))
        request = self._http.build_request(method, url, **taken)
        response = self._sender.send(
            self._http, request, what="signing in", shown=str(request.url.copy_with(query=None))
        )
        answer = parse(response.content)
        if isinstance(answer, dict) and isinstance(answer.get("access_token"), str):
            self._secrets.add(answer["access_token"])
        if (problem := check(response)) is not None:
            raise problem
        return response


def answer_of(ask: Callable[[], Any], asked: str, setting: str = "authorityHost") -> dict[str, Any]:
    """Call MSAL and return its answer. Raises our errors only, about the address `asked` and its `setting`."""
    try:
        answer = ask()
    except httpx.HTTPError as error:
        raise errors.unreachable(error, asked, setting) from None
    except IntuneVppError:
        raise
    except Exception as error:  # noqa: BLE001 - MSAL does not check answers, so it may raise anything
        raise errors.failed(asked, type(error).__name__, setting) from None
    if not isinstance(answer, dict):
        raise errors.failed(asked, "an answer without an access token", setting)
    return answer


def access_token(answer: dict[str, Any], asked: str, setting: str = "authorityHost") -> AccessToken:
    """Return the access token of an answer. Raises RequestNotSent if no header can carry it."""
    text = answer["access_token"]
    try:
        # Some endpoints send it as a text; MSAL's default is used where it is missing.
        expires_in = float(answer.get("expires_in", _LIFETIME))
    except (TypeError, ValueError, OverflowError):
        expires_in = math.nan
    if not isinstance(text, str) or not PRINTABLE.fullmatch(text) or not math.isfinite(expires_in):
        raise errors.failed(asked, "an answer without an access token", setting)
    return AccessToken(text, expires_in)


def _for_httpx(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a request that httpx has as well."""
    taken = {name: options[name] for name in ("params", "data", "headers") if options.get(name) is not None}
    if "data" in taken:
        # MSAL gives a certificate's assertion in bytes, which httpx would send as "b'…'".
        taken["data"] = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in taken["data"].items()
        }
    return taken
