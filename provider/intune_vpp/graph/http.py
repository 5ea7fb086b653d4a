"""The HTTP client that all requests share, sign-in included."""

from __future__ import annotations

import logging
import ssl

import certifi
import httpx

from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.client import TIMEOUT

_SEE_SECRETS = ("msal", "httpx", "httpcore")
"""The loggers of the libraries through which requests and answers pass. MSAL also imports requests and urllib3, but
sends nothing through them: it is given this client."""


def open_http(ca_bundle_path: str | None) -> httpx.Client:
    """A client that trusts the public CAs and, beside them, those in a PEM file. Raises SettingsError.

    From then on the libraries that see secrets log nothing in this process.
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
        return httpx.Client(verify=context, timeout=TIMEOUT, headers={"Accept": "application/json"})
    except (ImportError, ValueError, httpx.InvalidURL):
        # Its text may carry the proxy's password.
        msg = "The proxy in the environment cannot be used: only http:// and https:// proxies are supported."
        raise SettingsError(f"{msg} Check HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY.") from None


def _silence_libraries() -> None:
    """Keep answers and requests out of logs, whatever level and handlers the process has.

    MSAL logs the body of a sign-in answer that is not JSON, at ERROR; that body may hold an access token. Python prints
    such a record to stderr where no handler is set up (`logging.lastResort`), which Pulumi shows. The level stops a
    record at once; the handler and the end of propagation also stop a logger below that has a level of its own.
    """
    for name in _SEE_SECRETS:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
