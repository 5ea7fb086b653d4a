"""The HTTP client that all requests share, including the sign-in."""

from __future__ import annotations

import logging
import ssl

import certifi
import httpx

from intune_vpp.core.errors import SettingsError
from intune_vpp.graph import bounded

_SECONDS_TO_CONNECT = 10.0
_KEPT_CONNECTIONS = 20

_SEE_SECRETS = ("msal", "httpx", "httpcore")
"""The loggers of the libraries that handle requests and answers. MSAL also imports requests and urllib3, but sends
nothing through them, because it gets this client."""


def open_http(
    ca_bundle_path: str | None, *, timeout: float = bounded.REQUEST_TIMEOUT, proxies: bool = True
) -> httpx.Client:
    """A client that trusts the public CAs and those in the PEM file at `ca_bundle_path`.

    It waits `timeout` seconds for each step of a request, and uses the proxies in the environment, unless `proxies` is
    false. The number of connections is not limited, because a request whose time is over may still hold one.

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
    try:
        return httpx.Client(
            verify=context,
            timeout=httpx.Timeout(timeout, connect=min(timeout, _SECONDS_TO_CONNECT)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS),
            headers={"Accept": "application/json", "Accept-Encoding": bounded.ENCODINGS},
            trust_env=proxies,
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        # The text of the error may contain the proxy's password.
        msg = "The proxy in the environment cannot be used: only http:// and https:// proxies are supported."
        raise SettingsError(f"{msg} Check HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY.") from None


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
