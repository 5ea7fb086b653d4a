"""The HTTP client that all requests share, including the sign-in."""

from __future__ import annotations

import logging
import ssl
from contextlib import suppress
from http.cookiejar import CookieJar
from typing import Any

import certifi
import httpx

from intune_vpp import __version__
from intune_vpp.core.errors import SettingsError
from intune_vpp.graph import bounded

_SECONDS_TO_CONNECT = 10.0
_KEPT_CONNECTIONS = 20

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": bounded.ENCODINGS,
    # Pulumi's registry requires that a provider identifies itself to the service that it calls.
    "User-Agent": f"pulumi-intune-vpp/{__version__}",
}

_SEE_SECRETS = ("msal", "httpx", "httpcore")
"""The loggers of the libraries that handle requests and answers. MSAL also imports requests and urllib3, but sends
nothing through them, because it gets this client."""


def open_http(
    ca_bundle_path: str | None, *, timeout: float = bounded.REQUEST_TIMEOUT, proxies: bool = True
) -> httpx.Client:
    """Return a client that trusts the public CAs and those in the PEM file at `ca_bundle_path`.

    `timeout`, in seconds, limits each read and write, and the connect if it is shorter than 10 seconds. The client uses
    the proxies in the environment unless `proxies` is false. The number of connections is not limited, because a
    request that has timed out may still hold one.

    Also silences, for the whole process, the loggers of the libraries that see secrets. Raises SettingsError if the
    file cannot be read, or the proxy in the environment cannot be used.
    """
    _silence_libraries()
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_bundle_path is not None:
        try:
            context.load_verify_locations(cafile=ca_bundle_path)
        except (OSError, ValueError):
            msg = f"The CA bundle {ca_bundle_path} cannot be read as PEM certificates."
            raise SettingsError(f"{msg} Check caBundlePath (INTUNE_VPP_CA_BUNDLE_PATH).") from None
    with suppress(ImportError, ValueError, httpx.InvalidURL):
        return guarded(
            httpx.Client(
                verify=context,
                timeout=httpx.Timeout(timeout, connect=min(timeout, _SECONDS_TO_CONNECT)),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS),
                headers=_HEADERS,
                trust_env=proxies,
            )
        )
    # Not inside `except`: the error would have the first one as its context, which may quote the proxy's password.
    msg = "The proxy in the environment cannot be used: only http:// and https:// proxies are supported."
    raise SettingsError(f"{msg} Check HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY.")


def guarded(http: httpx.Client) -> httpx.Client:
    """Make the client ignore the headers `Location` and `Set-Cookie`, and return it.

    httpx parses the address of a redirect even if it does not follow it, and raises errors of many types for a damaged
    one. The cookie jar prints a traceback for a damaged cookie, and no service needs cookies.
    """
    http.event_hooks = {"response": [_ignore_redirect]}
    http.cookies = _NoCookies()
    return http


def _ignore_redirect(response: httpx.Response) -> None:
    response.headers.pop("Location", None)


class _NoCookies(CookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        """Ignore the cookies of a response."""


def _silence_libraries() -> None:
    """Keep requests and answers out of all logs, whatever levels and handlers the process has.

    MSAL logs the body of a sign-in answer that is not JSON, at ERROR; that body may contain an access token. Without a
    handler Python prints such a record to stderr (`logging.lastResort`), which Pulumi shows. The level drops records
    at once; the handler and the end of propagation also stop child loggers that have their own level.
    """
    for name in _SEE_SECRETS:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
