"""The HTTP client that all requests share, sign-in included."""

from __future__ import annotations

import ssl

import certifi
import httpx

from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.client import TIMEOUT


def open_http(ca_bundle_path: str | None) -> httpx.Client:
    """A client that trusts the public CAs and, beside them, those in a PEM file. Raises SettingsError."""
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
        msg = "The proxy that the environment names cannot be used: http:// and https:// proxies can."
        raise SettingsError(f"{msg} Check HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY.") from None
